package model

import (
	"strings"
	"testing"
)

// A state that nobody has told anything yet: r observes, a exposes.
func TestExplain_SaysWhichConditionIsFalse(t *testing.T) {
	c := S()
	s := c.Start()
	c.Model.Explain(s, ReceiveContracts, func(step Step, reason string) {
		if want := "a message of this kind may be delivered next"; reason != want {
			t.Errorf("%v: %q, expected %q", step.Action, reason, want)
		}
	})
	c.Model.Explain(s, PullUp, func(step Step, reason string) {
		if reason != "" {
			t.Errorf("PullUp: %q, expected it to be enabled", reason)
		}
	})
}

// The story of docs/spec-map.md from one end to the other, by hand.
func TestDo_StateGoesFromExposerToObserver(t *testing.T) {
	c := S()
	m, s := c.Model, c.Start()
	do := func(step Step) {
		t.Helper()
		ways := 0
		reason := m.Do(s, step, func(next State) { s, ways = next, ways+1 })
		if ways != 1 {
			t.Fatalf("%v can happen in %d ways, expected one: %s", step.Action, ways, reason)
		}
	}
	const ea = 0
	do(Step{Action: PullUp})
	do(Step{Action: ReceiveContracts})
	do(Step{Action: PullDown})
	do(Step{Action: ReceiveOpen})
	do(Step{Action: Take, Contract: ea})
	do(Step{Action: Publish, Contract: ea, Flag: Flag{1, true}})
	do(Step{Action: PullUp})
	do(Step{Action: ReceiveStateUp})
	const r = 1
	if held := s.Nodes[r].Held[0]; held != (Flag{1, true}) {
		t.Errorf("r holds %+v, expected state 1, now", held)
	}
	if text := string(m.AppendText(nil, s)); !strings.Contains(text, `held|->[x|->[now|->TRUE,v|->1]]`) {
		t.Errorf("the text does not show what r holds:\n%s", text)
	}
}

// What Successors yields is what Do does, and never changes the state it starts from.
func TestSuccessors_LeavesItsStateAlone(t *testing.T) {
	c := MS()
	m, s := c.Model, c.Start()
	for range 200 {
		before := m.AppendText(nil, s)
		var all []State
		m.Successors(s, func(step Step, next State) { all = append(all, next) })
		if after := m.AppendText(nil, s); string(after) != string(before) {
			t.Fatalf("the state was changed from\n%s\nto\n%s", before, after)
		}
		if len(all) == 0 {
			t.Fatal("nothing can happen")
		}
		s = all[len(all)*7/11]
	}
}
