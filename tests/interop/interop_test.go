package interop

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hakuban/internal/race"
)

// parallel is how many scenarios run at once unless -parallel says: they mostly wait, for processes more than for the processor.
const parallel = 12

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
			panic("BUG: testing has no flag parallel: " + err.Error())
		}
	}
	if race.Enabled && os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // or each of our processes waits a second at its end
	}
	status := m.Run()
	if err := RemoveBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// scenario is one story, told by peers of the reference through each of its trees.
type scenario struct {
	name   string
	trees  []Tree
	router RouterOptions
	run    func(*World)

	// referenceOnly says why no peers of ours tell it; empty: they do.
	referenceOnly string
}

// scenarios is the whole table, in the order of README.md.
var scenarios = [][]scenario{
	objectScenarios, tagScenarios, stateScenarios, idScenarios, electionScenarios, monitorScenarios, linkScenarios, directScenarios,
	libraryScenarios, libraryLinkScenarios, libraryElectionScenarios, libraryParentScenarios,
}

func TestScenarios(t *testing.T) {
	RustReference(t) // without it there is nothing to run against: one reason, at once
	for _, group := range scenarios {
		for _, s := range group {
			trees, mixes := s.trees, Mixes
			if race.Enabled {
				trees, mixes = underRace(s.trees), Mixes[:1]
			}
			for _, tree := range trees {
				t.Run(s.name+"/"+tree.Name(), func(t *testing.T) {
					t.Parallel()
					s.run(StartWorld(t, tree, s.router, []Kind{Rust}))
				})
			}
			if s.referenceOnly != "" {
				continue
			}
			for _, tree := range MixedTrees {
				if !slices.ContainsFunc(trees, func(other Tree) bool { return other.Name() == tree.Name() }) {
					continue
				}
				for _, mix := range mixes {
					t.Run(s.name+"/"+tree.Name()+"/peers="+string(mix[0])+"-"+string(mix[1]), func(t *testing.T) {
						t.Parallel()
						s.run(StartWorld(t, tree, s.router, mix))
					})
				}
			}
		}
	}
}

// underRace is the tree that a scenario runs through with the race detector, which sees our own processes only: the last that has no other
// routers, or else the last. The run without the detector has them all.
func underRace(trees []Tree) []Tree {
	chosen := trees[len(trees)-1]
	for _, tree := range trees {
		if !strings.Contains(tree.Name(), string(Rust)) {
			chosen = tree
		}
	}
	return []Tree{chosen}
}

func TestReadme_ListsEveryScenario(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range scenarios {
		for _, s := range group {
			if row := "| " + s.name + " | "; strings.Count(string(readme), row) != 1 {
				t.Errorf("README.md has not one row for %s", s.name)
			}
		}
	}
}

func TestFindings_ListEveryDoubt(t *testing.T) {
	findings, err := os.ReadFile("../../spec/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range doubts {
		for _, d := range group {
			if !strings.Contains(string(findings), d.name) {
				t.Errorf("spec/findings.md does not name %s", d.name)
			}
		}
	}
}
