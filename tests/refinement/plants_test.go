//go:build plants

package refinement

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"hakuban/internal/plant"
)

// corePlant is a bug that is planted into the core: in file, the first of each pair of changes becomes the second. TestPlants_AreCaught in
// sim has more of them.
type corePlant struct {
	name, file string
	changes    []string
}

// Bugs of loads and rebalances, for the walks of T and B.
var loadPlants = []corePlant{
	{"the threshold is ignored", "balance.go", []string{`expected+x.threshold < x.links`, `expected < x.links`}},
	{"rebalance against the threshold", "balance.go", []string{`expected+x.threshold < x.links[elected.Link].load`, `expected < x.links[elected.Link].load+x.threshold`}},
	{"objects move although they are not to", "balance.go", []string{
		`return x.config.Rebalance && `, `return `,
		"\t\tif !x.config.Rebalance {\n\t\t\treturn\n\t\t}\n", "",
	}},
	{"objects never move", "balance.go", []string{`if !x.config.Rebalance {`, `if true {`}},
	{"nobody is elected again", "balance.go", []string{"\t\telected = x.choice(o)\n", ""}},
	{"who is not elected is not looked at", "balance.go", []string{`return o.dataNeeded && `, `return o.dataNeeded && x.config.Rebalance && `}},
	{"a load limit that excludes itself", "election.go", []string{`limited && expected > limit`, `limited && expected >= limit`}},
	{"the most loaded link", "election.go", []string{`best == nil || expected < load`, `best == nil || expected > load`}},
	{"a share of another capacity", "election.go", []string{`o.share = shareOf(o.part(l).capacity)`, `o.share = shareOf(o.part(l).capacity + 1)`}},
	{"the load limit is not told", "pull.go", []string{`LoadLimit: l.loadPoints`, `LoadLimit: nil`}},
}

// Bugs of rights, for the walks of Rights.
var rightsPlants = []corePlant{
	{"who may not observe does", "rights.go", []string{"\tasked.observes = asked.observes && observe\n", ""}},
	{"who may not expose does", "rights.go", []string{"\tif !expose {", "\tif false {"}},
	{"nothing follows from other rights", "rights.go", []string{"\tx.settleTouched()\n", ""}},
	{"rights that come back find nothing", "rights.go", []string{"x.ask(ol, ol.asked, allowed)", "x.ask(ol, allowed, allowed)"}},
}

// Bugs for real runs.
var realPlants = []corePlant{
	{"the contract of least capacity", "election.go", []string{`c.capacity > best.capacity`, `c.capacity < best.capacity`}},
	{"a sink outlives its election", "election.go", []string{`old.revoked = old.sink != nil`, `old.revoked = false`}},
	{"a lower version is taken", "propagation.go", []string{`order = slices.Compare(state.Version, held.Version)`, `order = slices.Compare(state.Version, held.Version); order *= order`}},
	{"an equal version is taken", "propagation.go", []string{`order = slices.Compare(state.Version, held.Version)`, `order = 2*slices.Compare(state.Version, held.Version) + 1`}},
	{"an elected link without capacity", "election.go", []string{`o.part(l).exposes {`, `o.part(l).exposes && o.part(l).capacity > 0 {`}},
}

// The walks of T and B refuse each. Run it with: go test -tags plants -run Plants -v ./tests/refinement
func TestPlants_OfLoadsAreCaught(t *testing.T) {
	refused := regexp.MustCompile(`(T|B): seed \d+|BUG: a load of \d+`)
	for _, p := range loadPlants {
		t.Run(p.name, func(t *testing.T) { p.refused(t, "^TestWalk_", refused) })
	}
}

// The walks of Rights refuse each.
func TestPlants_OfRightsAreCaught(t *testing.T) {
	refused := regexp.MustCompile(`Rights: seed \d+`)
	for _, p := range rightsPlants {
		t.Run(p.name, func(t *testing.T) { p.refused(t, "^TestWalk_", refused) })
	}
}

// What real exchanges do with a bug planted into the core is no run of the specification, though their recordings are whole.
func TestPlants_RealRunsAreRefused(t *testing.T) {
	refused := regexp.MustCompile(`seed \d+: property "every step is a step of the specification" violated at [^:]*: .*no step of the specification`)
	for _, p := range realPlants {
		t.Run(p.name, func(t *testing.T) { p.refused(t, "TestReal_Every", refused) })
	}
}

// refused demands that the tests named fail with a message, when the bug is planted and the core's own Check is silenced.
func (p *corePlant) refused(t *testing.T, tests string, message *regexp.Regexp) {
	const core = "../../impl"
	changes := []plant.Change{plant.Unchecked(core)}
	for i := 0; i < len(p.changes); i += 2 {
		changes = append(changes, plant.Change{File: filepath.Join(core, p.file), Old: p.changes[i], New: p.changes[i+1]})
	}
	command := exec.Command("go", "test", "-overlay", plant.Overlay(t, changes...), "-run", tests, ".")
	command.Env = append(os.Environ(), "TMPDIR="+t.TempDir()) // where it keeps what is refused
	out, err := command.CombinedOutput()
	match := message.Find(out)
	if err == nil || match == nil {
		t.Fatalf("not refused: %v\n%.2000s", err, out)
	}
	t.Logf("%.200s", match)
}
