"""States of objects."""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass, field
from typing import Any

from . import _abi

_MAX_MICROSECONDS = 2**64 - 1


@dataclass(frozen=True)
class State:
    """One value of an object: bytes, the names of the formats they are encoded in (innermost first), and a version.

    `synchronized_ago` is how many seconds ago the data was known to be current; 0 means that it is now.
    """

    data: bytes
    format: tuple[str, ...] = ()
    #: Compared number by number. Empty: a version from the clock, given when the state is sent.
    version: tuple[int, ...] = ()
    synchronized_ago: float = field(default=0.0, compare=False)

    @classmethod
    def from_json(cls, value: Any, **more: Any) -> "State":
        """A state with a value as JSON, under the format name "JSON" that all exchanges know."""
        return cls(json.dumps(value, ensure_ascii=False).encode("utf-8"), format=("JSON",), **more)

    def json(self) -> Any:
        """The value of a state whose format is "JSON"."""
        if self.format != ("JSON",):
            raise ValueError(f"the state's format is {self.format}, ('JSON',) was expected")
        return json.loads(self.data)

    @property
    def synchronized(self) -> bool:
        """Whether the elected exposer says now that this state is current."""
        return self.synchronized_ago == 0

    def _handle(self) -> int:
        names = [name.encode("utf-8") for name in self.format]
        if any(b"\x00" in name for name in names):
            raise _abi.InvalidTextError("a NUL character in the name of a format")
        ago = 0 if self.synchronized_ago == 0 else min(max(int(self.synchronized_ago * 1e6), 1), _MAX_MICROSECONDS)
        return _abi.pointer_of(
            _abi.state_new(
                len(self.version), (ctypes.c_int64 * len(self.version))(*self.version),
                len(names), (ctypes.c_char_p * len(names))(*names),
                len(self.data), bytes(self.data), ago,
            )
        )

    @classmethod
    def _from_handle(cls, handle: int) -> "State":
        try:
            data = _abi.state_data(handle)
            return cls(
                ctypes.string_at(data.pointer, data.length),
                tuple(name.decode("utf-8") for name in _abi.elements(_abi.state_format(handle), ctypes.c_char_p)),
                tuple(_abi.elements(_abi.state_version(handle), ctypes.c_int64)),
                _abi.state_synchronized_ago(handle) / 1e6,
            )
        finally:
            _abi.state_drop(handle)
