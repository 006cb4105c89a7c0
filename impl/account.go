package impl

import (
	"errors"

	"hakuban/wire"
)

// What is counted against a link, in bytes: the descriptors of the objects and
// tags that it has contracts or channels on, the last states that came in on its
// open channels, and the states of others that only it keeps.

var (
	errTooMuch   = errors.New("the link holds contracts and channels on more objects and tags than the limit")
	errTooLarge  = errors.New("the descriptors and states that the link makes this exchange hold would take more bytes than the limit")
	errOverdrawn = errors.New("the descriptors and states that the link makes this exchange hold take more bytes than the limit, since exposers of what it keeps have gone")
)

// admit checks that a link may hold one more contract or channel.
func (x *Exchange) admit(l *link) error {
	if l.asked+len(l.tags)+len(l.theirs) >= x.config.Limits.LinkObjects {
		return errTooMuch
	}
	return nil
}

// charge counts bytes against a link if it has room for them.
func (x *Exchange) charge(l *link, size int) error {
	if l.bytes+size > x.config.Limits.LinkBytes {
		return errTooLarge
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

// settleKeeper counts a state that came over a link, and that no open channel
// brought last, against the oldest link that keeps its object: or else exposers
// that come and go could fill the exchange at nobody's cost.
func (x *Exchange) settleKeeper(o *object) {
	keeper, size := o.keepers()
	if keeper == o.keeper && size == o.kept {
		return
	}
	x.unkeep(o)
	if keeper == nil {
		return
	}
	o.keeper, o.kept = keeper, size
	keeper.bytes += size
	if keeper.bytes > x.config.Limits.LinkBytes {
		x.overdrawn = append(x.overdrawn, keeper)
	}
}

func (x *Exchange) unkeep(o *object) {
	if o.keeper != nil {
		o.keeper.bytes -= o.kept
		o.keeper, o.kept = nil, 0
	}
}

// keepers is whom the state held counts against, and with how many bytes.
func (o *object) keepers() (*link, int) {
	if o.held == nil || !o.foreign {
		return nil, 0
	}
	for _, source := range o.sources {
		if source.last == o.held {
			return nil, 0
		}
	}
	var keeper *link
	for _, ol := range o.links {
		if ol.sink != nil && ol.sink.last == o.held {
			return nil, 0
		}
		if keeper == nil && (ol.observes || ol.exposes) {
			keeper = ol.link
		}
	}
	switch {
	case keeper != nil:
	case len(o.outlets) > 0:
		keeper = o.outlets[0].link
	case len(o.sources) > 0:
		keeper = o.sources[0].link
	default: // contracts of our own process keep it
		return nil, 0
	}
	return keeper, o.held.size()
}

// endOverdrawn ends the links that keep too much since others have gone. It is
// the last thing that happens in a step.
func (x *Exchange) endOverdrawn() {
	for len(x.overdrawn) > 0 {
		l := x.overdrawn[0]
		x.overdrawn = x.overdrawn[1:]
		if x.links[l.id] == l && l.bytes > x.config.Limits.LinkBytes {
			x.end(l, errOverdrawn)
		}
	}
	x.overdrawn = nil
}
