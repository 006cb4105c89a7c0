package impl

import (
	"math"
	"slices"

	"hakuban/wire"
)

// pull answers a link's writer that has room: it works out what the link is owed
// and encodes it, until the budget is reached or nothing is left.
//
// spec: PullUp, PullDown
func (x *Exchange) pull(l *link, buffer []byte, budget int) {
	start := len(buffer)
	x.cuts = x.cuts[:0]
	if !l.greeted {
		l.greeted = true
		l.lastOurs = controlNumber
		buffer = x.appendGreeting(buffer, l)
	}
	room := func() bool { return len(buffer)-start < budget || len(buffer) == start }
	if l.role == ToDownstream {
		for l.pending.first != nil && room() {
			buffer = x.pullDown(buffer, l.pending.first.value)
		}
	} else {
		for (l.pendingObjects.first != nil || l.pendingTags.first != nil) && room() {
			buffer = x.appendContracts(buffer, l, budget-(len(buffer)-start))
		}
		for l.outlets.first != nil && room() {
			buffer = x.pullUp(buffer, l.outlets.first.value)
		}
	}
	from := start
	for _, to := range x.cuts {
		x.emit(Effect{Kind: EffectWrite, Link: l.id, Data: buffer[from:to:to]})
		from = to
	}
	if l.pending.first == nil && l.pendingObjects.first == nil && l.pendingTags.first == nil && l.outlets.first == nil {
		l.ready = false
		x.emit(Effect{Kind: EffectDrained, Link: l.id})
	}
}

// append encodes x.event as one message.
func (x *Exchange) append(buffer []byte) []byte {
	return x.cut(wire.AppendEvent(buffer, &x.event))
}

// cut ends one message.
func (x *Exchange) cut(buffer []byte) []byte {
	x.cuts = append(x.cuts, len(buffer))
	return buffer
}

// pullDown brings one downstream link up to date on one object: closes before
// opens, then the state.
//
// spec: PullDown
func (x *Exchange) pullDown(buffer []byte, ol *objectLink) []byte {
	l, o := ol.link, ol.object
	l.pending.remove(&ol.pending)
	o.unsent--
	o.tally.add(ol, -1)
	if ol.sink != nil && (ol.revoked || !ol.isElected()) {
		l.bytes -= ol.sink.last.size()
		buffer = x.appendClose(buffer, l, ol.sink)
		ol.sink, ol.revoked = nil, false
	}
	if ol.stream != nil && !ol.wantsStream() {
		buffer = x.appendClose(buffer, l, ol.stream)
		ol.stream = nil
	}
	if ol.sink == nil && ol.isElected() {
		buffer, ol.sink = x.appendOpen(buffer, ol, wire.ChannelSink)
	}
	if ol.stream == nil && ol.wantsStream() {
		buffer, ol.stream = x.appendOpen(buffer, ol, wire.ChannelStream)
	}
	o.tally.add(ol, 1)
	x.settleKeeper(o) // the channels that bring the state held, or alone keep it, may be other ones
	if ol.stream != nil && ol.stream.owes() {
		buffer = x.cut(x.appendState(buffer, ol.stream, wire.ChannelID{Origin: l.origin(), Number: ol.stream.number}))
	}
	if o.unsent == 0 {
		o.diffs.clear()
	}
	if !o.dataNeeded {
		x.dropStale(o) // the stream that kept the state may be closed
	}
	if !o.shouldExist || ol.idle() {
		x.forget(o)
	}
	return buffer
}

// pullUp brings one outlet to upstream up to date.
//
// spec: PullUp
func (x *Exchange) pullUp(buffer []byte, c *channel) []byte {
	o := c.object
	c.link.outlets.remove(&c.pending)
	o.unsent--
	theirs := wire.ChannelID{Origin: wire.UpstreamOriginated, Number: c.number}
	switch {
	case !c.owes():
	case x.lift(c):
		buffer = x.cut(x.appendState(buffer, c, theirs))
	case c.last != nil && c.flag.Now: // what upstream has is not current any more
		c.flag = Synchronized{Mono: math.MinInt64}
		buffer = x.cut(x.appendStates(buffer, theirs, wire.StateAction{Kind: wire.StateSetSynchronized, Synchronized: x.flagToWire(c.flag)}))
	}
	if o.unsent == 0 {
		o.diffs.clear()
	}
	return buffer
}

func (x *Exchange) appendOpen(buffer []byte, ol *objectLink, kind wire.ChannelKind) ([]byte, *channel) {
	l, o := ol.link, ol.object
	l.lastOurs++
	c := newChannel(l.lastOurs, o, l)
	c.record = ol
	l.ours[c.number] = c
	return x.appendInitialize(buffer, l, c.number, wire.ChannelType{Kind: kind, Tags: o.descriptor.Tags, JSON: o.descriptor.JSON}), c
}

// appendInitialize opens a channel: two messages.
func (x *Exchange) appendInitialize(buffer []byte, l *link, number uint64, channelType wire.ChannelType) []byte {
	id := wire.ChannelID{Origin: l.origin(), Number: number}
	x.event.Kind, x.event.Channel = wire.EventOpen, id
	buffer = x.append(buffer)
	x.event.Kind = wire.EventMessage
	x.event.Message.Kind = wire.MessageUninitialized
	x.event.Message.Initialize = append(x.event.Message.Initialize[:0], channelType)
	buffer = x.append(buffer)
	x.event.Message.Initialize[0] = wire.ChannelType{}
	return buffer
}

func (x *Exchange) appendClose(buffer []byte, l *link, c *channel) []byte {
	delete(l.ours, c.number)
	c.unpin()
	x.event.Kind, x.event.Channel = wire.EventClose, wire.ChannelID{Origin: l.origin(), Number: c.number}
	return x.append(buffer)
}

// appendGreeting opens the control channel and tells who we are.
func (x *Exchange) appendGreeting(buffer []byte, l *link) []byte {
	kind := wire.ChannelUpstreamControl
	if l.role == ToDownstream {
		kind = wire.ChannelDownstreamControl
	}
	buffer = x.appendInitialize(buffer, l, controlNumber, wire.ChannelType{Kind: kind})
	actions := append(x.event.Message.Control[:0], wire.ControlAction{Kind: wire.ActionSetName, Name: l.localName})
	if l.role == ToUpstream {
		actions = append(actions, wire.ControlAction{Kind: wire.ActionSetLoadLimit, LoadLimit: l.loadPoints})
	}
	return x.appendControl(buffer, l, actions)
}

func (x *Exchange) appendControl(buffer []byte, l *link, actions []wire.ControlAction) []byte {
	x.event.Kind, x.event.Channel = wire.EventMessage, wire.ChannelID{Origin: l.origin(), Number: controlNumber}
	x.event.Message.Kind = wire.MessageDownstreamControl
	if l.role == ToUpstream {
		x.event.Message.Kind = wire.MessageUpstreamControl
	}
	x.event.Message.Control = actions
	buffer = x.append(buffer)
	clear(actions)
	x.event.Message.Control = actions[:0]
	return buffer
}

// appendContracts tells upstream what changed, in one message of about the
// budget at most.
//
// spec: PullUp
func (x *Exchange) appendContracts(buffer []byte, l *link, budget int) []byte {
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
		if size >= budget || len(actions) >= x.config.Limits.Wire.Actions-2 {
			break
		}
	}
	if len(actions) == 0 {
		return buffer
	}
	// What is asked for anew comes first: a reference peer carries the actions out
	// one by one, and would end what a new contract is about to go on with.
	slices.SortStableFunc(actions, func(a, b wire.ControlAction) int { return removal(a.Kind) - removal(b.Kind) })
	return x.appendControl(buffer, l, actions)
}

// removal is 1 for an action that takes a contract back.
func removal(kind wire.ActionKind) int {
	switch kind {
	case wire.ActionUnobserveObject, wire.ActionUnexposeObject, wire.ActionUnobserveTag, wire.ActionUnexposeTag:
		return 1
	}
	return 0
}
