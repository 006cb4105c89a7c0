//go:build plants

package refinement

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A bug that is planted into the core, and what the refinement says of it.
type plant struct{ name, file, old, new, says string }

// Bugs planted into the core are refused by the refinement alone: the other
// checkers, and the core's own Check, are silent.
// Run it with: go test -tags plants -run Plants -timeout 20m ./sim/refinement
func TestPlants_AreRefused(t *testing.T) {
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
	const check = "func (x *Exchange) Check() error {\n"
	silenced := strings.Replace(read("invariant.go"), check, check+"\tif x != nil {\n\t\treturn nil\n\t}\n", 1)
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			text := read(p.file)
			if !strings.Contains(text, p.old) {
				t.Fatalf("%s does not contain %q any more", p.file, p.old)
			}
			directory := t.TempDir()
			write := func(name, text string) string {
				path := filepath.Join(directory, name)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return path
			}
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
				filepath.Join(core, p.file):         write("planted.go", strings.Replace(text, p.old, p.new, 1)),
				filepath.Join(core, "invariant.go"): write("invariant.go", silenced),
			}})
			if err != nil {
				t.Fatal(err)
			}
			run := exec.Command("go", "test", "-overlay", write("overlay.json", string(overlay)), "-run", "EveryStep", ".")
			run.Env = append(os.Environ(), "HAKUBAN_REFINE_SEEDS=400", "HAKUBAN_REFINE_UNCHECKED=1")
			out, err := run.CombinedOutput()
			if err == nil {
				t.Fatal("not refused in 400 seeds")
			}
			if !strings.Contains(string(out), p.says) {
				t.Errorf("%q is not in:\n%s", p.says, out)
			}
			_, first, _ := strings.Cut(string(out), "seed ")
			t.Logf("seed %.500s", first)
		})
	}
}

var plants = []plant{
	{"the elected local contract does not stay", "election.go",
		`	if x.electedContract(o) != nil { // rule 2: the local contract elected now
		return o.elected
	}
`, ``, ".elected: the specification has [{Who:2"},
	{"the contract of least capacity", "election.go", `c.capacity > best.capacity`, `c.capacity < best.capacity`,
		".elected: the specification has [{Who:2"},
	{"an elected link without capacity goes", "election.go",
		`o.links[at].anyExposes() {`, `o.links[at].anyExposes() && o.links[at].totalCapacity() > 0 {`,
		".elected: the specification has [{Who:3"},
	{"a sink outlives its election", "election.go", `old.revoked = old.sink != nil`, `old.revoked = false`,
		".revoked: the specification has ["},
	{"a lower version is taken", "propagation.go", `case order > 0:`, `case order != 0:`,
		".held: the specification has [{State:"},
	{"a state erased under an open stream", "propagation.go", ` && !o.streams()`, ``,
		".held: the specification has [{State:"},
	{"a state that nobody needs is kept", "propagation.go", `if !o.flag.Now && !o.dataNeeded && !o.streams() {`, `if false {`,
		".held: the specification has [{State:0 Now:false}]"},
	{"flags alone are not sent", "propagation.go", ` || c.flag != c.object.flag`, ``,
		"has nothing to send, but the specification has Pull"},
	{"a summed capacity wraps around", "summary.go", `s.capacity = uint32(min(capacity, math.MaxUint32))`, `s.capacity = uint32(capacity)`,
		"expected PullUp("},
	{"changed capacities are not told", "summary.go", `case wanted.capacity != was.capacity:`, `case false:`,
		".told: the specification has ["},
	{"nothing is offered after a release", "contract.go",
		`	if o != nil && x.contracts[f.contract.id] != nil { // a closed contract has no next offer to wait for
		x.settle(o)
	}
`, `	_ = o
`, ".offers: the specification has ["},
	{"streams are never closed", "pull.go", `if ol.stream != nil && !ol.wantsStream() {`, `if false {`,
		"the specification has"},
	{"a revoked sink comes back", "pull.go", `if ol.sink != nil && (ol.revoked || !ol.isElected()) {`, `if ol.sink != nil && !ol.isElected() {`,
		"the specification has"},
	{"drained with tags to tell", "pull.go",
		`if l.pending.first == nil && l.pendingObjects.first == nil && l.pendingTags.first == nil && l.outlets.first == nil {`,
		`if l.pending.first == nil && l.pendingObjects.first == nil && l.outlets.first == nil {`,
		"has nothing to send, but the specification has PullUp("},
	{"nothing follows the loss of upstream", "link.go",
		`		o.sources, o.outlets = nil, nil
		x.settle(o)`, `		o.sources, o.outlets = nil, nil`, "expected Detach("},
	{"a new upstream is not told of tags", "link.go", `			x.summarizeTag(x.tags[identity])
`, `			_ = identity
`, "has nothing to send, but the specification has PullUp("},
	{"the elected link gets its own states", "object.go", ` != ElectedNobody && !ol.isElected()`, ` != ElectedNobody`,
		"expected PullDown("},
	{"states of a revoked sink are taken", "receive.go", `	if ol.revoked {
		return nil
	}
`, ``, "expected ReceiveStateUp("},
	{"a closed outlet stays", "receive.go", `		o.outlets = slices.DeleteFunc(o.outlets, is)`, `		_ = is`,
		".outlets: the specification has ["},
	{"a control message settles action by action", "receive.go", `	x.touch(ol.object)`, `	x.settle(ol.object)`,
		"expected ReceiveContracts("},
	{"a diff is applied to what is held", "propagation.go", `		old = c.last.Data
`, `		old = c.object.held.Data
`, "that nobody published"},
}
