"""Builds the shared library into the package, and marks the wheel as one for this platform and any Python 3."""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py


class BuildWithLibrary(build_py):
    def run(self) -> None:
        super().run()
        target = Path(self.build_lib) / "hakuban"
        prebuilt = os.environ.get("HAKUBAN_LIBRARY")
        if prebuilt:
            shutil.copy(prebuilt, target / "libhakuban.so")
        else:
            script = Path(__file__).parent / "../../cmd/libhakuban/build.sh"
            subprocess.run(["sh", str(script), str(target)], check=True)
            (target / "hakuban.h").unlink()


class PlatformWheel(bdist_wheel):
    def get_tag(self) -> "tuple[str, str, str]":
        return ("py3", "none", super().get_tag()[2])


class WithLibrary(Distribution):
    def has_ext_modules(self) -> bool:
        return True


setup(distclass=WithLibrary, cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel})
