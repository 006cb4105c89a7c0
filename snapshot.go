package hakuban

import (
	"hakuban/impl"
	"hakuban/wire"
)

// Snapshot is what there is to see of an exchange at one moment, in a fixed order. It shares nothing that changes.
type Snapshot struct {
	Mono      int64 // the moment, in nanoseconds on the clock of every Synchronized.Mono in here
	Objects   []ObjectSnapshot
	Tags      []TagSnapshot
	Links     []LinkSnapshot
	Contracts []ContractSnapshot
	Upstream  uint64 // the id of the link to upstream; zero: none
}

// The parts of a [Snapshot].
type (
	ObjectSnapshot       = impl.ObjectSnapshot
	ObjectLinkSnapshot   = impl.ObjectLinkSnapshot
	ChannelSnapshot      = impl.ChannelSnapshot
	TagSnapshot          = impl.TagSnapshot
	TagLinkSnapshot      = impl.TagLinkSnapshot
	LinkSnapshot         = impl.LinkSnapshot
	ToldSnapshot         = impl.ToldSnapshot
	ContractSnapshot     = impl.ContractSnapshot
	OfferSnapshot        = impl.OfferSnapshot
	StateSnapshot        = impl.State
	SynchronizedSnapshot = impl.Synchronized
	DescriptorSnapshot   = wire.Descriptor
	Elected              = impl.Elected
	ElectedKind          = impl.ElectedKind
	ContractKind         = impl.ContractKind
	Role                 = impl.Role
)

// The ids in a [Snapshot]: what [Link.ID], [ExposeContract.ID] and [ObserveContract.ID] return, and one for each sink and stream.
type (
	LinkID     = impl.LinkID
	ContractID = impl.ContractID
	OfferID    = impl.OfferID
)

// Who can be elected for an object.
const (
	ElectedNobody         = impl.ElectedNobody
	ElectedUpstream       = impl.ElectedUpstream
	ElectedObjectContract = impl.ElectedObjectContract
	ElectedTagContract    = impl.ElectedTagContract
	ElectedLink           = impl.ElectedLink
)

// The kinds of contract.
const (
	ObserveObject = impl.ObserveObject
	ExposeObject  = impl.ExposeObject
	ObserveTag    = impl.ObserveTag
	ExposeTag     = impl.ExposeTag
)

// Which end of a link the exchange is.
const (
	ToUpstream   = impl.ToUpstream   // the peer is upstream of it
	ToDownstream = impl.ToDownstream // the peer is downstream of it
)

// LoadUnit is what a load of 1 is in the numbers of a [Snapshot].
const LoadUnit = 1 << 32

// Snapshot copies what there is to see of the exchange; nothing once it is closed. It takes time in proportion to the exchange, which
// stands still meanwhile.
func (x *Exchange) Snapshot() Snapshot {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return Snapshot{}
	}
	now := x.now()
	s := x.core.Snapshot(now)
	return Snapshot{
		Mono: now.Mono, Objects: s.Objects, Tags: s.Tags, Links: s.Links, Contracts: s.Contracts, Upstream: uint64(s.Upstream),
	}
}

// LinkStatus is what there is to see of one link.
type LinkStatus struct {
	LocalName     string
	RemoteName    string
	HasRemoteName bool    // the peer told its name
	Load          float64 // of a downstream link: the sum, over the objects it is elected for, of 1/capacity
	LoadLimit     float64 // of a downstream link, at present
	HasLoadLimit  bool
}

// Status returns what there is to see of the link; false when it has ended.
func (l *Link) Status() (LinkStatus, bool) {
	l.x.mu.Lock()
	defer l.x.mu.Unlock()
	if l.err != nil {
		return LinkStatus{}, false
	}
	s, ok := l.x.core.SnapshotLink(l.x.now(), l.id)
	return LinkStatus{
		LocalName: s.LocalName, RemoteName: s.RemoteName, HasRemoteName: s.HasName,
		Load: float64(s.Load) / LoadUnit, LoadLimit: s.LoadLimit, HasLoadLimit: s.HasLoadLimit,
	}, ok
}
