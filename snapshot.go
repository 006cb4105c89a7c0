package hakuban

import "hakuban/impl"

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
	ObjectSnapshot     = impl.ObjectSnapshot
	ObjectLinkSnapshot = impl.ObjectLinkSnapshot
	ChannelSnapshot    = impl.ChannelSnapshot
	TagSnapshot        = impl.TagSnapshot
	TagLinkSnapshot    = impl.TagLinkSnapshot
	LinkSnapshot       = impl.LinkSnapshot
	ContractSnapshot   = impl.ContractSnapshot
	OfferSnapshot      = impl.OfferSnapshot
	Elected            = impl.Elected
	ElectedKind        = impl.ElectedKind
)

// Who can be elected for an object.
const (
	ElectedNobody         = impl.ElectedNobody
	ElectedUpstream       = impl.ElectedUpstream
	ElectedObjectContract = impl.ElectedObjectContract
	ElectedTagContract    = impl.ElectedTagContract
	ElectedLink           = impl.ElectedLink
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
