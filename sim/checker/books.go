package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/wire"
)

// books say what every link of an exchange takes, added up from a snapshot.
type books struct {
	limits   impl.Limits
	bounded  bool
	snapshot *impl.Snapshot
	life     *limitLife
	links    map[impl.LinkID]*linkBooks
	below    []impl.LinkID // in order

	asks, names     int // what upstream should be asked for
	told, toldNames int // what it is asked for, or will be once it is told
	lifted          int // bytes of states that it has

	upstreamBytes, upstreamChannels int
}

// taking is what one link takes.
type taking struct {
	asks    int // objects and tags that it has contracts on
	names   int // bytes of their descriptors
	bytes   int // all that counts against it
	answers int // objects that upstream has channels on because of it
	records int // bytes of its records of other objects, and of the channels that we opened
	left    int // bytes of states that others have left
	lifted  int // bytes of its states that upstream has
}

type linkBooks struct {
	taking
	up bool
}

// What things are charged with, as docs/protocol.md says.
const (
	chargedObject   = 1250 // asked for by name, beside its names
	chargedTag      = 670
	chargedCarried  = 105 // a tag of an object
	chargedRecord   = 240
	chargedChannel  = 160
	chargedUpstream = 320 // a channel of upstream, beside its object
	chargedState    = 120
	chargedFormat   = 32 // a name of a state's format
)

// sizeOfState is what a state takes in bytes; of none, 0.
func sizeOfState(s *impl.State) int {
	if s == nil {
		return 0
	}
	size := chargedState + len(s.Data) + len(s.Data)/8 + 8*len(s.Version)
	for _, name := range s.Format {
		size += chargedFormat + len(name)
	}
	return size
}

func sizeOfDescriptor(d *wire.Descriptor) int {
	size := chargedObject + len(d.Key) + len(d.JSON)
	for i := range d.Tags {
		size += chargedCarried + len(d.Tags[i]) + len(d.TagIdentities[i])
	}
	return size
}

// sizeOfTag is that of a tag, whose identity is its text where it is spelled as the
// simulator's are.
func sizeOfTag(json string) int { return chargedTag + 2*len(json) }

// newBooks adds up a snapshot.
func newBooks(config *impl.Config, s *impl.Snapshot, life *limitLife) (*books, error) {
	b := &books{limits: config.Limits, bounded: life.bounded, snapshot: s, life: life, links: make(map[impl.LinkID]*linkBooks, len(s.Links))}
	for i := range s.Links {
		l := &s.Links[i]
		b.links[l.Link] = &linkBooks{up: l.Role == impl.ToUpstream}
		if l.Role == impl.ToDownstream {
			b.below = append(b.below, l.Link)
		}
		for k := range l.Told {
			b.told++
			if l.Told[k].Tag {
				b.toldNames += sizeOfTag(l.Told[k].Descriptor.JSON)
			} else {
				b.toldNames += sizeOfDescriptor(&l.Told[k].Descriptor)
			}
		}
	}
	for i := range s.Objects {
		if err := b.object(&s.Objects[i]); err != nil {
			return nil, err
		}
	}
	for i := range s.Tags {
		t := &s.Tags[i]
		size, asked := sizeOfTag(t.JSON), t.ObserveContracts+t.ExposeContracts > 0
		for k := range t.Links {
			asked = true
			b.asksFor(t.Links[k].Link, size)
		}
		b.want(asked, size)
	}
	return b, nil
}

func (b *books) want(asked bool, size int) {
	if asked {
		b.asks++
		b.names += size
	}
}

func (b *books) asksFor(link impl.LinkID, size int) {
	if l := b.links[link]; l != nil {
		l.asks++
		l.names += size
		l.bytes += size
	}
}

// room is how many objects and tags upstream may be asked for, and how many bytes
// it may be made to hold.
func (b *books) room() (asks, bytes int) {
	return b.limits.LinkObjects - 1, b.limits.LinkBytes - b.limits.LinkBytes/8
}

func (b *books) object(o *impl.ObjectSnapshot) error {
	size, asked := sizeOfDescriptor(&o.Descriptor), o.ObjectObserveContracts+o.ObjectExposeContracts > 0
	for i := range o.Links {
		l := &o.Links[i]
		if l.Observes || l.Exposes {
			asked = true
			b.asksFor(l.Link, size)
		}
		if at := b.links[l.Link]; at != nil {
			at.bytes += sizeOfState(l.Sink.State)
			at.records += recordsOf(o, l)
		}
	}
	b.want(asked, size)
	b.upstreamOf(o, size)
	for i := range o.Outlets {
		if up := b.life.lifted[outletID{b.snapshot.Upstream, o.Outlets[i].Number}]; up.size > 0 {
			b.lifted += up.size
			if l := b.links[up.by]; l != nil {
				l.lifted += up.size
			}
		}
	}
	return b.keeper(o)
}

// recordsOf is what a link is charged with for its record of an object and the
// channels there, but for an object that it asks for by name: it has a record where it
// has a channel, or should have one.
func recordsOf(o *impl.ObjectSnapshot, l *impl.ObjectLinkSnapshot) (bytes int) {
	if !l.Observes && !l.Exposes && (l.Sink.Number != 0 || l.Stream.Number != 0 || wantsSink(o, l) || wantsStream(o, l)) {
		bytes += chargedRecord
	}
	if l.Sink.Number != 0 {
		bytes += chargedChannel
	}
	if l.Stream.Number != 0 {
		bytes += chargedChannel
	}
	return bytes
}

// upstreamOf counts what upstream has open on an object against the link that
// answers for it.
func (b *books) upstreamOf(o *impl.ObjectSnapshot, size int) {
	states := 0
	for i := range o.Sources {
		states += sizeOfState(o.Sources[i].State)
	}
	channels := len(o.Sources) + len(o.Outlets)
	b.upstreamChannels += channels
	b.upstreamBytes += states + channels*(chargedUpstream+size)
	if channels == 0 || o.ObjectObserveContracts > 0 {
		return
	}
	observer := oldest(o, observes)
	if observer != 0 {
		b.links[observer].bytes += states
	}
	answerer := observer
	if answerer == 0 {
		answerer = oldest(o, exposes)
	}
	if answerer != 0 && o.ObjectExposeContracts == 0 {
		b.links[answerer].bytes += chargedUpstream + size
		b.links[answerer].answers++
	}
}

// oldest is the lowest link that asks for something on an object; zero: none.
func oldest(o *impl.ObjectSnapshot, asks func(*impl.ObjectLinkSnapshot) bool) (link impl.LinkID) {
	for i := range o.Links {
		if asks(&o.Links[i]) && (link == 0 || o.Links[i].Link < link) {
			link = o.Links[i].Link
		}
	}
	return link
}

// keeper counts a state that is held, and that is not the last one of the channel
// it came on, against whom it is held for.
func (b *books) keeper(o *impl.ObjectSnapshot) error {
	from := b.life.brought[o.Number]
	if o.State == nil || o.Hollow || !from.foreign {
		return nil
	}
	size := sizeOfState(o.State)
	if from.link != 0 {
		for i := range o.Sources {
			if from.link == b.snapshot.Upstream && o.Sources[i].Number == from.channel && slices.Equal(o.Sources[i].Version, o.State.Version) {
				return nil
			}
		}
		if l := linkOf(o, from.link); l != nil && l.Sink.Number == from.channel && slices.Equal(l.Sink.Version, o.State.Version) {
			return nil
		}
		keeper := from.link
		if observer := oldest(o, observes); keeper == b.snapshot.Upstream && observer != 0 && o.ObjectObserveContracts == 0 {
			keeper = observer
		}
		if b.links[keeper] == nil {
			return fmt.Errorf("object %s was brought by link %d, which is not known", o.Descriptor.Key, keeper)
		}
		b.links[keeper].bytes += size
		return nil
	}
	if o.ObjectObserveContracts > 0 {
		return nil
	}
	keeper := oldest(o, func(l *impl.ObjectLinkSnapshot) bool { return l.Observes || l.Exposes })
	if keeper == 0 {
		keeper = oldest(o, func(l *impl.ObjectLinkSnapshot) bool { return l.Stream.Number != 0 })
	}
	if keeper == 0 && len(o.Sources)+len(o.Outlets) > 0 {
		keeper = b.snapshot.Upstream
	}
	if l := b.links[keeper]; l != nil {
		l.left += size
	}
	return nil
}

// mostLeft is the most that one link may have kept, while a step was under way, of
// what others have left: all that was held before.
func mostLeft(before *impl.Snapshot) (sum int) {
	for i := range before.Objects {
		if o := &before.Objects[i]; o.State != nil && !o.Hollow {
			sum += sizeOfState(o.State)
		}
	}
	return sum
}

// ownAlone reports whether the states of our own process alone are more than
// upstream may be made to hold: that is for upstream to say.
func (b *books) ownAlone(bytes int) bool {
	sum := b.toldNames
	for _, up := range b.life.lifted {
		if b.links[up.by] == nil {
			sum += up.size
		}
	}
	return sum > bytes
}

// sizeOf is that of the name that a contract would be on.
func (b *books) sizeOf(in *impl.Input) int {
	if in.ContractKind == impl.ObserveTag || in.ContractKind == impl.ExposeTag {
		return sizeOfTag(in.Descriptor.JSON)
	}
	return sizeOfDescriptor(&in.Descriptor)
}

// grew reports whether a link asked for something anew in a step.
func (t *linkBooks) grew(l *Look) bool {
	event, err := wire.DecodeEvent(l.Input.Data, &wire.DefaultLimits)
	if err != nil || event.Message.Kind != wire.MessageUpstreamControl {
		return false
	}
	asked := func(s *impl.Snapshot) (n int) {
		for i := range s.Objects {
			if link := linkOf(&s.Objects[i], l.Input.Link); link != nil && (link.Observes || link.Exposes) {
				n++
			}
		}
		for i := range s.Tags {
			for k := range s.Tags[i].Links {
				if s.Tags[i].Links[k].Link == l.Input.Link {
					n++
				}
			}
		}
		return n
	}
	return asked(l.Snapshot) > asked(l.Before)
}
