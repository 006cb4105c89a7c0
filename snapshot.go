package hakuban

import (
	"strings"
	"time"

	"hakuban/impl"
	"hakuban/internal/backdoor"
	"hakuban/wire"
)

// Snapshot is what there is to see of an exchange. It shares nothing that changes.
//
// A large exchange does not stand still for it. Each object is as it was at one moment, and so is each tag, link, contract and offer;
// but two of them may be of different moments while [Exchange.Snapshot] ran. What there was all that time is in the snapshot once. What came
// or went meanwhile may be missing: the link that an object's Elected names, say.
//
// Its lists have a fixed order: objects and tags are sorted by name, the rest by id. Loads are sums of 1/capacity over objects.
type Snapshot struct {
	Time      time.Time          // when it began, on the clock of [Synchronized.LastAt]
	Uptime    time.Duration      // how long the exchange had existed at that moment, on the clock of its recording
	Upstream  uint64             // the id of the link to upstream; zero: there is none
	Objects   []ObjectSnapshot   // every object that it knows
	Tags      []TagSnapshot      // every tag that it knows: somebody has a contract on it, or one of the objects carries it
	Links     []LinkSnapshot     // every link
	Contracts []ContractSnapshot // every open contract of this exchange
}

// ObjectSnapshot is one object of an exchange.
type ObjectSnapshot struct {
	Number uint64   // unique among the objects of the exchange's life; an object that comes back has another one
	Object Object   // its name
	JSON   string   // its own value, as it was first spelled here; [Object.JSON] has the canonical spelling
	Tags   []string // its tags, likewise, in the order of [Object.Tags]

	ShouldExist bool    // the object is live
	DataNeeded  bool    // somebody other than its one producer observes it, so an exposer is to be elected
	Elected     Elected // the exposer that is elected

	ObjectObserveContracts int    // observe contracts of this exchange on the object
	ObjectExposeContracts  int    // expose contracts of this exchange on the object
	TagObserveContracts    int    // observe contracts of this exchange on its tags, summed over the tags
	TagExposeContracts     int    // expose contracts of this exchange on its tags, summed over the tags
	Capacity               uint64 // sum of the capacities of the object's own exposers, here and downstream

	Links   []ObjectLinkSnapshot // the downstream links that asked for the object, or for one of its tags
	Sources []ChannelSnapshot    // channels on which upstream sends the object's states
	Outlets []ChannelSnapshot    // channels on which upstream takes the object's states

	State *State // the newest state, and how current it is; nil: the exchange holds none
}

// ObjectLinkSnapshot is one downstream link's part in an object.
type ObjectLinkSnapshot struct {
	Link        uint64 // the link's id
	Observes    bool   // the link asked to observe the object itself
	Exposes     bool   // the link asked to expose the object itself
	Capacity    uint32 // with which it exposes the object itself
	MayObserve  bool   // the link's [Rights] let it observe the object
	MayExpose   bool   // the link's [Rights] let it expose the object
	TagObserves int    // how many of the object's tags it observes
	TagExposes  int    // how many of the object's tags it exposes
	TagCapacity uint64 // sum of the capacities with which it exposes them

	Sink    ChannelSnapshot // the channel that brings the link's states here; Number zero: none is open
	Revoked bool            // the link is no longer elected: its sink takes no more states and will be closed
	Stream  ChannelSnapshot // the channel that takes states to the link; Number zero: none is open
	Share   float64         // of a link that is elected: how much the object adds to its load
}

// ChannelSnapshot is a channel for one object's states over a link.
type ChannelSnapshot struct {
	Number       uint64       // the channel's number on its link
	Version      []int64      // of the last state that crossed it; nil: none did
	State        *State       // that state, and how current it was said to be; nil: none, or its data were forgotten
	Synchronized Synchronized // how current that state was said to be
}

// TagSnapshot is one tag of an exchange.
type TagSnapshot struct {
	Number           uint64            // unique among the tags of the exchange's life
	Tag              Tag               // its name
	JSON             string            // its value, as it was first spelled here; [Tag.JSON] has the canonical spelling
	Objects          []uint64          // the numbers of the objects that carry it
	ObserveContracts int               // observe contracts of this exchange on the tag
	ExposeContracts  int               // expose contracts of this exchange on the tag
	Links            []TagLinkSnapshot // the downstream links that asked for the tag
	Capacity         uint64            // sum of the capacities of the tag's exposers, here and downstream
}

// TagLinkSnapshot is what one downstream link asked for on a tag.
type TagLinkSnapshot struct {
	Link       uint64 // the link's id
	Observes   bool   // the link asked to observe the tag
	Exposes    bool   // the link asked to expose the tag
	Capacity   uint32 // with which it exposes the tag
	MayObserve bool   // the link's [Rights] let it observe the tag
	MayExpose  bool   // the link's [Rights] let it expose the tag
}

// LinkSnapshot is one link of an exchange.
type LinkSnapshot struct {
	Link uint64 // [Link.ID]
	Role Role   // whom the link leads to
	LinkStatus
	Told []ToldSnapshot // of a link to upstream: what upstream was told that this exchange asks for, objects before tags
}

// ToldSnapshot is what upstream was told of one object or tag.
type ToldSnapshot struct {
	Object   Object // its name; the zero Object where it is a tag
	Tag      Tag    // its name; the zero Tag where it is an object
	Observes bool   // this exchange, or somebody downstream, observes it
	Exposes  bool   // this exchange, or somebody downstream, exposes it
	Capacity uint32 // with which they expose it, in all; 4294967295 stands for all that is above
}

// ContractSnapshot is one open contract of an exchange.
type ContractSnapshot struct {
	Contract uint64          // [ObserveContract.ID] or [ExposeContract.ID]
	Kind     ContractKind    // which of the four kinds it is of
	Object   Object          // its object; the zero Object where it is on a tag
	Tag      Tag             // its tag; the zero Tag where it is on an object
	Capacity uint32          // of an expose contract
	Offers   []OfferSnapshot // its sinks or streams, by object
}

// OfferSnapshot is one sink or stream of a contract.
type OfferSnapshot struct {
	Offer        uint64       // its id, unique in the exchange's life
	Object       Object       // its object
	Taken        bool         // the contract's owner has it; else it waits to be taken
	Revoked      bool         // it has ended, and was not released yet
	Version      []int64      // of the state last sent on a sink or last read from a stream; nil: none was
	State        *State       // that state, and how current it was said to be; nil: none, or its data were forgotten
	Synchronized Synchronized // how current that state was said to be
}

// LinkStatus is what there is to see of one link.
type LinkStatus struct {
	LocalName     string  // what this end told the peer that it is called
	RemoteName    string  // what the peer told that it is called
	HasRemoteName bool    // the peer told it
	Load          float64 // of a downstream link: the sum, over the objects it is elected for, of 1/capacity
	LoadLimit     float64 // of a downstream link: what the peer told that Load must not exceed at present
	HasLoadLimit  bool    // of a downstream link: the peer told a limit
	LeftOut       uint64  // of a downstream link: contracts that its [Rights] did not allow and that were left out, each time it asked
}

// Elected is who is elected to produce an object's states.
type Elected struct {
	Kind     ElectedKind
	Contract uint64 // the id of the contract, with [ElectedObjectContract] and [ElectedTagContract]
	Link     uint64 // the id of the link, with [ElectedLink] and [ElectedUpstream]
}

// ElectedKind is the kind of exposer that is elected for an object.
type ElectedKind uint8

// Who can be elected for an object.
const (
	ElectedNobody         = ElectedKind(impl.ElectedNobody)
	ElectedUpstream       = ElectedKind(impl.ElectedUpstream)       // the link to upstream
	ElectedObjectContract = ElectedKind(impl.ElectedObjectContract) // a contract of this exchange on the object
	ElectedTagContract    = ElectedKind(impl.ElectedTagContract)    // a contract of this exchange on one of the object's tags
	ElectedLink           = ElectedKind(impl.ElectedLink)           // a downstream link
)

// ContractKind is one of the four kinds of contract.
type ContractKind uint8

// The kinds of contract.
const (
	ObserveObject = ContractKind(impl.ObserveObject)
	ExposeObject  = ContractKind(impl.ExposeObject)
	ObserveTag    = ContractKind(impl.ObserveTag)
	ExposeTag     = ContractKind(impl.ExposeTag)
)

// Role says whom a link leads to.
type Role uint8

// Whom a link leads to.
const (
	ToUpstream   = Role(impl.ToUpstream)   // the peer is upstream of this exchange
	ToDownstream = Role(impl.ToDownstream) // the peer is downstream of this exchange
)

// Snapshot copies what there is to see of the exchange; nothing once it is closed. It takes time in proportion to the exchange, and
// holds up others for no more than 256 things at a time.
func (x *Exchange) Snapshot() Snapshot {
	var survey impl.Survey
	var now impl.Now
	for more := true; more; {
		x.patient(func() {
			if x.closed {
				more, survey = false, impl.Survey{}
				return
			}
			if now == (impl.Now{}) {
				now = x.now()
			}
			more = x.core.Survey(&survey, now)
		})
	}
	if x.isClosed() {
		return Snapshot{}
	}
	core := survey.Snapshot()
	return clock{x.start}.snapshot(&core, time.Duration(now.Mono))
}

func (x *Exchange) isClosed() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

func init() {
	backdoor.Snapshot = func(core *impl.Snapshot, start time.Time, uptime time.Duration) any {
		return clock{start}.snapshot(core, uptime)
	}
}

// Status returns what there is to see of the link; false when it has ended.
func (l *Link) Status() (LinkStatus, bool) {
	l.x.mu.Lock()
	defer l.x.mu.Unlock()
	if l.err != nil {
		return LinkStatus{}, false
	}
	s, ok := l.x.core.SnapshotLink(l.x.now(), l.id)
	return linkStatus(&s), ok
}

// clock is the core's monotonic clock: it began at start.
type clock struct{ start time.Time }

// at is a moment of the clock.
func (c clock) at(mono int64) time.Time { return c.start.Add(time.Duration(mono)) }

func (c clock) synchronized(s impl.Synchronized) Synchronized {
	if s.Now {
		return Synchronized{}
	}
	return LastAt(c.at(s.Mono))
}

// state returns a state of the core as users see it.
func (c clock) state(state *impl.State, synchronized impl.Synchronized) State {
	return State{data: encoded(state.Data), format: state.Format, version: state.Version, synchronized: c.synchronized(synchronized)}
}

func (c clock) snapshot(s *impl.Snapshot, uptime time.Duration) Snapshot {
	return Snapshot{
		Time:      c.at(int64(uptime)),
		Uptime:    uptime,
		Upstream:  uint64(s.Upstream),
		Objects:   each(s.Objects, c.object),
		Tags:      each(s.Tags, tagSnapshot),
		Links:     each(s.Links, linkSnapshot),
		Contracts: each(s.Contracts, c.contract),
	}
}

// each returns what one returns of each of the values.
func each[A, B any](values []A, one func(*A) B) (list []B) {
	for i := range values {
		list = append(list, one(&values[i]))
	}
	return list
}

func (c clock) object(o *impl.ObjectSnapshot) ObjectSnapshot {
	return ObjectSnapshot{
		Number: o.Number, Object: Object{o.Descriptor.Key}, JSON: o.Descriptor.JSON, Tags: o.Descriptor.Tags,
		ShouldExist:            o.ShouldExist,
		DataNeeded:             o.DataNeeded,
		Elected:                Elected{ElectedKind(o.Elected.Kind), uint64(o.Elected.Contract), uint64(o.Elected.Link)},
		ObjectObserveContracts: o.ObjectObserveContracts,
		ObjectExposeContracts:  o.ObjectExposeContracts,
		TagObserveContracts:    o.TagObserveContracts,
		TagExposeContracts:     o.TagExposeContracts,
		Capacity:               o.Capacity,
		Links:                  each(o.Links, c.objectLink),
		Sources:                each(o.Sources, c.channel),
		Outlets:                each(o.Outlets, c.channel),
		State:                  c.optional(o.State, o.Synchronized),
	}
}

func (c clock) objectLink(l *impl.ObjectLinkSnapshot) ObjectLinkSnapshot {
	return ObjectLinkSnapshot{
		Link: uint64(l.Link), Observes: l.Observes, Exposes: l.Exposes, Capacity: l.Capacity, MayObserve: l.MayObserve, MayExpose: l.MayExpose,
		TagObserves: l.TagObserves, TagExposes: l.TagExposes, TagCapacity: l.TagCapacity,
		Sink: c.channel(&l.Sink), Revoked: l.Revoked, Stream: c.channel(&l.Stream), Share: load(l.Share),
	}
}

func (c clock) channel(s *impl.ChannelSnapshot) ChannelSnapshot {
	return ChannelSnapshot{s.Number, s.Version, c.optional(s.State, s.Synchronized), c.synchronized(s.Synchronized)}
}

func (c clock) optional(state *impl.State, synchronized impl.Synchronized) *State {
	if state == nil {
		return nil
	}
	s := c.state(state, synchronized)
	return &s
}

func tagSnapshot(t *impl.TagSnapshot) TagSnapshot {
	return TagSnapshot{
		Number: t.Number, Tag: Tag{t.Identity}, JSON: t.JSON, Objects: t.Objects,
		ObserveContracts: t.ObserveContracts, ExposeContracts: t.ExposeContracts,
		Links: each(t.Links, func(l *impl.TagLinkSnapshot) TagLinkSnapshot {
			return TagLinkSnapshot{uint64(l.Link), l.Observes, l.Exposes, l.Capacity, l.MayObserve, l.MayExpose}
		}),
		Capacity: t.Capacity,
	}
}

// tagOf names the tag of a descriptor without tags.
func tagOf(d *wire.Descriptor) Tag { return Tag{strings.TrimPrefix(d.Key, "[]")} }

func linkSnapshot(l *impl.LinkSnapshot) LinkSnapshot {
	return LinkSnapshot{
		Link: uint64(l.Link), Role: Role(l.Role), LinkStatus: linkStatus(l),
		Told: each(l.Told, func(t *impl.ToldSnapshot) ToldSnapshot {
			told := ToldSnapshot{Observes: t.Observes, Exposes: t.Exposes, Capacity: t.Capacity}
			if t.Tag {
				told.Tag = tagOf(&t.Descriptor)
			} else {
				told.Object = Object{t.Descriptor.Key}
			}
			return told
		}),
	}
}

func linkStatus(l *impl.LinkSnapshot) LinkStatus {
	return LinkStatus{
		LocalName: l.LocalName, RemoteName: l.RemoteName, HasRemoteName: l.HasName,
		Load: load(l.Load), LoadLimit: l.LoadLimit, HasLoadLimit: l.HasLoadLimit, LeftOut: l.LeftOut,
	}
}

// load is a load in the core's units of 2^-32.
func load(units uint64) float64 { return float64(units) / (1 << 32) }

func (c clock) contract(s *impl.ContractSnapshot) ContractSnapshot {
	contract := ContractSnapshot{
		Contract: uint64(s.Contract), Kind: ContractKind(s.Kind), Capacity: s.Capacity,
		Offers: each(s.Offers, func(o *impl.OfferSnapshot) OfferSnapshot {
			return OfferSnapshot{
				uint64(o.Offer), Object{o.Key}, o.Taken, o.Revoked,
				o.Version, c.optional(o.State, o.Synchronized), c.synchronized(o.Synchronized),
			}
		}),
	}
	switch contract.Kind {
	case ObserveObject, ExposeObject:
		contract.Object = Object{s.Descriptor.Key}
	default:
		contract.Tag = tagOf(&s.Descriptor)
	}
	return contract
}
