package linearizability

import (
	"flag"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "run this seed only, under each schedule; 0: run -seeds of them")
	seedsFlag = flag.Uint64("seeds", 300, "how many seeds to run")
)

// seeds returns those to run.
func seeds() []uint64 {
	if *seedFlag != 0 {
		return []uint64{*seedFlag}
	}
	var list []uint64
	for seed := range *seedsFlag {
		list = append(list, seed+1)
	}
	return list
}

// patient is how long Porcupine may take for one history; they take milliseconds.
const patient = 20 * time.Second

// check gives a history to Porcupine, whole or object by object.
func (r rules) check(objects int, whole bool, history []porcupine.Operation) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(r.porcupineModel(objects, whole), history, patient)
}

// brief is how long Porcupine may take to refuse one history. To refuse a whole one can take a search of all its orders, which is
// exponential; one that runs out is not counted as refused, and another seed will do as well. The calls of one worker have one order: there
// patient is for machines that are busy with something else.
const brief = 500 * time.Millisecond

// refuses says whether a wrong model, or the right one of a wrong history, finds fault within a limit for each way to look.
func (r rules) refuses(objects int, history []porcupine.Operation, limit time.Duration) bool {
	for _, whole := range []bool{false, true} {
		if porcupine.CheckOperationsTimeout(r.porcupineModel(objects, whole), history, limit) == porcupine.Illegal {
			return true
		}
	}
	return false
}

// TestLinearizable_OneExchange runs all programs under both schedules.
func TestLinearizable_OneExchange(t *testing.T) {
	for _, s := range []schedule{virtual, parallel} {
		t.Run(s.String(), func(t *testing.T) {
			marks, calls, overlaps, running, checking := map[string]int{}, 0, 0, time.Duration(0), time.Duration(0)
			for _, seed := range seeds() {
				p, start := newProgram(seed, 0), time.Now()
				history := execute(t, p, s)
				ran := time.Now()
				for _, whole := range []bool{false, true} {
					if result := (rules{}).check(p.objects, whole, history); result != porcupine.Ok {
						t.Fatalf("whole=%t: %s\n%s", whole, result, explain(t, p, s, whole, history))
					}
				}
				calls += len(history)
				overlaps += overlapping(history)
				mark(marks, history)
				running += ran.Sub(start)
				checking += time.Since(ran)
			}
			t.Logf("%d seeds, %d calls, each beside %.1f others; ran in %v (%.0f calls/s), checked twice in %v (%.0f calls/s)", len(seeds()), calls,
				2*float64(overlaps)/float64(calls), running.Round(time.Millisecond), float64(calls)/running.Seconds(),
				checking.Round(time.Millisecond), 2*float64(calls)/checking.Seconds())
			if len(seeds()) < 100 {
				return
			}
			for _, name := range allMarks {
				if marks[name] == 0 {
					t.Errorf("no seed has %s: the programs have become too tame", name)
				}
			}
			if overlaps < calls/2 {
				t.Errorf("%d pairs of %d calls overlap: there is no concurrency to check", overlaps, calls)
			}
			for _, name := range allMarks {
				t.Logf("%6d %s", marks[name], name)
			}
		})
	}
}

// TestReplay_SameSeedSameHistory holds the virtual schedule to its promise.
func TestReplay_SameSeedSameHistory(t *testing.T) {
	for _, seed := range seeds()[:min(150, len(seeds()))] {
		a, b := execute(t, newProgram(seed, 0), virtual), execute(t, newProgram(seed, 0), virtual)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d gave two histories", seed)
		}
	}
}

// explain writes Porcupine's picture of a history, and says how to see it again.
func explain(t *testing.T, p *program, s schedule, whole bool, history []porcupine.Operation) string {
	t.Helper()
	model := rules{}.porcupineModel(p.objects, whole)
	_, info := porcupine.CheckOperationsVerbose(model, history, patient)
	page := filepath.Join(t.ArtifactDir(), "history.html")
	if err := porcupine.VisualizePath(model, info, page); err != nil {
		t.Errorf("the picture: %v", err)
	}
	text := p.String() + "\nschedule " + s.String() + "; run again with -seed and, to keep the picture, -artifacts: " + page
	for _, ordered := range info.PartialLinearizationsOperations() {
		longest := slices.MaxFunc(ordered, func(a, b []porcupine.Operation) int { return len(a) - len(b) })
		left := without(history, longest)
		if len(left) == 0 {
			continue
		}
		text += "\nin order as far as possible:"
		for _, call := range longest {
			text += "\n  " + describe(model, call)
		}
		text += "\nno place was found for one of:"
		for _, call := range left {
			text += "\n  " + describe(model, call)
		}
	}
	return text
}

// without returns the calls on the objects of some calls that are not among these.
func without(history, some []porcupine.Operation) (left []porcupine.Operation) {
	objects, ordered := map[int]bool{}, map[*result]bool{}
	for _, call := range some {
		ordered[call.Output.(*result)] = true
		for _, object := range call.Input.(part).objects {
			objects[object] = true
		}
	}
	for _, call := range history {
		if !ordered[call.Output.(*result)] && slices.ContainsFunc(call.Input.(part).objects, func(object int) bool { return objects[object] }) {
			left = append(left, call)
		}
	}
	return left
}

func describe(model porcupine.Model, call porcupine.Operation) string {
	return fmt.Sprintf("[%d, %d] worker %d: %s", call.Call, call.Return, call.ClientId, model.DescribeOperation(call.Input, call.Output))
}

// overlapping counts the pairs of calls of which neither ended before the other began.
func overlapping(history []porcupine.Operation) (pairs int) {
	for i, a := range history {
		for _, b := range history[:i] {
			if a.Call < b.Return && b.Call < a.Return {
				pairs++
			}
		}
	}
	return pairs
}

// allMarks are the situations that a hundred seeds must reach.
var allMarks = []string{
	"a sink", "a stream", "a sink after a wait", "a sink after Offered", "no offer", "no offer after a wait", "an offer of a tag contract", "a closed contract",
	"a sent state", "a state refused as stale", "a state refused by a revoked sink", "a state refused by a closed sink",
	"a default version that follows a later one", "a version with a 0 appended", "a state that is now", "a state that was", "no state",
	"a state after a wait", "no news", "no news after a wait", "a revoked stream", "two streams that see one state",
	"an object live and not needed", "a tag contract elected", "a revoked offer in the way",
}

// mark counts situations in a history.
func mark(marks map[string]int, history []porcupine.Operation) {
	readers := map[string]int{}
	for _, call := range history {
		in, out := call.Input.(part), call.Output.(*result)
		when := func(name string, is bool) {
			if is {
				marks[name]++
			}
		}
		switch in.verb {
		case take, tryTake, waitTake, waitOffered:
			when("a sink", out.offer != 0 && in.kind.exposes())
			when("a stream", out.offer != 0 && !in.kind.exposes())
			when("a sink after a wait", out.offer != 0 && in.kind.exposes() && in.verb == waitTake)
			when("a sink after Offered", out.offer != 0 && in.kind.exposes() && in.verb == waitOffered)
			when("no offer", out.outcome == nothing)
			when("no offer after a wait", out.outcome == nothing && in.verb == waitTake)
			when("an offer of a tag contract", out.offer != 0 && in.kind.ofTag())
			when("a closed contract", out.outcome == closed)
		case send:
			when("a sent state", out.outcome == good)
			when("a state refused as stale", out.outcome == stale)
			when("a state refused by a revoked sink", out.outcome == revoked)
			when("a state refused by a closed sink", out.outcome == closed)
		case latest, next, waitNext:
			when("a state that is now", out.outcome == good && out.seen.lastAt == 0)
			when("a state that was", out.outcome == good && out.seen.lastAt != 0)
			when("no state", out.outcome == nothing && in.verb == latest)
			when("a state after a wait", out.outcome == good && in.verb == waitNext)
			when("no news", out.outcome == nothing && in.verb == next)
			when("no news after a wait", out.outcome == nothing && in.verb == waitNext)
			when("a revoked stream", out.outcome == revoked)
			if out.outcome == good {
				version := out.seen.version
				byDefault := out.seen.data[0] == 'n'
				when("a default version that follows a later one", byDefault && (len(version) != 3 || version[1] != bubbleStart/1e9))
				when("a version with a 0 appended", byDefault && len(version) > 1 && len(version) < 4 && slices.Max(version) == maxInteger)
				if first, ok := readers[out.seen.data]; ok {
					when("two streams that see one state", first != in.offer)
				}
				readers[out.seen.data] = in.offer
			}
		case snapshot:
			for _, l := range out.looks {
				when("an object live and not needed", l.live && !l.needed)
				when("a tag contract elected", l.elected == tagContract)
				when("a revoked offer in the way", l.revoked > 0)
			}
		}
	}
}

const maxInteger = 1<<63 - 1
