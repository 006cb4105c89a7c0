package tidy

import (
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestMustFail_EachPropertyCanFail holds spec/must_fail.txt to the configurations: whatever they check is violated in some run.
func TestMustFail_EachPropertyCanFail(t *testing.T) {
	root := filepath.Join("..", "..")
	configurations := readAll(t, root, "spec/MC_*.cfg")
	if never := neverViolated(configurations, readAll(t, root, "spec/must_fail.txt")); len(never) > 0 {
		t.Errorf("nothing in spec/must_fail.txt violates %v", never)
	}
}

func TestMustFail_SeesWhatNeverFails(t *testing.T) {
	const configuration = "CONSTANTS\n  At <- MCAt\nINVARIANTS\n  One\n  Two\nPROPERTIES\n  Three\n"
	got := neverViolated(configuration, "a | S | INVARIANT One |\nb | S | MISTAKE INVARIANT Two |\n# c | S | PROPERTY Three |\n")
	if !slices.Equal(got, []string{"Two", "Three"}) {
		t.Errorf("never violated: %v", got)
	}
}

var (
	checked  = regexp.MustCompile(`(?m)^  (\w+)$`)
	violated = regexp.MustCompile(`(?m)^[a-z][a-z-]* *\| *\w+ *\| (?:INVARIANT|PROPERTY) (\w+) \|`)
)

// neverViolated are the properties that the configurations check and no line of must_fail.txt has violated, each once.
func neverViolated(configurations, mustFail string) (never []string) {
	fails := make(map[string]bool)
	for _, match := range violated.FindAllStringSubmatch(mustFail, -1) {
		fails[match[1]] = true
	}
	for _, match := range checked.FindAllStringSubmatch(configurations, -1) {
		if name := match[1]; !fails[name] && !slices.Contains(never, name) {
			never = append(never, name)
		}
	}
	return never
}
