package impl

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// tree is a root, a router below it and leaves below both. The root and the router allow a link little, the leaves ask for much.
type tree struct {
	*world
	root, router *node
	up, down     LinkID // of the link between the two, at the router's and the root's end
	leaves       []*leaf
	refused      int            // links of leaves that were ended
	reasons      map[string]int // why, at the router
}

type leaf struct {
	*node
	parent    *node
	contracts []ContractID
	sinks     []OfferID
}

func newTree(t rapid.TB, limits Limits) *tree {
	g := &tree{world: newWorld(t), reasons: make(map[string]int)}
	g.root = g.node("root", Config{Limits: limits})
	g.router = g.node("router", Config{Limits: limits, Upstream: true})
	for i, parent := range []*node{g.router, g.router, g.router, g.root, g.root} {
		l := &leaf{node: g.node("leaf"+strconv.Itoa(i), Config{}), parent: parent}
		g.leaves = append(g.leaves, l)
		g.connect(l.node, parent)
	}
	g.up, g.down = g.connect(g.router, g.root)
	return g
}

// cut ends a link at both ends.
func (g *tree) cut(n *node, id LinkID) {
	peer := n.peers[id]
	n.step(Input{Kind: InputDetach, Link: id})
	peer.node.step(Input{Kind: InputDetach, Link: peer.link})
	delete(n.peers, id)
	delete(peer.node.peers, peer.link)
}

// mend cuts the links that were ended, and says whether the one between the router and the root was.
func (g *tree) mend() error {
	for _, n := range []*node{g.root, g.router} {
		for _, id := range sortedKeys(n.ended) {
			reason := n.ended[id]
			delete(n.ended, id)
			if n == g.root && id == g.down || n == g.router && id == g.up {
				return reason
			}
			g.cut(n, id)
			g.refused++
			if n == g.router {
				_, why, _ := strings.Cut(reason.Error(), "protocol: ")
				g.reasons[why]++
			}
		}
	}
	return nil
}

// deliver pulls or delivers one thing, if there is one.
func (g *tree) deliver(choose func(n int) int) bool {
	var ways []func()
	for _, name := range sortedKeys(g.nodes) {
		n := g.nodes[name]
		for _, id := range sortedKeys(n.peers) {
			peer := n.peers[id]
			if l := n.x.links[id]; l != nil && l.ready {
				ways = append(ways, func() { n.step(Input{Kind: InputPull, Link: id, Budget: 100}) })
			}
			if len(peer.queue) > 0 {
				ways = append(ways, func() {
					data := peer.queue[0]
					peer.queue = peer.queue[1:]
					peer.node.step(Input{Kind: InputReceive, Link: peer.link, Data: data})
				})
			}
		}
	}
	if len(ways) > 0 {
		ways[choose(len(ways))]()
	}
	return len(ways) > 0
}

// TestTree_NoLeafEndsTheLinkThatAllShare: whatever leaves ask for, expose, send and take back, and in whatever order it arrives, the
// link between the router and the root, which has the bounds of any link, is never ended for it.
func TestTree_NoLeafEndsTheLinkThatAllShare(t *testing.T) {
	reasons := make(map[string]int)
	rapid.Check(t, func(r *rapid.T) {
		g := newTree(r, Limits{LinkObjects: 14, LinkBytes: 24_000})
		below := func(what string) func(n int) int {
			return func(n int) int { return rapid.IntRange(0, n-1).Draw(r, what) }
		}
		for range rapid.IntRange(20, 140).Draw(r, "steps") {
			l := g.leaves[below("leaf")(len(g.leaves))]
			switch rapid.SampledFrom([]string{"open", "open", "close", "take", "publish", "publish", "deliver", "deliver", "settle", "settle", "cut", "lose"}).Draw(r, "step") {
			case "open":
				kind := rapid.SampledFrom([]ContractKind{ObserveObject, ExposeObject, ObserveObject, ExposeObject, ObserveTag, ExposeTag}).Draw(r, "kind")
				name := object1(strconv.Itoa(below("object")(16)), `"tag"`)
				if kind == ObserveTag || kind == ExposeTag {
					name = object1(rapid.SampledFrom([]string{`"tag"`, `"other"`}).Draw(r, "tag"))
				}
				l.contracts = append(l.contracts, l.open(kind, name, 1))
			case "close":
				if len(l.contracts) > 0 {
					i := below("contract")(len(l.contracts))
					l.close(l.contracts[i])
					l.contracts = append(l.contracts[:i], l.contracts[i+1:]...)
				}
			case "take":
				for _, c := range l.contracts {
					if l.x.contracts[c].exposes() {
						if f := l.takeOffer(c); f != 0 {
							l.sinks = append(l.sinks, f)
						}
					}
				}
			case "publish":
				for _, f := range l.sinks {
					_ = l.publish(f, strings.Repeat("x", 250*below("size")(30)))
				}
			case "deliver":
				for range 5 {
					g.deliver(below("delivery"))
				}
			case "settle":
				g.settle()
			case "cut": // what was ended, or loses its link, comes back
				for id := range l.peers {
					g.cut(l.node, id)
				}
				g.connect(l.node, l.parent)
			case "lose":
				g.cut(g.router, g.up)
				g.up, g.down = g.connect(g.router, g.root)
			}
			if err := g.mend(); err != nil {
				r.Fatalf("the shared link ended: %v", err)
			}
		}
		for settled := false; !settled; {
			before := g.refused
			g.settle()
			if err := g.mend(); err != nil {
				r.Fatalf("the shared link ended: %v", err)
			}
			settled = g.refused == before
		}
		for reason, n := range g.reasons {
			reasons[reason] += n
		}
		// Nothing is withheld for ever that somebody brings who is still there.
		for _, c := range g.router.x.upstream.withheld.values() {
			if !c.object.isLeftover() {
				r.Fatalf("a state of %s is withheld after everybody has said and heard everything", c.object.descriptor.Key)
			}
		}
		for _, l := range g.leaves {
			for _, c := range l.contracts {
				l.close(c)
			}
			for _, f := range l.sinks {
				l.step(Input{Kind: InputRelease, Offer: f})
			}
		}
		g.settle()
		if err := g.mend(); err != nil {
			r.Fatalf("the shared link ended: %v", err)
		}
		for _, n := range []*node{g.root, g.router} {
			if len(n.x.objects)+len(n.x.tags) > 0 || n.x.sums[names] != (sum{}) {
				r.Fatalf("%s keeps %d objects, %d tags and %+v", n.name, len(n.x.objects), len(n.x.tags), n.x.sums[names])
			}
		}
	})
	for _, reason := range sortedKeys(reasons) {
		t.Logf("%d links ended: %s", reasons[reason], reason)
	}
}
