package impl

import (
	"math"
	"slices"

	"hakuban/wire"
)

// pulling is a pull under way.
type pulling struct {
	link   *link
	buffer []byte // the messages so far, without their diffs, after what it held before
	size   int    // bytes of the messages so far; a diff counts with its bound
	count  int    // of the messages
	things int    // that were looked at
}

// room reports whether another message may begin.
func (x *Exchange) room(p *pulling, budget int) bool {
	return p.things < x.config.Slice && (p.size < budget || p.count == 0)
}

// pull answers a link's writer that has room: it works out what the link is owed
// until the budget is reached, the step has looked at enough, or nothing is left. How long a diff will be is not
// known here, for it is made later; it counts with the bytes of the state that it
// leads to.
//
// spec: PullUp, PullDown
func (x *Exchange) pull(l *link, buffer []byte, budget int) {
	p := &pulling{link: l, buffer: buffer}
	if !l.greeted {
		l.greeted = true
		l.lastOurs = controlNumber
		x.emitGreeting(p)
	}
	if l.role == ToDownstream {
		for l.pending.first != nil && x.room(p, budget) {
			p.things++
			x.pullDown(p, l.pending.first.value)
		}
	} else {
		for (l.pendingObjects.first != nil || l.pendingTags.first != nil) && x.room(p, budget) {
			x.emitContracts(p, budget-p.size)
		}
		for l.outlets.first != nil && x.room(p, budget) {
			p.things++
			x.pullUp(p, l.outlets.first.value)
		}
	}
	if l.pending.first == nil && l.pendingObjects.first == nil && l.pendingTags.first == nil && l.outlets.first == nil {
		l.ready = false
		x.emit(Effect{Kind: EffectDrained, Link: l.id})
	}
}

// emitEvent encodes x.event as one message.
func (x *Exchange) emitEvent(p *pulling) {
	start := len(p.buffer)
	p.buffer = wire.AppendEvent(p.buffer, &x.event)
	x.emitMessage(p, Message{data: p.buffer[start:len(p.buffer):len(p.buffer)]})
}

// emitPatch encodes the message that brings a state, all but its diff.
func (x *Exchange) emitPatch(p *pulling, id wire.ChannelID, action *wire.StateAction, delta *Delta, bound int) {
	start, at := len(p.buffer), 0
	p.buffer, at = wire.AppendPatch(p.buffer, id, action)
	p.size += bound
	x.emitMessage(p, Message{data: p.buffer[start:len(p.buffer):len(p.buffer)], delta: delta, at: at - start})
}

func (x *Exchange) emitMessage(p *pulling, message Message) {
	p.size += len(message.data)
	p.count++
	x.emit(Effect{Kind: EffectWrite, Link: p.link.id, Message: message})
}

// pullDown brings one downstream link up to date on one object: closes before
// opens, then the state.
//
// spec: PullDown
func (x *Exchange) pullDown(p *pulling, ol *objectLink) {
	l, o := ol.link, ol.object
	l.pending.remove(&ol.pending)
	o.unsent--
	x.pullChannels(p, ol)
	x.chargeHeld(o) // the channels that bring the state held, or alone keep it, may be other ones
	if ol.stream != nil && ol.stream.owes() {
		x.emitState(p, ol.stream, wire.ChannelID{Origin: l.origin(), Number: ol.stream.number})
	}
	if o.unsent == 0 {
		o.deltas.clear()
	}
	if !o.dataNeeded {
		x.dropStale(o) // the stream that kept the state may be closed
	}
	x.forgetLink(ol)
	x.forget(o)
}

// pullChannels closes and opens the channels of a downstream link on one object.
func (x *Exchange) pullChannels(p *pulling, ol *objectLink) {
	if ol.sink != nil && (ol.revoked || !ol.isElected()) {
		x.emitClose(p, ol.sink)
		ol.sink, ol.revoked = nil, false
	}
	if ol.stream != nil && !ol.wantsStream() {
		x.emitClose(p, ol.stream)
		ol.stream = nil
	}
	if ol.sink == nil && ol.isElected() {
		ol.sink = x.emitOpen(p, ol, wire.ChannelSink)
	}
	if ol.stream == nil && ol.wantsStream() {
		ol.stream = x.emitOpen(p, ol, wire.ChannelStream)
	}
}

// pullUp brings one outlet to upstream up to date.
//
// spec: PullUp
func (x *Exchange) pullUp(p *pulling, c *channel) {
	o := c.object
	c.link.outlets.remove(&c.pending)
	o.unsent--
	theirs := wire.ChannelID{Origin: wire.UpstreamOriginated, Number: c.number}
	switch {
	case !c.owes():
	case x.lift(c):
		x.emitState(p, c, theirs)
	case c.last != nil && c.flag.Now: // what upstream has is not current any more
		c.flag = Synchronized{Mono: math.MinInt64}
		x.emitFlag(p, theirs, wire.StateAction{Kind: wire.StateSetSynchronized, Synchronized: x.flagToWire(c.flag)})
	}
	if o.unsent == 0 {
		o.deltas.clear()
	}
}

func (x *Exchange) emitOpen(p *pulling, ol *objectLink, kind wire.ChannelKind) *channel {
	l, o := ol.link, ol.object
	l.lastOurs++
	c := newChannel(l.lastOurs, ol)
	l.ours[c.number] = c
	x.charge(&c.charge, &l.books, records, channelBytes)
	x.emitInitialize(p, c.number, wire.ChannelType{Kind: kind, Tags: o.descriptor.Tags, JSON: o.descriptor.JSON})
	return c
}

// emitInitialize opens a channel: two messages.
func (x *Exchange) emitInitialize(p *pulling, number uint64, channelType wire.ChannelType) {
	id := wire.ChannelID{Origin: p.link.origin(), Number: number}
	x.event.Kind, x.event.Channel = wire.EventOpen, id
	x.emitEvent(p)
	x.event.Kind = wire.EventMessage
	x.event.Message.Kind = wire.MessageUninitialized
	x.event.Message.Initialize = append(x.event.Message.Initialize[:0], channelType)
	x.emitEvent(p)
	x.event.Message.Initialize[0] = wire.ChannelType{}
}

func (x *Exchange) emitClose(p *pulling, c *channel) {
	delete(p.link.ours, c.number)
	x.closed(c)
	x.event.Kind, x.event.Channel = wire.EventClose, wire.ChannelID{Origin: p.link.origin(), Number: c.number}
	x.emitEvent(p)
}

// emitGreeting opens the control channel and tells who we are.
func (x *Exchange) emitGreeting(p *pulling) {
	l := p.link
	kind := wire.ChannelUpstreamControl
	if l.role == ToDownstream {
		kind = wire.ChannelDownstreamControl
	}
	x.emitInitialize(p, controlNumber, wire.ChannelType{Kind: kind})
	actions := append(x.event.Message.Control[:0], wire.ControlAction{Kind: wire.ActionSetName, Name: l.localName})
	if l.role == ToUpstream {
		actions = append(actions, wire.ControlAction{Kind: wire.ActionSetLoadLimit, LoadLimit: l.loadPoints})
	}
	x.emitControl(p, actions)
}

func (x *Exchange) emitControl(p *pulling, actions []wire.ControlAction) {
	x.event.Kind, x.event.Channel = wire.EventMessage, wire.ChannelID{Origin: p.link.origin(), Number: controlNumber}
	x.event.Message.Kind = wire.MessageDownstreamControl
	if p.link.role == ToUpstream {
		x.event.Message.Kind = wire.MessageUpstreamControl
	}
	x.event.Message.Control = actions
	x.emitEvent(p)
	clear(actions)
	x.event.Message.Control = actions[:0]
}

// emitContracts tells upstream what changed, in one message of about the
// budget at most.
//
// spec: PullUp
func (x *Exchange) emitContracts(p *pulling, budget int) {
	l := p.link
	actions := x.event.Message.Control[:0]
	size := 0
	for l.pendingObjects.first != nil || l.pendingTags.first != nil {
		before := len(actions)
		actions = x.tell(l, actions)
		for i := before; i < len(actions); i++ {
			size += 16 + len(actions[i].JSON)
			for _, tag := range actions[i].Tags {
				size += 4 + len(tag)
			}
		}
		p.things += len(actions) - before
		if size >= budget || len(actions) >= x.config.Limits.Wire.Actions-2 || p.things >= x.config.Slice {
			break
		}
	}
	if len(actions) == 0 {
		return
	}
	// What is asked for anew comes first: a reference peer carries the actions out
	// one by one, and would end what a new contract is about to go on with.
	slices.SortStableFunc(actions, func(a, b wire.ControlAction) int { return removal(a.Kind) - removal(b.Kind) })
	x.emitControl(p, actions)
}

// removal is 1 for an action that takes a contract back.
func removal(kind wire.ActionKind) int {
	switch kind {
	case wire.ActionUnobserveObject, wire.ActionUnexposeObject, wire.ActionUnobserveTag, wire.ActionUnexposeTag:
		return 1
	}
	return 0
}
