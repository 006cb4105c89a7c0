package interop

import (
	"fmt"
	"testing"
)

// Shape is how a tree's routers stand to each other.
type Shape string

const (
	Single Shape = "single" // one router, every peer on it
	Star   Shape = "star"   // a top with two below
	Chain  Shape = "chain"  // three, one below the other
	Direct Shape = "direct" // no router
)

// attachment gives, per shape, the router for each Place.
var attachment = map[Shape][4]int{
	Single: {0, 0, 0, 0},
	Star:   {0, 1, 2, 1},
	Chain:  {0, 2, 0, 1},
}

// parent gives, per shape, each router's parent; the first has none.
var parent = map[Shape][]int{
	Single: {-1},
	Star:   {-1, 0, 0},
	Chain:  {-1, 0, 1},
}

// Place is where in a tree a peer attaches. Left and Right are as far apart as the shape has it.
type Place int

const (
	Top Place = iota
	Left
	Right
	Middle
)

// Tree is a shape with a kind for each router, top first.
type Tree struct {
	Shape Shape
	Kinds []Kind
}

// Name is such as "star/go-rust-rust".
func (tree Tree) Name() string {
	name, separator := string(tree.Shape), "/"
	for _, kind := range tree.Kinds {
		name += separator + string(kind)
		separator = "-"
	}
	return name
}

// OneRouter are the trees of a scenario about one router's own decisions.
var OneRouter = []Tree{{Single, []Kind{Rust}}, {Single, []Kind{Go}}}

// NoRouter is for peers that link to each other.
var NoRouter = []Tree{{Shape: Direct}}

// AnyTree are the trees of a scenario that must not notice how many routers there are, nor whose.
var AnyTree = append(OneRouter[:2:2],
	Tree{Star, []Kind{Rust, Rust, Rust}},
	Tree{Star, []Kind{Go, Rust, Rust}},
	Tree{Star, []Kind{Rust, Go, Go}},
	Tree{Star, []Kind{Go, Go, Go}},
	Tree{Chain, []Kind{Rust, Rust, Rust}},
	Tree{Chain, []Kind{Rust, Go, Rust}},
	Tree{Chain, []Kind{Go, Rust, Go}},
)

// BigTrees are those of a scenario whose states are big: both codecs, both diffs, at both depths.
var BigTrees = append(OneRouter[:2:2], Tree{Chain, []Kind{Rust, Go, Rust}}, Tree{Chain, []Kind{Go, Rust, Go}})

// World is a running tree of routers with the peers of one scenario.
type World struct {
	testing.TB
	routers    []*Router
	attachment [4]int
	peers      []Kind // of the peers in the order of their start, over and over
	started    int
}

// Mixes are the kinds of peers, beside the reference's alone, that tell a scenario: what one tells the other retells.
var Mixes = [][]Kind{{Go, Rust}, {Rust, Go}}

// MixedTrees are those of a scenario's trees that mixed peers tell it through.
var MixedTrees = []Tree{
	{Single, []Kind{Rust}}, {Single, []Kind{Go}}, {Chain, []Kind{Rust, Go, Rust}}, {Shape: Direct},
}

func (w *World) nextPeer() Kind {
	kind := w.peers[w.started%len(w.peers)]
	w.started++
	return kind
}

// StartWorld starts the tree's routers, each with the options; parents are added to them. Peers will be of the kinds.
func StartWorld(t testing.TB, tree Tree, options RouterOptions, peers []Kind) *World {
	t.Helper()
	w := &World{TB: t, attachment: attachment[tree.Shape], peers: peers}
	for _, kind := range tree.Kinds {
		if kind == Go {
			GoRouter(t) // skips before anything runs
		}
	}
	for i, above := range parent[tree.Shape] {
		own := options
		if above >= 0 {
			own.Connect = w.routers[above].URL + fmt.Sprintf("#name=router-%d", i)
		}
		w.routers = append(w.routers, StartRouter(t, tree.Kinds[i], own))
	}
	return w
}

// Router is the router at a place.
func (w *World) Router(at Place) *Router { return w.routers[w.attachment[at]] }

// Peer starts a peer linked to the router at a place.
func (w *World) Peer(name string, at Place, parameters ...string) *Peer {
	w.Helper()
	p := StartPeer(w, name)
	p.Connect(w.Router(at).URL, parameters...)
	return p
}
