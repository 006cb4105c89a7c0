package main

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// maxLogWaiting bounds, in bytes, what waits for a log that takes it slowly or not at all.
	maxLogWaiting = 1 << 20
	// logPatience bounds how long an ending router waits for the last lines of its log to be taken.
	logPatience = time.Second
)

// logWriter passes lines on without ever making the one who writes them wait: a terminal that was stopped, or a pipe that nobody reads,
// must not hold up the router. Lines that find no room are counted, and the count is told when there is room again. Until release it keeps
// everything, so that a router that cannot start says why and nothing else.
type logWriter struct {
	to io.Writer

	mu       sync.Mutex
	changed  sync.Cond // of what follows
	waiting  [][]byte
	size     int // of waiting, and of what is being written, in bytes
	lost     int // lines since the last one that found room
	released bool
	closed   bool
}

func newLogWriter(to io.Writer) *logWriter {
	w := &logWriter{to: to}
	w.changed.L = &w.mu
	return w
}

// Write implements io.Writer. One call is one line, or one text of several. One that is larger than all that may wait finds room when
// nothing else waits.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
	case w.size > 0 && w.size+len(line) > maxLogWaiting:
		w.lost++
	default:
		if w.lost > 0 {
			w.add(fmt.Appendf(nil, "hakuban-router: %d lines of the log were lost: nobody took them in time\n", w.lost))
			w.lost = 0
		}
		w.add(append([]byte(nil), line...))
	}
	return len(line), nil
}

func (w *logWriter) add(line []byte) {
	w.waiting = append(w.waiting, line)
	w.size += len(line)
	w.changed.Broadcast()
}

// release begins to pass on what was kept and what comes.
func (w *logWriter) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.released = true
	go w.pass()
}

// pass writes until the writer is closed and nothing waits.
func (w *logWriter) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for len(w.waiting) == 0 && !w.closed {
			w.changed.Wait()
		}
		if len(w.waiting) == 0 {
			return
		}
		line := w.waiting[0]
		w.waiting = w.waiting[1:]
		w.mu.Unlock()
		_, _ = w.to.Write(line) // whoever does not take a line misses it
		w.mu.Lock()
		w.size -= len(line)
		w.changed.Broadcast()
	}
}

// close takes no more lines, and waits for those that there are: as long as logPatience.
func (w *logWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.changed.Broadcast()
	over := false
	timer := time.AfterFunc(logPatience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		over = true
		w.changed.Broadcast()
	})
	defer timer.Stop()
	for w.released && w.size > 0 && !over {
		w.changed.Wait()
	}
}

func newLogger(o *options, stderr io.Writer) *slog.Logger {
	handler := &slog.HandlerOptions{Level: o.logLevel}
	if o.logJSON {
		return slog.New(slog.NewJSONHandler(stderr, handler))
	}
	return slog.New(slog.NewTextHandler(stderr, handler))
}
