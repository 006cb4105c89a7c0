package sim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hakuban/sim/checker"
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

// Tapes on which a checker was wrong once, each shrunk:
//   - link-forgotten-under-limit (election): nobody is elected because of a load
//     limit that has risen since; then a link's last channel closes, and its
//     record, which asked for nothing any more, goes. That elects nobody: the
//     timer does.
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
