//go:build plants

package refinement

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// plants is bugs of loads and rebalances that are planted into the core: in file, the first of two becomes the second.
var plants = []struct {
	name, file string
	changes    []string
}{
	{"the threshold is ignored", "balance.go", []string{`expected+x.threshold < o.links`, `expected < o.links`}},
	{"rebalance against the threshold", "balance.go", []string{`expected+x.threshold < o.links[at].link.load`, `expected < o.links[at].link.load+x.threshold`}},
	{"objects move although they are not to", "balance.go", []string{
		`(x.config.Rebalance || o.elected.Kind == ElectedNobody) && `, ``,
		"\t\tif !x.config.Rebalance {\n\t\t\treturn\n\t\t}\n", "",
	}},
	{"objects never move", "balance.go", []string{`if !x.config.Rebalance {`, `if true {`}},
	{"nobody is elected again", "balance.go", []string{"\t\telected = x.pick(o)\n", ""}},
	{"who is not elected is not looked at", "balance.go", []string{` || o.elected.Kind == ElectedNobody)`, `)`}},
	{"a load limit that excludes itself", "election.go", []string{`limited && expected > limit`, `limited && expected >= limit`}},
	{"the most loaded link", "election.go", []string{`best == nil || expected < load`, `best == nil || expected > load`}},
	{"a share of another capacity", "election.go", []string{`o.share = shareOf(o.links[at].totalCapacity())`, `o.share = shareOf(o.links[at].totalCapacity()+1)`}},
	{"the load limit is not told", "pull.go", []string{`LoadLimit: l.loadPoints`, `LoadLimit: nil`}},
}

var refused = regexp.MustCompile(`(T|B): seed \d+|BUG: a load of \d+`)

// The walks of T and B refuse each. Run it with: go test -tags plants -run Plants ./tests/refinement
func TestPlants_OfLoadsAreCaught(t *testing.T) {
	core, err := filepath.Abs("../../impl")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(core, p.file))
			if err != nil {
				t.Fatal(err)
			}
			for at := 0; at < len(p.changes); at += 2 {
				if strings.Count(string(text), p.changes[at]) != 1 {
					t.Fatalf("%s does not contain %q once any more", p.file, p.changes[at])
				}
			}
			directory := t.TempDir()
			planted, overlay := filepath.Join(directory, "planted.go"), filepath.Join(directory, "overlay.json")
			replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(core, p.file): planted}})
			if err != nil {
				t.Fatal(err)
			}
			for path, content := range map[string]string{planted: strings.NewReplacer(p.changes...).Replace(string(text)), overlay: string(replace)} {
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.Command("go", "test", "-overlay", overlay, "-run", "^TestWalk_", "hakuban/tests/refinement").CombinedOutput()
			match := refused.Find(out)
			if err == nil || match == nil {
				t.Fatalf("not refused: %v\n%.2000s", err, out)
			}
			t.Logf("%s", match)
		})
	}
}
