package sim

import (
	"cmp"
	"slices"
	"strings"

	"hakuban/sim/mark"
	"hakuban/wire"
)

// Not every peer is this implementation. In half of the worlds some exchanges speak as another one may: what their cores wrote is
// respelled before it arrives, into messages that mean the same. A control message is cut in two anywhere, its actions come in
// another order, and a load limit is said twice; states that wait for one another come in one message.

// chooseDialects decides which exchanges speak another dialect.
func (w *World) chooseDialects() {
	if w.choose(chooseDialect, 0, 0, 0, 2) == 0 {
		return
	}
	for _, n := range w.nodes {
		n.foreign = w.choose(chooseDialect, 1, n.index, 0, 2) != 0
	}
}

// dialect is the end of a session that speaks otherwise.
type dialect struct {
	w    *World
	s    *session
	from int
}

func (d *dialect) choose(n int) int {
	child := d.w.nodes[d.s.ends[childEnd].node]
	child.respelled[d.from]++
	return int(d.w.choose(chooseDialect, child.index, 2+d.from, child.respelled[d.from], uint32(n)))
}

// respell replaces what arrives next in a direction, if whoever wrote it speaks another dialect.
func (w *World) respell(s *session, from int) {
	p := &s.pipes[from]
	if !w.nodes[s.ends[from].node].foreign || p.queue[p.head].mangled {
		return
	}
	d := &dialect{w, s, from}
	event, err := wire.DecodeEvent(p.queue[p.head].data, &wire.DefaultLimits)
	switch {
	case err != nil || event.Kind != wire.EventMessage:
	case event.Message.Kind == wire.MessageUpstreamControl && len(event.Message.Control) > 0:
		d.control(&event)
	case event.Message.Kind == wire.MessageStateStream:
		d.states(&event)
	}
}

// control respells a control message.
func (d *dialect) control(event *wire.Event) {
	actions := event.Message.Control
	if d.choose(2) != 0 {
		actions = d.shuffled(actions)
	}
	if at := slices.IndexFunc(actions, repeatable); at >= 0 && d.choose(2) != 0 {
		actions = append(slices.Clone(actions), actions[at])
		d.w.marks.Hit(mark.LoadLimitTwice)
	}
	var messages [][]byte
	at := d.choose(len(actions))
	for _, part := range [2][]wire.ControlAction{actions[:at], actions[at:]} {
		if event.Message.Control = part; len(part) > 0 {
			messages = append(messages, wire.AppendEvent(nil, event))
		}
	}
	if len(messages) > 1 {
		d.w.marks.Hit(mark.MessageCut)
	}
	d.replace(1, messages)
}

// repeatable reports whether an action may be said again later with the same meaning: a load limit that does not depend on the time.
func repeatable(a wire.ControlAction) bool {
	return a.Kind == wire.ActionSetLoadLimit && len(a.LoadLimit) == 1 && a.LoadLimit[0].Seconds == 0
}

// shuffled is the actions in another order: what is about the exchange first, then one thing after the other.
func (d *dialect) shuffled(actions []wire.ControlAction) []wire.ControlAction {
	rank := make(map[string]int)
	thing := func(a *wire.ControlAction) string {
		switch {
		case a.Kind < wire.ActionObserveObject:
			return ""
		case a.Kind < wire.ActionObserveTag:
			return "object " + a.JSON + strings.Join(a.Tags, " ")
		}
		return "tag " + a.JSON
	}
	for i := range actions {
		if name := thing(&actions[i]); name != "" {
			if _, known := rank[name]; !known {
				rank[name] = 1 + d.choose(1<<16)
			}
		}
	}
	other := slices.Clone(actions)
	slices.SortStableFunc(other, func(a, b wire.ControlAction) int {
		return cmp.Or(cmp.Compare(rank[thing(&a)], rank[thing(&b)]), strings.Compare(thing(&a), thing(&b)))
	})
	d.w.marks.Hit(mark.ActionsReordered)
	return other
}

// states puts the states of one channel that wait for one another into one message.
func (d *dialect) states(event *wire.Event) {
	p := &d.s.pipes[d.from]
	count := 1
	for p.head+count < len(p.queue) && !p.queue[p.head+count].mangled {
		next, err := wire.DecodeEvent(p.queue[p.head+count].data, &wire.DefaultLimits)
		if err != nil || next.Channel != event.Channel || next.Kind != wire.EventMessage || next.Message.Kind != wire.MessageStateStream ||
			!current(event) || !current(&next) || d.choose(4) == 0 {
			break
		}
		event.Message.States = append(event.Message.States, next.Message.States...)
		count++
	}
	if count > 1 {
		d.w.marks.Hit(mark.StatesInOneMessage)
		d.replace(count, [][]byte{wire.AppendEvent(nil, event)})
	}
}

// current reports whether all that a message says is "now". How long ago something was depends on when the message was written.
func current(event *wire.Event) bool {
	return !slices.ContainsFunc(event.Message.States, func(a wire.StateAction) bool { return a.Synchronized != 0 })
}

// replace puts messages in the place of the first few of the direction.
func (d *dialect) replace(count int, messages [][]byte) {
	p := &d.s.pipes[d.from]
	old := p.queue[p.head : p.head+count]
	if d.w.observer != nil {
		var was [][]byte
		for i := range old {
			was = append(was, old[i].data)
		}
		if err := d.w.observer.Respell(d.s.public(), d.s.ends[d.from].node, d.s.ends[1-d.from].node, was, messages); err != nil {
			d.w.failObserver(d.w.nodes[d.s.ends[d.from].node], err)
		}
	}
	at := old[0].at
	for i := range old {
		p.bytes -= len(old[i].data)
		d.w.recycle(&old[i])
	}
	var parcels []parcel
	for _, data := range messages {
		p.bytes += len(data)
		parcels = append(parcels, parcel{at: at, data: data})
	}
	p.queue = slices.Replace(p.queue, p.head, p.head+count, parcels...)
}
