package interop

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Kind says whose router, or peer, it is.
type Kind string

const (
	Rust       Kind = "rust"
	Go         Kind = "go"
	TypeScript Kind = "typescript" // of peers only, as all that follow are: they are leaves
	Wasm       Kind = "wasm"       // our library as a program in wasm
	WasmClient Kind = "wasmclient" // the client in TypeScript with our core in wasm
)

// RouterOptions are command-line options that both routers have.
type RouterOptions struct {
	Parameters string // of the bound URL, such as "name=top,timeout=2s"
	Connect    string // the parent's URL, with its parameters
	MonitorTag string
	Threshold  string // rebalance threshold
}

// Router is a running router process.
type Router struct {
	URL     string // without parameters; clients dial it
	t       testing.TB
	kind    Kind
	options RouterOptions
	process *process
}

// listening matches the line by which either router tells its real port.
var listening = regexp.MustCompile(`(?i)listening.*?(ws://[^\s"#]+)`)

// StartRouter starts a router on a free port, and waits until it accepts connections.
func StartRouter(t testing.TB, kind Kind, options RouterOptions) *Router {
	t.Helper()
	r := &Router{t: t, kind: kind, options: options}
	r.start("ws://" + freeAddress(t))
	return r
}

// The ports of routers are below those that systems give to whoever asks for any: nobody is given the one of a killed router, not even
// a client of it, which would then be connected to itself. Each process of tests has a block of its own, which is claimed by
// listening on the first port, so that no other one's router comes between freeAddress and its own.
const firstPort, blockCount, blockSize = 20_000, 10, 1_000

var (
	claimBlock = sync.OnceValue(func() net.Listener {
		first := rand.IntN(blockCount)
		for n := range blockCount {
			if socket, err := listenOn(firstPort + (first+n)%blockCount*blockSize); err == nil {
				return socket
			}
		}
		return nil
	})
	lastPort atomic.Uint32
)

func listenOn(port int) (net.Listener, error) {
	return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

// freeAddress returns an address at which nobody listens, and which this process has not used lately.
func freeAddress(t testing.TB) string {
	t.Helper()
	block := claimBlock()
	if block == nil {
		t.Fatalf("no block of ports is free from %d on", firstPort)
	}
	for range blockSize {
		if socket, err := listenOn(block.Addr().(*net.TCPAddr).Port + int(lastPort.Add(1)%blockSize)); err == nil {
			_ = socket.Close()
			return socket.Addr().String()
		}
	}
	t.Fatal("no free port was found")
	return ""
}

// Kill ends the router as a crash would.
func (r *Router) Kill() { r.process.kill() }

// Silent has the router say nothing, nor answer, while something is done.
func (r *Router) Silent(during func()) {
	r.t.Helper()
	r.process.silent(r.t, during)
}

// Start starts a killed router again, on the same port.
func (r *Router) Start() {
	r.t.Helper()
	r.start(strings.TrimSuffix(r.URL, "/"))
}

func (r *Router) start(bind string) {
	r.t.Helper()
	var path string
	switch r.kind {
	case Rust:
		path = RustReference(r.t).Router
	case Go:
		path = GoRouter(r.t)
	default:
		r.t.Fatalf("no router of kind %q", r.kind)
	}
	if r.options.Parameters != "" {
		bind += "#" + r.options.Parameters
	}
	arguments := []string{"-b", bind}
	for _, option := range []struct{ name, value string }{
		{"--connect", r.options.Connect},
		{"--monitor-tag", r.options.MonitorTag},
		{"--rebalance-threshold", r.options.Threshold},
	} {
		if option.value != "" {
			arguments = append(arguments, option.name, option.value)
		}
	}
	running := startProcess(r.t, string(r.kind)+" router", exec.Command(path, arguments...))
	r.t.Cleanup(func() { r.stopCleanly(running) })
	r.process = running
	r.URL = running.waitLog(r.t, listening)[1]
}

// stopCleanly checks what every scenario implies: a router survives it, and ends with status 0 when told to.
func (r *Router) stopCleanly(running *process) {
	if running.killed {
		return
	}
	if err := running.terminate(); err != nil {
		r.t.Errorf("%s router %s: %v, expected exit status 0 on SIGTERM", r.kind, r.URL, err)
	}
}
