package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// WasmPeer builds gopeer for js/wasm once per test process and returns the command that runs it in Node.
func WasmPeer(t testing.TB) []string {
	t.Helper()
	command, err := buildWasmPeer()
	skipOrFail(t, err)
	return command
}

// WasmClientPeer returns the command of the peer program around the client in TypeScript with our core in wasm, which make wasm builds.
func WasmClientPeer(t testing.TB) []string {
	t.Helper()
	skipOrFail(t, nodeMissing())
	path := filepath.Join("..", "..", "clients", "typescript", "dist", "wasm", "tools", "peer.js")
	if _, err := os.Stat(path); err != nil {
		skipOrFail(t, fmt.Errorf("%w: the client with the core in wasm (make wasm builds it): %w", errMissing, err))
	}
	return append(wasmNode(), path)
}

var buildWasmPeer = sync.OnceValues(func() ([]string, error) {
	if err := nodeMissing(); err != nil {
		return nil, err
	}
	folder, err := builtFolder()
	if err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "gopeer.wasm")
	build := exec.Command("go", "build", "-o", path, "hakuban/tests/interop/gopeer")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gopeer for js/wasm: %w\n%s", err, output)
	}
	runner := filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec_node.js")
	// Node 20 has a WebSocket, but not unless it is asked for.
	return append(wasmNode(), "--no-warnings", "--experimental-websocket", runner, path), nil
})

// wasmNode is the command that runs wasm without making more of it than a short run pays for: no function is compiled before it is
// called, none twice.
func wasmNode() []string { return []string{"node", "--liftoff-only", "--wasm-lazy-compilation"} }

func nodeMissing() error {
	if _, err := exec.LookPath("node"); err != nil {
		return fmt.Errorf("%w: node, to run wasm: %w", errMissing, err)
	}
	return nil
}
