package impl

import "hakuban/wire"

// EffectKind is the kind of an [Effect].
type EffectKind uint8

// The effects.
const (
	// EffectReady: Link has something to send; pull when its writer has room.
	// Said once until a pull answers with Drained.
	EffectReady EffectKind = iota + 1
	// EffectWrite answers a pull: Message is one websocket message for Link. But
	// for its delta it is a part of the pull's buffer.
	EffectWrite
	// EffectDrained ends the answer to a pull when nothing is left for Link.
	// Without it the driver pulls again when it has room.
	EffectDrained
	// EffectEnd: the peer broke the protocol; Link is gone from the core and the
	// driver closes the connection. Err is a *ProtocolError.
	EffectEnd
	// EffectOffered: Contract has an offer waiting to be taken.
	EffectOffered
	// EffectTaken answers a take: Offer (zero when none waits), Descriptor.
	EffectTaken
	// EffectRevoked: a taken Offer ended: its sink takes no more states, its
	// stream shows no more. Release it to make room for the next.
	EffectRevoked
	// EffectChanged: a taken stream has something new to read. Said once until read.
	EffectChanged
	// EffectState answers a read: State (nil when the object has none) and
	// Synchronized. Also answers a publish with the state as it was taken.
	EffectState
	// EffectRefused answers an input that could not be carried out: Err is one
	// of this package's error values. Nothing changed.
	EffectRefused
)

// Effect is one consequence of a step, for the driver to carry out. Fields
// beyond those its kind names are zero.
type Effect struct {
	Kind         EffectKind
	Link         LinkID
	Contract     ContractID
	Offer        OfferID
	Descriptor   wire.Descriptor
	Message      Message
	State        *State
	Synchronized Synchronized
	Err          error
}
