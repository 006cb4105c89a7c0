package impl

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The pattern by which clients elect a leader: each observes and exposes one
// object, and who is elected leads.

// grove is routers, leaves below them, and what each router has seen so far.
type grove struct {
	*world
	routers []*node
	leaves  []*node
	seen    map[*node]*reign
}

// reign is the link that a router elected last, and the links that began to expose
// the object after that.
type reign struct {
	leader LinkID
	later  []LinkID
	were   []LinkID // all that exposed it at the last look
}

// newGrove makes a tree: "one router", "chain" (of two, leaves below the lower one) or
// "star" (of a router for each leaf).
func newGrove(t rapid.TB, shape string, leaves int) *grove {
	g := &grove{world: newWorld(t), seen: make(map[*node]*reign)}
	router := func() *node {
		n := g.node(fmt.Sprint("router", len(g.routers)), Config{})
		g.routers = append(g.routers, n)
		g.seen[n] = &reign{}
		return n
	}
	root := router()
	if shape == "chain" {
		g.connect(router(), root)
	}
	for i := range leaves {
		if shape == "star" {
			g.connect(router(), root)
		}
		n := g.node(fmt.Sprint("leaf", i), Config{})
		g.leaves = append(g.leaves, n)
		g.connect(n, g.routers[len(g.routers)-1])
	}
	g.settle()
	return g
}

// look finds a leader that was displaced, though it stays, by a link that came
// later and is no better.
func (g *grove) look() error {
	for _, n := range g.routers {
		r, o := g.seen[n], n.x.objects[thing.Key]
		if o == nil {
			*r = reign{}
			continue
		}
		capacity := make(map[LinkID]uint64)
		var are []LinkID
		for l := range o.exposing {
			are = append(are, l.id)
			capacity[l.id] = o.part(l).capacity
		}
		for _, id := range are {
			if !slices.Contains(r.were, id) {
				r.later = append(r.later, id)
			}
		}
		gone := func(id LinkID) bool { return !slices.Contains(are, id) }
		r.later = slices.DeleteFunc(r.later, gone)
		if gone(r.leader) {
			r.leader = 0
		}
		if e := o.elected; e.Kind == ElectedLink && e.Link != r.leader {
			if r.leader != 0 && slices.Contains(r.later, e.Link) && capacity[e.Link] <= capacity[r.leader] {
				return fmt.Errorf("%s elects link %d, which came later than its leader, link %d, which stays", n.name, e.Link, r.leader)
			}
			*r = reign{leader: e.Link}
		}
		r.were = are
	}
	return nil
}

// leads reports whether a contract is elected where it was opened.
func (n *node) leads(c ContractID) bool {
	o := n.x.objects[thing.Key]
	return o != nil && o.elected.Contract == c
}

func TestLeader_TheFirstLeadsAndStays(t *testing.T) {
	expose := map[string]func(n *node) ContractID{
		"object": func(n *node) ContractID { return n.open(ExposeObject, thing, 1) },
		"tag":    func(n *node) ContractID { return n.open(ExposeTag, object1(`"T"`), 1) },
	}
	for _, shape := range []string{"one router", "chain", "star"} {
		for _, by := range sortedKeys(expose) {
			t.Run(shape+" "+by, func(t *testing.T) {
				g := newGrove(t, shape, 3)
				observes, exposes := make(map[*node]ContractID), make(map[*node]ContractID)
				join := func(n *node) {
					observes[n] = n.open(ObserveObject, thing, 0)
					exposes[n] = expose[by](n)
					g.settle()
				}
				leave := func(n *node) {
					n.close(observes[n])
					n.close(exposes[n])
					g.settle()
				}
				leader := func(when string, is *node) {
					t.Helper()
					for _, n := range g.leaves {
						expect(t, n.name+" leads "+when, n.leads(exposes[n]), n == is)
					}
				}
				first, second, third := g.leaves[2], g.leaves[0], g.leaves[1] // the links of later ones are older
				join(first)
				join(second)
				leader("when the second came", first)
				join(third)
				leader("when the third came", first)
				leave(second)
				leave(third)
				join(second)
				leader("when the others left, and one came back", first)
				join(third)
				leave(first)
				leader("when the first left", second)
				join(first)
				leader("when the first came back", second)
			})
		}
	}
}

// TestLeader_NoLaterEqualDisplacesIt: whoever comes and goes, in whatever order it
// arrives, a router never elects a link that is no better than its leader, came
// after it was elected, and finds it still there.
func TestLeader_NoLaterEqualDisplacesIt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		g := newGrove(r, rapid.SampledFrom([]string{"one router", "chain", "star"}).Draw(r, "shape"), 4)
		kind, on := ExposeObject, thing
		if rapid.Bool().Draw(r, "by tag") {
			kind, on = ExposeTag, object1(`"T"`)
		}
		contracts := make(map[*node]map[ContractKind]ContractID)
		for _, n := range g.leaves {
			contracts[n] = make(map[ContractKind]ContractID)
		}
		t := &tree{world: g.world}
		for range rapid.IntRange(10, 80).Draw(r, "steps") {
			n := rapid.SampledFrom(g.leaves).Draw(r, "leaf")
			toggle := func(kind ContractKind, capacity uint32) {
				d := thing
				if kind == ExposeTag {
					d = on
				}
				if id, open := contracts[n][kind]; open {
					n.close(id)
					delete(contracts[n], kind)
				} else {
					contracts[n][kind] = n.open(kind, d, capacity)
				}
			}
			switch rapid.SampledFrom([]string{"observe", "expose", "both", "deliver", "deliver", "deliver", "settle"}).Draw(r, "step") {
			case "observe":
				toggle(ObserveObject, 0)
			case "expose":
				toggle(kind, 1)
			case "both":
				toggle(ObserveObject, 0)
				toggle(kind, 1)
			case "deliver":
				t.deliver(func(n int) int { return rapid.IntRange(0, n-1).Draw(r, "way") })
			case "settle":
				for t.deliver(func(int) int { return 0 }) {
					if err := g.look(); err != nil {
						r.Fatal(err)
					}
				}
			}
			if err := g.look(); err != nil {
				r.Fatal(err)
			}
		}
	})
}
