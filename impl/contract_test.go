package impl

import (
	"errors"
	"strings"
	"testing"
)

func TestOffer_OneOutstandingAnObjectTheNextAfterItsRelease(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	observe := n.open(ObserveObject, thing, 0)
	first := n.takeOffer(observe)
	expect(t, "while the first is taken", n.takeOffer(observe), 0)
	n.step(Input{Kind: InputRelease, Offer: first})
	second := n.takeOffer(observe)
	if second == 0 || second == first {
		t.Fatalf("after the release: %d", second)
	}
	expect(t, "the first one is dead", n.seen(first), ErrRevoked.Error())
}

func TestOffer_ATagContractHoldsManyFirstInFirstOut(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	observe := n.open(ObserveTag, object1(`"T"`), 0)
	for _, key := range []string{`3`, `1`, `2`} {
		n.open(ExposeObject, object1(key, `"T"`), 1)
	}
	n.open(ExposeObject, object1(`4`, `"U"`), 1)
	var order []string
	for n.offered[observe] > len(order) {
		for _, e := range n.step(Input{Kind: InputTake, Contract: observe}) {
			if e.Kind == EffectTaken {
				order = append(order, e.Descriptor.JSON)
			}
		}
	}
	expect(t, "order", strings.Join(order, " "), "3 1 2")
}

func TestOffer_OneThatNobodyTookIsWithdrawn(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	expose := n.open(ExposeObject, thing, 1)
	n.close(n.open(ObserveObject, thing, 0))
	expect(t, "offered", n.offered[expose], 1)
	expect(t, "taken after its end", n.takeOffer(expose), 0)
}

func TestOffer_ARevokedSinkBlocksTheNextUntilReleased(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	expose := n.open(ExposeObject, thing, 1)
	observe := n.open(ObserveObject, thing, 0)
	sink := n.takeOffer(expose)
	n.close(observe)
	expect(t, "revoked", n.revoked[sink], true)
	n.open(ObserveObject, thing, 0)
	expect(t, "elected again, but not released", n.takeOffer(expose), 0)
	expect(t, "publish on the revoked one", n.publish(sink, "x"), ErrRevoked)
	n.step(Input{Kind: InputRelease, Offer: sink})
	if n.takeOffer(expose) == 0 {
		t.Error("nothing offered after the release")
	}
}

func TestOffer_ARevokedSinkOutlivesItsForgottenObject(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	expose := n.open(ExposeTag, object1(`"T"`), 1)
	observe := n.open(ObserveObject, thing, 0)
	sink := n.takeOffer(expose)
	n.close(observe)
	expect(t, "objects", len(n.x.objects), 0)
	n.open(ObserveObject, thing, 0)
	expect(t, "the object is back, its sink not released", n.takeOffer(expose), 0)
	n.step(Input{Kind: InputRelease, Offer: sink})
	if n.takeOffer(expose) == 0 {
		t.Error("nothing offered after the release")
	}
}

func TestOffer_ReleasingASinkDoesNotEndTheElection(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	expose := n.open(ExposeObject, thing, 1)
	stream := n.takeOffer(n.open(ObserveObject, thing, 0))
	sink := n.takeOffer(expose)
	if err := n.publish(sink, "x"); err != nil {
		t.Fatal(err)
	}
	n.step(Input{Kind: InputRelease, Offer: sink})
	expect(t, "flag", n.seen(stream), "x last")
	if n.takeOffer(expose) == 0 {
		t.Error("not offered at once")
	}
}

func TestOffer_ATagObserversStreamEndsWhenTheObjectDoes(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	observe := n.open(ObserveTag, object1(`"T"`), 0)
	expose := n.open(ExposeObject, thing, 1)
	stream := n.takeOffer(observe)
	sink := n.takeOffer(expose)
	if err := n.publish(sink, "x"); err != nil {
		t.Fatal(err)
	}
	expect(t, "seen", n.seen(stream), "x now")
	n.close(expose)
	expect(t, "revoked", n.revoked[stream], true)
	n.step(Input{Kind: InputRelease, Offer: stream})
	n.step(Input{Kind: InputRelease, Offer: sink})
	expect(t, "objects", len(n.x.objects), 0)
	n.close(observe)
	expect(t, "tags", len(n.x.tags), 0)
	expect(t, "offers", len(n.x.offers), 0)
}

func TestOffer_ChangesAreToldOnceUntilRead(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	sinkOf := n.open(ExposeObject, thing, 1)
	stream := n.takeOffer(n.open(ObserveObject, thing, 0))
	sink := n.takeOffer(sinkOf)
	told := 0
	for range 5 {
		n.changed[stream] = false
		if err := n.publish(sink, "x"); err != nil {
			t.Fatal(err)
		}
		if n.changed[stream] {
			told++
		}
	}
	expect(t, "told", told, 1)
	expect(t, "seen", n.seen(stream), "x now")
}

func TestMisuse_IsRefusedAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	n := w.node("n", Config{})
	c := n.open(ObserveObject, thing, 0)
	stream := n.takeOffer(c)
	n.step(Input{Kind: InputAttach, Link: 9, Role: ToUpstream, Name: "n"})
	for _, row := range []struct {
		story string
		input Input
		want  error // nil: any
	}{
		{"no kind", Input{}, nil},
		{"an unknown kind", Input{Kind: 200}, nil},
		{"contract zero", Input{Kind: InputOpen, ContractKind: ObserveObject, Descriptor: thing}, nil},
		{"a contract id in use", Input{Kind: InputOpen, Contract: c, ContractKind: ObserveObject, Descriptor: thing}, nil},
		{"an unknown contract kind", Input{Kind: InputOpen, Contract: 99, ContractKind: 9, Descriptor: thing}, nil},
		{"close of no contract", Input{Kind: InputClose, Contract: 99}, ErrClosed},
		{"take from no contract", Input{Kind: InputTake, Contract: 99}, ErrClosed},
		{"capacity of no contract", Input{Kind: InputSetCapacity, Contract: 99}, ErrClosed},
		{"capacity of an observer", Input{Kind: InputSetCapacity, Contract: c}, nil},
		{"release of no offer", Input{Kind: InputRelease, Offer: 99}, ErrRevoked},
		{"read of no offer", Input{Kind: InputRead, Offer: 99}, ErrRevoked},
		{"publish on no offer", Input{Kind: InputPublish, Offer: 99}, ErrRevoked},
		{"publish on a stream", Input{Kind: InputPublish, Offer: stream, State: &State{}}, ErrRevoked},
		{"a second upstream", Input{Kind: InputAttach, Link: 10, Role: ToUpstream}, ErrUpstream},
		{"a link id in use", Input{Kind: InputAttach, Link: 9, Role: ToDownstream}, nil},
		{"link zero", Input{Kind: InputAttach, Role: ToDownstream}, nil},
		{"no role", Input{Kind: InputAttach, Link: 11}, nil},
		{"a name that is not UTF-8", Input{Kind: InputAttach, Link: 11, Role: ToDownstream, Name: "\xff"}, nil},
		{"a name too long", Input{Kind: InputAttach, Link: 11, Role: ToDownstream, Name: strings.Repeat("n", 1<<17)}, nil},
	} {
		effects := n.step(row.input)
		if len(effects) != 1 || effects[0].Kind != EffectRefused || effects[0].Err == nil || row.want != nil && !errors.Is(effects[0].Err, row.want) {
			t.Errorf("%s: %+v", row.story, effects)
		}
	}
	for _, kind := range []InputKind{InputDetach, InputReceive, InputPull} {
		if effects := n.step(Input{Kind: kind, Link: 77, Data: []byte{9}}); len(effects) != 0 {
			t.Errorf("input %d on a link that is gone: %+v", kind, effects)
		}
	}
}

func TestPublish_StatesOverALimitAreRefused(t *testing.T) {
	w := newWorld(t)
	config := Config{}
	config.Limits.Wire.State = 100
	config.Limits.Wire.Version = 2
	config.Limits.Wire.Formats = 1
	config.Limits.Wire.Format = 5
	n := w.node("n", config)
	expose := n.open(ExposeObject, thing, 1)
	n.open(ObserveObject, thing, 0)
	sink := n.takeOffer(expose)
	for _, row := range []struct {
		story string
		state *State
		fits  bool
	}{
		{"all at the limit", &State{Version: []int64{1, 1}, Format: []string{"12345"}, Data: make([]byte, 100)}, true},
		{"data", &State{Version: []int64{2}, Data: make([]byte, 101)}, false},
		{"version", &State{Version: []int64{2, 2, 2}}, false},
		{"formats", &State{Version: []int64{2}, Format: []string{"a", "b"}}, false},
		{"format", &State{Version: []int64{2}, Format: []string{"123456"}}, false},
		{"format not UTF-8", &State{Version: []int64{2}, Format: []string{"\xff"}}, false},
		{"no state", nil, false},
	} {
		effects := n.step(Input{Kind: InputPublish, Offer: sink, State: row.state})
		if refused := effects[len(effects)-1].Kind == EffectRefused; refused == row.fits {
			t.Errorf("%s: %+v", row.story, effects)
		}
	}
}
