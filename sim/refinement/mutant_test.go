package refinement

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hakuban/impl"
	"hakuban/internal/race"
	"hakuban/model"
	"hakuban/sim"
)

// altered tells a refinement something else than what happened.
type altered struct {
	*Refinement
	change func(input *impl.Input, effects []impl.Effect) (*impl.Input, []impl.Effect)
}

func (a altered) AfterStep(n int, core *impl.Exchange, now impl.Now, input *impl.Input, effects []impl.Effect) error {
	if a.change != nil {
		input, effects = a.change(input, slices.Clone(effects))
	}
	return a.Refinement.AfterStep(n, core, now, input, effects)
}

// A comparison that lets everything pass would be worth nothing: an abstraction
// that says something wrong, and a core that seems to answer something else, are
// refused, and the message says where.
func TestRefine_RefusesMutants(t *testing.T) {
	drop := func(kind impl.EffectKind, nth int) func(*impl.Input, []impl.Effect) (*impl.Input, []impl.Effect) {
		seen := 0
		return func(input *impl.Input, effects []impl.Effect) (*impl.Input, []impl.Effect) {
			return input, slices.DeleteFunc(effects, func(e impl.Effect) bool {
				if e.Kind == kind {
					seen++
				}
				return e.Kind == kind && seen == nth
			})
		}
	}
	add := func(input impl.InputKind, effect impl.EffectKind) func(*impl.Input, []impl.Effect) (*impl.Input, []impl.Effect) {
		return func(in *impl.Input, effects []impl.Effect) (*impl.Input, []impl.Effect) {
			if in.Kind == input {
				effects = append(effects, impl.Effect{Kind: effect, Link: in.Link})
			}
			return in, effects
		}
	}
	// What the application published is something else than what the core took, and answered or not.
	published := func(change func(*impl.Input), answered bool) func(*impl.Input, []impl.Effect) (*impl.Input, []impl.Effect) {
		return func(in *impl.Input, effects []impl.Effect) (*impl.Input, []impl.Effect) {
			if in.Kind != impl.InputPublish || in.State == nil {
				return in, effects
			}
			other := *in
			change(&other)
			for i := range effects {
				if e := &effects[i]; e.Kind == impl.EffectState && answered {
					answer := *other.State
					answer.Version = e.State.Version
					e.State, e.Synchronized.Now = &answer, other.Synchronized.Now
				}
			}
			return &other, effects
		}
	}
	shown := func(change func(*impl.Effect)) func(*impl.Input, []impl.Effect) (*impl.Input, []impl.Effect) {
		return func(in *impl.Input, effects []impl.Effect) (*impl.Input, []impl.Effect) {
			for i := range effects {
				if e := &effects[i]; e.Kind == impl.EffectState && in.Kind == impl.InputRead && e.State != nil {
					change(e)
				}
			}
			return in, effects
		}
	}
	mutants := []struct {
		name    string
		distort func(n int, N *model.Node)
		change  func(*impl.Input, []impl.Effect) (*impl.Input, []impl.Effect)
		says    []string
	}{
		{name: "a flag is never now", distort: func(n int, N *model.Node) { N.Held[0].Now = false },
			says: []string{"expected Publish(", ".held: the specification has [{State:1 Now:true}], the run [{State:1 Now:false}]", "nearest: Publish("}},
		{name: "a revoked sink is forgotten", distort: func(n int, N *model.Node) {
			for i := range N.Downstream {
				N.Downstream[i].Revoked[0] = 0
			}
		}, says: []string{".revoked: the specification has ["}},
		{name: "a revoked sink counts as open", distort: func(n int, N *model.Node) {
			for i := range N.Downstream {
				if b := &N.Downstream[i]; b.Revoked[0] != 0 && b.Sink[0].Number == 0 {
					b.Sink[0].Number, b.Revoked[0] = b.Revoked[0], 0
				}
			}
		}, says: []string{".sink: the specification has [{Number:0"}},
		{name: "what upstream was told has no capacity", distort: func(n int, N *model.Node) {
			for d := range N.Told {
				N.Told[d].Capacity = 0
			}
		}, says: []string{"expected PullUp(", ".told: the specification has [", "Capacity:"}},
		{name: "nobody is elected", distort: func(n int, N *model.Node) { N.Elected[0] = model.Elected{} },
			says: []string{"which is not enabled: it is false that a channel is to be opened or closed, or a state is owed"}},
		{name: "a taken offer is one that waits", distort: func(n int, N *model.Node) {
			for k := range N.Offers {
				if N.Offers[k][0].Is == model.Taken {
					N.Offers[k][0].Is = model.Offered
				}
			}
		}, says: []string{"expected Take(", ".offers: the specification has [", "{Is:2 ", "the run [", "{Is:1 "}},
		{name: "a written message is lost before it is sent", change: drop(impl.EffectWrite, 40),
			says: []string{"delivers what is not the oldest message in flight"}},
		{name: "a link that owes says it does not", change: add(impl.InputAttach, impl.EffectDrained),
			says: []string{"has nothing to send, but the specification has PullUp("}},
		{name: "a publish that was taken is called refused", change: add(impl.InputPublish, impl.EffectRefused),
			says: []string{"the core refused Publish(", "which the specification allows"}},
		{name: "a delivery of something else", change: func(in *impl.Input, effects []impl.Effect) (*impl.Input, []impl.Effect) {
			if in.Kind == impl.InputReceive && len(in.Data) > 0 {
				other := *in
				other.Data = append(slices.Clone(in.Data), 0)
				in = &other
			}
			return in, effects
		}, says: []string{"delivers what is not the oldest message in flight"}},
		{name: "another state was published, and answered", change: published(func(in *impl.Input) {
			other := *in.State
			other.Data = append(slices.Clone(other.Data), 'x')
			in.State = &other
		}, true), says: []string{"a state of version", "that nobody published"}},
		{name: "another format was published, and answered", change: published(func(in *impl.Input) {
			other := *in.State
			other.Format = append(slices.Clone(other.Format), "x")
			in.State = &other
		}, true), says: []string{"a state of version", "that nobody published"}},
		{name: "the other flag was published, and answered", change: published(func(in *impl.Input) {
			in.Synchronized.Now = !in.Synchronized.Now
		}, true), says: []string{"expected Publish(", ".held: the specification has"}},
		{name: "another state was published than is answered", change: published(func(in *impl.Input) {
			other := *in.State
			other.Data = append(slices.Clone(other.Data), 'x')
			in.State = &other
		}, false), says: []string{"a publication of", "was answered with"}},
		{name: "a Read shows the other flag", change: shown(func(e *impl.Effect) { e.Synchronized.Now = !e.Synchronized.Now }),
			says: []string{"a Read shows {State:", "Now:true}", "Now:false}"}},
		{name: "a Read shows nothing", change: shown(func(e *impl.Effect) { e.State = nil }),
			says: []string{"a Read shows {State:0 Now:false}, held is {State:"}},
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			for seed := range sim.Seed(10) {
				r := New()
				r.distort = m.distort
				v := sim.Run(sim.Config{Source: seed, Observer: altered{r, m.change}}).Violation
				if v == nil {
					continue
				}
				if v.Property != r.Property() {
					t.Fatalf("seed %d: %v", seed, v)
				}
				for _, part := range m.says {
					if !strings.Contains(v.Text, part) {
						t.Errorf("seed %d: %q is not in:\n%s", seed, part, v.Text)
					}
				}
				return
			}
			t.Error("not refused in 10 seeds")
		})
	}
}

// A step that is refused can be looked at again: the tape of the run is refused
// too, and can be made small.
func TestRefine_RefusedTapeReplaysAndShrinks(t *testing.T) {
	configure := func() sim.Config {
		r := New()
		r.distort = func(n int, N *model.Node) { N.Held[0].Now = false }
		return sim.Config{Observer: r, Unchecked: true}
	}
	config := configure()
	config.Source = sim.Seed(3)
	tape, first := sim.Record(config)
	if first.Violation == nil {
		t.Fatal("not refused")
	}
	config = configure()
	config.Source, config.Slots = tape, tape.Slots
	if again := sim.Run(config); again.Violation == nil || again.Violation.Text != first.Violation.Text {
		t.Errorf("recorded: %v\nreplayed: %v", first.Violation, again.Violation)
	}
	few := 12
	if race.Enabled { // it leaves too little of the time
		few = len(tape.Choices) - 1
	}
	small := sim.Shrink(tape, configure, 10*time.Second)
	if small.Result.Violation == nil || small.Result.Violation.Property != New().Property() || len(small.Tape.Choices) > few {
		t.Errorf("%d choices remain of %d: %v", len(small.Tape.Choices), len(tape.Choices), small.Result.Violation)
	}
}
