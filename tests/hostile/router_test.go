package hostile

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hakuban"
	"hakuban/transport"
)

// patience bounds what a test waits for; only a failing one waits that long.
const patience = 20 * time.Second

var buildRouter = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "hakuban-hostile-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "hakuban-router")
	output, err := exec.Command("go", "build", "-o", path, "hakuban/cmd/hakuban-router").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if path, err := buildRouter(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(status)
}

// router is the process under test with a healthy pair on it.
type router struct {
	t       *testing.T
	url     string
	command *exec.Cmd
	exited  chan struct{}

	expose  *hakuban.ExposeContract
	sink    *hakuban.Sink
	stream  *hakuban.Stream
	watcher *hakuban.Exchange // the healthy observer's
	count   int
}

var listening = regexp.MustCompile(`msg=listening url=(\S+)`)

func startRouter(t *testing.T, parameters string) *router {
	t.Helper()
	path, err := buildRouter()
	if err != nil {
		t.Fatal(err)
	}
	r := &router{t: t, command: exec.Command(path, "-b", "ws://127.0.0.1:0"+parameters), exited: make(chan struct{})}
	log, err := r.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(log)
	first, err := lines.ReadString('\n')
	match := listening.FindStringSubmatch(first)
	if match == nil {
		t.Fatalf("the router's first line is %q, %v", first, err)
	}
	r.url, _, _ = strings.Cut(match[1], "#")
	go func() {
		_, _ = lines.WriteTo(discard{})
		_ = r.command.Wait()
		close(r.exited)
	}()
	t.Cleanup(r.stop)
	r.startPair()
	return r
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// stop ends the router, which must still be there and end well.
func (r *router) stop() {
	select {
	case <-r.exited:
		r.t.Errorf("the router ended by itself: %v", r.command.ProcessState)
		return
	default:
	}
	_ = r.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.exited:
		if !r.command.ProcessState.Success() {
			r.t.Errorf("the router ended with %v", r.command.ProcessState)
		}
	case <-time.After(patience):
		_ = r.command.Process.Kill()
		r.t.Error("the router did not end on SIGTERM")
	}
}

func (r *router) connect(name string) *hakuban.Exchange {
	x := hakuban.NewExchange(nil)
	r.t.Cleanup(x.Close)
	c, err := transport.Connect(x, r.url+"#name="+name, transport.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return x
}

var healthy = hakuban.MustObject("healthy")

func (r *router) startPair() {
	r.t.Helper()
	limited, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	exposer := r.connect("healthy-exposer")
	r.watcher = r.connect("healthy-observer")
	r.expose = exposer.ExposeObject(healthy)
	var err error
	if r.stream, err = r.watcher.ObserveObject(healthy).Next(limited); err != nil {
		r.t.Fatal(err)
	}
	if r.sink, err = r.expose.Next(limited); err != nil {
		r.t.Fatal(err)
	}
	r.pass("at first")
}

// pass checks that the healthy pair's sink was never revoked, and that its next state arrives.
func (r *router) pass(after string) {
	r.t.Helper()
	limited, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r.count++
	want := fmt.Sprintf("%d", r.count)
	if err := r.sink.Send(limited, hakuban.NewState(want)); err != nil {
		r.t.Fatalf("%s: the healthy sink: %v", after, err)
	}
	for {
		state, err := r.stream.Next(limited)
		if err != nil {
			r.t.Fatalf("%s: the healthy observer: %v", after, err)
		}
		if string(state.Data()) == want {
			return
		}
	}
}

// resident is the router's memory in MiB; 0 where the system does not tell.
func (r *router) resident() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.command.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kib, _ := strconv.Atoi(fields[1])
			return kib >> 10
		}
	}
	return 0
}

// bounded checks that the router's memory is, and has stayed, below a bound in MiB.
func (r *router) bounded(after string, mib int) {
	r.t.Helper()
	if resident := r.resident(); resident > mib {
		r.t.Errorf("%s: the router takes %d MiB, at most %d was expected", after, resident, mib)
	}
}
