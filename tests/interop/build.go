package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"hakuban/internal/race"
	"hakuban/tests/typescript"
)

// peerManifest is found from each folder beside this one.
const peerManifest = "../interop/peer/Cargo.toml"

// requireVariable turns every reason to skip into a failure, so that CI cannot pass by running nothing.
const requireVariable = "HAKUBAN_REQUIRE_INTEROP"

// errMissing marks what the machine or the tree lacks, as opposed to what is broken.
var errMissing = errors.New("missing")

// Reference holds the paths of the programs built from the Rust crate.
type Reference struct {
	Peer    string // our driver around the crate's library
	Router  string // the crate's own hakuban-router
	Library string // the crate's shared library, libhakuban.so
}

// RustReference builds the reference once per test process. It skips the test where that cannot be done.
func RustReference(t testing.TB) Reference {
	t.Helper()
	reference, err := buildReference()
	skipOrFail(t, err)
	return reference
}

// GoRouter builds this module's router once per test process and returns its path. It skips the test while there is none.
func GoRouter(t testing.TB) string {
	t.Helper()
	path, err := buildGoRouter()
	skipOrFail(t, err)
	return path
}

func skipOrFail(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, errMissing) && os.Getenv(requireVariable) != "1":
		t.Skipf("%v (%s=1 makes this a failure)", err, requireVariable)
	default:
		t.Fatal(err)
	}
}

var buildReference = sync.OnceValues(func() (Reference, error) {
	host, err := rustHost()
	if err != nil {
		return Reference{}, err
	}
	target, err := cargoTarget()
	if err != nil {
		return Reference{}, err
	}
	// Fetching apart from building tells an unreachable registry from a broken program.
	if _, err := run("cargo", "fetch", "--manifest-path", peerManifest, "--target", host); err != nil {
		return Reference{}, fmt.Errorf("%w: the reference's crates: %w", errMissing, err)
	}
	// A package that we depend on may be built with its binaries too: one graph gives the peer and the real router.
	messages, err := run("cargo", "build", "--offline", "--manifest-path", peerManifest, "--target-dir", target,
		"-p", "peer", "-p", "hakuban", "--bins", "--lib", "--message-format", "json-render-diagnostics")
	if err != nil {
		return Reference{}, err
	}
	built := cargoArtifacts(messages)
	reference := Reference{Peer: built["peer"], Router: built["hakuban-router"], Library: built["libhakuban.so"]}
	if reference.Peer == "" || reference.Router == "" || reference.Library == "" {
		return Reference{}, fmt.Errorf("cargo built %v, expected peer, hakuban-router and libhakuban.so", built)
	}
	return reference, nil
})

// GoPeer builds the peer program around our library once per test process and returns its path.
func GoPeer(t testing.TB) string {
	t.Helper()
	path, err := buildGoPeer()
	skipOrFail(t, err)
	return path
}

var (
	buildGoRouter = sync.OnceValues(func() (string, error) { return buildGo("hakuban/cmd/hakuban-router") })
	buildGoPeer   = sync.OnceValues(func() (string, error) { return buildGo("hakuban/tests/interop/gopeer") })
)

// TypeScriptPeer makes the peer program around the client in TypeScript once per test process and returns its path.
func TypeScriptPeer(t testing.TB) string {
	t.Helper()
	path, err := buildTypeScriptPeer()
	skipOrFail(t, err)
	return path
}

var buildTypeScriptPeer = sync.OnceValues(func() (string, error) {
	folder, err := builtFolder()
	if err != nil {
		return "", err
	}
	path, err := typescript.Bundle(folder, "../..", "tools/peer.ts")
	if errors.Is(err, typescript.ErrMissing) {
		err = fmt.Errorf("%w: %w", errMissing, err)
	}
	return path, err
})

// buildGo builds a program of this module in a folder of its own, under the race detector where the tests are. A race found makes the
// program end with status 66, which its test takes for what it is: a fault.
func buildGo(source string) (string, error) {
	folder, err := builtFolder()
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, filepath.Base(source))
	arguments := []string{"build", "-o", path}
	if race.Enabled {
		arguments = append(arguments, "-race")
	}
	if _, err := run("go", append(arguments, source)...); err != nil {
		return "", err
	}
	return path, nil
}

var (
	builtMutex sync.Mutex
	built      []string // folders that builtFolder made
)

// builtFolder makes a folder for a program, which RemoveBuilt deletes.
func builtFolder() (string, error) {
	folder, err := os.MkdirTemp("", "hakuban-interop-")
	if err == nil {
		builtMutex.Lock()
		built = append(built, folder)
		builtMutex.Unlock()
	}
	return folder, err
}

// RemoveBuilt deletes the programs of ours that were built; the reference stays in its cache.
func RemoveBuilt() (err error) {
	for _, folder := range built {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	return err
}

// rustHost names the platform that Rust builds for here. It is an errMissing where the reference cannot be built.
func rustHost() (host string, err error) {
	for _, program := range []string{"cargo", "rustc", "pkg-config"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("%w: %s, to build the reference: %w", errMissing, program, err)
		}
	}
	if _, err := run("pkg-config", "--exists", "--print-errors", "openssl"); err != nil {
		return "", fmt.Errorf("%w: the headers of OpenSSL, to build the reference: %w", errMissing, err)
	}
	version, err := run("rustc", "-vV")
	if err != nil {
		return "", fmt.Errorf("%w: a Rust that runs, to build the reference: %w", errMissing, err)
	}
	manifest, err := os.ReadFile(peerManifest)
	if err != nil {
		return "", err
	}
	here, wanted := field(version, "release: "), field(manifest, `rust-version = "`)
	var have, need [2]int
	for text, numbers := range map[string]*[2]int{here: &have, wanted: &need} {
		if _, err := fmt.Sscanf(text, "%d.%d", &numbers[0], &numbers[1]); err != nil {
			return "", fmt.Errorf("%q, of rustc -vV or peer/Cargo.toml, is no release of Rust: %w", text, err)
		}
	}
	if slices.Compare(have[:], need[:]) < 0 {
		return "", fmt.Errorf("%w: Rust %d.%d or newer, to build the reference: here is %s", errMissing, need[0], need[1], here)
	}
	return field(version, "host: "), nil
}

// field returns what follows the prefix of a line.
func field(text []byte, prefix string) string {
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), prefix); found {
			return value
		}
	}
	return ""
}

// cargoTarget is where the reference is built: outside the source tree, kept from run to run.
func cargoTarget() (string, error) {
	if folder := os.Getenv("CARGO_TARGET_DIR"); folder != "" {
		return filepath.Abs(folder)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("a folder to build the reference in (CARGO_TARGET_DIR names one): %w", err)
	}
	return filepath.Join(cache, "hakuban-interop", "target"), nil
}

// cargoArtifacts returns the paths of the executables by their target, and of the other files that were built by their name.
func cargoArtifacts(messages []byte) map[string]string {
	artifacts := make(map[string]string)
	lines := bufio.NewScanner(bytes.NewReader(messages))
	lines.Buffer(nil, len(messages)+1)
	for lines.Scan() {
		var message struct {
			Target     struct{ Name string }
			Executable string
			Filenames  []string
		}
		if json.Unmarshal(lines.Bytes(), &message) != nil {
			continue
		}
		if message.Executable != "" {
			artifacts[message.Target.Name] = message.Executable
			continue
		}
		for _, path := range message.Filenames {
			artifacts[filepath.Base(path)] = path
		}
	}
	return artifacts
}

func run(program string, arguments ...string) ([]byte, error) {
	command := exec.Command(program, arguments...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", program, strings.Join(arguments, " "), err, stderr.Bytes())
	}
	return stdout.Bytes(), nil
}
