package interop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

// Suite is the crate's own tests, built.
type Suite struct {
	Programs []string        // of the test files basic.rs and introspective.rs
	Folder   string          // in the cache, where files may be made
	Ordered  map[string]bool // the tests that have one order for each value of HISTORY
}

// suiteManifest is found from each folder beside this one.
const suiteManifest = "../reference/Cargo.toml"

// ReferenceSuite builds the crate's own tests once per test process. It skips the test where that cannot be done.
func ReferenceSuite(t testing.TB) Suite {
	t.Helper()
	suite, err := buildSuite()
	skipOrFail(t, err)
	return suite
}

// A test names how many barriers its clients have that let them go on in an order of HISTORY.
var ordered = regexp.MustCompile(`async fn (\w+)\(.*\n.*\n\tShuffle::new\([1-9]`)

// Each of the suite's stories must be over after two seconds, and counts on things that take less than a tenth of one. Both are about the
// machine, not about the router: here it is a minute, and half a second.
var (
	patience = [2]string{"\ttimeout,\n", "\tDuration::from_secs(60).max(timeout),\n"}
	haste    = [2]string{"time::sleep(Duration::from_millis(100))", "time::sleep(Duration::from_millis(500))"}
)

var buildSuite = sync.OnceValues(func() (Suite, error) {
	host, err := rustHost()
	if err != nil {
		return Suite{}, err
	}
	if _, err := buildReference(); err != nil { // all but the tests
		return Suite{}, err
	}
	target, err := cargoTarget()
	if err != nil {
		return Suite{}, err
	}
	folder := filepath.Join(filepath.Dir(target), "suite")
	manifest := filepath.Join(folder, "Cargo.toml")
	if err := writeSuite(folder, host); err != nil {
		return Suite{}, fmt.Errorf("the source of the crate's tests: %w", err)
	}
	if _, err := run("cargo", "fetch", "--manifest-path", manifest, "--target", host); err != nil {
		return Suite{}, fmt.Errorf("%w: the crates of the reference's tests: %w", errMissing, err)
	}
	messages, err := run("cargo", "test", "--no-run", "--offline", "--manifest-path", manifest, "--target-dir", target,
		"--message-format", "json-render-diagnostics")
	if err != nil {
		return Suite{}, err
	}
	executables := cargoArtifacts(messages)
	suite := Suite{Folder: folder, Ordered: make(map[string]bool)}
	for _, name := range []string{"basic", "introspective"} {
		source, err := os.ReadFile(filepath.Join(folder, "tests", name+".rs"))
		if err != nil {
			return Suite{}, err
		}
		for _, match := range ordered.FindAllSubmatch(source, -1) {
			suite.Ordered[string(match[1])] = true
		}
		if executables[name] == "" {
			return Suite{}, fmt.Errorf("cargo built %v, expected basic and introspective", executables)
		}
		suite.Programs = append(suite.Programs, executables[name])
	}
	return suite, nil
})

// writeSuite makes a package of the crate's tests: none of them is kept in this tree.
func writeSuite(folder, host string) error {
	source, err := crateSource(host)
	if err != nil {
		return err
	}
	tests := filepath.Join(folder, "tests")
	if err := os.RemoveAll(tests); err != nil {
		return err
	}
	if err := os.CopyFS(tests, os.DirFS(filepath.Join(source, "tests"))); err != nil {
		return err
	}
	if err := replaceIn(filepath.Join(tests, "common", "shuffler.rs"), patience, 1); err != nil {
		return err
	}
	if err := replaceIn(filepath.Join(tests, "basic.rs"), haste, 8); err != nil {
		return err
	}
	manifest, err := os.ReadFile(suiteManifest)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"Cargo.toml": manifest, "empty.rs": nil} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	return seedLock(folder)
}

// crateSource is the folder of the crate's source, as cargo unpacked it.
func crateSource(host string) (string, error) {
	text, err := run("cargo", "metadata", "--offline", "--filter-platform", host, "--format-version", "1", "--manifest-path", peerManifest)
	if err != nil {
		return "", err
	}
	var metadata struct {
		Packages []struct {
			Name     string
			Manifest string `json:"manifest_path"`
		}
	}
	if err := json.Unmarshal(text, &metadata); err != nil {
		return "", err
	}
	for _, p := range metadata.Packages {
		if p.Name == "hakuban" {
			return filepath.Dir(p.Manifest), nil
		}
	}
	return "", errors.New("cargo metadata names no package hakuban")
}

// replaceIn changes a text wherever a file has it, which must be so many times.
func replaceIn(path string, change [2]string, times int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if n := bytes.Count(text, []byte(change[0])); n != times {
		return fmt.Errorf("%s has %q %d times, expected %d", path, change[0], n, times)
	}
	return os.WriteFile(path, bytes.ReplaceAll(text, []byte(change[0]), []byte(change[1])), 0o600)
}

// seedLock lets cargo choose for the tests the versions that it chose for the peer, so that little is built twice.
func seedLock(folder string) error {
	lock, err := os.ReadFile(filepath.Join(filepath.Dir(peerManifest), "Cargo.lock"))
	if err != nil {
		return err
	}
	seed := filepath.Join(folder, "peer.lock")
	seeded, err := os.ReadFile(seed)
	if err == nil && bytes.Equal(seeded, lock) {
		return nil // cargo has added to it what the tests need
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, path := range []string{filepath.Join(folder, "Cargo.lock"), seed} {
		if err := os.WriteFile(path, lock, 0o600); err != nil {
			return err
		}
	}
	return nil
}
