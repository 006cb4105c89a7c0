package hostile

import (
	"bufio"
	"fmt"
	"io"
	"net"
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

	"hakuban/internal/race"
)

// patience bounds what a test waits for, except the healthy pair's states (deadline); only a failing one waits that long.
const patience = 2 * time.Minute

// longestLine bounds what a peer can make the router write to its log about one event, in bytes.
const longestLine = 4 << 10

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
	race.Main(func() int {
		status := m.Run()
		if path, err := buildRouter(); err == nil {
			_ = os.RemoveAll(filepath.Dir(path))
		}
		return status
	}, "the router is a process of its own, built without it; package transport has the sessions, and tests/interop the processes")
}

// router is the process under test with a healthy pair on it.
type router struct {
	*pair
	t       *testing.T
	url     string // ws://host:port/
	command *exec.Cmd
	exited  chan struct{}

	mu        sync.Mutex
	strangers map[string]bool   // the addresses of the connections that misbehave
	ended     map[string]string // the addresses of the links that ended, and why, as the router logs it
	longest   string            // line of the log
	logged    chan struct{}     // capacity 1: there is more in ended
}

// startRouter starts the router with parameters such as #timeout=1s, and the pair.
func startRouter(t *testing.T, parameters string) *router {
	t.Helper()
	path, err := buildRouter()
	if err != nil {
		t.Fatal(err)
	}
	r := &router{
		t: t, command: exec.Command(path, "-b", "ws://127.0.0.1:0"+parameters), exited: make(chan struct{}),
		strangers: map[string]bool{}, ended: map[string]string{}, logged: make(chan struct{}, 1),
	}
	log, err := r.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	listens := make(chan string, 1)
	go r.read(log, listens)
	t.Cleanup(r.stop)
	select {
	case r.url = <-listens:
	case <-r.exited:
		t.Fatalf("the router ended: %v, %s", r.command.ProcessState, r.longest)
	case <-time.After(patience):
		t.Fatal("the router does not say where it listens")
	}
	r.pair = startPair(t, r.url)
	return r
}

var (
	listening = regexp.MustCompile(`msg=listening url="?(ws://[^#\s"]+)`)
	linkEnded = regexp.MustCompile(`msg="downstream link ended" .*remote=(\S+) reason=(.*)`)
)

// read reads the log until the router ends.
func (r *router) read(log io.Reader, listens chan<- string) {
	defer close(r.exited)
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			_ = r.command.Wait()
			return
		}
		if match := listening.FindStringSubmatch(line); match != nil {
			listens <- match[1]
		}
		r.mu.Lock()
		if match := linkEnded.FindStringSubmatch(line); match != nil {
			r.ended[match[1]] = match[2]
		}
		if len(line) > len(r.longest) {
			r.longest = line
		}
		r.mu.Unlock()
		select {
		case r.logged <- struct{}{}:
		default:
		}
	}
}

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
	if len(r.longest) > longestLine {
		r.t.Errorf("a line of the log has %d bytes: %.300s…", len(r.longest), r.longest)
	}
}

// stranger notes that a connection is one that may end.
func (r *router) stranger(connection net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strangers[connection.LocalAddr().String()] = true
}

// awaitEnd waits until the router has ended the link of an address, and returns why.
func (r *router) awaitEnd(address string) string {
	r.t.Helper()
	for timeout := time.After(patience); ; {
		r.mu.Lock()
		reason, ended := r.ended[address]
		r.mu.Unlock()
		if ended {
			return reason
		}
		select {
		case <-r.logged:
		case <-timeout:
			r.t.Fatal("the router did not end the link")
		}
	}
}

// pass checks, after some hostile input, that the process lives, that the healthy pair's states arrive and have all the time, and
// that no link has ended but those that misbehave.
func (r *router) pass(after string) {
	r.t.Helper()
	select {
	case <-r.exited:
		r.t.Fatalf("%s: the router ended: %v", after, r.command.ProcessState)
	default:
	}
	if err := r.beat(); err != nil {
		r.t.Fatalf("%s: the healthy pair: %v", after, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for address, reason := range r.ended {
		if !r.strangers[address] {
			r.t.Fatalf("%s: another link ended: %s", after, reason)
		}
	}
}

// bounded checks that the router's memory has stayed below a bound in MiB; it does not where the system does not tell.
func (r *router) bounded(after string, mib int) {
	r.t.Helper()
	peak, now := r.memory("VmHWM"), r.memory("VmRSS")
	if peak > mib {
		r.t.Errorf("%s: the router took %d MiB, at most %d was expected", after, peak, mib)
	}
	r.t.Logf("%s: resident %d MiB, at most %d so far, bound %d; slowest healthy state %v", after, now, peak, mib, r.slowest())
}

// memory is a figure of the process's status in MiB: VmRSS, what is resident, or VmHWM, the most that ever was.
func (r *router) memory(figure string) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.command.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == figure+":" {
			kib, _ := strconv.Atoi(fields[1])
			return kib >> 10
		}
	}
	return 0
}
