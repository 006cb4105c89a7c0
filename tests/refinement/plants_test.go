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

var refused = regexp.MustCompile(`seed (\d+): property "every step is a step of the specification" violated at [^:]*: .*no step of the specification`)

// What real exchanges do with a bug planted into the core, whose own Check is silenced, is no run of the specification, though their
// recordings are whole. (TestPlants_AreCaught in sim has all planted bugs.) Run it with: go test -tags plants -run Plants -v ./tests/refinement
func TestPlants_RealRunsAreRefused(t *testing.T) {
	core, err := filepath.Abs("../../impl")
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(core, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	directory := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const check = "func (x *Exchange) Check() error {\n"
	silenced := write("invariant.go", strings.Replace(read("invariant.go"), check, check+"\tif x != nil {\n\t\treturn nil\n\t}\n", 1))
	for name, p := range map[string]struct{ file, old, new string }{
		"the contract of least capacity":   {"election.go", `c.capacity > best.capacity`, `c.capacity < best.capacity`},
		"a sink outlives its election":     {"election.go", `old.revoked = old.sink != nil`, `old.revoked = false`},
		"a lower version is taken":         {"propagation.go", `case order > 0:`, `case order != 0:`},
		"an equal version is taken":        {"propagation.go", `case order > 0:`, `case order >= 0:`},
		"an elected link without capacity": {"election.go", `o.links[at].anyExposes() {`, `o.links[at].anyExposes() && o.links[at].totalCapacity() > 0 {`},
	} {
		t.Run(name, func(t *testing.T) {
			text := read(p.file)
			if !strings.Contains(text, p.old) {
				t.Fatalf("%s does not contain %q any more", p.file, p.old)
			}
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
				filepath.Join(core, p.file):         write("planted.go", strings.Replace(text, p.old, p.new, 1)),
				filepath.Join(core, "invariant.go"): silenced,
			}})
			if err != nil {
				t.Fatal(err)
			}
			program := filepath.Join(directory, "program")
			if out, err := exec.Command("go", "test", "-overlay", write("overlay.json", string(overlay)), "-c", "-o", program, ".").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			run := exec.Command(program, "-test.run", "TestReal_Every")
			run.Env = append(os.Environ(), "TMPDIR="+directory) // where it keeps what is refused
			out, _ := run.CombinedOutput()
			if found := refused.FindSubmatch(out); found == nil {
				t.Errorf("not refused:\n%.2000s", out)
			} else {
				t.Logf("refused at seed %s", found[1])
			}
		})
	}
}
