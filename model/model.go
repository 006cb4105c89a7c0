package model

import "slices"

// Kind of a local contract.
type Kind uint8

// The kinds. Whether a contract is on an object or a tag is told by Contract.On.
const (
	Observe Kind = iota
	Expose
)

// Link is a link slot: it holds one session at a time.
type Link struct {
	Name                 string
	Upstream, Downstream int  // exchanges
	Ordered              bool // messages keep their order over all channels
	Limit                int  // load limit, when loads are counted
}

// Object is a shared object. Tags are indices into Model.Tags.
type Object struct {
	Name string
	Tags []int
}

// Contract is a local contract that may be open or not. On is a thing: an object,
// or len(Objects) plus the index of a tag.
type Contract struct {
	Name string
	At   int // exchange
	Kind Kind
	On   int
}

// Model is the constants of the specification. Fields must not change after
// Prepare.
type Model struct {
	Exchanges  []string
	Links      []Link
	Objects    []Object
	Tags       []string
	Contracts  []Contract
	Capacities []int    // that a contract may be given
	Version    []int    // of each state; Version[0] is 0, "no state"
	Loads      bool     // loads are counted; else any eligible link may be chosen
	Limited    bool     // without loads: a load limit may refuse all links
	Threshold  int      // of the rebalance, when loads are counted
	Chunked    bool     // a control message may hold a part of what changed
	Rights     []Rights // that the peer of a downstream link may be given
	Sliced     bool     // long work is done in slices, and others step in between
	Ceiling    int      // capacities told upstream end there; 0: nowhere, as in the specification

	things     int
	covering   [][]int     // by object: the object and its tags, as things
	covered    [][]int     // by thing: objects
	downstream [][]int     // by exchange: links
	place      []int       // by link: its index among downstream of its upstream end
	contracts  [][]int     // by exchange
	spot       []int       // by contract: its index among contracts of its exchange
	observers  [][][]int   // by exchange, object: spots of contracts that cover it
	onObject   [][][]int   // by exchange, object: spots of object contracts
	exposers   [][][]int   // by exchange, object: spots of object expose contracts
	taggers    [][][]int   // by exchange, object: spots of tag expose contracts
	covers     [][][]bool  // by exchange, spot, object
	rivals     [][][]int   // by exchange, spot: spots of contracts that an election may compare with it
	names      *namesOrder // for the canonical text
}

// Prepare works out what follows from the constants. Call it once.
func (m *Model) Prepare() *Model {
	m.things = len(m.Objects) + len(m.Tags)
	m.covered = make([][]int, m.things)
	for o, object := range m.Objects {
		covering := []int{o}
		for _, t := range object.Tags {
			covering = append(covering, len(m.Objects)+t)
		}
		m.covering = append(m.covering, covering)
		for _, d := range covering {
			m.covered[d] = append(m.covered[d], o)
		}
	}
	m.downstream = make([][]int, len(m.Exchanges))
	m.place = make([]int, len(m.Links))
	for l, link := range m.Links {
		m.place[l] = len(m.downstream[link.Upstream])
		m.downstream[link.Upstream] = append(m.downstream[link.Upstream], l)
	}
	m.contracts = make([][]int, len(m.Exchanges))
	m.spot = make([]int, len(m.Contracts))
	for k, c := range m.Contracts {
		m.spot[k] = len(m.contracts[c.At])
		m.contracts[c.At] = append(m.contracts[c.At], k)
	}
	for n := range m.Exchanges {
		spots := func(accept func(c Contract, o int) bool) [][]int {
			all := make([][]int, len(m.Objects))
			for o := range m.Objects {
				for spot, k := range m.contracts[n] {
					if accept(m.Contracts[k], o) {
						all[o] = append(all[o], spot)
					}
				}
			}
			return all
		}
		m.observers = append(m.observers, spots(func(c Contract, o int) bool {
			return c.Kind == Observe && slices.Contains(m.covering[o], c.On)
		}))
		m.onObject = append(m.onObject, spots(func(c Contract, o int) bool { return c.On == o }))
		m.exposers = append(m.exposers, spots(func(c Contract, o int) bool { return c.Kind == Expose && c.On == o }))
		m.taggers = append(m.taggers, spots(func(c Contract, o int) bool {
			return c.Kind == Expose && c.On != o && slices.Contains(m.covering[o], c.On)
		}))
		covers := make([][]bool, len(m.contracts[n]))
		for spot, k := range m.contracts[n] {
			covers[spot] = make([]bool, len(m.Objects))
			for o := range m.Objects {
				covers[spot][o] = slices.Contains(m.covering[o], m.Contracts[k].On)
			}
		}
		m.covers = append(m.covers, covers)
		m.rivals = append(m.rivals, m.findRivals(n))
	}
	m.names = m.orderNames()
	return m
}

// DownstreamLinks returns the downstream links of an exchange; a node has them in this order.
func (m *Model) DownstreamLinks(n int) []int { return m.downstream[n] }

// ContractsAt returns the contracts of an exchange; a node has them in this order.
func (m *Model) ContractsAt(n int) []int { return m.contracts[n] }

// Things returns the number of objects and tags.
func (m *Model) Things() int { return m.things }
