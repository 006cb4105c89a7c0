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
	if l.bytes+size > x.allowance(l) {
		return errLinkBytes
	}
	l.bytes += size
	return nil
}

// allowance is how many bytes may count against a link. Of upstream's states those
// are let in besides that a link below answers for, and as many again as are
// allowed to any link: when such a link goes, upstream is still to close what it
// asked for.
func (x *Exchange) allowance(l *link) int {
	if l.role == RoleDownstream {
		return 2*x.config.Limits.LinkBytes + x.passed
	}
	return x.config.Limits.LinkBytes
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
	passed := 0
	if keeper != nil && o.bringer != nil && o.bringer.link != keeper {
		passed = size
	}
	if keeper == o.keeper && size == o.kept && passed == o.passed {
		return
	}
	x.unkeep(o)
	if keeper == nil {
		return
	}
	over := keeper.bytes+size > x.allowance(keeper)
	if over && o.bringer == nil {
		x.hollow(o)
		return
	}
	o.keeper, o.kept, o.passed = keeper, size, passed
	keeper.bytes += size
	x.passed += passed
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
		x.passed -= o.passed
		o.keeper, o.kept, o.passed = nil, 0, 0
	}
}

// keeperOf is whom the state held counts against, and with how many bytes: the
// link that brought it, until the channel closes on which it came, also when that
// has gone on to an older one; when that is upstream, the oldest link below that
// observes the object, which is why it came; then, unless our own process has an
// observe contract on the object, the oldest link that asks for it, has a stream of
// it, or is upstream of it.
func (o *object) keeperOf() (*link, int) {
	if o.held == nil || o.hollow || !o.foreign {
		return nil, 0
	}
	size := o.held.size()
	if o.bringer != nil {
		if o.bringer.last != o.held {
			return o.bringer.link, size
		}
		// It is counted as the channel's last.
		if answers := o.answersFor(o.bringer); answers != nil {
			return answers, size
		}
		return nil, 0
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

// answersFor is the link below because of which a state comes on a channel; nil:
// the channel is not upstream's, or our own process observes the object, or nobody
// does any more.
func (o *object) answersFor(c *channel) *link {
	if c.record != nil || len(o.observers) > 0 {
		return nil
	}
	for _, ol := range o.links {
		if ol.anyObserves() {
			return ol.link
		}
	}
	return nil
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
		if x.links[l.id] == l && l.bytes > x.allowance(l) {
			x.end(l, errLinkBytes)
		}
	}
	x.overdrawn = nil
}
