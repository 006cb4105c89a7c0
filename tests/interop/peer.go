package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Peer is a process that holds one exchange: of the reference, or of ours (gopeer/, and tools/peer.ts of clients/typescript), which
// obeys the same commands.
//
// Its methods fail the test when the peer refuses, dies or is late. They are for the test's own goroutine.
type Peer struct {
	t       testing.TB
	name    string
	process *process
	stdin   io.WriteCloser
	lastID  uint64

	mutex   sync.Mutex
	answers map[uint64]answer
	events  []event       // in order of arrival, without those already waited for
	streams streamChecks  // what has been seen of each stream
	changed chan struct{} // closed and replaced whenever something arrives
}

type answer struct {
	OK    json.RawMessage
	Error *string
}

// event is an event line: see peer/src/main.rs.
type event struct {
	Event        string
	Contract     string
	Sink, Stream uint64
	Link         uint64
	Tags         []string
	JSON         string
	Data         []byte
	Format       []string
	Version      []int64
	Synchronized uint64
}

func (e event) object() Object { return Object{Tags: e.Tags, JSON: e.JSON} }

func (e event) state() State {
	return State{Data: e.Data, Format: e.Format, Version: e.Version, SynchronizedMicros: e.Synchronized}
}

func (e event) String() string {
	switch e.Event {
	case "state":
		return fmt.Sprintf("%s: state %v on stream %d", e.Contract, e.state(), e.Stream)
	case "sink-offered", "sink-revoked":
		return fmt.Sprintf("%s: %s %d %s %v", e.Contract, e.Event, e.Sink, e.JSON, e.Tags)
	case "stream-opened", "stream-closed":
		return fmt.Sprintf("%s: %s %d %s %v", e.Contract, e.Event, e.Stream, e.JSON, e.Tags)
	}
	return fmt.Sprintf("%s %d", e.Event, e.Link)
}

// StartPeer starts an exchange, linked to nobody, which ends with the test. It is of the reference, unless the test is a
// World that says otherwise.
func StartPeer(t testing.TB, name string) *Peer {
	t.Helper()
	kind := Rust
	if w, ok := t.(*World); ok {
		kind = w.nextPeer()
	}
	var command *exec.Cmd
	switch kind {
	case Go:
		command = exec.Command(GoPeer(t))
	case TypeScript:
		command = exec.Command("node", TypeScriptPeer(t))
	case Wasm:
		words := WasmPeer(t)
		command = exec.Command(words[0], words[1:]...)
	case WasmClient:
		words := WasmClientPeer(t)
		command = exec.Command(words[0], words[1:]...)
	default:
		command = exec.Command(RustReference(t).Peer)
	}
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stdoutWriter := io.Pipe()
	command.Stdout = stdoutWriter
	p := &Peer{t: t, name: name, stdin: stdin, answers: make(map[uint64]answer), streams: make(streamChecks), changed: make(chan struct{})}
	p.process = startProcess(t, name+", a "+string(kind)+" peer", command)
	go p.readLines(stdout)
	t.Cleanup(func() { p.stop(stdoutWriter) })
	return p
}

// Silent has the peer say nothing, nor answer, while something is done.
func (p *Peer) Silent(during func()) {
	p.t.Helper()
	p.process.silent(p.t, during)
}

// Kill ends the process as a crash would.
func (p *Peer) Kill() { p.process.kill() }

// Connect links the exchange to a parent and waits for the link. Parameters are those of the URL's fragment, such as "name=bob".
func (p *Peer) Connect(url string, parameters ...string) {
	p.t.Helper()
	p.Dial(url, parameters...)
	p.WaitConnected()
}

// Dial is Connect without the wait: the parent need not be there yet.
func (p *Peer) Dial(url string, parameters ...string) {
	p.t.Helper()
	if len(parameters) > 0 {
		url += "#" + strings.Join(parameters, ",")
	}
	p.do(command{"do": "connect", "url": url}, nil)
}

// WaitConnected waits until a link to the parent comes up.
func (p *Peer) WaitConnected() {
	p.t.Helper()
	p.wait("a link to the parent", func(e event) bool { return e.Event == "upstream-connected" })
}

// WaitLost waits until a link to the parent goes down.
func (p *Peer) WaitLost() {
	p.t.Helper()
	p.wait("the loss of the parent", func(e event) bool { return e.Event == "upstream-lost" })
}

// Disconnect takes the link to the parent down for good; another parent may follow.
func (p *Peer) Disconnect() {
	p.t.Helper()
	p.do(command{"do": "disconnect"}, nil)
}

// Listen makes the exchange a parent on a free port, and returns its URL.
// A rebalance interval of zero leaves rebalancing to chance, as the crate's library does; its router uses a second and 0.1.
func (p *Peer) Listen(rebalance time.Duration, threshold float64) string {
	p.t.Helper()
	listen := command{"do": "listen", "url": "ws://127.0.0.1:0"}
	if rebalance > 0 {
		listen["rebalance"] = command{"interval_ms": rebalance.Milliseconds(), "threshold": threshold}
	}
	var answer struct{ URL string }
	p.do(listen, &answer)
	return answer.URL
}

// Unlisten stops accepting children.
func (p *Peer) Unlisten() {
	p.t.Helper()
	p.do(command{"do": "unlisten"}, nil)
}

// MonitorType names one of the router's monitor objects.
type MonitorType string

const (
	MonitorExchange  MonitorType = "exchange"
	MonitorListener  MonitorType = "websocket-listener"
	MonitorConnector MonitorType = "websocket-connector"
)

// Decode reads a monitor object by the crate's own type, which must accept it, and fills result from what the crate understood.
func (p *Peer) Decode(kind MonitorType, data []byte, result any) {
	p.t.Helper()
	p.do(command{"do": "decode", "type": kind, "data": data}, result)
}

// Snapshot fills result from the exchange's own snapshot.
func (p *Peer) Snapshot(kind MonitorType, result any) {
	p.t.Helper()
	p.do(command{"do": "snapshot", "type": kind}, result)
}

type command map[string]any

// do runs a command that must succeed.
func (p *Peer) do(c command, result any) {
	p.t.Helper()
	if err := p.try(c, result); err != nil {
		p.t.Fatalf("%s: %v: %v", p.name, c["do"], err)
	}
}

// try runs a command and returns the peer's refusal as an error.
func (p *Peer) try(c command, result any) error {
	p.t.Helper()
	p.lastID++
	id := p.lastID
	c["id"] = id
	line, err := json.Marshal(c)
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		p.t.Fatalf("%s: write a command: %v", p.name, err)
	}
	var got answer
	p.await(fmt.Sprintf("the answer to %v", c["do"]), func() (found bool) {
		got, found = p.answers[id]
		delete(p.answers, id)
		return found
	})
	if got.Error != nil {
		return fmt.Errorf("%s", *got.Error)
	}
	if result != nil {
		if err := json.Unmarshal(got.OK, result); err != nil {
			p.t.Fatalf("%s: answer %s: %v", p.name, got.OK, err)
		}
	}
	return nil
}

// wait returns the first event that matches and was not waited for before.
func (p *Peer) wait(what string, matches func(event) bool) event {
	p.t.Helper()
	var found event
	p.await(what, func() bool {
		var ok bool
		found, ok = p.takeLocked(matches)
		return ok
	})
	return found
}

// never fails if a matching event has arrived, or arrives while the time passes.
// A slow machine can hide a fault from it, but cannot make it fail.
func (p *Peer) never(what string, within time.Duration, matches func(event) bool) {
	p.t.Helper()
	timeout := time.After(within)
	for {
		p.mutex.Lock()
		found, ok := p.takeLocked(matches)
		changed := p.changed
		p.mutex.Unlock()
		if ok {
			p.t.Fatalf("%s: %v, expected never to see %s", p.name, found, what)
		}
		select {
		case <-changed:
		case <-timeout:
			return
		}
	}
}

// await blocks until the condition, evaluated under the lock, holds.
func (p *Peer) await(what string, condition func() bool) {
	p.t.Helper()
	timeout := time.After(Deadline)
	for {
		p.mutex.Lock()
		done, changed := condition(), p.changed
		p.mutex.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-p.process.exited:
			p.t.Fatalf("%s ended (%v) while the test waited for %s", p.name, p.process.err, what)
		case <-timeout:
			p.t.Fatalf("%s: no %s within %v; events not waited for:\n%s", p.name, what, Deadline, p.pending())
		}
	}
}

// take returns the first event that matches and was not waited for before, if it has arrived.
func (p *Peer) take(matches func(event) bool) (event, bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.takeLocked(matches)
}

func (p *Peer) takeLocked(matches func(event) bool) (event, bool) {
	for i, e := range p.events {
		if matches(e) {
			p.events = append(p.events[:i:i], p.events[i+1:]...)
			return e, true
		}
	}
	return event{}, false
}

func (p *Peer) pending() string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	var text strings.Builder
	for _, e := range p.events {
		fmt.Fprintf(&text, "  %v\n", e)
	}
	return text.String()
}

func (p *Peer) readLines(stdout io.Reader) {
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var message struct {
			ID *uint64
			answer
			event
		}
		malformed := json.Unmarshal(line, &message)
		p.mutex.Lock()
		switch {
		case malformed != nil:
			p.t.Errorf("%s printed %q: %v", p.name, line, malformed)
		case message.ID != nil:
			p.answers[*message.ID] = message.answer
		case message.Event == "":
			p.t.Errorf("%s refused a command: %s", p.name, line)
		default:
			if violation := p.streams.observe(message.event); violation != "" {
				p.t.Errorf("%s: %s", p.name, violation)
			}
			p.events = append(p.events, message.event)
		}
		close(p.changed)
		p.changed = make(chan struct{})
		p.mutex.Unlock()
	}
}

// stop ends the peer by closing its stdin, which it must obey with status 0, and checks that it had not ended by itself.
func (p *Peer) stop(stdout io.Closer) {
	defer stdout.Close()
	if p.process.killed {
		return
	}
	select {
	case <-p.process.exited:
		p.t.Errorf("%s ended by itself: %v", p.name, p.process.err)
		return
	default:
	}
	p.stdin.Close()
	select {
	case <-p.process.exited:
		if p.process.err != nil {
			p.t.Errorf("%s: %v, expected exit status 0 once its stdin closed", p.name, p.process.err)
		}
	case <-time.After(Deadline):
		p.t.Errorf("%s was still running %v after its stdin closed", p.name, Deadline)
	}
}
