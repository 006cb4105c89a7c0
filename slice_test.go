package hakuban_test

import (
	"bytes"
	"errors"
	"strconv"
	"sync"
	"testing"

	"hakuban"
	"hakuban/wire"
)

// askingFor is how a peer downstream asks to observe many objects, in one message.
func askingFor(t *testing.T, link *hakuban.Link, objects int) (message []byte) {
	t.Helper()
	control := wire.ChannelID{Origin: wire.DownstreamOriginated, Number: 1}
	actions := make([]wire.ControlAction, objects)
	for i := range actions {
		actions[i] = wire.ControlAction{Kind: wire.ActionObserveObject, JSON: strconv.Itoa(i)}
	}
	events := []wire.Event{
		{Kind: wire.EventOpen, Channel: control},
		{Kind: wire.EventMessage, Channel: control, Message: wire.Message{Kind: wire.MessageUninitialized,
			Initialize: []wire.ChannelType{{Kind: wire.ChannelUpstreamControl}}}},
	}
	for i := range events {
		if err := link.Receive(wire.AppendEvent(nil, &events[i])); err != nil {
			t.Fatal(err)
		}
	}
	return wire.AppendEvent(nil, &wire.Event{Kind: wire.EventMessage, Channel: control,
		Message: wire.Message{Kind: wire.MessageUpstreamControl, Control: actions}})
}

func TestReceive_ALongMessageIsTakenInSlices(t *testing.T) {
	var tape bytes.Buffer
	x := hakuban.NewExchange(&hakuban.Options{Record: &tape})
	defer x.Close()
	link := must[*hakuban.Link](t)(x.AttachDownstream(hakuban.LinkOptions{}))
	message := askingFor(t, link, 1000)
	tape.Reset()
	if err := link.Receive(message); err != nil {
		t.Fatal(err)
	}
	if objects := len(x.Snapshot().Objects); objects != 1000 {
		t.Errorf("%d objects, 1000 were asked for", objects)
	}
	received, continued := bytes.Count(tape.Bytes(), []byte(`"kind":3,`)), bytes.Count(tape.Bytes(), []byte(`"kind":14,`))
	if received != 1 || continued != 3 {
		t.Errorf("%d messages and %d further slices are recorded, 1 and 3 were expected", received, continued)
	}
}

// interrupter is a recording that has something done, by somebody else, while the exchange takes its n-th input.
type interrupter struct {
	inputs int
	do     func()
	done   sync.WaitGroup
}

func (i *interrupter) Write(line []byte) (int, error) {
	if i.inputs--; i.inputs == 0 {
		i.done.Go(i.do)
	}
	return len(line), nil
}

func TestReceive_ALinkThatEndsInALongMessageLeavesNothing(t *testing.T) {
	for after := range 5 {
		between := &interrupter{}
		x := hakuban.NewExchange(&hakuban.Options{Record: between})
		link := must[*hakuban.Link](t)(x.AttachDownstream(hakuban.LinkOptions{}))
		message := askingFor(t, link, 1<<16)
		between.inputs, between.do = 1+after, func() { link.Detach(nil) }
		if err := link.Receive(message); err != nil && !errors.Is(err, hakuban.ErrClosed) {
			t.Error(err)
		}
		between.done.Wait()
		if s := x.Snapshot(); len(s.Objects)+len(s.Links) > 0 {
			t.Errorf("%d objects and %d links are left", len(s.Objects), len(s.Links))
		}
		x.Close()
	}
}
