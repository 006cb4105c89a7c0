package sim

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hakuban/impl"
	"hakuban/sim/checker"
	"hakuban/sim/mark"
	"hakuban/wire"
)

// Seed 10586, shrunk to three actions: the root exposes an object, its child
// observes it, and the child's child exposes it too, with capacity zero. The
// root believes that the child's branch, which exposes, needs no data from
// elsewhere, and ends its own election; the child elects nobody, because the
// capacity is zero. The observer starves beside a willing exposer. The rules are
// the reference's (DataNeeded looks at who exposes, rule 6 at capacity). When
// they are changed, this test fails, and the excuse in checker.Convergent goes.
func TestFinding_CapacityZeroBelowStarvesObservers(t *testing.T) {
	tape := readTape(t, "testdata/capacity-zero-starves.tape")
	v := Run(Config{Source: tape, Slots: tape.Slots, Checkers: []checker.Checker{&checker.Convergent{Unexcused: true}}}).Violation
	if v == nil || !strings.Contains(v.Text, "would expose it") {
		t.Errorf("violation %v; expected the observer to starve", v)
	}
	if v := Run(Config{Source: tape, Slots: tape.Slots}).Violation; v != nil {
		t.Errorf("otherwise: %v", v)
	}
}

// Tapes on which a checker or the core was wrong once, each shrunk:
//   - queued-outlet-closed-under-limit (limits): room upstream was kept for an outlet
//     that closed before it sent anything, and another outlet waited for ever.
//   - link-forgotten-under-limit (election): nobody is elected because of a load
//     limit that has risen since; then a link's last channel closes, and its
//     record, which asked for nothing any more, goes. That elects nobody: the
//     timer does.
//   - limit-between-two-states-of-a-message (refinement): the first state of a
//     message was taken, and for the second one the link ended.
func TestTapes_Hold(t *testing.T) {
	files, err := filepath.Glob("testdata/holds/*.tape")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d tapes: %v", len(files), err)
	}
	for _, file := range files {
		tape := readTape(t, file)
		if v := Run(Config{Source: tape, Slots: tape.Slots}).Violation; v != nil {
			t.Errorf("%s: %v", file, v)
		}
	}
}

// Likewise, told step by step: a link that goes had nothing but a sink to close,
// and the link that a load limit had refused is elected for that.
func TestElection_AfterALinkThatAskedForNothing(t *testing.T) {
	marks := new(mark.Set)
	tree := &Tape{Choices: map[Label]uint32{{Kind: chooseShape}: 1, {Kind: chooseSize}: 1, {Kind: chooseObjects}: 1, denseLabel: denseAlways}}
	w := NewWorld(tree, checker.NewSet(checker.All(), marks), marks, nil)
	w.rules.window = 1 // whoever does not take a message gets no more
	root, a, b := w.nodes[0], w.nodes[1], w.nodes[2]
	b.loadLimit = []wire.LoadPoint{{Seconds: 0.4, Load: 0}, {Seconds: 0.4, Load: 1}}
	wait := func() { w.runUntil(w.now + 50*millisecond) }
	elected := func() impl.Elected { s := root.core.Snapshot(w.clock(root)); return s.Objects[0].Elected }
	wait()
	w.open(root, impl.ObserveObject, 0, 0)
	w.open(root, impl.ExposeObject, 1, 1)
	w.open(a, impl.ExposeObject, 0, 1)
	w.open(a, impl.ObserveObject, 1, 0)
	wait()
	if elected().Link == 0 {
		t.Fatal("the exposer was not elected")
	}
	a.stallUntil[parentEnd] = 60 * second
	sink := root.offers[slices.IndexFunc(root.offers, func(o *offer) bool { return o.sink })]
	w.publish(sink, impl.State{Data: []byte("1"), Format: formatJSON}, impl.Synchronized{Now: true})
	w.open(b, impl.ExposeObject, 0, 1)
	wait()
	w.close(a, a.contracts[0])
	wait()
	if elected() != (impl.Elected{}) {
		t.Fatalf("%+v is elected, although b has no room", elected())
	}
	w.runUntil(450 * millisecond) // and b is not asked again before half a second has passed
	if elected() != (impl.Elected{}) {
		t.Fatalf("%+v is elected, and nothing happened", elected())
	}
	w.lose(a.up, lossSilent, lossNoticed, false)
	wait()
	if v := w.Violation(); v != nil || elected().Link == 0 {
		t.Errorf("%+v is elected: %v", elected(), v)
	}
}

func readTape(t *testing.T, name string) *Tape {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	tape, err := ReadTape(file)
	if err != nil {
		t.Fatal(err)
	}
	return tape
}
