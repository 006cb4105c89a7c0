//go:build plants

package sim

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"hakuban/internal/plant"
)

// corePlant is a bug that is planted into the core: in file, old becomes new.
type corePlant struct{ name, file, old, new string }

// maxPlantSeeds is how many seeds a planted bug may hide in.
const maxPlantSeeds = 2500

var violated = regexp.MustCompile(`VIOLATED seed (\d+): property "([^"]+)"`)

// maxRefinedSeeds is how many seeds a planted bug may hide in from the refinement.
const maxRefinedSeeds = 500

// forgotten is the planted bugs that the refinement alone does not refuse, and
// what it is that docs/refinement.md says is forgotten.
var forgotten = map[string]string{
	"a load limit that excludes itself":                              "loads",
	"the most loaded link":                                           "loads",
	"ties to the youngest link":                                      "loads",
	"ties to the lowest link":                                        "loads",
	"ties of a tag's candidates to the youngest link":                "loads",
	"the most loaded of a tag's candidates":                          "loads",
	"candidates are not ranked by their capacity":                    "loads",
	"candidates stay where they were when their load changes":        "loads",
	"who was refused is no candidate any more":                       "loads",
	"a link that exposes two tags of an object is only known by one": "loads",
	"a tag contract makes young again":                               "loads",
	"an exposure is as old as the link's first":                      "loads",
	"a share of another capacity":                                    "loads",
	"rounds end before everything was looked at":                     "loads",
	"rebalance against the threshold":                                "loads",
	"the load limit is not told":                                     "loads",
	"rebalance ignores the threshold":                                "loads",
	"rebalance moves though it is off":                               "loads",
	"rebalance never moves":                                          "that something happens",
	"rebalance never elects":                                         "that something happens",
	"a stale state moves the flag":                                   "the time of a last-at",
	"last-at moves back":                                             "the time of a last-at",
	"last-at falls below the last now":                               "the time of a last-at",
	"now ends at another moment":                                     "the time of a last-at",
	"tag observers are not told":                                     "what wakes an application",
	"who exposes a tag is not offered anything":                      "what wakes an application",
	"a stream is told of one change only":                            "what wakes an application",
	"the maximum has no successor":                                   "which version is the default",
	"the default version is the clock":                               "which version is the default",
	"a revoked sink publishes":                                       "nothing: the core panics first",
}

// Every planted bug is caught, by the simulator's own checkers, and by the
// refinement alone unless it is of something forgotten: the core's Check is
// silenced. Run it with: go test -tags plants -run TestPlants -timeout 40m ./sim
func TestPlants_AreCaught(t *testing.T) {
	const core = "../impl"
	directory := t.TempDir()
	var seeds, sizes, refused []int
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			overlay := plant.Overlay(t, plant.Change{File: filepath.Join(core, p.file), Old: p.old, New: p.new}, plant.Unchecked(core))
			program := filepath.Join(directory, "simulate")
			if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", program, "hakuban/cmd/simulate").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			lowest, property := firstViolation(program, "--no-refinement", maxPlantSeeds, "")
			if lowest == 0 {
				t.Errorf("not caught in %d seeds", maxPlantSeeds)
			} else {
				events := shrunk(t, program, lowest, filepath.Join(directory, "tape"))
				t.Logf("seed %d, shrunk to %d events: %s", lowest, events, property)
				seeds = append(seeds, lowest)
				sizes = append(sizes, events)
			}
			lowest, _ = firstViolation(program, "--no-checkers", maxRefinedSeeds, "every step is a step of the specification")
			switch reason := forgotten[p.name]; {
			case lowest > 0:
				t.Logf("seed %d: refused by the refinement alone", lowest)
				refused = append(refused, lowest)
				if reason != "" {
					t.Errorf("refused, although it is said that %s is forgotten", reason)
				}
			case reason == "":
				t.Errorf("not refused by the refinement alone in %d seeds", maxRefinedSeeds)
			}
		})
	}
	summary := func(what string, numbers []int) (median, high int) {
		slices.Sort(numbers)
		if len(numbers) == 0 {
			return 0, 0
		}
		median, high = numbers[len(numbers)/2], numbers[len(numbers)*95/100]
		t.Logf("%d of %d planted bugs %s: median %d, 95th percentile %d, most %d", len(numbers), len(plants), what, median, high, numbers[len(numbers)-1])
		return median, high
	}
	summary("caught by the checkers, seeds until then", seeds)
	summary("refused by the refinement alone, seeds until then", refused)
	if median, high := summary("caught, events when shrunk for at most 10 s", sizes); median > 10 || high > 25 {
		t.Error("expected a median of at most 10 events and a 95th percentile of at most 25")
	}
}

var shrunkTo = regexp.MustCompile(`; (\d+) events; `)

// shrunk is how many events are left of a seed's violation.
func shrunk(t *testing.T, program string, seed int, tape string) int {
	out, _ := exec.Command(program, "run", "--no-refinement", "--seed", strconv.Itoa(seed), "--tape", tape).Output()
	if !bytes.Contains(out, []byte("VIOLATED ")) {
		t.Fatalf("seed %d alone violates nothing:\n%s", seed, out)
	}
	out, _ = exec.Command(program, "shrink", "--no-refinement", tape).Output()
	match := shrunkTo.FindSubmatch(out)
	if match == nil {
		t.Fatalf("seed %d was not shrunk:\n%s", seed, out)
	}
	events, _ := strconv.Atoi(string(match[1]))
	return events
}

// firstViolation is the lowest seed that violates a property, or any when it is
// empty; zero: none.
func firstViolation(program, flag string, most int, of string) (lowest int, property string) {
	for first, count := 1, 100; first <= most && lowest == 0; first, count = first+count, 400 {
		out, _ := exec.Command(program, "sweep", flag, "--from", strconv.Itoa(first), "--seeds", strconv.Itoa(count)).Output()
		for _, match := range violated.FindAllStringSubmatch(string(out), -1) {
			if seed, _ := strconv.Atoi(match[1]); (lowest == 0 || seed < lowest) && (of == "" || match[2] == of) {
				lowest, property = seed, match[2]
			}
		}
	}
	return lowest, property
}

var plants = []corePlant{
	{"the elected local contract does not stay", "election.go",
		`	if x.electedContract(o) != nil { // rule 2: the local contract elected now
		return o.elected
	}
`,
		``},
	{"the contract of least capacity", "election.go",
		`c.capacity > best.capacity`,
		`c.capacity < best.capacity`},
	{"an elected link without capacity goes", "election.go",
		`o.part(l).exposes {`,
		`o.part(l).exposes && o.part(l).capacity > 0 {`},
	{"a load limit that excludes itself", "election.go",
		`limited && expected > limit`,
		`limited && expected >= limit`},
	{"the most loaded link", "election.go",
		`best == nil || expected < load`,
		`best == nil || expected > load`},
	{"ties to the youngest link", "election.go",
		`p.since < since`,
		`p.since > since`},
	{"ties of a tag's candidates to the youngest link", "candidates.go",
		`c[i].begun < c[j].begun`,
		`c[i].begun > c[j].begun`},
	{"the most loaded of a tag's candidates", "candidates.go",
		`c[i].expected < c[j].expected`,
		`c[i].expected > c[j].expected`},
	{"candidates are not ranked by their capacity", "candidates.go",
		`tl.expected = tl.link.load + shareOf(uint64(tl.capacity))`,
		`tl.expected = tl.link.load + shareOf(1)`},
	{"candidates stay where they were when their load changes", "candidates.go",
		`	for _, tl := range l.exposing {
		x.rank(tl)
	}`,
		``},
	{"who was refused is no candidate any more", "candidates.go",
		`	for _, tl := range refused {
		x.rank(tl)
	}`,
		``},
	{"a link that exposes two tags of an object is only known by one", "election.go",
		`		if t != most {`,
		`		if false {`},
	{"ties to the lowest link", "election.go",
		`expected == load && p.since < since`,
		`expected == load && p.since < since && false`},
	{"a tag contract makes young again", "asks.go",
		`a.exposes && (!p.exposes || begun < p.since)`,
		`a.exposes`},
	{"an exposure is as old as the link's first", "election.go",
		`	case !exposes:`,
		`	case false:`},
	{"ties to the contract opened last", "election.go",
		`c.begun < best.begun`,
		`c.begun > best.begun`},
	{"a sink outlives its election", "election.go",
		`old.revoked = old.sink != nil`,
		`old.revoked = false`},
	{"a share of another capacity", "election.go",
		`o.share = shareOf(o.part(l).capacity)`,
		`o.share = shareOf(o.part(l).capacity + 1)`},
	{"a slice skips an action", "slice.go",
		`	end := min(`,
		`	if t.next > 0 && t.next+1 < last {
			t.next++
		}
		end := min(`},
	{"the last slice is left out", "slice.go",
		`	if t.next == last {`,
		`	if t.next+x.config.Slice >= last {`},
	{"rounds end before everything was looked at", "rounds.go",
		`+lasts/moment+roundLength)`,
		`+lasts/moment+1)`},
	{"rebalance against the threshold", "balance.go",
		`expected+x.threshold < x.links[elected.Link].load`,
		`expected < x.links[elected.Link].load+x.threshold`},
	{"rebalance ignores the threshold", "balance.go",
		`expected+x.threshold < x.links[elected.Link].load`,
		`expected < x.links[elected.Link].load`},
	{"rebalance moves though it is off", "balance.go",
		`	switch o.elected.Kind {
	case ElectedNobody:
		return o.dataNeeded`,
		`	x.config.Rebalance = true
	switch o.elected.Kind {
	case ElectedNobody:
		return o.dataNeeded`},
	{"who exposes a tag is not offered anything", "contract.go",
		`		x.emit(Effect{Kind: EffectOffered, Contract: c.id})`,
		`		if c.kind != ExposeTag {
			x.emit(Effect{Kind: EffectOffered, Contract: c.id})
		}`},
	{"rebalance never moves", "balance.go",
		`		if !x.config.Rebalance {
			return
		}
		best, expected`,
		`		if x != nil {
			return
		}
		best, expected`},
	{"rebalance never elects", "balance.go",
		`		elected = x.choice(o)
	case`,
		`	case`},
	{"a stale state moves the flag", "propagation.go",
		`case order == 0 && flag.Now:`,
		`case flag.Now:`},
	{"an equal version is taken", "propagation.go",
		`order = slices.Compare(state.Version, held.Version)`,
		`order = 2*slices.Compare(state.Version, held.Version) + 1`},
	{"a lower version is taken", "propagation.go",
		`order = slices.Compare(state.Version, held.Version)`,
		`order = slices.Compare(state.Version, held.Version)
		order *= order`},
	{"a state erased under an open stream", "propagation.go",
		` && !o.streams()`,
		``},
	{"a state that nobody needs is kept", "propagation.go",
		`if !o.flag.Now && !o.dataNeeded && !o.streams() {`,
		`if false {`},
	{"tag observers are not told", "propagation.go",
		`	for _, t := range o.tags {
		for _, c := range t.observers {
			x.notify(c.offers[o.descriptor.Key])
		}
	}
`,
		``},
	{"a diff to an old state is sent", "propagation.go",
		`	if o.held != held {
		o.deltas.clear()
	}
`,
		``},
	{"flags alone are not sent", "propagation.go",
		` || c.flag != flag`,
		` || false && c.flag != flag`},
	{"states are not sent", "propagation.go",
		` || !slices.Equal(c.last.Version, state.Version))`,
		`)`},
	{"a changed format is not sent", "propagation.go",
		`c.last == nil || len(c.last.Format) == 0 || !slices.Equal(c.last.Format, state.Format)`,
		`c.last == nil`},
	{"a fresh last-at is sent as now", "propagation.go",
		`return max(1, (uint64(x.now.Mono)-uint64(flag.Mono))/1000)`,
		`return (uint64(x.now.Mono)-uint64(flag.Mono))/1000`},
	{"last-at moves back", "propagation.go",
		`o.flag.Mono = max(o.flag.Mono, flag.Mono)`,
		`o.flag.Mono = flag.Mono`},
	{"a summed capacity wraps around", "summary.go",
		`s.capacity = uint32(min(o.capacity(), math.MaxUint32))`,
		`s.capacity = uint32(o.capacity())`},
	{"tags below are not told upstream", "summary.go",
		`len(t.observers)+len(t.observing) > 0`,
		`len(t.observers) > 0`},
	{"changed capacities are not told", "summary.go",
		`case wanted.capacity != was.capacity:`,
		`case false:`},
	{"nothing is offered after a release", "contract.go",
		`	if o != nil && x.contracts[f.contract.id] != nil { // a closed contract has no next offer to wait for
		x.settle(o)
	}
`,
		`	_ = o
`},
	{"a withdrawn offer stays outstanding", "contract.go",
		`		delete(f.contract.offers, f.key)
		f.object = nil
		return`,
		`		f.object = nil
		return`},
	{"a revoked sink publishes", "contract.go",
		`f == nil || f.object == nil || !f.contract.exposes() {
		x.refuse(ErrRevoked)`,
		`f == nil || !f.contract.exposes() {
		x.refuse(ErrRevoked)`},
	{"the maximum has no successor", "contract.go",
		`if last < 0 || version[last] == 1<<63-1 {`,
		`if last < 0 {`},
	{"the default version is the clock", "contract.go",
		`if slices.Compare(version, o.newest) > 0 {`,
		`if true {`},
	{"a local capacity is not told", "contract.go",
		`	if c.object != nil {
		x.summarizeObject(c.object)
	} else {`,
		`	if c.object != nil {
	} else {`},
	{"streams are never closed", "pull.go",
		`if ol.stream != nil && !ol.wantsStream() {`,
		`if false {`},
	{"a revoked sink comes back", "pull.go",
		`if ol.sink != nil && (ol.revoked || !ol.isElected()) {`,
		`if ol.sink != nil && !ol.isElected() {`},
	{"drained with tags to tell", "pull.go",
		`if l.pending.first == nil && l.pendingObjects.first == nil && l.pendingTags.first == nil && l.outlets.first == nil {`,
		`if l.pending.first == nil && l.pendingObjects.first == nil && l.outlets.first == nil {`},
	{"nothing follows the loss of upstream", "link.go",
		`		o.sources, o.outlets = nil, nil
		x.settle(o)`,
		`		o.sources, o.outlets = nil, nil`},
	{"nothing follows the loss of a link", "link.go",
		`		x.settle(concerned[key])
`,
		`		_ = key
`},
	{"nothing follows for its tags' objects from the loss of a link", "link.go",
		`if x.concerns(e.value, l) {`,
		`if false {`},
	{"a lost link stays in the tag summary", "link.go",
		`		x.forgetTagLink(l.tags[t.identity])
`,
		`		_ = t
`},
	{"a new upstream is not told of objects", "link.go",
		`			x.summarizeObject(x.objects[key])
`,
		`			_ = key
`},
	{"a new upstream is not told of tags", "link.go",
		`			x.summarizeTag(x.tags[identity])
`,
		`			_ = identity
`},
	{"the elected link gets its own states", "object.go",
		` != ElectedNobody && !o.isElected(l)`,
		` != ElectedNobody`},
	{"one exposing observer needs data", "object.go",
		`only != nil && !o.part(only).exposes`,
		`only != nil`},
	{"tag observers need no data", "object.go",
		`if len(t.observers) > 0 {`,
		`if len(t.observers) > 9 {`},
	{"a moved election concerns only who asks anew", "object.go",
		`	if !o.moved {`,
		`	if true {`},
	{"links that observe by a tag are not summed up", "asks.go",
		`func(t *tag) []*tagLink { return t.observing }`,
		`func(t *tag) []*tagLink { return nil }`},
	{"nothing follows from a tag contract", "tag.go",
		`if x.concerns(e.value, tl.link) {`,
		`if false {`},
	{"a new exposer of a tag is not elected where nobody was", "object.go",
		`		return o.dataNeeded && o.exposedBy(1) || x.rebalances`,
		`		return x.rebalances`},
	{"a new observer of a tag is not told of what was elected before", "object.go",
		`		for _, t := range o.tags {
			for _, tl := range t.observing {
				x.settleLink(o, tl.link)
			}
		}
`,
		``},
	{"an outlet keeps nothing alive", "object.go",
		`if len(o.sources) > 0 || len(o.outlets) > 0 || len(o.observers) > 0 || len(o.exposers) > 0 {`,
		`if len(o.sources) > 0 || len(o.observers) > 0 || len(o.exposers) > 0 {`},
	{"objects are never forgotten", "object.go",
		`	if o.shouldExist || o.tally.asked > 0 {`,
		`	if o.shouldExist || true {`},
	{"states of a revoked sink are taken", "receive.go",
		`	if ol.revoked {
		return nil
	}
`,
		``},
	{"a closed outlet stays", "receive.go",
		`		o.outlets = slices.DeleteFunc(o.outlets, is)`,
		`		_ = is`},
	{"a control message settles action by action", "receive.go",
		`	x.touch(ol)`,
		`	ol.object.changed = append(ol.object.changed, ol)
	x.settle(ol.object)`},
	{"a new outlet is not sent what is held", "receive.go",
		`if kind == wire.ChannelSink && c.owes() {`,
		`if false {`},
	{"a withdrawn expose keeps its capacity", "asks.go",
		`a.exposes, a.capacity = false, 0`,
		`a.exposes = false`},
	{"a changed capacity below is ignored", "asks.go",
		`		a.capacity = action.Capacity
	}`,
		`	}`},
	{"a stream is told of one change only", "contract.go",
		`	f.notified = false
`,
		``},
	{"a diff is applied to what is held", "propagation.go",
		`diff.Patch(c.last.data(), `,
		`diff.Patch(c.object.held.data(), `},
	{"last-at falls below the last now", "propagation.go",
		`max(o.floor, flag.Mono)`,
		`flag.Mono`},
	{"now ends at another moment", "propagation.go",
		`o.flag = Synchronized{Mono: x.now.Mono}`,
		`o.flag = Synchronized{Mono: x.now.Mono - 5000000}`},
	{"of the states of a message only the first counts", "propagation.go",
		`for i := range a.event.Message.States {`,
		`for i := range min(1, len(a.event.Message.States)) {`},
	{"the load limit is not told", "pull.go",
		`LoadLimit: l.loadPoints`,
		`LoadLimit: nil`},
}
