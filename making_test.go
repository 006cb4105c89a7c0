package hakuban

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"hakuban/wire"
)

// peer is the other end of a link, by hand.
type peer struct {
	t    *testing.T
	link *Link
}

func (p peer) send(events ...wire.Event) {
	p.t.Helper()
	for i := range events {
		if err := p.link.Receive(wire.AppendEvent(nil, &events[i])); err != nil {
			p.t.Fatal(err)
		}
	}
}

// pull returns the states in what the link has to send.
func (p peer) pull() (states []wire.StateAction) {
	p.t.Helper()
	for more := true; more; {
		messages, again, err := p.link.Pull(nil, 64<<10)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, message := range messages {
			event, err := wire.DecodeEvent(message, nil)
			if err != nil {
				p.t.Fatal(err)
			}
			states = append(states, event.Message.States...)
		}
		more = again
	}
	return states
}

// observer links an observer of an object to x.
func observer(t *testing.T, x *Exchange, object Object) peer {
	t.Helper()
	link, err := x.AttachDownstream(LinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := peer{t, link}
	id := wire.ChannelID{Origin: wire.DownstreamOriginated, Number: 1}
	d := object.descriptor()
	p.send(
		wire.Event{Kind: wire.EventOpen, Channel: id},
		wire.Event{Kind: wire.EventMessage, Channel: id, Message: wire.Message{Kind: wire.MessageUninitialized,
			Initialize: []wire.ChannelType{{Kind: wire.ChannelUpstreamControl}}}},
		wire.Event{Kind: wire.EventMessage, Channel: id, Message: wire.Message{Kind: wire.MessageUpstreamControl,
			Control: []wire.ControlAction{{Kind: wire.ActionObserveObject, Tags: d.Tags, JSON: d.JSON}}}},
	)
	return p
}

func noise(size int) []byte {
	random, data := rand.NewChaCha8([32]byte{1}), make([]byte, size)
	_, _ = random.Read(data)
	return data
}

// While a diff is made, others step the exchange, and a link that needs the same diff waits for it rather than make it too.
func TestPull_MakesDiffsOutsideOfTheLock(t *testing.T) {
	x := NewExchange(nil)
	defer x.Close()
	big, small := MustObject("big"), MustObject("small")
	links := []peer{observer(t, x, big), observer(t, x, big)}
	other := observer(t, x, small)
	for _, p := range append(links, other) {
		p.pull()
	}
	for _, object := range []Object{big, small} {
		expose := x.ExposeObject(object)
		defer expose.Close()
		sink, err := expose.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		data := noise(2 * largeDelta)
		if object == small {
			data = data[:10]
		}
		if err := sink.Send(NewState(data)); err != nil {
			t.Fatal(err)
		}
	}

	for range cap(makers) {
		makers.enter()
	}
	var pulling sync.WaitGroup
	var pulled [2][]wire.StateAction
	for i := range links {
		pulling.Go(func() { pulled[i] = links[i].pull() })
	}
	steppedBoth := func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		return len(links[0].link.pulled)*len(links[1].link.pulled) > 0
	}
	for !steppedBoth() {
		runtime.Gosched()
	}
	if states := other.pull(); len(states) != 1 {
		t.Errorf("the other link got %d states", len(states))
	}
	for range cap(makers) {
		makers.leave()
	}
	pulling.Wait()
	for i := range pulled {
		if len(pulled[i]) != 1 || !bytes.Equal(pulled[i][0].Diff, pulled[0][0].Diff) {
			t.Errorf("link %d got %d states, or another diff", i, len(pulled[i]))
		}
	}
}

// While large states are patched, others step the exchange.
func TestReceive_PatchesOutsideOfTheLock(t *testing.T) {
	x := NewExchange(nil)
	defer x.Close()
	for range cap(patchers) {
		patchers.enter()
	}
	link, err := x.AttachDownstream(LinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	received := make(chan error)
	event := wire.Event{Kind: wire.EventMessage, Channel: wire.ChannelID{Origin: wire.DownstreamOriginated, Number: 3}, Message: wire.Message{
		Kind: wire.MessageStateStream, States: []wire.StateAction{{Kind: wire.StatePatch, Version: []int64{1}, Diff: noise(1 << 20)}}}}
	go func() { received <- link.Receive(wire.AppendEvent(nil, &event)) }()
	small := observer(t, x, MustObject("small")) // steps the exchange
	small.pull()
	select {
	case err := <-received:
		t.Errorf("the large message passed the gate: %v", err)
	default:
	}
	for range cap(patchers) {
		patchers.leave()
	}
	if err := <-received; err == nil {
		t.Error("a state on a channel that is not open was taken")
	}
}
