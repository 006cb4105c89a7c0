package linearizability

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"hakuban"
)

// TestLinearizable_OutsideTheBubble runs programs as users do: on the wall clock, on all processors, preempted anywhere. The moment at
// which a call reads the clock is not known there, so times are forgotten: default versions are not asked for, and of a flag only
// whether it is now counts. Waits that ran out tell nothing either, and are left out.
func TestLinearizable_OutsideTheBubble(t *testing.T) {
	wrong := []mutant{olderIsTaken, revokedSinkSends, goneSinkVouches, tieGoesToNewest, revokedOfferIsNotInTheWay}
	refused, calls, overlaps := map[mutant]int{}, 0, 0
	for _, seed := range seeds() {
		p := timeless(newProgram(seed, 0))
		history := executeUnbubbled(p)
		for _, whole := range []bool{false, true} {
			if result := (rules{}).check(p.objects, whole, history); result != porcupine.Ok {
				t.Fatalf("outside the bubble, where a seed may need several tries; whole=%t: %s\n%s", whole, result, explain(t, p, parallel, whole, history))
			}
		}
		for _, m := range wrong {
			// Object by object and not for long: to refuse a whole history can take a search of all its orders.
			if refused[m] == 0 && porcupine.CheckOperationsTimeout((rules{m}).porcupineModel(p.objects, false), history, brief) == porcupine.Illegal {
				refused[m]++
			}
		}
		calls += len(history)
		overlaps += overlapping(history)
	}
	t.Logf("%d seeds, %d calls, %d pairs overlap", len(seeds()), calls, overlaps)
	if len(seeds()) < 100 {
		return
	}
	for _, m := range wrong {
		if refused[m] == 0 {
			t.Errorf("no history refuses the wrong model: %s", m)
		}
	}
	if overlaps < calls/10 {
		t.Errorf("%d pairs of %d calls overlap: there is no concurrency to check", overlaps, calls)
	}
}

// timeless changes the steps of a program whose results depend on the clock into their nearest ones that do not.
func timeless(p *program) *program {
	for _, steps := range p.workers {
		for i := range steps {
			s := &steps[i]
			switch s.verb {
			case waitTake, waitOffered:
				s.verb = tryTake
			case next, waitNext: // that a last-at moved is news
				s.verb = latest
			}
			if s.version == defaultVersion {
				s.version = i % len(versions)
			}
		}
	}
	return p
}

// executeUnbubbled runs a timeless program and returns its history with every time forgotten.
func executeUnbubbled(p *program) (history []porcupine.Operation) {
	r := &run{program: p, schedule: parallel, x: hakuban.NewExchange(nil), tag: hakuban.MustTag("t")}
	defer r.x.Close()
	for i := range p.objects {
		var tags []any
		if i < p.tagged {
			tags = append(tags, "t")
		}
		r.names = append(r.names, hakuban.MustObject(i, tags...))
	}
	for _, at := range p.places {
		r.places = append(r.places, &workplace{place: at})
	}
	workers := make([]*worker, len(p.workers)+1)
	for i := range workers {
		workers[i] = &worker{run: r, client: i, random: rand.New(rand.NewPCG(p.seed, uint64(i)+1))}
	}
	var running sync.WaitGroup
	begin := make(chan struct{})
	for i, steps := range p.workers {
		running.Go(func() {
			<-begin
			for _, step := range steps {
				workers[i].step(step)
			}
		})
	}
	close(begin)
	running.Wait()
	last := workers[len(p.workers)]
	last.step(step{verb: snapshot})
	for at, place := range r.places {
		if place.contract == nil {
			continue
		}
		for _, v := range []verb{take, cause, send, latest, release, tryTake} {
			last.step(step{verb: v, place: at})
		}
	}
	last.step(step{verb: snapshot})
	for _, w := range workers {
		for _, call := range w.history {
			forgetTimes(call.Input.(part).operation, call.Output.(*result))
			history = append(history, call)
		}
	}
	return history
}

// forgetTimes has everything happen at one moment, 1, of the clock.
func forgetTimes(in *operation, out *result) {
	in.clock = 1
	in.lastAt = min(in.lastAt, 1)
	out.seen.lastAt = min(out.seen.lastAt, 1)
	for i := range out.looks {
		out.looks[i].lastAt = min(out.looks[i].lastAt, 1)
	}
}
