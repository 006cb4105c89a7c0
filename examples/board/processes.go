package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"hakuban"
)

// producersObject is the object of which the states list the producers, for the page.
var producersObject = hakuban.MustObject("producers", "board")

// process is a producer's process.
type process struct {
	name    string
	command func() *exec.Cmd
	cmd     *exec.Cmd      // nil: not running
	stdin   io.WriteCloser // the process ends when this does
}

// status is what the page is told of a producer.
type status struct {
	Name    string `json:"name"`
	Running bool   `json:"running"`
	Pid     int    `json:"pid,omitempty"`
}

// processes are the producers.
type processes struct {
	mu      sync.Mutex
	all     []*process
	changed chan struct{} // closed, and replaced, at each change
	waiting sync.WaitGroup
}

var errUnknown = errors.New("there is no such producer")

// newProcesses returns the producers, none of them running, and why one is left out.
func newProcesses(router string) (*processes, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &processes{changed: make(chan struct{})}
	for _, name := range []string{"Go 1", "Go 2"} {
		p.all = append(p.all, &process{name: name, command: func() *exec.Cmd { return exec.Command(self, "produce", router, name) }})
	}
	python, environment, err := findPython()
	if err != nil {
		fmt.Fprintln(os.Stderr, "without the producer in Python:", err)
		return p, nil
	}
	p.all = append(p.all, &process{name: "Python", command: func() *exec.Cmd {
		command := exec.Command(python, filepath.Join("examples", "board", "producer.py"), router, "Python")
		command.Env = append(os.Environ(), environment...)
		return command
	}})
	return p, nil
}

// findPython returns a Python that can import the binding, and what it needs in its environment for that.
func findPython() (program string, environment []string, err error) {
	if program, err = exec.LookPath("python3"); err != nil {
		return "", nil, err
	}
	environment = []string{"PYTHONPATH=" + filepath.Join("bindings", "python")}
	check := exec.Command(program, "-c", "import hakuban; hakuban.Exchange().close()")
	check.Env = append(os.Environ(), environment...)
	if output, err := check.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("bindings/python does not load here: %w: %s", err, lastLine(output))
	}
	return program, environment, nil
}

// set starts or kills a producer.
func (p *processes) set(name string, running bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		switch {
		case one.name != name:
			continue
		case running && one.cmd == nil:
			return p.start(one)
		case !running && one.cmd != nil:
			return one.cmd.Process.Kill() // without a word to anybody
		}
		return nil
	}
	return errUnknown
}

// start starts a process. The caller holds mu.
func (p *processes) start(one *process) (err error) {
	command := one.command()
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if one.stdin, err = command.StdinPipe(); err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	one.cmd = command
	p.tell()
	p.waiting.Go(func() {
		_ = command.Wait() // it was killed
		p.mu.Lock()
		defer p.mu.Unlock()
		one.cmd = nil
		p.tell()
	})
	return nil
}

// tell tells of a change. The caller holds mu.
func (p *processes) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// list returns the producers, and a channel that is closed when they change.
func (p *processes) list() ([]status, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []status
	for _, one := range p.all {
		s := status{Name: one.name}
		if one.cmd != nil {
			s.Running, s.Pid = true, one.cmd.Process.Pid
		}
		list = append(list, s)
	}
	return list, p.changed
}

// show tells a sink of the producers, as they change.
func (p *processes) show(ctx context.Context, sink *hakuban.Sink) {
	for {
		list, changed := p.list()
		if err := sink.Send(hakuban.NewState(list).EncodeJSON()); err != nil {
			return // nobody looks any more
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func (p *processes) close() {
	list, _ := p.list()
	for _, one := range list {
		_ = p.set(one.Name, false) // it may have ended by itself
	}
	p.waiting.Wait()
}
