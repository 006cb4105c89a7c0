// Package bindings runs the tests of bindings/python and bindings/ruby, as their users would have them: Python's from the wheel, Ruby's
// on Debian's ruby-ffi. Both are given a router of ours. The code of their READMEs is run, too.
package bindings

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hakuban/tests/cabi"
	"hakuban/tests/interop"
)

// patience bounds what a test waits for; only a failing one waits that long.
const patience = 3 * time.Minute

func TestMain(m *testing.M) {
	status := m.Run()
	for _, err := range []error{cabi.RemoveBuilt(), interop.RemoveBuilt()} {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

// Python: a wheel is built, carries the library, passes its own tests and its type check, and the README's code.
func TestPython(t *testing.T) {
	library, router := prepare(t)
	source, folder := filepath.Join("..", "..", "bindings", "python"), t.TempDir()
	needs(t, folder, "python3", "-m", "venv", "venv")
	python := filepath.Join(folder, "venv", "bin", "python")
	needs(t, folder, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", setuptools(t, source), "mypy==1.18.2")

	copied := filepath.Join(folder, "source") // the build leaves things behind
	if err := os.CopyFS(copied, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	run(t, copied, []string{"HAKUBAN_LIBRARY=" + library}, python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
		"--wheel-dir", folder, ".")
	wheels, err := filepath.Glob(filepath.Join(folder, "hakuban-*-py3-none-linux_*.whl"))
	if err != nil || len(wheels) != 1 {
		t.Fatalf("%v: the wheels are %v, one for this platform and any Python 3 was expected", err, wheels)
	}
	run(t, folder, nil, python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheels[0])

	environment := []string{"HAKUBAN_ROUTER=" + router, "HAKUBAN_LIBRARY="}
	tests := run(t, filepath.Join(copied, "tests"), environment, python, "-W", "error", "-X", "faulthandler", "-m", "unittest", "-v", "test_hakuban")
	if strings.Contains(tests, "skipped") {
		t.Errorf("tests were skipped:\n%s", tests)
	}
	run(t, copied, nil, python, "-m", "mypy", "--strict", "hakuban")
	for _, code := range readme(t, source, "python") {
		if seen := run(t, folder, environment, python, "-c", code); seen != "21.5\n" {
			t.Errorf("the README's code printed %q", seen)
		}
	}
}

// setuptools returns the requirement that pyproject.toml names.
func setuptools(t *testing.T, source string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(source, "pyproject.toml"))
	if err != nil {
		t.Fatal(err)
	}
	requirement := regexp.MustCompile(`setuptools==[0-9.]+`).FindString(string(text))
	if requirement == "" {
		t.Fatal("pyproject.toml names no setuptools")
	}
	return requirement
}

// Ruby: the tests pass without a warning, and the README's code runs.
func TestRuby(t *testing.T) {
	library, router := prepare(t)
	source := filepath.Join("..", "..", "bindings", "ruby")
	needs(t, source, "ruby", "-rffi", "-rminitest", "-e", "")
	environment := []string{"HAKUBAN_LIBRARY=" + library, "HAKUBAN_ROUTER=" + router}
	tests := run(t, source, environment, "ruby", "-w", "-Ilib", "test/test_hakuban.rb")
	if !strings.Contains(tests, "0 skips") || strings.Contains(tests, "warning:") {
		t.Errorf("warnings, or skipped tests:\n%s", tests)
	}
	for _, code := range readme(t, source, "ruby") {
		if seen := run(t, source, environment, "ruby", "-w", "-Ilib", "-e", code); seen != "21.5\n" {
			t.Errorf("the README's code printed %q", seen)
		}
	}
}

// prepare builds the library and starts a router.
func prepare(t *testing.T) (library, router string) {
	t.Helper()
	return filepath.Join(cabi.Folder(t), "libhakuban.so"), interop.StartRouter(t, interop.Go, interop.RouterOptions{}).URL
}

// readme returns the code blocks of a language in a folder's README. There must be one, of about ten lines.
func readme(t *testing.T, folder, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, match[1])
		if lines := strings.Count(match[1], "\n"); lines > 12 {
			t.Errorf("an example of %d lines", lines)
		}
	}
	if len(blocks) == 0 {
		t.Errorf("%s/README.md has no %s", folder, language)
	}
	return blocks
}

// needs runs a command whose failure means that the machine lacks something.
func needs(t *testing.T, folder, program string, arguments ...string) {
	t.Helper()
	if _, err := try(t, folder, nil, program, arguments...); err != nil {
		cabi.Skip(t, fmt.Sprintf("missing: %v", err))
	}
}

func run(t *testing.T, folder string, environment []string, program string, arguments ...string) string {
	t.Helper()
	output, err := try(t, folder, environment, program, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

func try(t *testing.T, folder string, environment []string, program string, arguments ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = folder
	command.Env = append(os.Environ(), environment...)
	output, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", program, strings.Join(arguments, " "), err, output)
	}
	return string(output), err
}
