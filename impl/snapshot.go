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
	Synchronized           Synchronized
}

// ObjectLinkSnapshot is what a downstream link asked for and has, for one object.
type ObjectLinkSnapshot struct {
	Link        LinkID
	Observes    bool
	Exposes     bool
	Capacity    uint32
	TagObserves int // tags of the object that the link observes
	TagExposes  int
	TagCapacity uint64
	Sink        ChannelSnapshot // Number zero: none is open
	Stream      ChannelSnapshot
	Share       uint64 // load remembered at election, in units of 2^-32
}

// ChannelSnapshot is a state channel: the last state and flag that crossed it.
type ChannelSnapshot struct {
	Number       uint64
	Version      []int64 // nil: none yet
	Synchronized Synchronized
}

// TagSnapshot is one tag. Number is unique in the exchange's life.
type TagSnapshot struct {
	Number           uint64
	JSON             string
	Objects          []uint64 // numbers
	ObserveContracts int
	ExposeContracts  int
	Links            []TagLinkSnapshot
	Capacity         uint64
}

// TagLinkSnapshot is what a downstream link asked for on one tag.
type TagLinkSnapshot struct {
	Link     LinkID
	Observes bool
	Exposes  bool
	Capacity uint32
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
	Told         []ToldSnapshot // RoleDownstream: what we told upstream
}

// ToldSnapshot is what upstream was told of one object or tag.
type ToldSnapshot struct {
	Descriptor wire.Descriptor
	Tag        bool
	Observes   bool
	Exposes    bool
	Capacity   uint32
}

// ContractSnapshot is one local contract with its offers.
type ContractSnapshot struct {
	Contract   ContractID
	Kind       ContractKind
	Descriptor wire.Descriptor
	Capacity   uint32
	Offers     []OfferSnapshot
}

// OfferSnapshot is one sink or stream of a contract.
type OfferSnapshot struct {
	Offer        OfferID
	Descriptor   wire.Descriptor
	Taken        bool
	Revoked      bool
	Published    []int64 // last version sent on a sink
	Synchronized Synchronized
}
