package refinement

import (
	"fmt"
	"reflect"
	"strings"

	"hakuban/model"
)

// explain says why steps do not lead from one state to another: the first
// condition that is false, or the fields that come out differently; and which
// action would come nearest.
func (o *object) explain(before, after model.State, steps []model.Step) error {
	var text strings.Builder
	fmt.Fprintf(&text, "object %s: no step of the specification", o.descriptor.Key)
	frontier := []model.State{before}
	for i, step := range steps {
		next := o.follow(frontier, step)
		if len(next) == 0 {
			reason := o.model.Do(frontier[0], step, func(model.State) {})
			fmt.Fprintf(&text, "\n  expected %s, action %d of %d, which is not enabled: it is false that %s", o.describe(step), i+1, len(steps), reason)
			frontier = nil
			break
		}
		frontier = next
	}
	if len(steps) == 0 {
		fmt.Fprintf(&text, "\n  expected that nothing changes")
	} else if frontier != nil {
		fmt.Fprintf(&text, "\n  expected")
		for _, step := range steps {
			fmt.Fprintf(&text, " %s", o.describe(step))
		}
	}
	if frontier != nil {
		o.writeNearest(&text, frontier, after)
	}
	o.nearest(&text, before, after)
	return fmt.Errorf("%s", text.String())
}

func (o *object) writeNearest(text *strings.Builder, states []model.State, after model.State) {
	var least []string
	for i, s := range states {
		if fields := o.fields(s, after); i == 0 || len(fields) < len(least) {
			least = fields
		}
	}
	for _, field := range least {
		fmt.Fprintf(text, "\n    %s", field)
	}
}

// nearest says which action of all comes nearest to what happened.
func (o *object) nearest(text *strings.Builder, before, after model.State) {
	least := o.fields(before, after)
	name := "no action at all"
	o.model.Successors(before, func(step model.Step, s model.State) {
		if fields := o.fields(s, after); len(fields) < len(least) {
			least, name = fields, o.describe(step)
		}
	})
	fmt.Fprintf(text, "\n  nearest: %s", name)
	if len(least) == 0 {
		fmt.Fprintf(text, ", which leads exactly there")
	}
	for _, field := range least {
		fmt.Fprintf(text, "\n    %s", field)
	}
}

func (o *object) describe(step model.Step) string {
	m := o.model
	switch step.Action {
	case model.Open, model.SetCapacity:
		return fmt.Sprintf("%v(%s, %d)", step.Action, m.Contracts[step.Contract].Name, step.Capacity)
	case model.Close, model.Take, model.Release, model.Read:
		return fmt.Sprintf("%v(%s)", step.Action, m.Contracts[step.Contract].Name)
	case model.Publish:
		return fmt.Sprintf("%v(%s, %+v)", step.Action, m.Contracts[step.Contract].Name, step.Flag)
	case model.Attach, model.Detach:
		end := "upstream"
		if step.Downstream {
			end = "downstream"
		}
		return fmt.Sprintf("%v(%s, %s)", step.Action, m.Links[step.Link].Name, end)
	case model.SetRights:
		return fmt.Sprintf("%v(%s, %+v)", step.Action, m.Links[step.Link].Name, step.Rights)
	case model.Withdraw, model.Continue:
		return fmt.Sprintf("%v(exchange %d)", step.Action, step.Exchange)
	case model.Rebalance:
		return fmt.Sprintf("%v(exchange %d)", step.Action, step.Exchange)
	}
	return fmt.Sprintf("%v(%s)", step.Action, m.Links[step.Link].Name)
}

// fields names those that two states have different, with both values:
// first the specification's, then the run's.
func (o *object) fields(a, b model.State) (fields []string) {
	for n := range a.Nodes {
		if a.Nodes[n] == b.Nodes[n] {
			continue
		}
		fields = compare(fields, fmt.Sprintf("node[%d]", n), *a.Nodes[n], *b.Nodes[n])
		for i, l := range o.model.DownstreamLinks(n) {
			fields = compare(fields, fmt.Sprintf("node[%d] downstream link in %s", n, o.model.Links[l].Name), a.Nodes[n].Downstream[i], b.Nodes[n].Downstream[i])
		}
	}
	for l := range a.Links {
		if a.Links[l] != b.Links[l] {
			fields = compare(fields, "link in "+o.model.Links[l].Name, *a.Links[l], *b.Links[l])
		}
	}
	return fields
}

func compare[T any](fields []string, where string, a, b T) []string {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		name := x.Type().Field(i).Name
		if _, links := x.Field(i).Interface().([]model.Downstream); links {
			continue
		}
		if is, should := fmt.Sprintf("%+v", y.Field(i)), fmt.Sprintf("%+v", x.Field(i)); is != should {
			fields = append(fields, fmt.Sprintf("%s.%s: the specification has %s, the run %s", where, strings.ToLower(name), should, is))
		}
	}
	return fields
}
