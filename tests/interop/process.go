package interop

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Deadline is how long anything that must happen may take. Waiting ends as soon as it has happened.
const Deadline = 20 * time.Second

// logTail is how many of a process's last log lines a failed test prints.
const logTail = 60

// process is a child of the test that never outlives it.
type process struct {
	name    string
	command *exec.Cmd
	exited  chan struct{} // closed once the process is gone; then err may be read
	err     error
	killed  bool // by the test

	mutex   sync.Mutex
	log     []string
	changed chan struct{} // closed and replaced whenever log grows
}

// startProcess runs a program until the test ends. Its stderr is kept, and printed when the test fails.
func startProcess(t testing.TB, name string, command *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, command: command, exited: make(chan struct{}), changed: make(chan struct{})}
	dieWithParent(command)
	stderr, stderrWriter, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = stderrWriter
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	stderrWriter.Close()
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		defer stderr.Close()
		p.readLog(stderr)
	}()
	go func() {
		p.err = command.Wait()
		<-logged
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, p.lastLog())
		}
	})
	return p
}

// kill ends the process without warning, as a crash would. It is harmless on one that is gone.
func (p *process) kill() {
	p.killed = true
	p.command.Process.Kill()
	<-p.exited
}

// silent has the process say nothing, nor answer, while something is done.
func (p *process) silent(t testing.TB, during func()) {
	t.Helper()
	goOn, err := pause(p.command.Process)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("a process cannot be stopped and continued here")
	}
	if err != nil {
		t.Fatalf("%s cannot be stopped: %v", p.name, err)
	}
	during()
	if err := goOn(); err != nil {
		t.Fatalf("%s cannot go on: %v", p.name, err)
	}
}

// signalAndWait asks the process to end, and kills it when it does not. It returns the process's own exit error.
func (p *process) signalAndWait(signal os.Signal) error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s had already ended: %v", p.name, p.err)
	default:
	}
	p.command.Process.Signal(signal)
	select {
	case <-p.exited:
		return p.err
	case <-time.After(Deadline):
		p.kill()
		return fmt.Errorf("%s was still running %v after %v", p.name, Deadline, signal)
	}
}

// waitLog waits for a line of the log that matches, and returns its submatches.
func (p *process) waitLog(t testing.TB, pattern *regexp.Regexp) []string {
	t.Helper()
	timeout := time.After(Deadline)
	for {
		p.mutex.Lock()
		log, changed := p.log, p.changed
		p.mutex.Unlock()
		for _, line := range log {
			if match := pattern.FindStringSubmatch(line); match != nil {
				return match
			}
		}
		select {
		case <-changed:
		case <-p.exited:
			t.Fatalf("%s ended (%v) before it logged %s", p.name, p.err, pattern)
		case <-timeout:
			t.Fatalf("%s did not log %s within %v", p.name, pattern, Deadline)
		}
	}
}

func (p *process) readLog(stderr io.Reader) {
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			p.mutex.Lock()
			p.log = append(p.log, strings.TrimSuffix(line, "\n"))
			close(p.changed)
			p.changed = make(chan struct{})
			p.mutex.Unlock()
		}
		if err != nil {
			return
		}
	}
}

func (p *process) lastLog() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return strings.Join(p.log[max(0, len(p.log)-logTail):], "\n")
}

func (p *process) terminate() error { return p.signalAndWait(syscall.SIGTERM) }
