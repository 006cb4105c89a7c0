package impl

import (
	"slices"

	"hakuban/wire"
)

// What is counted against a link, in bytes: the descriptors of the objects and
// tags that it has contracts or channels on, the last states that came in on its
// open channels, and the states that are held because of it: see keeperOf. Two
// things are counted apart, as nobody is ended for them: what it keeps of others,
// and what its slowness pins, the last states that went out on its channels.

const (
	errLinkObjects = limitError("the link holds contracts and channels on more objects and tags than the limit")
	errLinkBytes   = limitError("the descriptors and states that the link makes this exchange hold take more bytes than the limit")
)

// admit checks that a link may hold one more contract or channel.
func (x *Exchange) admit(l *link) error {
	allowed := x.config.Limits.LinkObjects
	if l.role == ToUpstream {
		allowed = 2*allowed + x.answered
	}
	if l.asks+len(l.tags)+len(l.theirs) >= allowed {
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

// allowance is how many bytes may count against a link. What links below answer for
// is let in besides from upstream, and as much again as is allowed to any link: when
// such a link goes, upstream is still to close what it asked for. The same holds for
// channels.
func (x *Exchange) allowance(l *link) int {
	if l.role == ToUpstream {
		return 2*x.config.Limits.LinkBytes + x.passed
	}
	return x.config.Limits.LinkBytes
}

// admitContract checks that a link may ask for one more object or tag, whose name
// has a size, and counts that. Upstream knows of it already, or will have to.
func (x *Exchange) admitContract(l *link, size int, known bool) error {
	if err := x.admit(l); err != nil {
		return err
	}
	if err := x.raise(l, size, known); err != nil {
		return err
	}
	if err := x.charge(l, size); err != nil {
		return err
	}
	l.names += size
	return nil
}

// withdraw takes back what a contract counted.
func (l *link) withdraw(size int) {
	l.bytes -= size
	l.names -= size
}

// sizeOfObject is the size of an object's descriptor: of the one that is known
// already, whose spelling is kept, or else of this one.
func (x *Exchange) sizeOfObject(descriptor wire.Descriptor) int {
	if o := x.objects[descriptor.Key]; o != nil {
		descriptor = o.descriptor
	}
	return descriptorSize(descriptor)
}

// sizeOfTag does the same with a tag.
func (x *Exchange) sizeOfTag(text, identity string) int {
	if t := x.tags[identity]; t != nil {
		return t.size()
	}
	return len(text) + len(identity)
}

func descriptorSize(d wire.Descriptor) int {
	size := len(d.Key) + len(d.JSON)
	for i := range d.Tags {
		size += len(d.Tags[i]) + len(d.TagIdentities[i])
	}
	return size
}

// A keeper keeps a state that is not the last one of its own channels.
type keeping uint8

const (
	keepsOwn    keeping = iota + 1 // it brought the state, and then an older one, or asked upstream, which did
	keepsOthers                    // it asks for what others have left
)

// settleKeeper counts the state held against the link that is its keeper, or else it
// would be held at nobody's cost.
func (x *Exchange) settleKeeper(o *object) {
	if o.bringer != nil && !o.isOpen(o.bringer) {
		o.bringer = nil
	}
	keeper, keeps := o.keeperOf()
	size := 0
	if keeper != nil {
		size = o.held.size()
	}
	if keeper == o.keeper && keeps == o.keeps && size == o.kept {
		return
	}
	x.unkeep(o)
	switch keeps {
	case 0:
		return
	case keepsOthers:
		if keeper.kept+size > x.config.Limits.LinkBytes {
			x.hollow(o)
			return
		}
		keeper.kept += size
	case keepsOwn:
		keeper.bytes += size
		x.overdraw(keeper)
	}
	o.keeper, o.keeps, o.kept = keeper, keeps, size
}

func (x *Exchange) unkeep(o *object) {
	switch o.keeps {
	case 0:
		return
	case keepsOthers:
		o.keeper.kept -= o.kept
	case keepsOwn:
		o.keeper.bytes -= o.kept
	}
	o.keeper, o.keeps, o.kept = nil, 0, 0
}

// hollow lets go of the data and the format of a state that nobody brings any more
// and that is more than its keeper may keep. The version and the flag stay: whoever
// has seen the state is told of its flag, and older states are refused. Whoever has
// not sees none, until one comes that is as new.
func (x *Exchange) hollow(o *object) {
	full := o.held
	o.held, o.hollow = &State{Version: full.Version}, true
	x.changedFrom(o, full, o.flag)
	sources := slices.Clone(o.sources)
	if sink := o.electedSink(); sink != nil {
		sources = append(sources, sink)
	}
	for _, source := range sources {
		if o.hollow && source.last != nil && slices.Equal(source.last.Version, full.Version) {
			x.absorb(o, source.last, source.flag, source)
		}
	}
	if c := x.electedContract(o); c != nil && o.hollow {
		if f := c.offers[o.descriptor.Key]; f != nil && f.last != nil && slices.Equal(f.last.Version, full.Version) {
			x.absorb(o, f.last, f.flag, nil)
		}
	}
}

// keeperOf is whom the state held counts against that is not the last one of the
// channel on which it came: the link that brought it, until that channel closes; when
// that is upstream, the oldest link below that observes the object; then, unless our
// own process has an observe contract on the object, the oldest link that asks for it,
// has a stream of it, or is upstream of it.
func (o *object) keeperOf() (*link, keeping) {
	switch {
	case o.held == nil || o.hollow || !o.foreign:
		return nil, 0
	case o.bringer != nil && o.bringer.last == o.held:
		return nil, 0
	case o.bringer != nil:
		if observer := o.observer(); o.bringer.record == nil && observer != nil {
			return observer, keepsOwn
		}
		return o.bringer.link, keepsOwn
	case len(o.observers) > 0:
		return nil, 0
	}
	for _, ol := range o.links {
		if ol.observes || ol.exposes {
			return ol.link, keepsOthers
		}
	}
	for _, ol := range o.links {
		if ol.stream != nil { // it is to close, and the link is slow
			return ol.link, keepsOthers
		}
	}
	for _, channels := range [][]*channel{o.outlets, o.sources} {
		if len(channels) > 0 {
			return channels[0].link, keepsOthers
		}
	}
	return nil, 0
}

// observer is the oldest link below that observes an object which our own process
// has no observe contract on.
func (o *object) observer() *link {
	if o.tally.anyObserving == 0 || len(o.observers) > 0 {
		return nil
	}
	return o.links[slices.IndexFunc(o.links, (*objectLink).anyObserves)].link
}

// answererOf is the link below because of which upstream has channels open for an
// object: the oldest that observes it, or else the oldest that exposes it; nil:
// our own process has a contract on it, or nobody has any more.
func (o *object) answererOf() *link {
	if len(o.sources)+len(o.outlets) == 0 || len(o.observers)+len(o.exposers) > 0 {
		return nil
	}
	if l := o.observer(); l != nil {
		return l
	}
	if o.tally.anyExposing == 0 {
		return nil
	}
	return o.links[slices.IndexFunc(o.links, (*objectLink).anyExposes)].link
}

// settleAnswerer counts the channels that upstream has open for an object, and the
// name that it gave, against the link below that answers for them, and the last
// states of its streams against the one that observes. When nobody is left who does,
// what was let in stays let in until upstream, which has not heard yet, closes.
func (x *Exchange) settleAnswerer(o *object) {
	size := descriptorSize(o.descriptor)
	if answerer := o.answererOf(); answerer != o.answerer {
		if o.answerer != nil {
			o.answerer.answers--
			o.answerer.bytes -= size
		}
		if o.answerer = answerer; answerer != nil {
			answerer.answers++
			answerer.bytes += size
			x.overdraw(answerer)
		}
	}
	channels := len(o.sources) + len(o.outlets)
	if o.answerer == nil {
		channels = min(channels, o.answered)
	}
	x.answered += channels - o.answered
	x.passed += (channels - o.answered) * size
	o.answered = channels

	observer, bytes := o.observer(), o.streamed()
	if observer == nil {
		bytes = min(bytes, o.passed)
	}
	x.passed += bytes - o.passed
	if o.observing != nil {
		o.observing.bytes -= o.passed
	}
	if o.observing, o.passed = observer, bytes; observer != nil {
		observer.bytes += bytes
		x.overdraw(observer)
	}
}

// streamed is what the last states of upstream's streams of an object take in bytes.
func (o *object) streamed() (bytes int) {
	for _, source := range o.sources {
		bytes += source.last.size()
	}
	return bytes
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
		c.last = &State{Version: c.last.Version}
		size = c.last.size()
	}
	c.pinned = size
	c.link.pinned += size
}

func (c *channel) unpin() {
	c.link.pinned -= c.pinned
	c.pinned = 0
}

// overdraw notes a link that holds more than it may.
func (x *Exchange) overdraw(l *link) {
	if l.bytes > x.allowance(l) || l.answers > x.config.Limits.LinkObjects {
		x.overdrawn = append(x.overdrawn, l)
	}
}

// endOverdrawn ends the links that hold too much. It is the last thing that
// happens in a step.
func (x *Exchange) endOverdrawn() {
	for len(x.overdrawn) > 0 {
		l := x.overdrawn[0]
		x.overdrawn = x.overdrawn[1:]
		switch {
		case x.links[l.id] != l:
		case l.bytes > x.allowance(l):
			x.end(l, errLinkBytes)
		case l.answers > x.config.Limits.LinkObjects:
			x.end(l, errLinkObjects)
		}
	}
	x.overdrawn = nil
}
