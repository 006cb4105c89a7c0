package impl

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"hakuban/wire"

	"pgregory.net/rapid"
)

func identityOf(t *testing.T, text string) string {
	t.Helper()
	_, identity, err := wire.Canonical(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func TestReach_ExactPrefixAndAll(t *testing.T) {
	reach := Reach{Tags: []string{`"T"`}, Prefixes: []string{`["a",1]`}}
	for text, want := range map[string]bool{
		`"T"`: true, `"TT"`: false, `["a",1]`: true, `["a",1,2]`: true, `["a",12]`: false, `["a"]`: false, `["a",1.0]`: false, `{}`: false,
	} {
		expect(t, text, reach.HasTag(identityOf(t, text)), want)
	}
	every := Reach{Prefixes: []string{`[]`}}
	expect(t, "an empty array is a prefix of every array", every.HasTag(`[7]`) && every.HasTag(`[]`) && !every.HasTag(`7`), true)
	tagged, bare := object1(`1`, `"T"`, `"U"`), object1(`1`)
	expect(t, "one tag in reach is enough", reach.HasObject(&tagged), true)
	expect(t, "an object without tags is in no reach but all", reach.HasObject(&bare), false)
	expect(t, "all", (&Reach{All: true}).HasObject(&bare), true)
}

func TestReach_APrefixIsOneOfElements(t *testing.T) {
	element := rapid.SampledFrom([]string{`1`, `12`, `1.0`, `"a"`, `"a,"`, `"a]"`, `[]`, `[1]`, `{"k":[1,2]}`, `null`, `"\\\""`})
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SliceOfN(element, 0, 3).Draw(t, "prefix")
		value := rapid.SliceOfN(element, 0, 4).Draw(t, "value")
		want := len(prefix) <= len(value)
		for i := range prefix {
			want = want && prefix[i] == value[i]
		}
		array := func(elements []string) string { return "[" + strings.Join(elements, ",") + "]" }
		if got := beginsWith(array(value), array(prefix)); got != want {
			t.Fatalf("%v begins with %v: %v, want %v", value, prefix, got, want)
		}
	})
}

// attachWith links a downstream node that has rights.
func (w *world) attachWith(down, up *node, rights *Rights) (upLink LinkID) {
	_, upLink = w.connect(down, up)
	up.step(Input{Kind: InputSetRights, Link: upLink, Rights: rights})
	return upLink
}

func forbidden(t *testing.T, n *node, link LinkID, reason string) {
	t.Helper()
	var err *ForbiddenError
	if !errors.As(n.ended[link], &err) || !strings.Contains(err.Reason, reason) {
		t.Fatalf("link %d ended with %v, want a ForbiddenError that says %q", link, n.ended[link], reason)
	}
}

func TestRights_AContractThatIsNotAllowedEndsTheLinkAndNoOther(t *testing.T) {
	w := newWorld(t)
	up, bad, good := w.node("up", Config{}), w.node("bad", Config{}), w.node("good", Config{})
	rights := &Rights{Observe: Reach{Tags: []string{`"T"`}}}
	badLink, goodLink := w.attachWith(bad, up, rights), w.attachWith(good, up, rights)
	stream := good.open(ObserveObject, object1(`1`, `"T"`), 0)
	bad.open(ObserveObject, object1(`2`, `"U"`), 0)
	up.open(ExposeTag, object1(`"T"`), 1)
	w.settle()
	forbidden(t, up, badLink, `observe of object ["U"]2`)
	expect(t, "the other link", up.ended[goodLink], nil)
	if good.takeOffer(stream) == 0 {
		t.Error("the allowed observer has no stream")
	}
	expect(t, "nothing is left of the refused contract", up.x.objects[object1(`2`, `"U"`).Key], nil)
}

func TestRights_ExposeIsRefusedLikeObserve(t *testing.T) {
	w := newWorld(t)
	up, down := w.node("up", Config{}), w.node("down", Config{})
	link := w.attachWith(down, up, &Rights{Observe: Reach{All: true}, Expose: Reach{Prefixes: []string{`["mine"]`}}})
	down.open(ExposeTag, object1(`["mine",1]`), 1)
	w.settle()
	expect(t, "allowed", up.ended[link], nil)
	down.open(ExposeTag, object1(`["theirs"]`), 1)
	w.settle()
	forbidden(t, up, link, `expose of tag ["theirs"]`)
}

func TestRights_LeftOutContractsAreCountedAndCountAgainWhenAllowed(t *testing.T) {
	w := newWorld(t)
	up, down := w.node("up", Config{}), w.node("down", Config{})
	link := w.attachWith(down, up, &Rights{LeaveOut: true})
	observe := down.open(ObserveObject, thing, 0)
	expose := up.open(ExposeObject, thing, 1)
	w.settle()
	expect(t, "the link lives", up.ended[link], nil)
	expect(t, "left out", up.x.links[link].leftOut, 1)
	expect(t, "nobody needs data", up.takeOffer(expose), 0)
	up.step(Input{Kind: InputSetRights, Link: link, Rights: &Rights{LeaveOut: true, Observe: Reach{All: true}}})
	if err := up.publish(up.takeOffer(expose), "x"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	stream := down.takeOffer(observe)
	expect(t, "seen", down.seen(stream), "x now")
	up.step(Input{Kind: InputSetRights, Link: link, Rights: &Rights{LeaveOut: true}})
	w.settle()
	if got := down.seen(stream); strings.HasSuffix(got, "now") {
		t.Errorf("after the right was taken away the stream shows %q", got)
	}
	down.close(observe)
	up.close(expose)
	w.settle()
	expect(t, "the link lives", up.ended[link], nil)
	expect(t, "objects", len(up.x.objects), 0)
}

func TestRights_WhatIsTakenAwayIsNotDelivered(t *testing.T) {
	w := newWorld(t)
	up, down := w.node("up", Config{}), w.node("down", Config{})
	link := w.attachWith(down, up, nil)
	observe := down.open(ObserveTag, object1(`"T"`), 0)
	expose := up.open(ExposeObject, thing, 1)
	w.settle()
	sink := up.takeOffer(expose)
	if sink == 0 || up.publish(sink, "before") != nil {
		t.Fatal("not published")
	}
	w.settle()
	stream := down.takeOffer(observe)
	expect(t, "seen", down.seen(stream), "before now")
	// The state is owed when the right goes.
	if up.publish(sink, "secret") != nil {
		t.Fatal("not published")
	}
	up.step(Input{Kind: InputSetRights, Link: link, Rights: &Rights{LeaveOut: true}})
	w.settle()
	if got := down.seen(stream); strings.Contains(got, "secret") {
		t.Errorf("shows %q", got)
	}
	up.step(Input{Kind: InputSetRights, Link: link, Rights: &Rights{}})
	forbidden(t, up, link, `observe of tag "T"`)
}

func TestRights_ACapacityAboveTheBoundCountsAsTheBound(t *testing.T) {
	w := newWorld(t)
	up, greedy, fair := w.node("up", Config{}), w.node("greedy", Config{}), w.node("fair", Config{})
	link := w.attachWith(greedy, up, &Rights{Expose: Reach{All: true}, Capacity: 2})
	w.attachWith(fair, up, nil)
	first := greedy.open(ExposeObject, thing, 1<<32-1)
	greedy.open(ExposeTag, object1(`"T"`), 1<<32-1)
	fair.open(ExposeObject, thing, 3)
	w.settle()
	key := thing.Key
	expect(t, "capacity on the object", up.x.objects[key].part(up.x.links[link]).capacity, 2)
	up.open(ObserveObject, thing, 0)
	w.settle()
	expect(t, "the greater real capacity is elected", greedy.takeOffer(first), 0)
}

func TestRights_AVersionTooFarAheadEndsTheLink(t *testing.T) {
	w := newWorld(t)
	up, down := w.node("up", Config{}), w.node("down", Config{})
	link := w.attachWith(down, up, &Rights{Expose: Reach{All: true}, VersionAhead: 60e9})
	expose := down.open(ExposeObject, thing, 1)
	observe := up.open(ObserveObject, thing, 0)
	w.settle()
	sink := down.takeOffer(expose)
	if err := down.publish(sink, "fine", 0, w.now.Wall/1e9+59, 0); err != nil {
		t.Fatal(err)
	}
	w.settle()
	expect(t, "seen", up.seen(up.takeOffer(observe)), "fine now")
	if err := down.publish(sink, "for ever", 1<<62); err != nil {
		t.Fatal(err)
	}
	w.settle()
	forbidden(t, up, link, "more than 60000 ms ahead")
}

func TestRights_AreForDownstreamLinks(t *testing.T) {
	w := newWorld(t)
	up, down := w.node("up", Config{}), w.node("down", Config{})
	downLink, _ := w.connect(down, up)
	for _, input := range []Input{
		{Kind: InputSetRights, Link: downLink, Rights: &Rights{}},
		{Kind: InputAttach, Link: 99, Role: ToUpstream, Rights: &Rights{}},
	} {
		effects := down.step(input)
		expect(t, "refused", len(effects) == 1 && effects[0].Kind == EffectRefused, true)
	}
}

// TestRights_HoldWhateverComes changes rights while contracts come and go. When
// all is quiet, who may observe has the newest state, and who may not has none of
// those published since.
func TestRights_HoldWhateverComes(t *testing.T) {
	objects := []wire.Descriptor{object1(`1`, `"T"`), object1(`2`, `"T"`, `["U",1]`), object1(`3`, `["U",2]`)}
	things := append(objects, object1(`"T"`), object1(`["U",1]`), object1(`["U",2]`))
	kindOf := func(thing int, object, tag ContractKind) ContractKind {
		if thing < len(objects) {
			return object
		}
		return tag
	}
	reach := rapid.Custom(func(t *rapid.T) Reach {
		return rapid.SampledFrom([]Reach{{}, {All: true}, {Tags: []string{`"T"`}}, {Prefixes: []string{`["U"]`}}, {Tags: []string{`["U",2]`}}}).Draw(t, "reach")
	})
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		up, peer := w.node("up", Config{}), w.node("peer", Config{})
		var rights *Rights
		link := w.attachWith(peer, up, rights)
		open := map[int]ContractID{} // the peer's observe contracts, by thing
		exposing := map[int]ContractID{}
		t.Repeat(map[string]func(*rapid.T){
			"rights": func(t *rapid.T) {
				rights = nil
				if rapid.Bool().Draw(t, "limited") {
					rights = &Rights{Observe: reach.Draw(t, "observe"), Expose: reach.Draw(t, "expose"), LeaveOut: true,
						Capacity: rapid.Uint32Range(0, 2).Draw(t, "capacity")}
				}
				up.step(Input{Kind: InputSetRights, Link: link, Rights: rights})
			},
			"observe": func(t *rapid.T) {
				at := rapid.IntRange(0, len(things)-1).Draw(t, "thing")
				if open[at] != 0 {
					peer.close(open[at])
					delete(open, at)
				} else {
					open[at] = peer.open(kindOf(at, ObserveObject, ObserveTag), things[at], 0)
				}
			},
			"expose": func(t *rapid.T) {
				at := rapid.IntRange(0, len(things)-1).Draw(t, "thing")
				if exposing[at] != 0 {
					peer.close(exposing[at])
					delete(exposing, at)
				} else {
					exposing[at] = peer.open(kindOf(at, ExposeObject, ExposeTag), things[at], 3)
				}
			},
			"settle": func(*rapid.T) { w.settle() },
			"": func(t *rapid.T) {
				if err := up.ended[link]; err != nil {
					t.Fatalf("the link ended: %v", err)
				}
			},
		})
		for at, c := range exposing {
			peer.close(c)
			delete(exposing, at)
		}
		w.settle()
		for at := range objects { // upstream's own exposers are elected before any link
			up.publish(up.takeOffer(up.open(ExposeObject, objects[at], 1)), "old", 0, 1)
			if sink := up.takeOffer(up.open(ExposeObject, objects[at], 1)); sink != 0 {
				t.Fatal("two sinks")
			}
		}
		w.settle()
		for key, o := range peer.x.objects {
			at := slices.IndexFunc(objects, func(d wire.Descriptor) bool { return d.Key == key })
			observes := open[at] != 0
			for tag := len(objects); tag < len(things); tag++ {
				observes = observes || open[tag] != 0 && slices.Contains(objects[at].Tags, things[tag].JSON)
			}
			may := rights == nil || rights.Observe.HasObject(&objects[at]) && mayThrough(rights, open, things, objects, at)
			if got := o.held != nil && o.flag.Now; got != (observes && may) {
				t.Fatalf("object %s: has the newest state: %v, observes %v, may %v", key, got, observes, may)
			}
		}
	})
}

// mayThrough reports whether one of the open contracts that cover an object is
// allowed.
func mayThrough(rights *Rights, open map[int]ContractID, things, objects []wire.Descriptor, at int) bool {
	if open[at] != 0 {
		return true
	}
	for tag := len(objects); tag < len(things); tag++ {
		if open[tag] != 0 && slices.Contains(objects[at].Tags, things[tag].JSON) && rights.Observe.HasTag(things[tag].JSON) {
			return true
		}
	}
	return false
}
