package impl

import (
	"errors"
	"slices"

	"hakuban/wire"
)

// What is counted against a link, in bytes: the descriptors of the objects and
// tags that it has contracts or channels on, the last states that came in on its
// open channels, and the states that are held because of it: see keeperOf. What its
// slowness pins, the last states that went out on its channels, is counted apart:
// nobody is ended for that.

var (
	errLinkObjects = errors.New("the link holds contracts and channels on more objects and tags than the limit")
	errLinkBytes   = errors.New("the descriptors and states that the link makes this exchange hold take more bytes than the limit")
)

// admit checks that a link may hold one more contract or channel.
func (x *Exchange) admit(l *link) error {
	if l.asked+len(l.tags)+len(l.theirs) >= x.config.Limits.LinkObjects {
		return errLinkObjects
	}
	return nil
}

// charge counts bytes against a link if it has room for them.
func (x *Exchange) charge(l *link, size int) error {
	if l.bytes+size > x.config.Limits.LinkBytes {
		return errLinkBytes
	}
	l.bytes += size
	return nil
}

// chargeDescriptor counts an object's descriptor against a link: the one that is
// known already, whose spelling is kept, or else this one.
func (x *Exchange) chargeDescriptor(l *link, descriptor wire.Descriptor) error {
	if o := x.objects[descriptor.Key]; o != nil {
		descriptor = o.descriptor
	}
	return x.charge(l, descriptorSize(descriptor))
}

// chargeTag does the same with a tag.
func (x *Exchange) chargeTag(l *link, text, identity string) error {
	if t := x.tags[identity]; t != nil {
		text = t.text
	}
	return x.charge(l, len(text)+len(identity))
}

func descriptorSize(d wire.Descriptor) int {
	size := len(d.Key) + len(d.JSON)
	for i := range d.Tags {
		size += len(d.Tags[i]) + len(d.TagIdentities[i])
	}
	return size
}

// settleKeeper counts a state that came over a link, and that is not the last one
// of a channel, against a link: or else it would be held at nobody's cost.
func (x *Exchange) settleKeeper(o *object) {
	if o.bringer != nil && !o.isOpen(o.bringer) {
		o.bringer = nil
	}
	keeper, size := o.keeperOf()
	if keeper == o.keeper && size == o.kept {
		return
	}
	x.unkeep(o)
	if keeper == nil {
		return
	}
	over := keeper.bytes+size > x.config.Limits.LinkBytes
	if over && o.bringer == nil {
		x.hollow(o)
		return
	}
	o.keeper, o.kept = keeper, size
	keeper.bytes += size
	if over {
		x.overdrawn = append(x.overdrawn, keeper)
	}
}

// hollow lets go of the data of a state that nobody brings any more and that is
// more than its keeper may keep. The version and the flag stay: whoever has seen
// the state is told of its flag, and older states are refused. Whoever has not
// sees none, until one comes that is as new.
func (x *Exchange) hollow(o *object) {
	full := o.held
	o.held, o.hollow = &State{Version: full.Version, Format: full.Format}, true
	x.changedFrom(o, full, o.flag)
	sources := slices.Clone(o.sources)
	if sink := o.electedSink(); sink != nil {
		sources = append(sources, sink)
	}
	for _, source := range sources {
		if o.hollow && source.last != nil && slices.Equal(source.last.Version, full.Version) {
			x.takeState(o, source.last, source.flag, source)
		}
	}
}

func (x *Exchange) unkeep(o *object) {
	if o.keeper != nil {
		o.keeper.bytes -= o.kept
		o.keeper, o.kept = nil, 0
	}
}

// keeperOf is whom the state held counts against, and with how many bytes: the
// link that brought it, until the channel closes on which it came, also when that
// has gone on to an older one; then, unless our own process has an observe contract
// on the object, the oldest link that asks for it, has a stream of it, or is
// upstream of it.
func (o *object) keeperOf() (*link, int) {
	if o.held == nil || o.hollow || !o.foreign {
		return nil, 0
	}
	size := o.held.size()
	if o.bringer != nil {
		if o.bringer.last == o.held {
			return nil, 0 // it is counted as the channel's last
		}
		return o.bringer.link, size
	}
	if len(o.observers) > 0 {
		return nil, 0
	}
	for _, ol := range o.links {
		if ol.observes || ol.exposes {
			return ol.link, size
		}
	}
	for _, ol := range o.links {
		if ol.stream != nil { // it is to close, and the link is slow
			return ol.link, size
		}
	}
	for _, channels := range [][]*channel{o.outlets, o.sources} {
		if len(channels) > 0 {
			return channels[0].link, size
		}
	}
	return nil, 0
}

// isOpen reports whether a channel on which states came in is open.
func (o *object) isOpen(c *channel) bool {
	if c.record == nil {
		return slices.Contains(o.sources, c)
	}
	at, found := o.findLink(c.link.id)
	return found && o.links[at].sink == c
}

// pin counts the last state that went out on a channel when that is no longer the
// one held. A link that pins too much is sent the next state of the object whole.
func (x *Exchange) pin(c *channel) {
	if c.last == nil || c.last == c.object.held || c.pinned > 0 {
		return
	}
	size := c.last.size()
	if c.link.pinned+size > x.config.Limits.LinkBytes {
		c.last = &State{Version: c.last.Version, Format: c.last.Format}
		size = c.last.size()
	}
	c.pinned = size
	c.link.pinned += size
}

func (c *channel) unpin() {
	c.link.pinned -= c.pinned
	c.pinned = 0
}

// endOverdrawn ends the links that hold too much. It is the last thing that
// happens in a step.
func (x *Exchange) endOverdrawn() {
	for len(x.overdrawn) > 0 {
		l := x.overdrawn[0]
		x.overdrawn = x.overdrawn[1:]
		if x.links[l.id] == l && l.bytes > x.config.Limits.LinkBytes {
			x.end(l, errLinkBytes)
		}
	}
	x.overdrawn = nil
}
