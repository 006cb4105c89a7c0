package refinement

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"hakuban/impl"
	"hakuban/model"
	"hakuban/sim"
	"hakuban/wire"
)

// whole looks at everything again after every step.
type whole struct {
	*Refinement
	t      *testing.T
	states int
}

func (w *whole) AfterStep(n int, core *impl.Exchange, now impl.Now, input *impl.Input, effects []impl.Effect) error {
	if err := w.Refinement.AfterStep(n, core, now, input, effects); err != nil {
		return err
	}
	snapshot := core.Snapshot(now)
	for _, o := range w.objects {
		w.states++
		o.compareView(w.t, core, &snapshot)
		if seen := o.fromScratch(w.Refinement); !o.model.Equal(seen, o.state) {
			w.t.Fatalf("step %d: the state kept is not the one seen:\n%s\n%s", w.counts.Steps, o.model.AppendText(nil, o.state), o.model.AppendText(nil, seen))
		}
	}
	return nil
}

// compareView holds a look at one object to the look at all of the exchange.
func (o *object) compareView(t *testing.T, core *impl.Exchange, whole *impl.Snapshot) {
	var v impl.ObjectView
	core.View(&o.descriptor, &v)
	var object impl.ObjectSnapshot
	for _, s := range whole.Objects {
		if s.Descriptor.Key == o.descriptor.Key {
			object = s
		}
	}
	tags := make([][]impl.TagLinkSnapshot, len(o.descriptor.Tags))
	for _, s := range whole.Tags {
		if i := slices.Index(o.descriptor.Tags, s.JSON); i >= 0 {
			tags[i] = s.Links
		}
	}
	told := make([]impl.ToldSnapshot, len(o.things))
	for _, l := range whole.Links {
		for _, s := range l.Told {
			at := slices.Index(o.descriptor.Tags, s.Descriptor.JSON) + 1
			if s.Tag && at > 0 || !s.Tag && s.Descriptor.Key == o.descriptor.Key {
				s.Descriptor = wire.Descriptor{}
				if !s.Tag {
					at = 0
				}
				told[at] = s
			}
		}
	}
	if is, want := fmt.Sprintf("%+v", v), fmt.Sprintf("%+v", impl.ObjectView{Object: object, TagLinks: tags, Told: told}); is != want {
		t.Fatalf("the view and the snapshot differ:\n%s\n%s", is, want)
	}
	for _, c := range whole.Contracts {
		capacity, _, f, open := core.ViewContract(c.Contract, o.descriptor.Key)
		var want impl.OfferSnapshot
		for _, offered := range c.Offers {
			if offered.Key == o.descriptor.Key {
				want = offered
			}
		}
		if !open || capacity != c.Capacity || fmt.Sprint(f) != fmt.Sprint(want) {
			t.Fatalf("contract %d is seen as %v, %d, %v; expected %d, %v", c.Contract, open, capacity, f, c.Capacity, want)
		}
	}
}

// fromScratch is the state that the run is in, by looking at all cores and all
// that is in flight, and by the model's own numbering of channels.
func (o *object) fromScratch(r *Refinement) model.State {
	c := *o
	c.slots, c.wires, c.views = slices.Clone(o.slots), make([]*model.LinkState, len(o.wires)), make([]view, len(o.views))
	c.seen = impl.ObjectView{}
	var s model.State
	for n := range c.views {
		c.views[n].raw = c.model.NewNode(n)
		c.look(r, n)
		s.Nodes = append(s.Nodes, c.views[n].raw)
	}
	for i := range c.slots {
		c.lookAtWire(i)
	}
	s.Links = c.wires
	for i := range c.slots {
		if c.slots[i].session != nil {
			s = c.model.Renumbered(s, i)
		}
	}
	return s
}

// Only what a step can have touched is looked at. That must come to the same as
// looking at everything.
func TestAbstraction_KeptIsSeen(t *testing.T) {
	states := 0
	for seed := range sim.Seed(12) {
		w := &whole{Refinement: New(), t: t}
		if v := sim.Run(sim.Config{Source: 300 + seed, Observer: w, Unchecked: true, Steps: 600}).Violation; v != nil {
			t.Fatalf("seed %d: %v", 300+seed, v)
		}
		states += w.states
	}
	t.Logf("%d states", states)
}

// A field of a node that the comparison of two looks forgets would be a field
// that may change unseen.
func TestAbstraction_EveryFieldCounts(t *testing.T) {
	m := (&model.Model{
		Exchanges: []string{"a", "r"},
		Links:     []model.Link{{Name: "ra", Upstream: 1, Downstream: 0, Ordered: true}},
		Objects:   []model.Object{{Name: "x"}},
		Contracts: []model.Contract{{Name: "o", At: 1, Kind: model.Observe}},
		Version:   []int{0},
	}).Prepare()
	fresh := func() *model.Node {
		N := m.NewNode(1)
		N.Sources[0], N.Outlets[0] = []model.Channel{{}}, []model.Channel{{}}
		return N
	}
	leaves := 0
	for i := 0; ; i++ {
		N, left := fresh(), i
		where := change(reflect.ValueOf(N).Elem(), "node", &left)
		if where == "" {
			break
		}
		leaves++
		if differences(N, fresh()) == 0 {
			t.Errorf("%s changed, and nothing was noticed", where)
		}
		if m.Equal(model.State{Nodes: []*model.Node{N}}, model.State{Nodes: []*model.Node{fresh()}}) {
			t.Errorf("%s changed, and the model calls it equal", where)
		}
	}
	if want := 33; leaves != want {
		t.Errorf("%d leaves, expected %d", leaves, want)
	}
}

// change changes the leaf of a value that comes after left others, and says
// which it is.
func change(v reflect.Value, name string, left *int) string {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if where := change(v.Field(i), name+"."+v.Type().Field(i).Name, left); where != "" {
				return where
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if where := change(v.Index(i), name+"[]", left); where != "" {
				return where
			}
		}
	default:
		*left--
		if *left >= 0 {
			return ""
		}
		switch v.Kind() {
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Uint8, reflect.Uint64:
			v.SetUint(v.Uint() + 1)
		default:
			v.SetInt(v.Int() + 1)
		}
		return name
	}
	return ""
}
