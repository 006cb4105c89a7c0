package linearizability

import (
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
)

// mutant is a change to the model that makes it wrong.
type mutant string

const (
	capacityElects            mutant = "a changed capacity elects anew"
	electedMayLose            mutant = "the elected contract stays elected only while it would win again"
	tagBeforeObject           mutant = "tag contracts are elected before object contracts"
	tieGoesToNewest           mutant = "of equal capacities the contract opened last is elected"
	tagsKeepAlive             mutant = "a tag contract makes an object's data needed"
	revokedSinkSends          mutant = "a revoked sink still sends"
	revokedOfferIsNotInTheWay mutant = "an offer comes before the revoked one is released"
	releasedOfferIsTheLast    mutant = "a released offer is followed by none"
	olderIsTaken              mutant = "a state of a lower version is taken"
	sameAgainIsStale          mutant = "the same state again is stale"
	clockIsTheVersion         mutant = "the default version is the clock whatever is held"
	versionsOutliveObject     mutant = "default versions follow those of an object that was forgotten"
	goneSinkVouches           mutant = "a state stays current when its sink is gone"
	lastAtMovesBack           mutant = "last at moves back"
	nothingIsErased           mutant = "a state stays when nobody needs it"
	nextRepeats               mutant = "Next returns what was read before"
)

var mutants = []mutant{
	capacityElects, electedMayLose, tagBeforeObject, tieGoesToNewest, tagsKeepAlive, revokedSinkSends, revokedOfferIsNotInTheWay,
	releasedOfferIsTheLast, olderIsTaken, sameAgainIsStale, clockIsTheVersion, versionsOutliveObject, goneSinkVouches, lastAtMovesBack,
	nothingIsErased, nextRepeats,
}

// TestMutants_WrongModelsRefuseRightHistories changes one rule of the model at a time.
func TestMutants_WrongModelsRefuseRightHistories(t *testing.T) {
	alive := slices.Clone(mutants)
	refused, first := map[mutant]int{}, map[mutant]uint64{}
	for seed := range uint64(900) {
		p := newProgram(seed+1, 0)
		history := execute(t, p, virtual)
		for _, m := range mutants {
			if refused[m] < 3 && (rules{m}).refuses(p.objects, history, brief) {
				if refused[m]++; refused[m] == 1 {
					first[m] = seed + 1
				}
			}
		}
		if alive = slices.DeleteFunc(alive, func(m mutant) bool { return refused[m] == 3 }); len(alive) == 0 {
			break
		}
	}
	for _, m := range mutants {
		t.Logf("%-70s first refused by seed %d", m, first[m])
	}
	for _, m := range alive {
		t.Errorf("refused by %d seeds, 3 were expected: %s", refused[m], m)
	}
}

// lie changes the result of a call into one that it cannot have had, as far as the history up to it tells; false when it has nothing to
// lie about.
type lie struct {
	name string
	tell func(before []porcupine.Operation, in *operation, out *result) bool
}

var lies = []lie{
	{"Latest returns a state that was replaced", func(before []porcupine.Operation, in *operation, out *result) bool {
		for _, call := range before {
			seen := call.Output.(*result).seen
			if in.verb == latest && out.outcome == good && call.Input.(part).offer == in.offer && seen.version != nil && slices.Compare(seen.version, out.seen.version) < 0 {
				out.seen = seen
				return true
			}
		}
		return false
	}},
	{"Latest returns a state from nowhere", func(_ []porcupine.Operation, in *operation, out *result) bool {
		out.seen.data += "?"
		return in.verb == latest && out.outcome == good
	}},
	{"Latest returns another version", func(_ []porcupine.Operation, in *operation, out *result) bool {
		out.seen.version = append(slices.Clone(out.seen.version), 0)
		return in.verb == latest && out.outcome == good
	}},
	{"Latest finds no state", func(_ []porcupine.Operation, in *operation, out *result) bool {
		was := out.outcome
		out.outcome, out.seen = nothing, seen{}
		return in.verb == latest && was == good
	}},
	{"a state is now that was", func(_ []porcupine.Operation, _ *operation, out *result) bool {
		was := out.seen.lastAt
		out.seen.lastAt = 0
		return was != 0
	}},
	{"a state was that is now", func(_ []porcupine.Operation, in *operation, out *result) bool {
		was := out.seen.lastAt
		out.seen.lastAt = in.clock
		return was == 0 && out.seen.version != nil
	}},
	{"last at is off by 1 ns", func(_ []porcupine.Operation, _ *operation, out *result) bool {
		out.seen.lastAt++
		return out.seen.lastAt != 1
	}},
	{"Send succeeds on a sink that has ended", func(_ []porcupine.Operation, in *operation, out *result) bool {
		was := out.outcome
		out.outcome = good
		return in.verb == send && (was == revoked || was == closed)
	}},
	{"Send of a stale state succeeds", func(_ []porcupine.Operation, in *operation, out *result) bool {
		was := out.outcome
		out.outcome = good
		return in.verb == send && was == stale
	}},
	{"Send of a good state is stale", func(_ []porcupine.Operation, in *operation, out *result) bool {
		was := out.outcome
		out.outcome = stale
		return in.verb == send && was == good
	}},
	{"a second sink beside one that is open", func(_ []porcupine.Operation, in *operation, out *result) bool {
		if in.verb == take && in.kind == exposeObject && out.outcome == nothing {
			*out = result{offer: 1_000_000, object: in.objects[0]}
			return true
		}
		return false
	}},
	{"an offer that waits is not given", func(_ []porcupine.Operation, in *operation, out *result) bool {
		was := out.offer
		*out = result{outcome: nothing}
		return was != 0 && !in.kind.ofTag()
	}},
	{"Next returns the same state again", func(before []porcupine.Operation, in *operation, out *result) bool {
		if in.verb != next || out.outcome != nothing {
			return false
		}
		for _, call := range slices.Backward(before) {
			if seen := call.Output.(*result).seen; call.Input.(part).offer == in.offer && seen.version != nil {
				*out = result{seen: seen}
				return true
			}
		}
		return false
	}},
	{"Next keeps news back", func(_ []porcupine.Operation, in *operation, out *result) bool {
		was := out.outcome
		*out = result{outcome: nothing}
		return (in.verb == next || in.verb == waitNext) && was == good
	}},
	{"Done is closed early, or late", func(_ []porcupine.Operation, in *operation, out *result) bool {
		out.outcome = map[outcome]outcome{yes: no, no: yes}[out.outcome]
		return in.verb == isDone
	}},
	{"a cause that is another", func(_ []porcupine.Operation, in *operation, out *result) bool {
		out.outcome = map[outcome]outcome{closed: revoked, revoked: closed, good: revoked}[out.outcome]
		return in.verb == cause
	}},
	{"a snapshot shows a sink too many", func(_ []porcupine.Operation, _ *operation, out *result) bool {
		out.looks = slices.Clone(out.looks)
		if len(out.looks) > 0 {
			out.looks[0].sinks++
		}
		return len(out.looks) > 0
	}},
	{"a snapshot shows another elected", func(_ []porcupine.Operation, _ *operation, out *result) bool {
		out.looks = slices.Clone(out.looks)
		if len(out.looks) > 0 {
			out.looks[0].elected = (out.looks[0].elected + 1) % 3
		}
		return len(out.looks) > 0
	}},
}

// TestMutants_WrongHistoriesAreRefused tells one lie at a time. Where one worker works alone all must be found out; among several, some
// may pass for truths.
func TestMutants_WrongHistoriesAreRefused(t *testing.T) {
	for _, workers := range []int{1, 0} {
		told, found := map[string]int{}, map[string]int{}
		count, limit := uint64(60), brief
		if workers == 1 {
			count, limit = 900, patient // quickly checked, and some lies are seldom to be told
		}
		for seed := range count {
			p := newProgram(seed+1, workers)
			history := execute(t, p, virtual)
			slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
			for _, l := range lies {
				if told[l.name] >= 15 {
					continue
				}
				at := slices.IndexFunc(shifted(history, int(seed)), func(i int) bool { return l.about(history, i) != nil })
				if at < 0 {
					continue
				}
				told[l.name]++
				if lied := l.about(history, shifted(history, int(seed))[at]); (rules{}).refuses(p.objects, lied, limit) {
					found[l.name]++
				} else if workers == 1 {
					t.Errorf("not found out with one worker, seed %d: %s", p.seed, l.name)
				}
			}
		}
		for _, l := range lies {
			t.Logf("workers %d: %-45s found out %d of %d", workers, l.name, found[l.name], told[l.name])
			if told[l.name] < 3 || found[l.name] < told[l.name]/2 {
				t.Errorf("workers %d: found out %d times of %d: %s", workers, found[l.name], told[l.name], l.name)
			}
		}
	}
}

// shifted returns the indices of a history, beginning somewhere in it.
func shifted(history []porcupine.Operation, by int) []int {
	list := make([]int, len(history))
	for i := range list {
		list[i] = (i + by*7) % len(history)
	}
	return list
}

// about returns a copy of the history with the lie told at one call, nil when there is none to tell.
func (l lie) about(history []porcupine.Operation, at int) []porcupine.Operation {
	in, out := history[at].Input.(part), *history[at].Output.(*result)
	if !l.tell(history[:at], in.operation, &out) {
		return nil
	}
	lied := slices.Clone(history)
	lied[at].Output = &out
	lied[at].Input = part{in.operation, covers(in.operation, &out)}
	return lied
}
