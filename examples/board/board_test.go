package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hakuban"
	"hakuban/tests/cabi"
	"hakuban/transport"
)

// patience bounds what a test waits for; only a failing one waits that long.
const patience = 2 * time.Minute

// The test's own program is the producers' too.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "produce" {
		if err := run(context.Background(), os.Args[1:]); err != nil {
			os.Exit(1)
		}
		return
	}
	status := m.Run()
	if err := cabi.RemoveBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// watcher sees who produces each instrument.
type watcher struct {
	t       *testing.T
	mu      sync.Mutex
	by      map[string]string // by instrument
	changed chan struct{}     // capacity 1
}

func watch(t *testing.T, url string) *watcher {
	w := &watcher{t: t, by: map[string]string{}, changed: make(chan struct{}, 1)}
	x := hakuban.NewExchange(nil)
	t.Cleanup(x.Close)
	if _, err := transport.Connect(x, url, &transport.Options{Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	known, err := instruments()
	if err != nil {
		t.Fatal(err)
	}
	for name := range known {
		observe := x.ObserveObject(hakuban.MustObject(name, instrumentTag))
		go observe.Each(t.Context(), func(ctx context.Context, stream *hakuban.Stream) {
			for state := range stream.States(ctx) {
				r, err := hakuban.DecodeJSON[reading](state)
				if err != nil || !state.Synchronized().Now() {
					continue
				}
				w.mu.Lock()
				w.by[name] = r.By
				w.mu.Unlock()
				select {
				case w.changed <- struct{}{}:
				default:
				}
			}
		})
	}
	return w
}

// until waits until all six instruments are produced, by those named and nobody else.
func (w *watcher) until(names ...string) {
	w.t.Helper()
	late := time.After(patience)
	for {
		w.mu.Lock()
		producers := slices.Compact(slices.Sorted(maps.Values(w.by)))
		done := len(w.by) == 6 && slices.Equal(producers, names)
		w.mu.Unlock()
		if done {
			return
		}
		select {
		case <-w.changed:
		case <-late:
			w.t.Fatalf("%v produce after %v, %v were expected", producers, patience, names)
		}
	}
}

// A killed producer's instruments are taken over by the others, and it gets some back when it comes again.
func TestBoard_HandsOver(t *testing.T) {
	b := startBoard(t)
	list, _ := b.producers.list()
	var names, others []string
	for _, one := range list {
		names = append(names, one.Name)
		if one.Name != "Go 1" {
			others = append(others, one.Name)
		}
	}
	w := watch(t, b.listener.URL())
	w.until(names...)
	if got := b.request(t, "POST", "/producers/Go%201/stop", "cross-site"); got != http.StatusForbidden {
		t.Errorf("a page of another site stops a producer: %d", got)
	}
	if got := b.request(t, "POST", "/producers/Go%201/stop", "same-origin"); got != http.StatusNoContent {
		t.Fatalf("stop: %d", got)
	}
	w.until(others...)
	if got := b.request(t, "POST", "/producers/Go%201/start", "same-origin"); got != http.StatusNoContent {
		t.Fatalf("start: %d", got)
	}
	w.until(names...)
	if got := b.request(t, "POST", "/producers/nobody/start", "same-origin"); got != http.StatusNotFound {
		t.Errorf("a producer that there is not was started: %d", got)
	}
}

// The producer in Python takes over from those in Go when they are killed, and they from it.
func TestBoard_HandsOverToPythonAndBack(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		cabi.Skip(t, err.Error())
	}
	t.Setenv("HAKUBAN_LIBRARY", filepath.Join(cabi.Folder(t), "libhakuban.so"))
	b := startBoard(t)
	w := watch(t, b.listener.URL())
	w.until("Go 1", "Go 2", "Python")
	for _, name := range []string{"Go 1", "Go 2"} {
		b.kill(t, name)
	}
	w.until("Python")
	if err := b.producers.set("Go 2", true); err != nil {
		t.Fatal(err)
	}
	w.until("Go 2", "Python")
	b.kill(t, "Python")
	w.until("Go 2")
}

// startBoard starts a board without a page's script.
func startBoard(t *testing.T) *board {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	script := filepath.Join(t.TempDir(), "hakuban.js")
	if err := os.WriteFile(script, []byte("export {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := start("127.0.0.1:0", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// kill kills a producer's process, and waits until it is gone.
func (b *board) kill(t *testing.T, name string) {
	t.Helper()
	if err := b.producers.set(name, false); err != nil {
		t.Fatal(err)
	}
	for late := time.After(patience); ; {
		list, changed := b.producers.list()
		if i := slices.IndexFunc(list, func(s status) bool { return s.Name == name && !s.Running }); i >= 0 {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("%s was killed and runs", name)
		}
	}
}

// request returns the status of the answer to a request of a page from some site.
func (b *board) request(t *testing.T, method, path, site string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, b.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", site)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode
}

// The page asks for what the server serves.
func TestPage_AsksForWhatThereIs(t *testing.T) {
	for _, path := range []string{"/hakuban.js", "/board.json", "/instruments.json"} {
		if !strings.Contains(string(page), `"`+path+`"`) {
			t.Errorf("the page does not ask for %s", path)
		}
	}
}
