package typescript

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// oldestNode is the oldest major version of Node that the client runs on.
const oldestNode = 20

// ErrMissing marks what the machine lacks, as opposed to what is broken.
var ErrMissing = errors.New("missing")

// Bundle makes one file, in a folder, of a program for Node, such as the client's own tools/peer.ts or one at an absolute path, and returns
// its path. The root is the module's. The error is an [ErrMissing] where Node or the client's packages are not there.
func Bundle(folder, root, entry string) (string, error) {
	version, err := exec.Command("node", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%w: node, to run the client: %w", ErrMissing, err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), ".")
	if number, err := strconv.Atoi(major); err != nil || number < oldestNode {
		return "", fmt.Errorf("%w: node %d or newer, to run the client: here is %s", ErrMissing, oldestNode, version)
	}
	client, err := filepath.Abs(filepath.Join(root, "clients", "typescript"))
	if err != nil {
		return "", err
	}
	esbuild := filepath.Join(client, "node_modules", ".bin", "esbuild")
	if _, err := os.Stat(esbuild); err != nil {
		return "", fmt.Errorf("%w: the client's packages (make typescript installs them): %w", ErrMissing, err)
	}
	path := filepath.Join(folder, strings.TrimSuffix(filepath.Base(entry), ".ts")+".cjs")
	if !filepath.IsAbs(entry) {
		entry = filepath.Join(client, entry)
	}
	command := exec.Command(esbuild, entry, "--bundle", "--platform=node", "--format=cjs", "--log-level=warning", "--outfile="+path,
		"--alias:hakuban="+filepath.Join(client, "src", "index.ts"), "--alias:ws="+filepath.Join(client, "node_modules", "ws"))
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("esbuild %s: %w\n%s", entry, err, output)
	}
	return path, nil
}
