package refinement

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"hakuban/impl"
	"hakuban/internal/race"
	"hakuban/model"
	"hakuban/sim"
	"hakuban/sim/refinement"
)

const (
	realTraces     = 20
	realTraceLines = 80 // states, at most
	slotsOfEach    = 2  // sessions of a child that can be there at one time
)

// narrowModel is the model of a narrow run: a chain of three.
func narrowModel() *model.Model {
	m := &model.Model{
		Exchanges: []string{"x0", "x1", "x2"}, Objects: []model.Object{{Name: "o", Tags: []int{0}}}, Tags: []string{"t"},
		Capacities: []int{0, 1, 2}, Version: []int{0}, Limited: true, Chunked: true,
	}
	for child := 1; child < len(m.Exchanges); child++ {
		for range slotsOfEach {
			m.Links = append(m.Links, model.Link{Name: fmt.Sprintf("l%d", len(m.Links)), Upstream: child - 1, Downstream: child, Ordered: true})
		}
	}
	for n := range m.Exchanges {
		for thing := range 2 {
			for _, kind := range [...]model.Kind{model.Observe, model.Expose} {
				m.Contracts = append(m.Contracts, model.Contract{Name: fmt.Sprintf("k%d", len(m.Contracts)), At: n, Kind: kind, On: thing})
			}
		}
	}
	for state := range narrowStates {
		m.Version = append(m.Version, state+1)
	}
	return m.Prepare()
}

// tracer is a refinement of a narrow run that keeps the states of the specification that the run goes through.
type tracer struct {
	*refinement.Refinement
	m     *model.Model
	slots map[int]int // by number of a session
	crowd bool        // there were more sessions than slots
	trace
}

func newTracer(m *model.Model) *tracer {
	var states []*impl.State
	for state := range narrowStates {
		states = append(states, &impl.State{Version: []int64{int64(state + 1)}, Data: []byte(fmt.Sprint(state))})
	}
	r := refinement.NewFor(m, descriptor([]string{`"t"`}, `"o"`), states)
	return &tracer{Refinement: r, m: m, slots: make(map[int]int), trace: trace{states: []model.State{r.State()}}}
}

// Attach gives a session a slot: the refinement takes the slot of its number modulo that of slots.
func (tr *tracer) Attach(s sim.Session, n int) {
	slot, known := tr.slots[s.Number]
	for l := 0; !known && l < len(tr.m.Links); l++ {
		wire := tr.State().Links[l]
		if tr.m.Links[l].Downstream == s.Child && wire.Downstream == model.Off && wire.Upstream == model.Off {
			slot, known = l, true
		}
	}
	tr.crowd = tr.crowd || !known
	tr.slots[s.Number] = slot
	s.Number = s.Number*len(tr.m.Links) + slot
	tr.Refinement.Attach(s, n)
}

func (tr *tracer) AfterStep(n int, core *impl.Exchange, now impl.Now, input *impl.Input, effects []impl.Effect) error {
	if tr.crowd {
		return nil
	}
	if err := tr.Refinement.AfterStep(n, core, now, input, effects); err != nil {
		return err
	}
	return tr.follow(tr.State(), 4)
}

// follow adds the state that a step led to, and those between where it was several actions: a pull that wrote several messages.
func (tr *tracer) follow(after model.State, most int) error {
	before := tr.states[len(tr.states)-1]
	action, err := refineAny(tr.m, before, after)
	if action == "stutter" {
		return nil
	}
	if err == nil {
		tr.states, tr.actions = append(tr.states, after), append(tr.actions, action)
		return nil
	}
	if most == 0 {
		return err
	}
	lines := len(tr.actions)
	tr.m.Steps(model.PullUp, func(step model.Step) {
		tr.m.Do(before, step, func(next model.State) {
			if err == nil {
				return
			}
			tr.states, tr.actions = append(tr.states[:lines+1], next), append(tr.actions[:lines], step.Action.String())
			err = tr.follow(after, most-1)
		})
	})
	return err
}

// TestReal_TLCAcceptsWhatTheExchangesDid gives what runs over real websockets did to TLC.
func TestReal_TLCAcceptsWhatTheExchangesDid(t *testing.T) {
	if testing.Short() || race.Enabled {
		t.Skip("TLC takes some seconds")
	}
	jar := tlcJar(t)
	m := narrowModel()
	var traces []trace
	lines, counts := 0, make(map[string]int)
	for seed := uint64(0); len(traces) < realTraces; seed++ {
		run, err := runNarrow(seed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		tr := newTracer(m)
		if tree := replay(t, run.file.Bytes(), tr); tree.Violation != nil {
			t.Fatalf("seed %d: %v", seed, tree.Violation)
		}
		if tr.crowd || len(tr.states) < 2 {
			continue
		}
		length := min(realTraceLines, len(tr.states))
		traces, lines = append(traces, trace{tr.states[:length], tr.actions[:length-1]}), lines+length
		for _, action := range tr.actions[:length-1] {
			counts[action]++
		}
	}
	first := len(traces) - corruptedEach
	want := corrupt(m, traces[first:], rand.New(rand.NewPCG(1, 3)), first)
	got := runTLC(t, jar, "real", m, traces)
	if !slices.Equal(got, want) {
		t.Errorf("TLC rejects (trace, line) %v; corrupted are %v", got, want)
	}
	t.Logf("TLC accepted %d runs, and rejected %d corrupted ones at the right line; %d lines: %v", first, len(got), lines, counts)
}
