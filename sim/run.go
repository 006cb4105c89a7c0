package sim

import (
	"fmt"
	"runtime/debug"
	"strings"

	"hakuban/impl"
	"hakuban/sim/checker"
	"hakuban/sim/mark"
)

// Config is one run.
type Config struct {
	Source Source
	// Slots is the number of slots of the chaos; zero: as many as it takes to
	// reach Steps.
	Slots int
	// Steps is the number of core steps after which the chaos ends when Slots is
	// zero. Default [DefaultSteps].
	Steps int
	// Checkers says which properties are checked; nil: all of [checker.All].
	Checkers []checker.Checker
	// Unchecked runs without any checker.
	Unchecked bool
	// Observer sees everything; may be nil.
	Observer Observer
	// Trace is told every step in words; may be nil.
	Trace func(line string)
}

// DefaultSteps is the number of steps of the chaos when nothing is said; the
// whole run then has about 2,000.
const DefaultSteps = 1900

// Result is what came of a run.
type Result struct {
	Violation *checker.Violation // nil: none
	Hash      Hash
	Steps     int
	Looks     int // steps after which the whole exchange was looked at
	Slots     int // of the chaos that were done
	Actions   int // of those, the ones that did something
	Exchanges int
	Chaos     int64 // virtual time of the chaos
	Calm      int64 // longest virtual time to come to rest in the calm
	Workload  string
	Faults    [faultCount]int // injected, by class
	Marks     *mark.Set
}

// FaultClasses returns the names of the fault classes, in the order of
// [Result.Faults].
func FaultClasses() []string { return faultNames[:] }

// Run runs one world from beginning to end.
func Run(config Config) (result Result) {
	w := begin(&config)
	defer func() {
		result = w.result()
	}()
	w.guard(func() {
		for !w.chaosOver(&config) {
			w.Slot()
		}
		w.Calm()
	})
	return
}

func begin(config *Config) *World {
	if config.Steps == 0 {
		config.Steps = DefaultSteps
	}
	marks := new(mark.Set)
	var set *checker.Set
	if !config.Unchecked {
		checkers := config.Checkers
		if checkers == nil {
			checkers = checker.All()
		}
		set = checker.NewSet(checkers, marks)
	}
	w := NewWorld(config.Source, set, marks, config.Observer)
	w.trace = config.Trace
	return w
}

func (w *World) chaosOver(config *Config) bool {
	if w.violation != nil {
		return true
	}
	if config.Slots > 0 {
		return w.slots >= config.Slots
	}
	return w.steps >= config.Steps || w.slots >= maxSlots
}

// guard turns a panic into a violation: the core panics when an invariant of
// its own is broken. A panic with anything but a text or an error is of a source,
// which ends the run with it.
func (w *World) guard(f func()) {
	defer func() {
		r := recover()
		switch r.(type) {
		case nil:
		case string, error:
			w.violation = &checker.Violation{Property: "no panic", Exchange: w.current.Exchange, Step: w.steps, Time: w.now,
				Text: fmt.Sprint(r) + "\n" + shortStack(string(debug.Stack()))}
		default:
			panic(r)
		}
	}()
	f()
}

// shortStack keeps the frames of a panic that are the project's.
func shortStack(stack string) string {
	var kept []string
	lines := strings.Split(stack, "\n")
	for i := 0; i+1 < len(lines); i++ {
		if strings.HasPrefix(lines[i], "hakuban/") && !strings.Contains(lines[i], "(*World).guard") {
			where := strings.TrimSpace(lines[i+1])
			if slash := strings.LastIndexByte(where, '/'); slash >= 0 {
				where = where[slash+1:]
			}
			if space := strings.IndexByte(where, ' '); space >= 0 {
				where = where[:space]
			}
			name := lines[i]
			if paren := strings.LastIndexByte(name, '('); paren >= 0 {
				name = name[:paren]
			}
			kept = append(kept, "    "+name+" "+where)
		}
	}
	return strings.Join(kept[:min(len(kept), 12)], "\n")
}

func (w *World) result() Result {
	r := Result{Violation: w.violation, Hash: w.hash, Steps: w.steps, Looks: w.looks, Slots: w.slots, Exchanges: len(w.nodes),
		Chaos: w.chaosEnd, Calm: w.converged, Workload: w.rules.workload.String(), Marks: w.marks, Actions: w.actions}
	if !w.calm {
		r.Chaos, r.Calm = w.now, 0
	}
	for f := range w.faults {
		r.Faults[f] = w.faults[f].count
	}
	return r
}

// Slot carries out the next slot of the chaos and whatever happens before the
// one after it.
func (w *World) Slot() {
	before, faults := w.steps, w.injected
	w.slot()
	if w.steps > before || w.injected > faults {
		w.actions++
	}
	w.slotAt += w.slotGap(uint32(w.slots))
	w.runUntil(w.slotAt)
}

// runUntil lets everything happen that is due until then.
func (w *World) runUntil(until int64) {
	for len(w.heap) > 0 && w.heap[0].time <= until && w.violation == nil {
		w.turn()
	}
	w.now = max(w.now, until)
}

// Calm heals everything, asks for nothing new, and demands that the tree comes
// to rest and is right; then that one more state reaches everyone; then that
// everything is forgotten once all contracts close.
func (w *World) Calm() {
	w.calm = true
	w.chaosEnd = w.now
	if w.violation != nil {
		return
	}
	w.heal()
	w.settle("after the faults healed", checker.Settled)
	w.fresh = true
	for _, n := range w.nodes {
		for _, o := range append([]*offer(nil), n.offers...) {
			if o.sink && !o.revoked && w.violation == nil {
				w.publish(o, impl.State{Data: w.payload(n, 0), Format: formatJSON}, impl.Synchronized{Now: true})
			}
		}
	}
	w.settle("after one more state each", checker.Fresh)
	for _, n := range w.nodes {
		for len(n.contracts) > 0 && w.violation == nil {
			w.close(n, n.contracts[0])
		}
	}
	w.settle("after all contracts closed", checker.Closed)
}

func (w *World) heal() {
	for _, n := range w.nodes {
		n.stallUntil, n.clogUntil, n.slowUntil, n.lateUntil = [2]int64{}, [2]int64{}, [2]int64{}, [2]int64{}
		n.pausedUntil, n.appSlowUntil = 0, 0
		if n.core == nil {
			w.start(n)
		}
	}
	for _, s := range w.sessions {
		for which := range s.pipes {
			s.pipes[which].armedAt = 0
			w.arm(s, which)
			w.schedulePull(s, which)
		}
	}
}

// settle runs until nothing is under way and rebalancing has ended, and lets
// the checkers look at the tree at rest.
func (w *World) settle(when string, phase checker.Phase) {
	start := w.now
	for w.busy > 0 && w.violation == nil {
		if w.now-start > CalmBound {
			w.fail(&checker.Violation{Property: "convergence", Step: w.steps,
				Text: fmt.Sprintf("not at rest %.1f s %s; the bound is %.1f s", seconds(w.now-start), when, seconds(CalmBound))})
			return
		}
		w.turn()
	}
	rest := w.now
	defer func() { w.converged = max(w.converged, w.active-start) }()
	for w.violation == nil && len(w.heap) > 0 && w.heap[0].time <= rest+settleTime {
		w.turn()
		if w.busy > 0 {
			w.marks.Hit(mark.RebalancedInCalm)
			rest = w.heap[0].time
		}
		if rest-start > settleBound {
			w.fail(&checker.Violation{Property: "rebalancing ends", Step: w.steps,
				Text: fmt.Sprintf("objects still move %.1f s %s; the bound is %.1f s", seconds(rest-start), when, seconds(settleBound))})
			return
		}
	}
	if w.violation != nil {
		return
	}
	w.now = max(w.now, rest+settleTime) // load limits end at their last point
	if w.set == nil {
		return
	}
	quiet := checker.Quiet{Phase: phase, Step: w.steps}
	for _, n := range w.nodes {
		now := w.clock(n)
		if err := n.core.Check(); err != nil {
			w.fail(&checker.Violation{Property: "invariant", Exchange: n.index, Step: w.steps, Text: err.Error()})
			return
		}
		if n.heeding && n.up != nil {
			w.marks.Hit(mark.LimitRecovered)
			n.heeding = false
		}
		snapshot := n.core.Snapshot(now)
		quiet.Exchanges = append(quiet.Exchanges, checker.Look{Exchange: n.index, Life: n.life, Step: w.steps, Now: now,
			Snapshot: &snapshot, Attached: w.attached(n), AtRest: true})
	}
	if v := w.set.Quiet(&quiet); v != nil {
		w.fail(v)
	}
}

func seconds(nanoseconds int64) float64 { return float64(nanoseconds) / float64(second) }
