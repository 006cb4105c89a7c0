//go:build unix

package faults

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program on a host, which may be killed and started again.
type process struct {
	host  *host
	start func() *exec.Cmd
	ready func(stdin io.Writer, stdout io.Reader) // nil: nothing is to be done

	command *exec.Cmd
	stdin   io.WriteCloser
	log     *tail
}

// tail keeps the end of what a process says.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const maxTail = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > maxTail {
		t.text = append([]byte(nil), t.text[len(t.text)-maxTail:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

func (p *process) run() error {
	p.command = p.start()
	p.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p.command.Stderr = p.log
	var err error
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		return err
	}
	stdout, writer := io.Pipe()
	p.command.Stdout = writer
	if err := p.command.Start(); err != nil {
		return err
	}
	if p.ready != nil {
		p.ready(p.stdin, stdout)
	} else {
		go func() { _, _ = io.Copy(io.Discard, stdout) }()
	}
	return nil
}

// signal is for the program itself: "ip netns exec" has become it.
func (p *process) signal(s syscall.Signal) error { return p.command.Process.Signal(s) }

func (p *process) kill(s syscall.Signal) {
	if p.command == nil || p.command.Process == nil {
		return
	}
	_ = p.signal(s) // gone already: all the better
	timer := time.AfterFunc(10*time.Second, func() { _ = p.command.Process.Kill() })
	defer timer.Stop()
	_ = p.command.Wait() // how it ended says nothing
	p.stdin.Close()
}

// tree is the processes.
type tree struct {
	network                     *network
	root, middle                *process
	exposer, observer           *leaf
	otherExposer, otherObserver *leaf
	stop                        chan struct{}
	publishing                  sync.WaitGroup
}

// programs are the paths of what runs on the hosts. Rust is "" without the Rust crate.
type programs struct{ router, peer, rust string }

func build(folder, rust string) (programs, error) {
	p := programs{filepath.Join(folder, "hakuban-router"), filepath.Join(folder, "gopeer"), rust}
	for path, source := range map[string]string{p.router: "hakuban/cmd/hakuban-router", p.peer: "hakuban/tests/interop/gopeer"} {
		if out, err := exec.Command("go", "build", "-o", path, source).CombinedOutput(); err != nil {
			return p, fmt.Errorf("build %s: %w: %s", source, err, out)
		}
	}
	return p, nil
}

const port = 3001

// linkParameters have a lost link noticed soon.
const linkParameters = "timeout=4s,keep-alive=1s"

func grow(p programs) (t *tree, err error) {
	t = &tree{stop: make(chan struct{})}
	if t.network, err = newNetwork(); err != nil {
		return t, err
	}
	hosts := map[string]*host{}
	for _, name := range []string{"root", "middle", "exposer", "observer", "other1", "other2"} {
		if hosts[name], err = t.network.add(name); err != nil {
			return t, err
		}
	}
	router := func(h *host, upstream func() string) *process {
		return &process{host: h, log: &tail{}, start: func() *exec.Cmd {
			arguments := []string{"--bind", fmt.Sprintf("ws://0.0.0.0:%d#%s", port, linkParameters)}
			if upstream != nil {
				arguments = append(arguments, "--connect", upstream()+"#"+linkParameters)
			}
			return h.command(p.router, arguments...)
		}}
	}
	url := func(p *process) func() string {
		return func() string { return fmt.Sprintf("ws://%s:%d", p.host.name, port) }
	}
	t.root = router(hosts["root"], nil)
	t.middle = router(hosts["middle"], url(t.root))
	newLeaf := func(h *host, program, object string, expose bool, router *process) *leaf {
		l := &leaf{object: object, expose: expose, url: url(router), changed: make(chan struct{})}
		l.process = &process{host: h, log: &tail{}, start: func() *exec.Cmd { return h.command(program) }, ready: l.begin}
		return l
	}
	second := p.peer
	if p.rust != "" {
		second = p.rust
	}
	t.exposer = newLeaf(hosts["exposer"], p.peer, "watched", true, t.middle)
	t.observer = newLeaf(hosts["observer"], p.peer, "watched", false, t.root)
	t.otherExposer = newLeaf(hosts["other1"], second, "other", true, t.root)
	t.otherObserver = newLeaf(hosts["other2"], second, "other", false, t.root)
	for _, process := range []*process{t.root, t.middle} {
		if err := process.run(); err != nil {
			return t, err
		}
	}
	for _, l := range t.leaves() {
		if err := l.process.run(); err != nil {
			return t, err
		}
	}
	for _, l := range []*leaf{t.exposer, t.otherExposer} {
		t.publishing.Go(func() {
			ticker := time.NewTicker(pace)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					l.publish()
				case <-t.stop:
					return
				}
			}
		})
	}
	return t, t.settled(time.Now(), 20*time.Second)
}

func (t *tree) leaves() []*leaf {
	return []*leaf{t.exposer, t.observer, t.otherExposer, t.otherObserver}
}

// settled waits until both observers see what was sent after a moment.
func (t *tree) settled(since time.Time, bound time.Duration) error {
	for _, pair := range [][2]*leaf{{t.observer, t.exposer}, {t.otherObserver, t.otherExposer}} {
		if _, ok := await(pair[0], pair[1], since, bound); !ok {
			return fmt.Errorf("object %q: nothing that was sent since is seen after %v", pair[0].object, bound)
		}
	}
	return nil
}

// fell is what is wrong with what was seen.
func (t *tree) fell() error {
	var errs []error
	for _, l := range t.leaves() {
		l.mu.Lock()
		for _, fault := range l.faults {
			errs = append(errs, fmt.Errorf("object %q: %s", l.object, fault))
		}
		l.mu.Unlock()
	}
	return errors.Join(errs...)
}

// leftovers ends the leaves, and says what the routers still hold then; "": nothing.
func (t *tree) leftovers() string {
	for _, l := range t.leaves() {
		l.process.kill(syscall.SIGTERM)
	}
	deadline := time.Now().Add(20 * time.Second)
	for _, router := range []*process{t.middle, t.root} {
		for {
			mark := fmt.Sprintf("\n== exchange: 0 objects, 0 tags, %d links\n", 1)
			_ = router.signal(syscall.SIGUSR2) // one that is gone is found out below
			time.Sleep(50 * time.Millisecond)  // a snapshot is asked for again until it comes out right, or the time is over
			if strings.Contains(router.log.String(), mark) {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Sprintf("a router still holds something:\n%s", router.log)
			}
		}
	}
	return ""
}

// end ends everything.
func (t *tree) end() {
	close(t.stop)
	t.publishing.Wait()
	for _, l := range t.leaves() {
		if l != nil {
			l.process.kill(syscall.SIGKILL)
		}
	}
	for _, process := range []*process{t.middle, t.root} {
		if process != nil {
			process.kill(syscall.SIGKILL)
		}
	}
	t.network.remove()
}

// logs are what all processes said last.
func (t *tree) logs() string {
	var b strings.Builder
	for _, p := range []*process{t.root, t.middle, t.exposer.process, t.observer.process, t.otherExposer.process, t.otherObserver.process} {
		fmt.Fprintf(&b, "-- %s\n%s\n", p.host.name, p.log)
	}
	return b.String()
}

// descriptors counts the open descriptors of a router, so that none leaks.
func (p *process) descriptors() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.command.Process.Pid))
	if err != nil {
		return -1
	}
	return len(entries)
}
