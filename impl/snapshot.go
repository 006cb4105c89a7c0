package impl

import "hakuban/wire"

// ElectedKind says who is elected to produce an object's states.
type ElectedKind uint8

// Who can be elected.
const (
	ElectedNobody ElectedKind = iota
	ElectedUpstream
	ElectedObjectContract
	ElectedTagContract
	ElectedLink
)

// Elected is the exposer of an object.
type Elected struct {
	Kind     ElectedKind
	Contract ContractID // of a local contract
	Link     LinkID     // of a downstream link, or the upstream link
}

// Snapshot is an exchange as it stands, in a fixed order: objects and tags by
// key, the rest by id. It shares nothing that changes.
type Snapshot struct {
	Objects   []ObjectSnapshot
	Tags      []TagSnapshot
	Links     []LinkSnapshot
	Contracts []ContractSnapshot
	Upstream  LinkID // zero: none
}

// ObjectSnapshot is one object. Number is unique in the exchange's life.
type ObjectSnapshot struct {
	Number                 uint64
	Descriptor             wire.Descriptor
	ShouldExist            bool
	DataNeeded             bool
	Elected                Elected
	ObjectObserveContracts int
	ObjectExposeContracts  int
	TagObserveContracts    int
	TagExposeContracts     int
	Links                  []ObjectLinkSnapshot
	Sources                []ChannelSnapshot // streams that upstream has open to us
	Outlets                []ChannelSnapshot // sinks that upstream has open to us
	Capacity               uint64            // summed object capacities
	State                  *State            // nil: none
	Hollow                 bool              // of State only the version is left
	Synchronized           Synchronized
}

// ObjectLinkSnapshot is what a downstream link asked for and has, for one object.
type ObjectLinkSnapshot struct {
	Link        LinkID
	Observes    bool // it asked to
	Exposes     bool
	Capacity    uint32
	Begun       uint64 // when it began to expose the object itself: less is earlier; zero: it does not
	MayObserve  bool   // its rights allow it
	MayExpose   bool
	TagObserves int // tags of the object that the link observes, and may
	TagExposes  int
	TagCapacity uint64
	Sink        ChannelSnapshot // Number zero: none is open
	Revoked     bool            // the sink's election ended: it takes no more states and will be closed
	Stream      ChannelSnapshot
	Share       uint64 // load remembered at election, in units of 2^-32
}

// ChannelSnapshot is a state channel: the last state and flag that crossed it.
type ChannelSnapshot struct {
	Number       uint64
	Version      []int64 // nil: none yet
	State        *State  // of that version; nil: none yet
	Synchronized Synchronized
	Withheld     bool // an outlet whose state waits for room upstream
}

// TagSnapshot is one tag. Number is unique in the exchange's life.
type TagSnapshot struct {
	Number           uint64
	Identity         string
	JSON             string   // as it is spelled
	Objects          []uint64 // numbers
	ObserveContracts int
	ExposeContracts  int
	Links            []TagLinkSnapshot
	Capacity         uint64
}

// TagLinkSnapshot is what a downstream link asked for on one tag.
type TagLinkSnapshot struct {
	Link       LinkID
	Observes   bool // it asked to
	Exposes    bool
	Capacity   uint32
	Begun      uint64 // when it began to expose the tag: as of an object
	MayObserve bool   // its rights allow it
	MayExpose  bool
}

// LinkSnapshot is one link. Load is in units of 2^-32.
type LinkSnapshot struct {
	Link         LinkID
	Role         Role
	LocalName    string
	RemoteName   string
	HasName      bool // RemoteName was told
	Load         uint64
	HasLoadLimit bool
	LoadLimit    float64        // at the time of the snapshot
	Charged      Charged        // for what it makes this exchange hold
	Rights       *Rights        // of a downstream link; nil: everything
	LeftOut      uint64         // contracts that its rights did not allow and that were left out
	Told         []ToldSnapshot // ToUpstream: what we told upstream
}

// Charged is what is charged to a link, in bytes but for Objects; see [Limits].
type Charged struct {
	Own     int // judged together: names, states, what it answers for
	Records int // of objects that it asks for by a tag alone, and channels that we opened
	Left    int // states that others have left
	Lifted  int // states of it that upstream was sent
	Objects int // objects that upstream has channels on because of the link
}

// ToldSnapshot is what upstream was told of one object or tag. A tag's descriptor
// is that of an object without tags whose JSON is the tag.
type ToldSnapshot struct {
	Descriptor wire.Descriptor
	Tag        bool
	Observes   bool
	Exposes    bool
	Capacity   uint32
}

// ContractSnapshot is one local contract with its offers. A tag's descriptor is
// as in a [ToldSnapshot].
type ContractSnapshot struct {
	Contract   ContractID
	Kind       ContractKind
	Descriptor wire.Descriptor
	Capacity   uint32
	Begun      uint64 // of an expose contract, when it was opened: less is earlier
	Offers     []OfferSnapshot
}

// OfferSnapshot is one sink or stream of a contract.
type OfferSnapshot struct {
	Offer        OfferID
	Key          string // of the object
	Taken        bool
	Revoked      bool    // taken, ended, and not released yet
	Version      []int64 // last sent on a sink, or last read from a stream
	State        *State  // of that version; nil: none
	Synchronized Synchronized
}

// Snapshot copies what there is to see, at a time.
func (x *Exchange) Snapshot(now Now) Snapshot {
	s := Snapshot{}
	if x.upstream != nil {
		s.Upstream = x.upstream.id
	}
	for _, key := range sortedKeys(x.objects) {
		s.Objects = append(s.Objects, x.objects[key].snapshot())
	}
	for _, identity := range sortedKeys(x.tags) {
		s.Tags = append(s.Tags, x.tags[identity].snapshot())
	}
	for _, id := range sortedKeys(x.links) {
		s.Links = append(s.Links, x.links[id].snapshot(now))
	}
	for _, id := range sortedKeys(x.contracts) {
		s.Contracts = append(s.Contracts, x.contracts[id].snapshot())
	}
	return s
}

func (o *object) snapshot() (s ObjectSnapshot) {
	o.snapshotTo(&s)
	return s
}

// snapshotTo uses the memory of the snapshot's lists again.
func (o *object) snapshotTo(s *ObjectSnapshot) {
	links, sources, outlets := s.Links[:0], s.Sources[:0], s.Outlets[:0]
	*s = ObjectSnapshot{
		Number:                 o.number,
		Descriptor:             o.descriptor,
		ShouldExist:            o.shouldExist,
		DataNeeded:             o.dataNeeded,
		Elected:                o.elected,
		ObjectObserveContracts: len(o.observers),
		ObjectExposeContracts:  len(o.exposers),
		Capacity:               o.capacity(),
		State:                  o.held,
		Hollow:                 o.hollow,
		Synchronized:           o.flag,
	}
	for _, t := range o.tags {
		s.TagObserveContracts += len(t.observers)
		s.TagExposeContracts += len(t.exposers)
	}
	asking := func(t *tag) []*tagLink { return t.links }
	o.merge(len(o.links), func(*objectLink) bool { return true }, asking, func(l *link) bool {
		if seen, any := o.snapshotLink(l); any {
			links = append(links, seen)
		}
		return true
	})
	for _, c := range o.sources {
		sources = append(sources, c.snapshot())
	}
	for _, c := range o.outlets {
		outlets = append(outlets, c.snapshot())
	}
	s.Links, s.Sources, s.Outlets = links, sources, outlets
}

// snapshotLink is a link's part in an object; false: it has none.
func (o *object) snapshotLink(l *link) (s ObjectLinkSnapshot, any bool) {
	s = ObjectLinkSnapshot{Link: l.id, MayObserve: l.rights.mayObserve(&o.descriptor), MayExpose: l.rights.mayExpose(&o.descriptor)}
	if ol := o.record(l); ol != nil {
		s.Observes, s.Exposes, s.Capacity, s.Begun = ol.asked.observes, ol.asked.exposes, ol.asked.capacity, ol.begun
		s.Sink, s.Revoked, s.Stream, any = ol.sink.snapshot(), ol.revoked, ol.stream.snapshot(), true
	}
	for _, t := range o.tags {
		tl := l.tags[t.identity]
		if tl == nil {
			continue
		}
		if tl.observes {
			s.TagObserves++
		}
		if tl.exposes {
			s.TagExposes++
			s.TagCapacity += uint64(tl.capacity)
		}
		any = any || tl.asks.any()
	}
	if o.isElected(l) {
		s.Share = o.share
	}
	return s, any
}

func (c *channel) snapshot() ChannelSnapshot {
	if c == nil {
		return ChannelSnapshot{}
	}
	s := ChannelSnapshot{Number: c.number, Synchronized: c.flag, Withheld: c.upstreamEnd != nil && c.withheld.queued}
	if c.last != nil {
		s.Version, s.State = c.last.Version, c.last
	}
	return s
}

func (t *tag) snapshot() TagSnapshot {
	s := t.snapshotAlone()
	for _, o := range t.objects.values() {
		s.Objects = append(s.Objects, o.number)
	}
	return s
}

// snapshotAlone leaves the objects out.
func (t *tag) snapshotAlone() TagSnapshot {
	return TagSnapshot{
		Links:            t.linksTo(nil),
		Number:           t.number,
		Identity:         t.identity,
		JSON:             t.text,
		ObserveContracts: len(t.observers),
		ExposeContracts:  len(t.exposers),
		Capacity:         t.capacity(),
	}
}

func (t *tag) linksTo(links []TagLinkSnapshot) []TagLinkSnapshot {
	for _, tl := range t.links {
		links = append(links, TagLinkSnapshot{Link: tl.link.id, Observes: tl.asked.observes, Exposes: tl.asked.exposes, Capacity: tl.asked.capacity, Begun: tl.begun,
			MayObserve: tl.link.rights == nil || tl.link.rights.Observe.HasTag(t.identity), MayExpose: tl.link.rights == nil || tl.link.rights.Expose.HasTag(t.identity)})
	}
	return links
}

// SnapshotLink copies what there is to see of one link but what it was told,
// without looking at the rest of the exchange; false when there is no such link.
func (x *Exchange) SnapshotLink(now Now, id LinkID) (LinkSnapshot, bool) {
	l := x.links[id]
	if l == nil {
		return LinkSnapshot{}, false
	}
	return l.status(now), true
}

func (l *link) snapshot(now Now) LinkSnapshot {
	s := l.status(now)
	for _, key := range sortedKeys(l.told) {
		s.Told = append(s.Told, l.told[key].snapshot())
	}
	for _, identity := range sortedKeys(l.toldTags) {
		s.Told = append(s.Told, l.toldTags[identity].snapshot())
	}
	return s
}

func (l *link) status(now Now) LinkSnapshot {
	s := LinkSnapshot{
		Link:       l.id,
		Role:       l.role,
		LocalName:  l.localName,
		RemoteName: l.remoteName,
		HasName:    l.hasName,
		Load:       l.load,
		Charged: Charged{Own: l.own(), Records: l.sums[records].bytes, Left: l.sums[left].bytes,
			Lifted: l.sums[lifted].bytes, Objects: l.sums[answers].count},
		Rights:  l.rights,
		LeftOut: l.leftOut,
	}
	if limit, limited := l.limit.at(now.Mono); limited {
		s.HasLoadLimit, s.LoadLimit = true, float64(limit)/loadUnit
	}
	return s
}

func (t *told) snapshot() ToldSnapshot {
	s := ToldSnapshot{
		Descriptor: wire.Descriptor{Key: tagKey(t.key), JSON: t.text},
		Tag:        t.isTag(),
		Observes:   t.summary.observes,
		Exposes:    t.summary.exposes,
		Capacity:   t.summary.capacity,
	}
	if !t.isTag() {
		s.Descriptor = *t.descriptor
	}
	return s
}

// tagKey is the key of an object without tags whose JSON is a tag.
func tagKey(identity string) string { return "[]" + identity }

func (c *contract) snapshot() ContractSnapshot {
	s := c.snapshotAlone()
	for _, key := range sortedKeys(c.offers) {
		s.Offers = append(s.Offers, c.offers[key].snapshot())
	}
	return s
}

// snapshotAlone leaves the offers out.
func (c *contract) snapshotAlone() ContractSnapshot {
	s := ContractSnapshot{Contract: c.id, Kind: c.kind, Capacity: c.capacity, Begun: c.begun}
	if c.object != nil {
		s.Descriptor = c.object.descriptor
	} else {
		s.Descriptor = wire.Descriptor{Key: tagKey(c.tag.identity), JSON: c.tag.text}
	}
	return s
}

func (f *offer) snapshot() OfferSnapshot {
	s := OfferSnapshot{Offer: f.id, Key: f.key, Taken: f.taken, Revoked: f.taken && f.object == nil, Synchronized: f.flag}
	if f.last != nil {
		s.Version, s.State = f.last.Version, f.last
	}
	return s
}

// ObjectView is what an exchange knows of one object: its part of a [Snapshot].
type ObjectView struct {
	Object   ObjectSnapshot      // Number zero: the exchange does not know it
	TagLinks [][]TagLinkSnapshot // by the descriptor's tags
	Told     []ToldSnapshot      // the object's, then those of its tags; without descriptors
}

// View looks at one object, without looking at the rest of the exchange. It uses
// the memory of the view again.
func (x *Exchange) View(descriptor *wire.Descriptor, v *ObjectView) {
	if o := x.objects[descriptor.Key]; o != nil {
		o.snapshotTo(&v.Object)
	} else {
		v.Object = ObjectSnapshot{Links: v.Object.Links[:0], Sources: v.Object.Sources[:0], Outlets: v.Object.Outlets[:0]}
	}
	v.Told = v.Told[:0]
	see := func(all map[string]*told, key string) {
		var seen ToldSnapshot
		if t := all[key]; t != nil {
			seen = ToldSnapshot{Tag: t.isTag(), Observes: t.summary.observes, Exposes: t.summary.exposes, Capacity: t.summary.capacity}
		}
		v.Told = append(v.Told, seen)
	}
	var objects, tags map[string]*told
	if x.upstream != nil {
		objects, tags = x.upstream.told, x.upstream.toldTags
	}
	see(objects, descriptor.Key)
	for len(v.TagLinks) < len(descriptor.TagIdentities) {
		v.TagLinks = append(v.TagLinks, nil)
	}
	for i, identity := range descriptor.TagIdentities {
		see(tags, identity)
		v.TagLinks[i] = v.TagLinks[i][:0]
		if t := x.tags[identity]; t != nil {
			v.TagLinks[i] = t.linksTo(v.TagLinks[i])
		}
	}
}

// ViewContract looks at one local contract: its capacity, when it began, and its offer of one
// object, whose Offer is zero when there is none. False: it is not open.
func (x *Exchange) ViewContract(id ContractID, key string) (capacity uint32, begun uint64, f OfferSnapshot, open bool) {
	c := x.contracts[id]
	if c == nil {
		return 0, 0, OfferSnapshot{}, false
	}
	if offered := c.offers[key]; offered != nil {
		f = offered.snapshot()
	}
	return c.capacity, c.begun, f, true
}
