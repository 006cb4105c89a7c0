package tidy

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// rules are all rules, by the name of their test.
var rules = []struct {
	name string
	rule func(*Tree) []string
}{
	{"Determinism", Determinism},
	{"Arrows", Arrows},
	{"Length", Length},
	{"OpenEnds", OpenEnds},
	{"LockFiles", LockFiles},
	{"Places", Places},
	{"Formatted", Formatted},
	{"Documented", Documented},
}

var thisModule = sync.OnceValues(func() (*Tree, error) { return loadModule("../..") })

func TestModuleIsTidy(t *testing.T) {
	tree, err := thisModule()
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, finding := range rule.rule(tree) {
				t.Error(finding)
			}
		})
	}
}

// A rule that looked at nothing would find nothing.
func TestRulesSeeTheModule(t *testing.T) {
	tree, err := thisModule()
	if err != nil {
		t.Fatal(err)
	}
	if got, least := checkedPackages(tree), []string{"hakuban/impl", "hakuban/model", "hakuban/wire", "hakuban/wire/diff"}; !isSuperset(got, least) {
		t.Errorf("the rule of determinism looked at %v, expected at least %v", got, least)
	}
	for _, path := range []string{"hakuban", "hakuban/cmd/hakuban-router", "hakuban/examples/quickstart", "hakuban/impl", "hakuban/transport"} {
		if !slices.ContainsFunc(tree.Packages, func(p *Package) bool { return p.Path == path && len(p.Imports) > 0 }) {
			t.Errorf("package %s was not looked at", path)
		}
	}
	for _, name := range []string{"README.md", "go.mod", ".ci/run"} {
		if tree.Files[name] == nil {
			t.Errorf("file %s was not looked at", name)
		}
	}
}

func isSuperset(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// Each case plants one breach; the rule must say exactly what the case names, once, and nothing when the breach is mended.
func TestRulesFindWhatIsPlanted(t *testing.T) {
	for _, c := range planted {
		t.Run(c.name, func(t *testing.T) {
			tree, err := newTree(map[string][]byte{c.file: []byte(c.source)}, "../..")
			if err != nil {
				t.Fatal(err)
			}
			found := c.rule(tree)
			if c.finding == "" {
				if len(found) > 0 {
					t.Errorf("found %q, expected nothing", found)
				}
				return
			}
			if len(found) != 1 || !strings.Contains(found[0], c.finding) {
				t.Errorf("found %q, expected one finding with %q", found, c.finding)
			}
		})
	}
}
