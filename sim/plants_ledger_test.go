//go:build plants

package sim

import (
	"os/exec"
	"path/filepath"
	"testing"

	"hakuban/internal/plant"
)

// Every bug planted into the ledger, but for those of impl/ledger_room_test.go, is caught by the simulator's checkers, while the
// core's Check, which knows what is charged, is silenced. Run it with: go test -tags
// plants -run TestLedgerPlants -timeout 60m ./sim
func TestLedgerPlants_AreCaught(t *testing.T) {
	const core = "../impl"
	directory := t.TempDir()
	for _, p := range ledgerPlants {
		t.Run(p.name, func(t *testing.T) {
			overlay := plant.Overlay(t, plant.Change{File: filepath.Join(core, p.file), Old: p.old, New: p.new}, plant.Unchecked(core))
			program := filepath.Join(directory, "planted")
			if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", program, "hakuban/cmd/simulate").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			lowest, property := firstViolation(program, "--no-refinement", maxPlantSeeds, "")
			if lowest == 0 {
				t.Errorf("not caught in %d seeds", maxPlantSeeds)
			}
			t.Logf("seed %d: %s", lowest, property)
		})
	}
}

var ledgerPlants = []corePlant{
	{"a charge that moves is not taken back", "ledger.go",
		`	if was.books != nil {
		s := &was.books.sums[was.account]`,
		`	if was.books != nil && (to == nil || to == was.books) {
		s := &was.books.sums[was.account]`},
	{"a charge that shrinks keeps its bytes", "ledger.go",
		`		s.bytes -= was.bytes
`,
		`		s.bytes -= min(was.bytes, max(bytes, was.bytes/2))
`},
	{"a record by tag alone costs nothing", "ledger.go",
		`		x.charge(&ol.charge, &ol.link.books, records, recordBytes)`,
		`		x.charge(&ol.charge, nil, 0, 0)`},
	{"a tag costs nothing", "ledger.go",
		`		x.charge(&tl.charge, &tl.link.books, names, tagSize(tl.tag.text, tl.tag.identity))`,
		`		x.charge(&tl.charge, nil, 0, 0)`},
	{"the newest observer answers", "ledger.go",
		`	for l := range o.observing {
		return &l.books
	}
	return nil
}

// answerer`,
		`	var newest *books
	for l := range o.observing {
		newest = &l.books
	}
	return newest
}

// answerer`},
	{"an own exposer makes a left state free", "ledger.go",
		`	case len(o.observers) > 0:
		return nil, 0
	}
	for`,
		`	case len(o.observers)+len(o.exposers) > 0:
		return nil, 0
	}
	for`},
	{"what others have left is held against the one who keeps it", "ledger.go",
		`		if ol.observes || ol.exposes {
			return &ol.link.books, left
		}`,
		`		if ol.observes || ol.exposes {
			return &ol.link.books, held
		}`},
	{"a hollow state is not filled from a channel", "propagation.go",
		`	if order > 0 || order == 0 && o.hollow {`,
		`	if order > 0 || order == 0 && o.hollow && bringer == nil {`},
	{"half of what is left makes a state hollow", "ledger.go",
		`keeper.sums[left].bytes+more > x.config.Limits.LinkBytes {`,
		`keeper.sums[left].bytes+more > x.config.Limits.LinkBytes/4 {`},
	{"a shrinking upstream does not retry what was withheld", "ledger.go",
		`l != nil && l.outlets.first == nil {`,
		`l != nil && l.outlets.first == nil && l.withheld.length+l.leftover.length > 1 {`},
	{"ties end the oldest", "ledger.go",
		`(most == nil || takes(l) >= takes(most))`,
		`(most == nil || takes(l) > takes(most))`},
	{"nobody is greedy", "ledger.go",
		`		case asks(l)/greed > soon.count:`,
		`		case asks(l)/greed > soon.count+2:`},
	{"only the observer pays for upstream's channels", "ledger.go",
		`	if observer := o.observer(); observer != nil {`,
		`	if observer := o.observer(); observer != nil || o.tally.exposing >= 0 {`},
	{"an answerer's objects are not counted", "ledger.go",
		`	case things > allowed || l.sums[answers].count > limits.LinkObjects:`,
		`	case things > allowed:`},
	{"states that went upstream stay charged", "ledger.go",
		`		x.charge(&c.up, nil, 0, 0)
`,
		``},
	{"nothing is withheld", "withheld.go",
		`size > c.up.bytes && !x.mayLift(c, size-c.up.bytes) {`,
		`size > 64*x.config.Limits.LinkBytes && !x.mayLift(c, size-c.up.bytes) {`},
	{"the format is left out after a base was forgotten", "propagation.go",
		`c.last == nil || len(c.last.Format) == 0 || !slices.Equal`,
		`c.last == nil || len(c.last.Format) > 0 && !slices.Equal`},
}
