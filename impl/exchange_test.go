package impl

import "testing"

func TestShare_LocalExposerToLocalObserver(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	thing := object1(`"thing"`)
	expose := n.open(ExposeObject, thing, 1)
	expect(t, "offers before anybody observes", n.offered[expose], 0)
	observe := n.open(ObserveObject, thing, 0)
	sink, stream := n.takeOffer(expose), n.takeOffer(observe)
	expect(t, "before the first state", n.seen(stream), "nothing")
	if err := n.publish(sink, "1"); err != nil {
		t.Fatal(err)
	}
	expect(t, "told of the state", n.changed[stream], true)
	expect(t, "seen", n.seen(stream), "1 now")
	n.close(observe)
	expect(t, "sink revoked", n.revoked[sink], true)
	expect(t, "publish on it", n.publish(sink, "2"), ErrRevoked)
	n.step(Input{Kind: InputRelease, Offer: sink})
	n.close(expose)
	expect(t, "objects left", len(n.x.objects), 0)
}

func TestShare_ThroughAChainOfThree(t *testing.T) {
	w := newWorld(t)
	a, r, b := w.node("a", Config{}), w.node("r", Config{}), w.node("b", Config{})
	w.connect(a, r)
	bLink, rLink := w.connect(b, r)
	thing := object1(`{"id":1}`, `"T"`)
	expose := a.open(ExposeTag, object1(`"T"`), 1)
	observe := b.open(ObserveObject, thing, 0)
	w.settle()
	sink, stream := a.takeOffer(expose), b.takeOffer(observe)
	if err := a.publish(sink, "hello"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	expect(t, "seen", b.seen(stream), "hello now")
	if err := a.publish(sink, "hello again"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	expect(t, "seen", b.seen(stream), "hello again now")
	a.step(Input{Kind: InputRelease, Offer: sink})
	w.settle()
	expect(t, "after the sink's release", b.seen(stream), "hello again last")
	b.step(Input{Kind: InputDetach, Link: bLink})
	r.step(Input{Kind: InputDetach, Link: rLink})
	w.settle()
	expect(t, "after the link's loss", b.seen(stream), "hello again last")
	expect(t, "objects at r", len(r.x.objects), 0)
	w.connect(b, r)
	w.settle()
	sink = a.takeOffer(expose)
	if err := a.publish(sink, "third"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.settle()
	expect(t, "after resync", b.seen(stream), "third now")
	b.close(observe)
	w.settle()
	expect(t, "objects at a", len(a.x.objects), 0)
	expect(t, "objects at r", len(r.x.objects), 0)
	expect(t, "objects at b", len(b.x.objects), 0)
}

func TestRebalance_MovesOneOfTwoObjects(t *testing.T) {
	w := newWorld(t)
	r := w.node("r", Config{Rebalance: true, RebalanceThreshold: 0.1})
	a, b, o := w.node("a", Config{}), w.node("b", Config{}), w.node("o", Config{})
	w.connect(a, r)
	w.connect(b, r)
	w.connect(o, r)
	ea := a.open(ExposeTag, object1(`"T"`), 1)
	w.settle()
	s1 := o.open(ObserveObject, object1(`1`, `"T"`), 0)
	s2 := o.open(ObserveObject, object1(`2`, `"T"`), 0)
	w.settle()
	k1, k2 := a.takeOffer(ea), a.takeOffer(ea)
	if err := a.publish(k1, "one"); err != nil {
		t.Fatal(err)
	}
	_ = a.publish(k2, "two")
	eb := b.open(ExposeTag, object1(`"T"`), 1)
	w.settle()
	expect(t, "b before rebalance", b.takeOffer(eb), 0)
	for at, ok := r.x.Deadline(); ok; at, ok = r.x.Deadline() {
		w.now.Mono = at
		r.step(Input{Kind: InputTick})
		w.settle()
	}
	moved := b.takeOffer(eb)
	if moved == 0 {
		t.Fatal("nothing moved to b")
	}
	expect(t, "revoked at a", a.revoked[k1] != a.revoked[k2], true)
	if err := b.publish(moved, "moved"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.settle()
	f1, f2 := o.takeOffer(s1), o.takeOffer(s2)
	seen := o.seen(f1) + ", " + o.seen(f2)
	if seen != "moved now, two now" && seen != "one now, moved now" {
		t.Fatalf("seen %s", seen)
	}
}
