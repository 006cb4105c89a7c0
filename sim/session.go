package sim

import (
	"fmt"
	"strconv"

	"hakuban/impl"
	"hakuban/sim/checker"
	"hakuban/sim/mark"
	"hakuban/wire"
)

// The ends of a session, which are also its directions: the child's end sends
// up (0), the parent's down (1).
const (
	childEnd  = 0
	parentEnd = 1
)

type endState uint8

const (
	endPending endState = iota // not yet told to its core
	endAttached
	endGone
)

// session is one life of one link.
type session struct {
	number int
	lost   bool // nothing more is carried than what the pipes hold
	ends   [2]end
	pipes  [2]pipe // by the sending end
}

type end struct {
	node    int
	life    int
	link    impl.LinkID
	state   endState
	ready   bool // the core has something to send
	pulling bool // a pull is scheduled
}

// pipe is one direction of a session, first in, first out.
type pipe struct {
	queue   []parcel
	head    int
	bytes   int   // in the queue
	lastAt  int64 // arrival of the newest
	armedAt int64 // time of the delivery event that counts; zero: none
	taken   parts // the message that the receiving end is taking in slices
}

type parcel struct {
	at      int64
	data    []byte
	mangled bool
}

// notice says how an end learns that its session is over.
type notice uint8

const (
	lossNoticed notice = iota // after a moment
	lossSilent                // when it times out
)

// scheduleDial makes a child connect after a while.
func (w *World) scheduleDial(n *node, delay int64) {
	w.push(event{time: w.now + delay, kind: eventDial, node: int16(n.index), life: int32(n.life)})
}

// dial begins a session with the parent if the network and the parent allow it.
func (w *World) dial(n *node) {
	if n.up != nil {
		return
	}
	parent := w.nodes[n.parent]
	n.dials++
	wait := linkDelay
	if !w.calm {
		wait += int64(w.choose(chooseDial, n.index, 0, n.dials, 100)) * millisecond
	}
	if parent.core == nil || n.stallUntil[0] > w.now || n.stallUntil[1] > w.now {
		w.scheduleDial(n, 50*millisecond+wait)
		return
	}
	s := &session{number: len(w.sessions)}
	s.ends[childEnd] = end{node: n.index, life: n.life}
	s.ends[parentEnd] = end{node: parent.index, life: parent.life}
	w.sessions = append(w.sessions, s)
	n.up = s
	w.push(event{time: w.now + linkDelay, kind: eventAttach, session: int32(s.number), end: parentEnd, node: int16(parent.index), life: int32(parent.life)})
	w.push(event{time: w.now + linkDelay + wait/2, kind: eventAttach, session: int32(s.number), end: childEnd, node: int16(n.index), life: int32(n.life)})
}

// attach tells one end's core that the session began.
func (w *World) attach(number int32, which uint8) {
	s := w.sessions[number]
	e := &s.ends[which]
	if e.state != endPending {
		return
	}
	n := w.nodes[e.node]
	if s.lost {
		w.gone(s, int(which))
		return
	}
	n.nextLink++
	e.link, e.state = n.nextLink, endAttached
	w.input = impl.Input{Kind: impl.InputAttach, Link: e.link, Role: impl.ToDownstream, Name: fmt.Sprintf("x%d", n.index), Session: strconv.Itoa(s.number)}
	if which == childEnd {
		w.input.Role = impl.ToUpstream
		w.input.LoadLimit = n.loadLimit
	} else {
		for _, a := range n.links {
			if a.end == parentEnd && a.session.ends[childEnd].node == s.ends[childEnd].node {
				w.marks.Hit(mark.SessionsOverlap)
			}
		}
	}
	if s.number >= len(w.nodes) {
		w.marks.Hit(mark.Reconnect)
	}
	n.links = append(n.links, attachment{e.link, s, int(which)})
	if w.observer != nil {
		w.observer.Attach(s.public(), n.index)
	}
	w.step(n)
	w.arm(s, 1-int(which))
}

// detach tells one end's core that the session is over.
func (w *World) detach(number int32, which uint8) {
	s := w.sessions[number]
	e := &s.ends[which]
	switch e.state {
	case endGone:
	case endPending:
		w.gone(s, int(which))
	case endAttached:
		n := w.nodes[e.node]
		n.unlink(e.link)
		w.gone(s, int(which))
		if e.ready {
			w.marks.Hit(mark.LostWhileOwed)
		}
		w.input = impl.Input{Kind: impl.InputDetach, Link: e.link}
		w.step(n)
	}
}

// gone marks an end as over; a child dials again.
func (w *World) gone(s *session, which int) {
	e := &s.ends[which]
	e.state = endGone
	w.drop(s, 1-which, 0)
	if which == childEnd {
		n := w.nodes[e.node]
		if n.up == s {
			n.up = nil
			w.scheduleDial(n, linkDelay)
		}
	}
}

// refusedUpstream gives an upstream up that a core refused: it asks for more already
// than an upstream may be asked for.
func (w *World) refusedUpstream(n *node) {
	w.marks.Hit(mark.LimitRefusedLink)
	s := n.up
	n.unlink(s.ends[childEnd].link)
	w.gone(s, childEnd)
	w.lose(s, lossNoticed, lossNoticed, true)
	w.heed(n)
}

// ended carries out a core's wish to end a link.
func (w *World) ended(s *session, which int, err error) {
	e := &s.ends[which]
	n := w.nodes[e.node]
	n.unlink(e.link)
	mangled := s.mangledArrived(which)
	w.gone(s, which)
	w.lose(s, lossNoticed, lossNoticed, true)
	if w.limited(err) {
		w.heed(w.nodes[s.ends[childEnd].node])
		return
	}
	if !mangled {
		w.fail(&checker.Violation{Property: "peers keep the protocol", Exchange: n.index, Step: w.steps,
			Text: fmt.Sprintf("exchange %d ended its link to exchange %d: %v", n.index, s.ends[1-which].node, err)})
	}
}

// mangledArrived reports whether the fault injector broke what this end receives.
func (s *session) mangledArrived(which int) bool {
	p := &s.pipes[1-which]
	return p.head > 0 && p.queue[p.head-1].mangled
}

// lose breaks the connection. Of what is under way in each direction a part
// still arrives when keep is set; the ends learn of it as told.
func (w *World) lose(s *session, child, parent notice, keep bool) {
	if s.lost {
		return
	}
	s.lost = true
	notices := [2]notice{child, parent}
	for which := range s.ends {
		kept := 0
		if keep && notices[1-which] == lossNoticed {
			if under := len(s.pipes[which].queue) - s.pipes[which].head; under > 0 && !w.calm {
				kept = int(w.choose(chooseKeep, which, 0, uint32(s.number), uint32(under+1)))
			}
		}
		w.drop(s, which, kept)
	}
	for which := range s.ends {
		e := &s.ends[which]
		if e.state == endGone {
			continue
		}
		after := linkDelay
		if !w.calm {
			after += int64(w.choose(chooseNotice, which, 0, uint32(s.number), 30)) * millisecond
		}
		if notices[which] == lossSilent {
			w.marks.Hit(mark.HalfOpen)
			after += linkTimeout/2 + after*40
		}
		w.push(event{time: w.now + after, kind: eventDetach, session: int32(s.number), end: uint8(which), node: int16(e.node), life: int32(e.life)})
	}
}

// drop forgets what is under way in a direction but for the oldest few.
func (w *World) drop(s *session, which int, keep int) {
	p := &s.pipes[which]
	for len(p.queue)-p.head > keep {
		last := &p.queue[len(p.queue)-1]
		p.bytes -= len(last.data)
		w.marks.Hit(mark.MessageLost)
		if w.observer != nil {
			if err := w.observer.Lose(s.public(), s.ends[which].node, s.ends[1-which].node, true); err != nil {
				w.failObserver(w.nodes[s.ends[which].node], err)
			}
		}
		w.recycle(last)
		p.queue = p.queue[:len(p.queue)-1]
	}
}

// send puts a message on its way.
func (w *World) send(s *session, which int, data []byte) {
	if s.lost || s.ends[1-which].state == endGone {
		w.marks.Hit(mark.WrittenIntoTheVoid)
		return
	}
	child := w.nodes[s.ends[childEnd].node]
	child.sent[which]++
	at := w.now + linkDelay
	if child.lateUntil[which] > w.now {
		at += int64(w.choose(chooseDelay, child.index, which, child.sent[which], 400)) * millisecond
	}
	p := &s.pipes[which]
	p.lastAt = max(p.lastAt, at)
	var copied []byte
	if len(w.spare) > 0 {
		copied = w.spare[len(w.spare)-1][:0]
		w.spare = w.spare[:len(w.spare)-1]
	}
	p.queue = append(p.queue, parcel{at: p.lastAt, data: append(copied, data...)})
	p.bytes += len(data)
	if w.observer != nil {
		if err := w.observer.Send(s.public(), s.ends[which].node, s.ends[1-which].node, data); err != nil {
			w.failObserver(w.nodes[s.ends[which].node], err)
		}
	}
	w.arm(s, which)
}

// arm schedules the arrival of the head of a direction.
func (w *World) arm(s *session, which int) {
	p, to := &s.pipes[which], &s.ends[1-which]
	if p.head == len(p.queue) || p.armedAt != 0 || to.state != endAttached || len(p.taken.left) > 0 {
		return
	}
	child := w.nodes[s.ends[childEnd].node]
	at := max(p.queue[p.head].at, w.now, child.stallUntil[which], child.clogUntil[which])
	if child.slowUntil[which] > w.now {
		at += int64(1+w.choose(chooseSlow, child.index, which, child.sent[which], 40)) * millisecond
	}
	p.armedAt = at
	w.push(event{time: at, kind: eventDeliver, session: int32(s.number), end: uint8(1 - which), node: int16(to.node), life: int32(to.life)})
}

// deliver hands the head of a direction to the end that receives it.
func (w *World) deliver(number int32, to uint8, at int64) {
	s := w.sessions[number]
	from := 1 - int(to)
	p := &s.pipes[from]
	if p.armedAt != at {
		return
	}
	p.armedAt = 0
	if p.head == len(p.queue) || s.ends[to].state != endAttached {
		return
	}
	child := w.nodes[s.ends[childEnd].node]
	if child.stallUntil[from] > w.now || child.clogUntil[from] > w.now {
		w.arm(s, from)
		return
	}
	w.respell(s, from)
	parcel := &p.queue[p.head]
	data := parcel.data
	p.head++
	p.bytes -= len(data)
	n := w.nodes[s.ends[to].node]
	if w.observer != nil {
		if err := w.observer.Deliver(s.public(), s.ends[from].node, n.index, data); err != nil {
			w.failObserver(n, err)
		}
	}
	if s.lost {
		w.marks.Hit(mark.DeliveredAfterLoss)
	}
	w.input = impl.Input{Kind: impl.InputReceive, Link: s.ends[to].link, Data: data, Arrival: w.decode(n, s, to, data)}
	if p.taken.cut(n.core.Slice(), data) {
		parcel.data = nil // the core has it until all is taken
		w.stepPart(n, s, to)
		w.arrival = new(impl.Arrival)
	} else {
		w.step(n)
	}
	if p.head > 0 { // not dropped by what the step did
		w.recycle(&p.queue[p.head-1])
	}
	if p.head == len(p.queue) {
		p.queue, p.head = p.queue[:0], 0
	}
	w.schedulePull(s, from)
	w.arm(s, from)
}

// decode makes a message ready as a driver does: on every other session the states
// are patched before the step, though they are small.
func (w *World) decode(n *node, s *session, to uint8, data []byte) *impl.Arrival {
	if len(data) == 0 {
		return nil
	}
	w.arrival.Release()
	w.arrival.Decode(data, &wire.DefaultLimits)
	if s.number%2 == 1 || w.arrival.Heavy() {
		w.arrival.Patch(n.core.Base(s.ends[to].link, w.arrival))
	}
	return w.arrival
}

func (w *World) recycle(p *parcel) {
	if p.data != nil {
		w.spare = append(w.spare, p.data)
		p.data = nil
	}
}

// schedulePull lets an end's writer pull when its core is ready and the
// direction has room.
func (w *World) schedulePull(s *session, which int) {
	e := &s.ends[which]
	if !e.ready || e.pulling || e.state != endAttached {
		return
	}
	window := w.rules.window
	child := w.nodes[s.ends[childEnd].node]
	if child.clogUntil[which] > w.now {
		window = min(window, 64)
	}
	if s.pipes[which].bytes >= window {
		w.marks.Hit(mark.WindowFull)
		return
	}
	e.pulling = true
	w.push(event{time: w.now + w.rules.writer, kind: eventPull, session: int32(s.number), end: uint8(which), node: int16(e.node), life: int32(e.life)})
}

// pull lets an end's core write.
func (w *World) pull(number int32, which uint8) {
	s := w.sessions[number]
	e := &s.ends[which]
	e.pulling = false
	if e.state != endAttached || !e.ready {
		return
	}
	n := w.nodes[e.node]
	w.input = impl.Input{Kind: impl.InputPull, Link: e.link, Buffer: w.buffer[:0], Budget: w.rules.budget}
	w.step(n)
	w.schedulePull(s, int(which))
}

func (s *session) public() Session {
	return Session{Number: s.number, Child: s.ends[childEnd].node, Parent: s.ends[parentEnd].node,
		ChildLink: s.ends[childEnd].link, ParentLink: s.ends[parentEnd].link}
}
