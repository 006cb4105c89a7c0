package impl

import (
	"slices"
	"strconv"
	"testing"

	"hakuban/wire"
)

// survey has something happen between each two slices of a survey.
func survey(x *Exchange, now Now, between func()) Snapshot {
	var s Survey
	for x.Survey(&s, now) {
		between()
	}
	return s.Snapshot()
}

// What is there all the time is seen once, whatever comes and goes in between.
func TestSurvey_SeesOnceWhatStays(t *testing.T) {
	for every := 2; every < 7; every++ {
		x := New(Config{Slice: 3})
		r := rawPeer(t, x, 1, ToDownstream)
		r.send(greeting()...)
		const stay = 40
		stays := func(i int) bool { return i%every == 0 }
		for i := range stay * every {
			r.send(contracts(act(wire.ActionObserveObject, strconv.Itoa(i), 0, `"T"`)))
		}
		next := 0
		s := survey(x, r.now, func() {
			for ; next < stay*every && stays(next); next++ {
			}
			if next < stay*every {
				r.send(contracts(act(wire.ActionUnobserveObject, strconv.Itoa(next), 0, `"T"`)),
					contracts(act(wire.ActionObserveObject, strconv.Itoa(1000+next), 0, `"T"`)))
				next++
			}
		})
		seen := make(map[string]int)
		for i := range s.Objects {
			seen[s.Objects[i].Descriptor.JSON]++
		}
		for i := range stay * every {
			if n := seen[strconv.Itoa(i)]; n > 1 || stays(i) && n != 1 {
				t.Errorf("object %d is seen %d times", i, n)
			}
		}
		if next == 0 || !slices.IsSorted(s.Tags[0].Objects) || len(s.Tags[0].Objects) != len(s.Objects) {
			t.Errorf("the tag has %d of %d objects", len(s.Tags[0].Objects), len(s.Objects))
		}
	}
}

func TestSurvey_LooksAtASliceAtATime(t *testing.T) {
	x := New(Config{})
	r := rawPeer(t, x, 1, ToDownstream)
	r.send(greeting()...)
	r.send(asking(wire.ActionObserveObject, 10*DefaultSlice, `"T"`))
	slices := 0
	survey(x, r.now, func() { slices++ })
	if slices < 10 {
		t.Errorf("%d objects are seen in %d slices", 10*DefaultSlice, slices+1)
	}
}

func TestSurvey_AnotherUpstreamMeanwhile(t *testing.T) {
	x := New(Config{Slice: 1})
	x.Step(Now{}, Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: thing})
	x.Step(Now{}, Input{Kind: InputOpen, Contract: 2, ContractKind: ObserveObject, Descriptor: object1(`2`)})
	rawPeer(t, x, 7, ToUpstream)
	var s Survey
	for s.stage < 5 || s.told.count == 0 {
		x.Survey(&s, Now{})
	}
	x.Step(Now{}, Input{Kind: InputDetach, Link: 7})
	rawPeer(t, x, 8, ToUpstream)
	for x.Survey(&s, Now{}) {
	}
	snapshot := s.Snapshot()
	if snapshot.Upstream != 8 {
		t.Errorf("upstream is link %d", snapshot.Upstream)
	}
	for _, l := range snapshot.Links {
		if l.Link == 7 && len(l.Told) > 0 {
			t.Errorf("what link 8 was told is shown as told to link 7")
		}
	}
}
