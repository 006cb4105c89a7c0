package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// show starts the three processes and waits for their ends.
func show(ctx context.Context) (err error) {
	folder, err := os.MkdirTemp("", "hakuban-quickstart-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	router := filepath.Join(folder, "hakuban-router")
	build := exec.CommandContext(ctx, "go", "build", "-o", router, "hakuban/cmd/hakuban-router")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the router: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	url, err := freeURL()
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt)
	defer cancel()
	log := &transcript{start: time.Now()}
	processes := []*process{
		newProcess(ctx, log, "router", router, "--bind", url),
		newProcess(ctx, log, "exposer", self, "exposer", url),
		newProcess(ctx, log, "observer", self, "observer", url),
	}
	for _, i := range rand.Perm(len(processes)) {
		if err := processes[i].start(); err != nil {
			return err
		}
		defer func() { cancel(); <-processes[i].done }() // whom an error left running
	}
	return finish(ctx, processes[0], processes[1:])
}

// finish waits for the clients, which end by themselves, and then ends the router.
func finish(ctx context.Context, router *process, clients []*process) error {
	waiting, ctx := errgroup.WithContext(ctx) // until the first error
	for _, client := range clients {
		waiting.Go(func() error {
			select {
			case <-client.done:
				return client.err
			case <-router.done:
				return fmt.Errorf("the router ended before its clients: %v", router.command.ProcessState)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	}
	if err := waiting.Wait(); err != nil {
		return err
	}
	if err := router.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-router.done
	return router.err
}

// freeURL finds a port that nobody has. It is below those that systems give to whoever asks for any, so nobody is given it meanwhile.
func freeURL() (string, error) {
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
		if socket, err := net.Listen("tcp", address); err == nil {
			return "ws://" + address, socket.Close()
		}
	}
	return "", errors.New("no free port was found")
}

// process is one of the three.
type process struct {
	name    string
	command *exec.Cmd
	log     *transcript
	done    chan struct{} // closed when it has ended
	err     error         // then
}

func newProcess(ctx context.Context, log *transcript, name, path string, arguments ...string) *process {
	command := exec.CommandContext(ctx, path, arguments...)
	output := &lines{log: log, name: name}
	command.Stdout, command.Stderr = output, output
	return &process{name: name, command: command, log: log, done: make(chan struct{})}
}

func (p *process) start() error {
	p.log.line(p.name, "started")
	if err := p.command.Start(); err != nil {
		return err
	}
	go func() {
		defer close(p.done)
		if err := p.command.Wait(); err != nil {
			p.err = fmt.Errorf("%s: %w", p.name, err)
		}
		p.log.line(p.name, "ended: "+p.command.ProcessState.String())
	}()
	return nil
}

// transcript prints what the processes say, in order, each line with its time and its speaker.
type transcript struct {
	mu    sync.Mutex
	start time.Time
}

func (l *transcript) line(name, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Printf("%6.3fs  %-8s  %s\n", time.Since(l.start).Seconds(), name, text)
}

// lines passes what a process writes to the log, line by line.
type lines struct {
	log  *transcript
	name string
	rest []byte
}

var _ io.Writer = (*lines)(nil)

func (w *lines) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		w.log.line(w.name, strings.TrimRight(string(line), "\r"))
		w.rest = rest
	}
}
