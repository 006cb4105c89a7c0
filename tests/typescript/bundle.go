package typescript

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// requireVariable turns every reason to skip into a failure, so that CI cannot pass by running nothing.
const requireVariable = "HAKUBAN_REQUIRE_INTEROP"

// oldestNode is the oldest major version of Node that the client runs on.
const oldestNode = 20

var errMissing = errors.New("missing")

// Bundle makes one file of a program of the client's, such as tools/peer.ts, for Node, and returns its path: root is the module's root. It
// skips the test where Node or the client's packages are not there.
func Bundle(t testing.TB, root, entry string) string {
	t.Helper()
	path, err := bundle(t.TempDir(), root, entry)
	switch {
	case err == nil:
	case errors.Is(err, errMissing) && os.Getenv(requireVariable) != "1":
		t.Skipf("%v (%s=1 makes this a failure)", err, requireVariable)
	default:
		t.Fatal(err)
	}
	return path
}

func bundle(folder, root, entry string) (string, error) {
	version, err := exec.Command("node", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%w: node, to run the client: %w", errMissing, err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), ".")
	if number, err := strconv.Atoi(major); err != nil || number < oldestNode {
		return "", fmt.Errorf("%w: node %d or newer, to run the client: here is %s", errMissing, oldestNode, version)
	}
	client := filepath.Join(root, "clients", "typescript")
	esbuild := filepath.Join(client, "node_modules", ".bin", "esbuild")
	if _, err := os.Stat(esbuild); err != nil {
		return "", fmt.Errorf("%w: the client's packages (make typescript installs them): %w", errMissing, err)
	}
	path := filepath.Join(folder, strings.TrimSuffix(filepath.Base(entry), ".ts")+".cjs")
	output, err := exec.Command(esbuild, filepath.Join(client, entry), "--bundle", "--platform=node", "--format=cjs", "--log-level=warning", "--outfile="+path).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("esbuild %s: %w\n%s", entry, err, output)
	}
	return path, nil
}
