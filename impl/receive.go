package impl

import (
	"fmt"
	"slices"

	"hakuban/wire"
)

// maxObjectChannels bounds the sources and outlets of one object: the reference
// overlaps a few, when one is opened before the last one is closed.
const maxObjectChannels = 64

// receive carries out one message of a peer, or ends the link for it. An empty
// message is ignored, as the reference does.
func (x *Exchange) receive(l *link, input *Input) {
	if l.taking.arrival != nil {
		x.refuse(fmt.Errorf("hakuban: link %d has not taken its last message", l.id))
		return
	}
	if len(input.Data) == 0 {
		return
	}
	a := input.Arrival
	if a == nil {
		a = new(Arrival)
		a.Decode(input.Data, &x.config.Limits.Wire)
	}
	err := a.err
	if err == nil {
		switch a.event.Kind {
		case wire.EventOpen:
			err = x.receiveOpen(l, a.event.Channel)
		case wire.EventClose:
			err = x.receiveClose(l, a.event.Channel)
		case wire.EventMessage:
			err = x.receiveMessage(l, a)
		}
	}
	if err != nil {
		x.end(l, err)
	}
}

func (x *Exchange) receiveOpen(l *link, id wire.ChannelID) error {
	if id.Origin == l.origin() {
		return protocolf("open of channel %v, which this end numbers", id)
	}
	if _, open := l.theirs[id.Number]; open {
		return protocolf("open of channel %v, which is open", id)
	}
	l.theirs[id.Number] = theirChannel{}
	x.grew(&l.books, held)
	return nil
}

// spec: ReceiveClose
func (x *Exchange) receiveClose(l *link, id wire.ChannelID) error {
	if id.Origin == l.origin() {
		return protocolf("close of channel %v, which this end opens", id)
	}
	c, open := l.theirs[id.Number]
	if !open {
		return protocolf("close of channel %v, which is not open", id)
	}
	if c.kind == control {
		return protocolf("close of control channel %v", id)
	}
	delete(l.theirs, id.Number)
	if c.state == nil {
		return nil
	}
	o := c.state.object
	is := func(other *channel) bool { return other == c.state }
	if c.kind == source {
		o.sources = slices.DeleteFunc(o.sources, is)
	} else {
		x.unqueueOutlet(c.state)
		o.outlets = slices.DeleteFunc(o.outlets, is)
	}
	x.closed(c.state)
	x.settle(o)
	return nil
}

func (x *Exchange) receiveMessage(l *link, a *Arrival) error {
	id, m := a.event.Channel, &a.event.Message
	if id.Origin == l.origin() {
		return x.receiveOnOurs(l, a)
	}
	c, open := l.theirs[id.Number]
	if !open {
		return protocolf("message on channel %v, which is not open", id)
	}
	switch {
	case c.kind == uninitialized && m.Kind == wire.MessageUninitialized:
		return x.receiveInitialize(l, a)
	case c.kind == control && l.role == ToDownstream && m.Kind == wire.MessageUpstreamControl:
		return x.beginTaking(l, a)
	case c.kind == control && l.role == ToUpstream && m.Kind == wire.MessageDownstreamControl:
		return receiveNames(l, m.Control)
	case c.kind == source && m.Kind == wire.MessageStateStream:
		return x.receiveStates(l, c.state, a)
	}
	return protocolf("message of kind %v on channel %v, which does not take it", m.Kind, id)
}

// receiveOnOurs takes a message on a channel that this end opened. On one closed
// since, it was in flight and is dropped.
func (x *Exchange) receiveOnOurs(l *link, a *Arrival) error {
	id, m := a.event.Channel, &a.event.Message
	if id.Number > l.lastOurs {
		return protocolf("message on channel %v, which was never opened", id)
	}
	if id.Number == controlNumber {
		// The reference reads nothing here; its own kind of message is harmless.
		if m.Kind == wire.MessageUpstreamControl && l.role == ToUpstream || m.Kind == wire.MessageDownstreamControl && l.role == ToDownstream {
			return nil
		}
		return protocolf("message of kind %v on control channel %v", m.Kind, id)
	}
	c := l.ours[id.Number]
	if c == nil {
		return nil
	}
	ol := c.record
	if ol.sink != c || m.Kind != wire.MessageStateStream {
		return protocolf("message of kind %v on channel %v, which does not take it", m.Kind, id)
	}
	if ol.revoked {
		return nil
	}
	return x.receiveStates(l, c, a)
}

// receiveInitialize gives a channel that the peer opened its type.
//
// spec: ReceiveOpen
func (x *Exchange) receiveInitialize(l *link, a *Arrival) error {
	id, types := a.event.Channel, a.event.Message.Initialize
	if len(types) != 1 {
		return protocolf("channel %v initialized with %d types, expected 1", id, len(types))
	}
	kind := types[0].Kind
	switch {
	case kind == wire.ChannelUpstreamControl && l.role == ToDownstream,
		kind == wire.ChannelDownstreamControl && l.role == ToUpstream:
		l.theirs[id.Number] = theirChannel{kind: control}
		return nil
	case l.role != ToUpstream || kind != wire.ChannelSink && kind != wire.ChannelStream:
		return protocolf("channel %v initialized as %v, which this end does not take", id, kind)
	}
	descriptor, err := a.object(0, types[0].Tags, types[0].JSON)
	if err != nil {
		return protocolf("channel %v: %v", id, err)
	}
	if o := x.objects[descriptor.Key]; o != nil && len(o.sources)+len(o.outlets) >= maxObjectChannels {
		return protocolf("channel %v: the object has %d channels open", id, maxObjectChannels)
	}
	o := x.acquire(descriptor)
	c := newUpstreamChannel(id.Number, o, l, kind == wire.ChannelSink)
	if kind == wire.ChannelStream {
		l.theirs[id.Number] = theirChannel{source, c}
		o.sources = append(o.sources, c)
	} else {
		l.theirs[id.Number] = theirChannel{outlet, c}
		o.outlets = append(o.outlets, c)
	}
	x.settle(o)
	if kind == wire.ChannelSink && c.owes() {
		x.queueOutlet(c)
	}
	return nil
}

// receiveNames takes the upstream end's control messages.
func receiveNames(l *link, actions []wire.ControlAction) error {
	for i := range actions {
		if actions[i].Kind != wire.ActionSetName {
			return protocolf("%v from the upstream end", actions[i].Kind)
		}
		l.remoteName, l.hasName = actions[i].Name, true
	}
	return nil
}

func (x *Exchange) receiveContract(l *link, a *Arrival, i int) error {
	x.work++
	x.balance.stir(x.now.Mono, 0)
	switch action := &a.event.Message.Control[i]; action.Kind {
	case wire.ActionSetName:
		l.remoteName, l.hasName = action.Name, true
		return nil
	case wire.ActionSetLoadLimit:
		x.limitLoad(l, newLoadLimit(action.LoadLimit, x.now.Mono))
		return nil
	case wire.ActionObserveTag, wire.ActionUnobserveTag, wire.ActionExposeTag, wire.ActionUnexposeTag, wire.ActionSetTagCapacity:
		return x.receiveTagContract(l, a, i)
	}
	return x.receiveObjectContract(l, a, i)
}

func (x *Exchange) receiveObjectContract(l *link, a *Arrival, i int) error {
	action := &a.event.Message.Control[i]
	descriptor, err := a.object(i, action.Tags, action.JSON)
	if err != nil {
		return protocolf("%v: %v", action.Kind, err)
	}
	var was asks
	if ol := l.objects[descriptor.Key]; ol != nil {
		was = ol.asked
	}
	will, fault := was.after(action)
	switch {
	case !was.any() && !will.any():
		return nil // tolerated, as the reference does
	case fault != "":
		return protocolf("%v of object %s, which the link %s", action.Kind, brief(descriptor.Key), fault)
	}
	allowed := l.allowedOnObject(will, &descriptor)
	if err := l.forbid(l.refusal(was, will, allowed, "object", descriptor.Key)); err != nil {
		return err
	}
	ol := x.acquireObjectLink(x.acquire(descriptor), l)
	x.ask(ol, will, allowed)
	x.touch(ol.object, l)
	return nil
}

func (x *Exchange) receiveTagContract(l *link, a *Arrival, i int) error {
	action := &a.event.Message.Control[i]
	text, identity, err := a.tag(i, action.JSON)
	if err != nil {
		return protocolf("%v: %v", action.Kind, err)
	}
	tl := l.tags[identity]
	var was asks
	if tl != nil {
		was = tl.asked
	}
	will, fault := was.after(action)
	switch {
	case !was.any() && !will.any():
		return nil // tolerated, as the reference does
	case fault != "":
		return protocolf("%v of tag %s, which the link %s", action.Kind, brief(identity), fault)
	}
	allowed := l.allowedOnTag(will, identity)
	if err := l.forbid(l.refusal(was, will, allowed, "tag", identity)); err != nil {
		return err
	}
	tl = x.acquireTagLink(x.acquireTag(text, identity), l)
	tl.asked, tl.asks = will, allowed
	x.chargeTag(tl)
	return nil
}
