package cabi

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"hakuban/internal/race"
)

// requireVariable turns every reason to skip into a failure, as in tests/interop.
const requireVariable = "HAKUBAN_REQUIRE_INTEROP"

// Folder returns a folder with libhakuban.so, libhakuban.a and hakuban.h, which is built once per test process. It skips the test where
// no C compiler can build it, and under the race detector, whose runtime cannot be loaded into a program that is not Go's.
func Folder(t testing.TB) string {
	t.Helper()
	if race.Enabled {
		t.Skip("a library with the race detector does not load: the tests of cmd/libhakuban look for races, and without it this runs")
	}
	folder, err := plain()
	skipOrFail(t, err)
	return folder
}

var errMissing = errors.New("missing")

// Skip skips a test for what the machine lacks, unless nothing may be lacking.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv(requireVariable) == "1" {
		t.Fatal(reason)
	}
	t.Skipf("%s (%s=1 makes this a failure)", reason, requireVariable)
}

func skipOrFail(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errMissing) {
		Skip(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
}

var (
	// plain is what is released.
	plain = sync.OnceValues(func() (string, error) { return buildLibrary([]string{"STATIC=1"}) })
	// sanitized has the address sanitizer look at what C and Go do with each other's memory, and Go look at the pointers it gives away.
	sanitized = sync.OnceValues(func() (string, error) {
		return buildLibrary([]string{"GOEXPERIMENT=cgocheck2"}, "-asan")
	})
)

func buildLibrary(environment []string, flags ...string) (string, error) {
	if runtime.GOOS != "linux" {
		return "", fmt.Errorf("%w: a Linux, for the linker's version script", errMissing)
	}
	for _, program := range []string{"sh", "gcc", "ld", "objcopy", "ar"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("%w: %s, to build the library: %w", errMissing, program, err)
		}
	}
	folder, err := newFolder()
	if err != nil {
		return "", err
	}
	script, err := run(nil, "go", "list", "-f", "{{.Dir}}/build.sh", "hakuban/cmd/libhakuban")
	if err != nil {
		return "", err
	}
	_, err = run(environment, "sh", append([]string{strings.TrimSpace(script), folder}, flags...)...)
	return folder, err
}

// compile builds a C program from a folder's sources, with a library that has hakuban.h beside it.
func compile(source, library string, flags ...string) (string, error) {
	sources, err := filepath.Glob(filepath.Join(source, "*.c"))
	if err != nil {
		return "", err
	}
	folder, err := newFolder()
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, filepath.Base(source))
	arguments := append([]string{"-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", "-I" + filepath.Dir(library), "-o", program}, flags...)
	_, err = run(nil, "gcc", append(append(arguments, sources...), library, "-lpthread")...)
	return program, err
}

// run runs a program and returns its stdout.
func run(environment []string, program string, arguments ...string) (string, error) {
	command := exec.Command(program, arguments...)
	command.Env = append(os.Environ(), environment...)
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", program, strings.Join(arguments, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

var (
	builtMutex sync.Mutex
	built      []string // folders that newFolder made
)

func newFolder() (string, error) {
	folder, err := os.MkdirTemp("", "hakuban-cabi-")
	builtMutex.Lock()
	defer builtMutex.Unlock()
	built = append(built, folder)
	return folder, err
}

// RemoveBuilt deletes what was built.
func RemoveBuilt() (err error) {
	for _, folder := range built {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	return err
}
