package impl

import "hakuban/wire"

// Now is the time of a step. Mono never goes back and drives flags, load limits
// and rebalancing; Wall is used for default versions only, so that a jump of the
// wall clock cannot touch the rest. Both are nanoseconds.
type Now struct {
	Mono int64 `json:"mono"`
	Wall int64 `json:"wall"`
}

// LinkID names one session of a link at this exchange. The driver chooses it: a
// new one for every session, never zero, never used again.
type LinkID uint64

// ContractID names a local contract. The driver chooses it like a LinkID.
type ContractID uint64

// OfferID names a sink or a stream that was offered to a local contract. The
// core counts them up from 1.
type OfferID uint64

// Role says which end of a link this exchange is.
type Role uint8

// The two ends of a link.
const (
	ToUpstream   Role = iota + 1 // the peer is our upstream
	ToDownstream                 // the peer is downstream of us
)

// ContractKind is one of the four kinds of local contract.
type ContractKind uint8

// The kinds of contract.
const (
	ObserveObject ContractKind = iota + 1
	ExposeObject
	ObserveTag
	ExposeTag
)

// InputKind is the kind of an [Input].
type InputKind uint8

// The inputs. docs/spec-map.md says which of the spec's actions each may be.
const (
	// InputAttach: a session of a link begins. Link, Role, Name (ours, told to
	// the peer), Session (what both ends know it by, for who reads a recording; the
	// core does not), in ToUpstream LoadLimit, in ToDownstream Rights.
	InputAttach InputKind = iota + 1
	// InputDetach: a session ended outside the core. Link.
	InputDetach
	// InputReceive: one websocket message arrived. Link, Data, and Arrival: Data
	// decoded; nil: not yet. The core keeps no reference to either, unless it took
	// only a part of the message: see [Exchange.Taking].
	InputReceive
	// InputPull: the link's writer has room. Link; Buffer is appended to and
	// Budget bounds the bytes after which no further message is begun. A state
	// counts with the bytes it takes whole.
	InputPull
	// InputOpen: a local contract opens. Contract, ContractKind, Descriptor (a
	// tag contract's is that of an object without tags whose JSON is the tag), Capacity.
	InputOpen
	// InputClose: a local contract closes. Contract.
	InputClose
	// InputSetCapacity changes an expose contract's capacity. Contract, Capacity.
	InputSetCapacity
	// InputTake takes the first waiting offer of a contract. Contract.
	InputTake
	// InputRelease gives a taken offer back. Offer.
	InputRelease
	// InputPublish sends a state on a taken sink. Offer, State, Synchronized.
	InputPublish
	// InputRead reads the newest state of a taken stream. Offer.
	InputRead
	// InputTick: the deadline passed.
	InputTick
	// InputSetRights changes what the peer of a downstream link may do. Link, Rights.
	InputSetRights
	// InputContinue takes the next slice of the message that a link is taking. Link.
	InputContinue
)

// Input is one value that drives an exchange. Fields beyond those its kind names
// are zero. It can be written to a file and stepped again.
type Input struct {
	Kind         InputKind        `json:"kind"`
	Link         LinkID           `json:"link,omitempty"`
	Role         Role             `json:"role,omitempty"`
	Name         string           `json:"name,omitempty"`
	Session      string           `json:"session,omitempty"`
	LoadLimit    []wire.LoadPoint `json:"load_limit,omitempty"`
	Rights       *Rights          `json:"rights,omitempty"` // nil: everything is allowed
	Data         []byte           `json:"data,omitempty"`
	Arrival      *Arrival         `json:"-"`
	Buffer       []byte           `json:"-"`
	Budget       int              `json:"budget,omitempty"`
	Contract     ContractID       `json:"contract,omitempty"`
	ContractKind ContractKind     `json:"contract_kind,omitempty"`
	Descriptor   wire.Descriptor  `json:"descriptor,omitzero"`
	Capacity     uint32           `json:"capacity,omitempty"`
	Offer        OfferID          `json:"offer,omitempty"`
	State        *State           `json:"state,omitempty"`
	Synchronized Synchronized     `json:"synchronized,omitzero"`
}

// State is one value of an object. It is shared and never changed.
type State struct {
	Version []int64  `json:"version"` // empty in InputPublish: the default version
	Format  []string `json:"format"`
	Data    []byte   `json:"data"`
}

// Synchronized tells how current a state is: now, or last known to be current
// at Mono (nanoseconds of Now.Mono).
type Synchronized struct {
	Now  bool  `json:"now,omitempty"`
	Mono int64 `json:"mono,omitempty"`
}
