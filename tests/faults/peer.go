//go:build unix

package faults

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"
)

// leaf is a process with one contract on one object: a peer of tests/interop, of ours or of the Rust crate. It goes on as the same leaf when
// its process is killed and started again.
type leaf struct {
	process *process
	object  string
	expose  bool
	url     func() string // of its router, which may move

	mu      sync.Mutex
	stdin   io.Writer
	lastID  int
	sink    uint64 // held now; 0: none
	sent    []time.Time
	seen    int // the number of the newest state seen
	version []int64
	changed chan struct{} // closed and replaced with each state seen
	faults  []string
	gap     time.Duration // the longest time between two states seen
	last    time.Time     // when the newest one was seen
}

// event is a line of a peer: see tests/interop/peer.
type event struct {
	Event   string
	Sink    uint64
	Data    []byte
	Version []int64
}

const contractName = "c"

// begin is what the process is told when it has started.
func (l *leaf) begin(stdin io.Writer, stdout io.Reader) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stdin, l.sink = stdin, 0
	open := map[string]any{"do": "open", "contract": contractName, "kind": "observe", "object": map[string]any{"tags": []string{}, "json": strconv.Quote(l.object)}}
	if l.expose {
		open["kind"], open["capacity"] = "expose", 1
	}
	l.do(open)
	l.do(map[string]any{"do": "connect", "url": l.url() + "#timeout=4s,keep-alive=1s"})
	go l.listen(stdout)
}

func (l *leaf) do(command map[string]any) {
	l.lastID++
	command["id"] = l.lastID
	line, err := json.Marshal(command)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	_, _ = l.stdin.Write(append(line, '\n')) // one that was killed takes no commands
}

// listen follows the process until it ends.
func (l *leaf) listen(stdout io.Reader) {
	for lines := bufio.NewReader(stdout); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var e event
		if json.Unmarshal(line, &e) == nil {
			l.mu.Lock()
			l.take(&e)
			l.mu.Unlock()
		}
	}
}

func (l *leaf) take(e *event) {
	switch e.Event {
	case "sink-offered":
		l.sink = e.Sink
	case "sink-revoked":
		if l.sink == e.Sink {
			l.sink = 0
		}
	case "state":
		if slices.Compare(e.Version, l.version) < 0 {
			l.faults = append(l.faults, fmt.Sprintf("version %v came after %v", e.Version, l.version))
		}
		l.version = e.Version
		n, err := strconv.Atoi(string(e.Data))
		if err != nil {
			l.faults = append(l.faults, fmt.Sprintf("a state %q that nobody sent", e.Data))
			return
		}
		if n <= l.seen {
			return // a flag that changed, or a state that a new process of the leaf sees again
		}
		now := time.Now()
		l.gap = max(l.gap, now.Sub(l.last))
		l.seen, l.last = n, now
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

// pace is the time between two states.
const pace = 50 * time.Millisecond

// publish sends the next state if the leaf holds a sink, and returns its number.
func (l *leaf) publish() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sink == 0 {
		return 0
	}
	l.sent = append(l.sent, time.Now())
	n := len(l.sent)
	data := base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(n)))
	l.do(map[string]any{"do": "send", "sink": l.sink, "data": data, "format": []string{"TEXT"}, "synchronized": 0})
	return n
}

// await waits until the observer has seen a state that the exposer sent at or after a moment, and returns how long after it that was.
func await(observer, exposer *leaf, since time.Time, bound time.Duration) (took time.Duration, ok bool) {
	for deadline := time.After(bound); ; {
		observer.mu.Lock()
		seen, changed := observer.seen, observer.changed
		observer.mu.Unlock()
		exposer.mu.Lock()
		fresh := seen > 0 && seen <= len(exposer.sent) && !exposer.sent[seen-1].Before(since)
		exposer.mu.Unlock()
		if fresh {
			return time.Since(since), true
		}
		select {
		case <-changed:
		case <-deadline:
			return bound, false
		}
	}
}
