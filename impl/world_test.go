package impl

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hakuban/wire"
)

// world is a few exchanges whose links deliver at once, in order, until nothing
// moves. It checks every invariant after every step.
type world struct {
	t     rapid.TB
	now   Now
	nodes map[string]*node
	ends  int
}

type node struct {
	name     string
	world    *world
	x        *Exchange
	peers    map[LinkID]*end
	offered  map[ContractID]int
	revoked  map[OfferID]bool
	changed  map[OfferID]bool
	ended    map[LinkID]error
	contract ContractID
}

// end is the far end of a link.
type end struct {
	node  *node
	link  LinkID
	queue [][]byte // on its way to that end
	held  bool     // deliver nothing for now
}

func newWorld(t rapid.TB) *world {
	return &world{t: t, now: Now{Mono: 1e9, Wall: 1_700_000_000e9}, nodes: make(map[string]*node)}
}

func (w *world) node(name string, config Config) *node {
	n := &node{name: name, world: w, x: New(config), peers: make(map[LinkID]*end), offered: make(map[ContractID]int),
		revoked: make(map[OfferID]bool), changed: make(map[OfferID]bool), ended: make(map[LinkID]error)}
	w.nodes[name] = n
	return n
}

// step steps one exchange and notes its effects.
func (n *node) step(input Input) []Effect {
	n.world.t.Helper()
	clone := n.x.Clone()
	effects := slices.Clone(n.x.Step(n.world.now, input))
	n.sameAs(clone, input, effects)
	for _, e := range effects {
		switch e.Kind {
		case EffectOffered:
			n.offered[e.Contract]++
		case EffectRevoked:
			n.revoked[e.Offer] = true
		case EffectChanged:
			n.changed[e.Offer] = true
		case EffectWrite:
			peer := n.peers[e.Link]
			peer.queue = append(peer.queue, e.Message.Bytes())
		case EffectEnd:
			n.ended[e.Link] = e.Err
		}
	}
	if err := n.x.Check(); err != nil {
		n.world.t.Fatalf("%s after input %d: %v", n.name, input.Kind, err)
	}
	return effects
}

// sameAs checks that a clone made before a step goes the same way, and that its
// going did not disturb the original.
func (n *node) sameAs(clone *Exchange, input Input, effects []Effect) {
	n.world.t.Helper()
	before := n.x.Snapshot(n.world.now)
	cloned := clone.Step(n.world.now, input)
	if got, want := describe(cloned), describe(effects); got != want {
		n.world.t.Fatalf("%s: a clone answers input %d with\n%s\nthe original with\n%s", n.name, input.Kind, got, want)
	}
	if err := clone.Check(); err != nil {
		n.world.t.Fatalf("%s: a clone after input %d: %v", n.name, input.Kind, err)
	}
	after := n.x.Snapshot(n.world.now)
	if seen := survey(n.x, n.world.now, func() {}); !reflect.DeepEqual(seen, after) {
		n.world.t.Fatalf("%s: a survey after input %d sees\n%+v\na snapshot\n%+v", n.name, input.Kind, seen, after)
	}
	if !reflect.DeepEqual(before, after) || !reflect.DeepEqual(after, clone.Snapshot(n.world.now)) {
		n.world.t.Fatalf("%s: a clone parted from the original at input %d", n.name, input.Kind)
	}
}

// describe renders effects without addresses.
func describe(effects []Effect) string {
	var b strings.Builder
	for _, e := range effects {
		state := ""
		if e.State != nil {
			state = fmt.Sprintf("%+v", *e.State)
		}
		message := e.Message.Bytes()
		e.State, e.Message = nil, Message{}
		fmt.Fprintf(&b, "%+v %x %s\n", e, message, state)
	}
	return b.String()
}

// connect links a downstream node to an upstream one.
func (w *world) connect(down, up *node) (downLink, upLink LinkID) {
	w.t.Helper()
	w.ends += 2
	downLink, upLink = LinkID(w.ends), LinkID(w.ends+1)
	down.peers[downLink] = &end{node: up, link: upLink}
	up.peers[upLink] = &end{node: down, link: downLink}
	up.step(Input{Kind: InputAttach, Link: upLink, Role: ToDownstream, Name: up.name})
	down.step(Input{Kind: InputAttach, Link: downLink, Role: ToUpstream, Name: down.name})
	return downLink, upLink
}

// settle pulls and delivers until nothing moves.
func (w *world) settle() {
	w.t.Helper()
	for moved := true; moved; {
		moved = false
		for _, name := range sortedKeys(w.nodes) {
			n := w.nodes[name]
			for _, id := range sortedKeys(n.peers) {
				if l := n.x.links[id]; l != nil && l.ready && !n.peers[id].held {
					n.step(Input{Kind: InputPull, Link: id, Budget: 100})
					moved = true
				}
				peer := n.peers[id]
				for len(peer.queue) > 0 && !peer.held {
					data := peer.queue[0]
					peer.queue = peer.queue[1:]
					peer.node.step(Input{Kind: InputReceive, Link: peer.link, Data: data})
					moved = true
				}
			}
		}
	}
}

func object1(json string, tags ...string) wire.Descriptor {
	d, err := wire.NewDescriptorStrict(tags, json, nil)
	if err != nil {
		panic(err)
	}
	return d
}

func (n *node) open(kind ContractKind, d wire.Descriptor, capacity uint32) ContractID {
	n.world.t.Helper()
	n.contract++
	n.step(Input{Kind: InputOpen, Contract: n.contract, ContractKind: kind, Descriptor: d, Capacity: capacity})
	return n.contract
}

func (n *node) close(c ContractID) { n.step(Input{Kind: InputClose, Contract: c}) }

// takeOffer takes an offer; zero when none waits.
func (n *node) takeOffer(c ContractID) OfferID {
	n.world.t.Helper()
	for _, e := range n.step(Input{Kind: InputTake, Contract: c}) {
		if e.Kind == EffectTaken {
			return e.Offer
		}
	}
	n.world.t.Fatalf("%s: take was not answered", n.name)
	return 0
}

func (n *node) publish(f OfferID, data string, version ...int64) error {
	n.world.t.Helper()
	n.world.now.Mono += 1e6
	n.world.now.Wall += 1e6
	for _, e := range n.step(Input{Kind: InputPublish, Offer: f, Synchronized: Synchronized{Now: true},
		State: &State{Version: version, Format: []string{"JSON"}, Data: []byte(data)}}) {
		if e.Kind == EffectRefused {
			return e.Err
		}
	}
	return nil
}

// seen reads a stream: the data, then "now" or "last"; "nothing" without a state.
func (n *node) seen(f OfferID) string {
	n.world.t.Helper()
	for _, e := range n.step(Input{Kind: InputRead, Offer: f}) {
		switch {
		case e.Kind == EffectRefused:
			return e.Err.Error()
		case e.Kind == EffectState && e.State == nil:
			return "nothing"
		case e.Kind == EffectState && e.Synchronized.Now:
			return string(e.State.Data) + " now"
		case e.Kind == EffectState:
			return string(e.State.Data) + " last"
		}
	}
	n.world.t.Fatalf("%s: read was not answered", n.name)
	return ""
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
