package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// blockedWriter takes nothing until it is opened.
type blockedWriter struct {
	open chan struct{}
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *blockedWriter) Write(p []byte) (int, error) {
	<-w.open
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func TestLogWriter_NobodyWaitsForWhoDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &blockedWriter{open: make(chan struct{})}
		w := newLogWriter(to)
		w.release()
		line := strings.Repeat("x", 1000) + "\n"
		for range 3 * maxLogWaiting / len(line) {
			fmt.Fprint(w, line)
		}
		close(to.open)
		synctest.Wait()
		fmt.Fprint(w, "the last line\n")
		w.close()
		text := to.text.String()
		if len(text) > maxLogWaiting+200 {
			t.Errorf("%d bytes waited, at most about %d were expected", len(text), maxLogWaiting)
		}
		if !strings.Contains(text, "lines of the log were lost") || !strings.HasSuffix(text, "the last line\n") {
			t.Errorf("it ends with %q", text[len(text)-200:])
		}
	})
}

func TestLogWriter_CloseWaitsForASlowReaderAndNotForOneThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &blockedWriter{open: make(chan struct{})}
		w := newLogWriter(slow)
		w.release()
		fmt.Fprint(w, "a line\n")
		time.AfterFunc(logPatience/2, func() { close(slow.open) })
		w.close()
		if got := slow.text.String(); got != "a line\n" {
			t.Errorf("written: %q", got)
		}

		gone := &blockedWriter{open: make(chan struct{})}
		w = newLogWriter(gone)
		w.release()
		fmt.Fprint(w, "a line\n")
		begin := time.Now()
		w.close()
		if took := time.Since(begin); took != logPatience {
			t.Errorf("close took %v, %v was expected", took, logPatience)
		}
		close(gone.open)
	})
}

func TestLogWriter_KeepsEverythingUntilItIsReleased(t *testing.T) {
	var to bytes.Buffer
	w := newLogWriter(&to)
	fmt.Fprint(w, "a line\n")
	w.close()
	if to.Len() > 0 {
		t.Errorf("written before the release: %q", to.String())
	}
}
