package impl

import (
	"testing"

	"hakuban/wire"
)

// elected tells who is elected at n for an object: "nobody", "upstream",
// "contract 3", "tag contract 3" or the name of the node below the link.
func (n *node) elected(key string) string {
	o := n.x.objects[object1(key, `"T"`).Key]
	if o == nil {
		return "no object"
	}
	switch o.elected.Kind {
	case ElectedUpstream:
		return "upstream"
	case ElectedObjectContract:
		return "contract"
	case ElectedTagContract:
		return "tag contract"
	case ElectedLink:
		return n.peers[o.elected.Link].node.name
	}
	return "nobody"
}

// star makes a root with children of the given names, linked in that order.
func star(t *testing.T, config Config, names ...string) (*world, *node, map[string]*node) {
	w := newWorld(t)
	root := w.node("root", config)
	children := make(map[string]*node)
	for _, name := range names {
		children[name] = w.node(name, Config{})
		w.connect(children[name], root)
	}
	w.settle()
	return w, root, children
}

var thing = object1(`1`, `"T"`)

func TestElect_NobodyWhileNoDataIsNeeded(t *testing.T) {
	w, root, c := star(t, Config{}, "a")
	c["a"].open(ExposeObject, thing, 1)
	w.settle()
	expect(t, "elected", root.elected(`1`), "nobody")
}

func TestElect_AnObserverThatExposesItselfNeedsNoData(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "b")
	c["a"].open(ExposeObject, thing, 1)
	c["a"].open(ObserveObject, thing, 0)
	w.settle()
	expect(t, "one such link", root.elected(`1`), "nobody")
	c["b"].open(ExposeObject, thing, 2)
	c["b"].open(ObserveObject, thing, 0)
	w.settle()
	expect(t, "two such links: the greater capacity", root.elected(`1`), "b")
}

func TestElect_TieGoesToWhoExposesLongest(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "b", "o")
	tag := object1(`"T"`)
	later := func(n *node, kind ContractKind, d wire.Descriptor) ContractID {
		defer w.settle()
		return n.open(kind, d, 1)
	}
	elected := func() string {
		observe := later(c["o"], ObserveObject, thing)
		defer w.settle()
		defer c["o"].close(observe)
		return root.elected(`1`)
	}
	b := later(c["b"], ExposeObject, thing)
	a := later(c["a"], ExposeObject, thing)
	expect(t, "both by object, b first", elected(), "b")
	c["b"].close(b)
	w.settle()
	b = later(c["b"], ExposeObject, thing)
	expect(t, "b came back later", elected(), "a")
	c["a"].close(a)
	w.settle()
	a = later(c["a"], ExposeTag, tag)
	bTag := c["b"].open(ExposeTag, tag, 0)
	w.settle()
	expect(t, "the object contract of b is the oldest, then comes a", elected(), "b")
	c["b"].close(b)
	c["b"].step(Input{Kind: InputSetCapacity, Contract: bTag, Capacity: 1})
	w.settle()
	expect(t, "the tag contract of b is younger than that of a", elected(), "a")
	later(c["a"], ExposeObject, thing)
	c["a"].close(a)
	w.settle()
	expect(t, "but older than the object contract of a", elected(), "b")
}

// What a message takes back and asks for again goes on.
func TestElect_AMessageCountsAsAWhole(t *testing.T) {
	x := New(Config{})
	first, second := rawPeer(t, x, 1, ToDownstream), rawPeer(t, x, 2, ToDownstream)
	first.send(then(greeting(), contracts(act(wire.ActionExposeObject, thing.JSON, 1, thing.Tags...), act(wire.ActionExposeTag, `"T"`, 1)))...)
	second.send(then(greeting(), contracts(act(wire.ActionExposeObject, thing.JSON, 2, thing.Tags...)))...)
	first.send(contracts(
		act(wire.ActionUnexposeObject, thing.JSON, 0, thing.Tags...), act(wire.ActionUnexposeTag, `"T"`, 0),
		act(wire.ActionExposeTag, `"T"`, 1), act(wire.ActionExposeObject, thing.JSON, 1, thing.Tags...)))
	first.step(Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: thing})
	expect(t, "elected", x.objects[thing.Key].elected.Link, 1)
}

func TestElect_GreatestCapacityGetsTheFirstObject(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "b", "o")
	c["a"].open(ExposeTag, object1(`"T"`), 1)
	c["b"].open(ExposeTag, object1(`"T"`), 2)
	w.settle()
	c["o"].open(ObserveObject, thing, 0)
	w.settle()
	expect(t, "share 1/2 beats 1", root.elected(`1`), "b")
	c["o"].open(ObserveObject, object1(`2`, `"T"`), 0)
	w.settle()
	expect(t, "1/2+1/2 ties with 1 and a exposed it first", root.elected(`2`), "a")
	c["o"].open(ObserveObject, object1(`3`, `"T"`), 0)
	w.settle()
	expect(t, "1/2+1/2 beats 2", root.elected(`3`), "b")
}

func TestElect_TheElectedStaysThoughABetterOneComes(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "b", "o")
	c["o"].open(ObserveObject, thing, 0)
	c["b"].open(ExposeObject, thing, 1)
	w.settle()
	c["a"].open(ExposeObject, thing, 100)
	w.settle()
	expect(t, "elected", root.elected(`1`), "b")
}

func TestElect_CapacityZeroIsNeverElectedButKeepsWhatItHas(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "o")
	c["o"].open(ObserveObject, thing, 0)
	expose := c["a"].open(ExposeObject, thing, 0)
	w.settle()
	expect(t, "at capacity 0", root.elected(`1`), "nobody")
	c["a"].step(Input{Kind: InputSetCapacity, Contract: expose, Capacity: 1})
	w.settle()
	expect(t, "a change of capacity elects where nobody is elected", root.elected(`1`), "a")
	observe := c["o"].open(ObserveTag, object1(`"T"`), 0)
	w.settle()
	c["a"].step(Input{Kind: InputSetCapacity, Contract: expose, Capacity: 0})
	w.settle()
	c["o"].close(observe)
	w.settle()
	expect(t, "back at capacity 0", root.elected(`1`), "a")
	expect(t, "load remembered", root.x.links[root.x.objects[thing.Key].elected.Link].load, uint64(loadUnit))
}

func TestElect_AChangeOfCapacityMovesNothing(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "b", "o")
	c["o"].open(ObserveObject, thing, 0)
	c["a"].open(ExposeObject, thing, 1)
	w.settle()
	expose := c["b"].open(ExposeTag, object1(`"T"`), 1)
	w.settle()
	c["b"].step(Input{Kind: InputSetCapacity, Contract: expose, Capacity: 1000})
	w.settle()
	expect(t, "elected", root.elected(`1`), "a")
}

// A child that replaces its contract on an object by one on the object's tag says
// so in one message. Were it taken action by action, nobody would need the data
// in between, and every exposer would be revoked (spec/findings.md, 3).
func TestElect_AContractReplacedInOneMessageEndsNothing(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "o", "p")
	expose := c["a"].open(ExposeObject, thing, 1)
	object := c["o"].open(ObserveObject, thing, 0)
	w.settle()
	sink := c["a"].takeOffer(expose)
	if err := c["a"].publish(sink, "x"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	c["o"].close(object)
	c["o"].open(ObserveTag, object1(`"T"`), 0)
	w.settle()
	expect(t, "elected", root.elected(`1`), "a")
	expect(t, "revoked", c["a"].revoked[sink], false)
	expect(t, "held", string(root.x.objects[thing.Key].held.Data), "x")
}

func TestElect_LocalContractsStandAboveLinks(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "o")
	c["o"].open(ObserveObject, thing, 0)
	c["a"].open(ExposeObject, thing, 9)
	w.settle()
	expect(t, "alone", root.elected(`1`), "a")
	tag := root.open(ExposeTag, object1(`"T"`), 0)
	expect(t, "a local tag contract of capacity 0", root.elected(`1`), "tag contract")
	object := root.open(ExposeObject, thing, 5)
	expect(t, "the local one elected now stays", root.elected(`1`), "tag contract")
	root.close(tag)
	expect(t, "then the local object contract", root.elected(`1`), "contract")
	root.close(object)
	expect(t, "then the link", root.elected(`1`), "a")
	w.settle()
	expect(t, "load", root.x.links[root.x.objects[thing.Key].elected.Link].load, uint64(loadUnit/9))
}

func TestElect_LocalObjectContractOfGreatestCapacity(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	n.open(ExposeObject, thing, 1)
	n.open(ExposeObject, thing, 3)
	n.open(ExposeObject, thing, 3)
	n.open(ObserveObject, thing, 0)
	expect(t, "elected", n.x.objects[thing.Key].elected.Contract, 2)
}

func TestElect_LocalTieGoesToWhatWasOpenedFirst(t *testing.T) {
	for _, kind := range []ContractKind{ExposeObject, ExposeTag} {
		n := newWorld(t).node("n", Config{})
		on := map[ContractKind]wire.Descriptor{ExposeObject: thing, ExposeTag: object1(`"T"`)}[kind]
		for _, id := range []ContractID{7, 5, 6} {
			n.step(Input{Kind: InputOpen, Contract: id, ContractKind: kind, Descriptor: on, Capacity: 1})
		}
		n.step(Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: thing})
		expect(t, "elected", n.x.objects[thing.Key].elected.Contract, 7)
		n.close(7)
		expect(t, "then", n.x.objects[thing.Key].elected.Contract, 5)
	}
}

func TestElect_UpstreamStandsAboveAll(t *testing.T) {
	w := newWorld(t)
	top, mid, leaf := w.node("top", Config{}), w.node("mid", Config{}), w.node("leaf", Config{})
	w.connect(leaf, mid)
	leaf.open(ExposeObject, thing, 1)
	leaf.open(ObserveObject, thing, 0)
	local := mid.open(ExposeObject, thing, 1)
	mid.open(ObserveObject, thing, 0)
	w.settle()
	expect(t, "alone", mid.elected(`1`), "contract")
	sink := mid.takeOffer(local)
	top.open(ExposeObject, thing, 1)
	top.open(ObserveObject, thing, 0)
	midLink, topLink := w.connect(mid, top)
	w.settle()
	expect(t, "upstream appears and streams", mid.elected(`1`), "upstream")
	expect(t, "the local sink is revoked", mid.revoked[sink], true)
	mid.step(Input{Kind: InputDetach, Link: midLink})
	top.step(Input{Kind: InputDetach, Link: topLink})
	expect(t, "upstream lost", mid.elected(`1`), "contract")
}

func TestElect_LostLinkMovesTheElection(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "b", "o")
	c["o"].open(ObserveObject, thing, 0)
	c["a"].open(ExposeObject, thing, 1)
	b := c["b"].open(ExposeObject, thing, 1)
	w.settle()
	o := root.x.objects[thing.Key]
	root.step(Input{Kind: InputDetach, Link: o.elected.Link})
	w.settle()
	expect(t, "elected", root.elected(`1`), "b")
	if c["b"].takeOffer(b) == 0 {
		t.Fatal("b was offered no sink")
	}
}

func TestElect_HandOverKeepsTheObserversStream(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "b", "o")
	observe := c["o"].open(ObserveObject, thing, 0)
	a := c["a"].open(ExposeObject, thing, 1)
	b := c["b"].open(ExposeObject, thing, 1)
	w.settle()
	sink, stream := c["a"].takeOffer(a), c["o"].takeOffer(observe)
	if err := c["a"].publish(sink, "from a"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	number := root.x.objects[thing.Key].links[2].stream.number
	c["a"].close(a)
	w.settle()
	expect(t, "elected", root.elected(`1`), "b")
	expect(t, "between the two", c["o"].seen(stream), "from a last")
	expect(t, "stream channel", root.x.objects[thing.Key].links[1].stream.number, number)
	sink = c["b"].takeOffer(b)
	if err := c["b"].publish(sink, "from b"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	expect(t, "after", c["o"].seen(stream), "from b now")
	expect(t, "revoked", c["o"].revoked[stream], false)
}

func TestElect_NobodyTakesOverAndObserversChannelsClose(t *testing.T) {
	w, root, c := star(t, Config{}, "a", "o")
	c["o"].open(ObserveObject, thing, 0)
	a := c["a"].open(ExposeObject, thing, 1)
	w.settle()
	c["a"].close(a)
	w.settle()
	expect(t, "streams left", root.x.objects[thing.Key].links[0].stream == nil, true)
	expect(t, "sources left at o", len(c["o"].x.objects[thing.Key].sources), 0)
}
