package sim

import (
	"hakuban/impl"
	"hakuban/sim/mark"
	"hakuban/wire"
)

// A core takes a long control message in slices. In half of the worlds each exchange has slices of its own, so small
// that most messages are cut, and other inputs come in between. To the checkers each slice is a message of its own.

// sliceOf is how many things a step of an exchange looks at.
func (w *World) sliceOf(index int) int {
	if w.choose(chooseSlice, 0, 0, 0, 2) == 0 {
		return 0
	}
	return [...]int{0, 1, 2, 3, 5}[w.choose(chooseSlice, 1, index, 0, 5)]
}

// parts is a message that is taken in slices.
type parts struct {
	left   [][]byte // each part that is not taken, as a message of its own
	number uint32   // of parts taken by this end, of all messages
}

// cut takes a message apart, if a core with slices of a size takes it so.
func (p *parts) cut(slice int, data []byte) bool {
	p.left = p.left[:0]
	if len(data) <= slice { // an action takes a byte at least
		return false
	}
	event, err := wire.DecodeEvent(data, &wire.DefaultLimits)
	if err != nil || len(event.Message.Control) <= slice || event.Message.Kind != wire.MessageUpstreamControl {
		return false
	}
	actions := event.Message.Control
	for len(actions) > 0 {
		event.Message.Control = actions[:min(slice, len(actions))]
		actions = actions[len(event.Message.Control):]
		p.left = append(p.left, wire.AppendEvent(nil, &event))
	}
	return true
}

// stepPart steps w.input, which takes the first part that is left, and schedules the next.
func (w *World) stepPart(n *node, s *session, to uint8) {
	e, p := &s.ends[to], &s.pipes[1-to].taken
	w.shown = &impl.Input{Kind: impl.InputReceive, Link: e.link, Data: p.left[0]}
	w.step(n)
	w.shown = nil
	p.left = p.left[1:]
	if e.state != endAttached {
		p.left = nil
		return
	}
	if len(p.left) == 0 {
		return
	}
	w.marks.Hit(mark.MessageInSlices)
	p.number++
	var delay int64
	if !w.calm {
		delay = int64(w.choose(chooseSlice, n.index, int(to), p.number, 30)) * 100 * microsecond
	}
	w.push(event{time: w.now + delay, kind: eventContinue, session: int32(s.number), end: to, node: int16(n.index), life: int32(n.life)})
}

// takeOn has an end take the next part of a message.
func (w *World) takeOn(s *session, to uint8) {
	e, p := &s.ends[to], &s.pipes[1-to].taken
	if e.state != endAttached || len(p.left) == 0 {
		return
	}
	if s.lost {
		w.marks.Hit(mark.SliceAfterLoss)
	}
	w.input = impl.Input{Kind: impl.InputContinue, Link: e.link}
	w.stepPart(w.nodes[e.node], s, to)
	w.arm(s, 1-int(to))
}

// inputShown is the input of the step under way, as checkers see it.
func (w *World) inputShown() *impl.Input {
	if w.shown != nil {
		return w.shown
	}
	return &w.input
}
