package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds what a test waits for; only a failing one waits that long.
const patience = 20 * time.Second

// asRouter, in the environment of the test binary, makes it the router, for tests that need a process.
const asRouter = "HAKUBAN_TEST_AS_ROUTER"

func TestMain(m *testing.M) {
	if os.Getenv(asRouter) != "" {
		main()
	}
	os.Exit(m.Run())
}

// outcome is what a program that ended by itself left.
type outcome struct {
	status         int
	stdout, stderr string
}

// execute runs the program in this process. It must end by itself; one that starts is ended by the test's patience.
func execute(t *testing.T, environment map[string]string, arguments ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	status := program(ctx, arguments, func(name string) string { return environment[name] }, strings.NewReader(""), &stdout, &stderr)
	return outcome{status, stdout.String(), stderr.String()}
}

// transcript is a log that tests read and wait for.
type transcript struct {
	mu      sync.Mutex
	text    []byte
	changed chan struct{} // closed and replaced when text grows
}

func newTranscript() *transcript { return &transcript{changed: make(chan struct{})} }

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	close(l.changed)
	l.changed = make(chan struct{})
	return len(p), nil
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// wait waits until the pattern is there n times, and returns the matches.
func (l *transcript) wait(t *testing.T, pattern string, n int) [][]string {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		text, changed := string(l.text), l.changed
		l.mu.Unlock()
		if matches := expression.FindAllStringSubmatch(text, -1); len(matches) >= n {
			return matches
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("no %d× %s in the log:\n%s", n, pattern, text)
		}
	}
}

// running is a router in this process.
type running struct {
	t     *testing.T
	urls  []string // as bound, without parameters
	log   *transcript
	stdin *io.PipeWriter
	stop  context.CancelFunc
	ended chan int // the status
}

// startProgram runs the program in this process until the test ends, and waits until it listens.
func startProgram(t *testing.T, arguments ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stdin, stdinWriter := io.Pipe()
	r := &running{t: t, log: newTranscript(), stdin: stdinWriter, stop: cancel, ended: make(chan int, 1)}
	go func() {
		r.ended <- program(ctx, arguments, func(string) string { return "" }, stdin, io.Discard, r.log)
	}()
	t.Cleanup(func() { r.end() })
	binds := max(1, strings.Count(" "+strings.Join(arguments, " "), " --bind ")+strings.Count(" "+strings.Join(arguments, " "), " -b "))
	for _, match := range r.log.wait(t, `listening.*?url=?"?[:"]*(wss?://[^\s"#]+)`, binds) {
		r.urls = append(r.urls, match[1])
	}
	return r
}

// end ends the router, once, and checks that it ends well.
func (r *running) end() {
	r.t.Helper()
	if r.stop == nil {
		return
	}
	r.stop()
	r.stop = nil
	select {
	case status := <-r.ended:
		if status != exitDrained {
			r.t.Errorf("the router ended with status %d, expected %d; its log:\n%s", status, exitDrained, r.log)
		}
	case <-time.After(patience):
		r.t.Errorf("the router did not end; its log:\n%s", r.log)
	}
	r.stdin.Close()
}
