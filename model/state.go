package model

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// State is one state of the specification. Nodes and links are shared between
// states and never changed once they are in one.
type State struct {
	Nodes []*Node      // by exchange
	Links []*LinkState // by link
}

// Closed is the capacity of a contract that is not open.
const Closed = -1

// Node is what one exchange knows.
type Node struct {
	Contracts      []int        // by contract: the capacity (0 for an observer), or Closed
	OlderContracts [][]int      // by contract: its rivals that were open before it, in order
	Offers         [][]Offer    // by contract, object
	Elected        []Elected    // by object
	Held           []Flag       // by object
	Downstream     []Downstream // by downstream link

	Told    []Asks      // by thing: what upstream was told
	Sources [][]Channel // by object: streams that upstream has open, by number
	Outlets [][]Channel // by object: sinks that upstream has open, by number

	// Of work that is done in slices.
	Due     uint64 // set of objects
	Leaving uint64 // set of links, by their index in the model
}

// Downstream is what a node knows of one of its downstream links.
type Downstream struct {
	Contract       []Asks // by thing: what was asked for on it
	Rights         Rights
	OlderExposures [][]Exposure // by thing: what other links expose since before, in order
	Sink           []Channel    // by object; number 0: none
	Revoked        []int        // by object: number of a sink to be closed by the next pull; 0: none
	Stream         []Channel    // by object; number 0: none
	Share          []int        // by object: load given with the election
}

// Flag is a state held and whether it is current now.
type Flag struct {
	State int // 0: none
	Now   bool
}

// Channel is a state channel and what crossed it last.
type Channel struct {
	Number int
	Flag
}

// OfferState is how far an offer has got.
type OfferState uint8

// The states of an offer.
const (
	None OfferState = iota
	Offered
	Taken
	Revoked
)

// Offer is the sink or stream that a contract has for one object, with the state
// last published on it or read from it.
type Offer struct {
	Is OfferState
	Flag
}

// Asks is what a link asks for on one object or tag.
type Asks struct {
	Observes, Exposes bool
	Capacity          int
}

// Who is elected.
type Who uint8

// Who can be elected.
const (
	Nobody Who = iota
	Upstream
	LocalContract
	DownstreamLink
)

// Rights are what the peer of a downstream link may do: sets of things, and the
// greatest capacity that counts (0: any).
type Rights struct {
	Observe, Expose uint64
	Capacity        int
}

// Everything is the rights of a link of which nothing else was said.
func (m *Model) Everything() Rights {
	all := uint64(1)<<m.things - 1
	return Rights{Observe: all, Expose: all}
}

// counts is what a link asks for on a thing, as far as its rights allow it.
func (b *Downstream) counts(d int) Asks {
	asks := b.Contract[d]
	asks.Observes = asks.Observes && b.Rights.Observe>>d&1 == 1
	if b.Rights.Expose>>d&1 == 0 {
		asks.Exposes, asks.Capacity = false, 0
	}
	asks.Capacity = b.Rights.bounded(asks.Capacity)
	return asks
}

func (r *Rights) bounded(capacity int) int {
	if r.Capacity == 0 {
		return capacity
	}
	return min(capacity, r.Capacity)
}

// Elected is the exposer of an object. Index is that of a contract or a link
// among those of the node.
type Elected struct {
	Who   Who
	Index int
}

// End is one end of a link's session.
type End uint8

// An end is not in the session, in it, or has left it unnoticed by the other.
const (
	Off End = iota
	On
	Gone
)

// LinkState is what is between the two ends of a link.
type LinkState struct {
	Downstream, Upstream End
	Up, Down             []Message // in flight, oldest first
}

// MessageKind is the kind of a Message.
type MessageKind uint8

// The messages.
const (
	ContractsMessage MessageKind = iota
	OpenMessage
	CloseMessage
	StateMessage
)

// Message is one message in flight. Fields beyond those of its kind are zero.
type Message struct {
	Kind    MessageKind
	Object  int
	Channel int
	Sink    bool   // OpenMessage: a sink; else a stream
	Flag           // StateMessage
	Told    []Asks // ContractsMessage, by thing: all that is asked for after it
}

// NewNode returns the node of an exchange where nothing is open.
func (m *Model) NewNode(n int) *Node {
	objects := len(m.Objects)
	N := &Node{
		Contracts:      make([]int, len(m.contracts[n])),
		OlderContracts: make([][]int, len(m.contracts[n])),
		Offers:         make([][]Offer, len(m.contracts[n])),
		Elected:        make([]Elected, objects),
		Held:           make([]Flag, objects),
		Downstream:     make([]Downstream, len(m.downstream[n])),
		Told:           make([]Asks, m.things),
		Sources:        make([][]Channel, objects),
		Outlets:        make([][]Channel, objects),
	}
	for i := range N.Contracts {
		N.Contracts[i] = Closed
		N.Offers[i] = make([]Offer, objects)
	}
	for i := range N.Downstream {
		N.Downstream[i] = m.newDownstream()
	}
	return N
}

func (m *Model) newDownstream() Downstream {
	objects := len(m.Objects)
	return Downstream{
		Contract:       make([]Asks, m.things),
		Rights:         m.Everything(),
		OlderExposures: make([][]Exposure, m.things),
		Sink:           make([]Channel, objects),
		Revoked:        make([]int, objects),
		Stream:         make([]Channel, objects),
		Share:          make([]int, objects),
	}
}

// Empty returns the state in which nothing is open and no session is made.
func (m *Model) Empty() State {
	var s State
	for n := range m.Exchanges {
		s.Nodes = append(s.Nodes, m.NewNode(n))
	}
	for range m.Links {
		s.Links = append(s.Links, &LinkState{})
	}
	return s
}

// Equal reports whether two states are the same.
func (m *Model) Equal(a, b State) bool {
	var x, y [512]byte // mostly enough, and then nothing is allocated
	for n := range a.Nodes {
		if a.Nodes[n] != b.Nodes[n] && !bytes.Equal(a.Nodes[n].append(x[:0]), b.Nodes[n].append(y[:0])) {
			return false
		}
	}
	for l := range a.Links {
		if a.Links[l] != b.Links[l] && !bytes.Equal(a.Links[l].append(x[:0]), b.Links[l].append(y[:0])) {
			return false
		}
	}
	return true
}

// with returns the state in which one node is another.
func (s State) with(n int, N *Node) State {
	s.Nodes = slices.Clone(s.Nodes)
	s.Nodes[n] = N
	return s
}

// withLink returns the state in which one link is another.
func (s State) withLink(l int, L *LinkState) State {
	s.Links = slices.Clone(s.Links)
	s.Links[l] = L
	return s
}

// Changes to a node are made to a copy that shares what does not change: the
// setters below copy what they change, and are used on fresh copies only.

func (N *Node) copy() *Node { M := *N; return &M }

func set[T any](s []T, i int, v T) []T {
	s = slices.Clone(s)
	s[i] = v
	return s
}

func (N *Node) setOffer(k, o int, f Offer) { N.Offers = set(N.Offers, k, set(N.Offers[k], o, f)) }

func (N *Node) setSink(i, o int, c Channel) {
	b := N.Downstream[i]
	b.Sink = set(b.Sink, o, c)
	N.Downstream = set(N.Downstream, i, b)
}

func (N *Node) setStream(i, o int, c Channel) {
	b := N.Downstream[i]
	b.Stream = set(b.Stream, o, c)
	N.Downstream = set(N.Downstream, i, b)
}

func (N *Node) setRevoked(i, o, number int) {
	b := N.Downstream[i]
	b.Revoked = set(b.Revoked, o, number)
	N.Downstream = set(N.Downstream, i, b)
}

func (N *Node) setShare(i, o, share int) {
	b := N.Downstream[i]
	b.Share = set(b.Share, o, share)
	N.Downstream = set(N.Downstream, i, b)
}

// The encoding tells two nodes or two links of one model apart; it has no other use.

func appendInt(b []byte, v int) []byte {
	if v < 0 || v >= 255 {
		return append(b, 255, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return append(b, byte(v))
}

func appendFlag(b []byte, f Flag) []byte {
	if f.Now {
		return appendInt(b, 2*f.State+1)
	}
	return appendInt(b, 2*f.State)
}

func appendChannel(b []byte, c Channel) []byte { return appendFlag(appendInt(b, c.Number), c.Flag) }

func appendAsks(b []byte, asks []Asks) []byte {
	for _, a := range asks {
		var bits byte
		if a.Observes {
			bits |= 1
		}
		if a.Exposes {
			bits |= 2
		}
		b = appendInt(append(b, bits), a.Capacity)
	}
	return b
}

func (N *Node) append(b []byte) []byte {
	for i, capacity := range N.Contracts {
		b = appendInt(b, capacity+1)
		b = append(b, byte(len(N.OlderContracts[i])))
		for _, k := range N.OlderContracts[i] {
			b = appendInt(b, k)
		}
		for _, f := range N.Offers[i] {
			b = appendFlag(append(b, byte(f.Is)), f.Flag)
		}
	}
	for o := range N.Elected {
		b = appendInt(append(b, byte(N.Elected[o].Who)), N.Elected[o].Index)
		b = appendFlag(b, N.Held[o])
		b = append(b, byte(len(N.Sources[o])))
		for _, c := range N.Sources[o] {
			b = appendChannel(b, c)
		}
		b = append(b, byte(len(N.Outlets[o])))
		for _, c := range N.Outlets[o] {
			b = appendChannel(b, c)
		}
	}
	b = appendAsks(b, N.Told)
	for i := range N.Downstream {
		downstream := &N.Downstream[i]
		b = appendAsks(b, downstream.Contract)
		for _, older := range downstream.OlderExposures {
			b = append(b, byte(len(older)))
			for _, e := range older {
				b = appendInt(appendInt(b, e.Link), e.Thing)
			}
		}
		for o := range downstream.Sink {
			b = appendChannel(b, downstream.Sink[o])
			b = appendInt(b, downstream.Revoked[o])
			b = appendChannel(b, downstream.Stream[o])
			b = appendInt(b, downstream.Share[o])
		}
		b = binary.LittleEndian.AppendUint64(b, downstream.Rights.Observe)
		b = binary.LittleEndian.AppendUint64(b, downstream.Rights.Expose)
		b = appendInt(b, downstream.Rights.Capacity)
	}
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, N.Due), N.Leaving)
}

func (L *LinkState) append(b []byte) []byte {
	b = append(b, byte(L.Downstream), byte(L.Upstream), byte(len(L.Up)))
	for i := range L.Up {
		b = L.Up[i].append(b)
	}
	for i := range L.Down {
		b = L.Down[i].append(b)
	}
	return b
}

func (m *Message) append(b []byte) []byte {
	b = append(b, byte(m.Kind))
	switch m.Kind {
	case ContractsMessage:
		return appendAsks(b, m.Told)
	case OpenMessage:
		sink := 0
		if m.Sink {
			sink = 1
		}
		return append(appendInt(appendInt(b, m.Object), m.Channel), byte(sink))
	case CloseMessage:
		return appendInt(appendInt(b, m.Object), m.Channel)
	default:
		return appendFlag(appendInt(appendInt(b, m.Object), m.Channel), m.Flag)
	}
}
