package refinement

import (
	"errors"
	"slices"

	"hakuban/impl"
	"hakuban/model"
)

// The specification knows no limits. Under limits a run does less than it allows,
// and what it leaves out is told apart here:
//
//   - an input that is refused because of a limit is nothing;
//   - a link that is ended is a Detach of this end of its session, whichever link
//     the input came on; what the input brought may be taken before that, or not;
//   - a hollow state stands for one that was published under its version. Which one
//     is open until the state is filled again;
//   - what a limit keeps from a link or an application was not told yet. It is told
//     at most that the state which it has is not current: see unsaid.

// limited reports whether an input was refused because of a limit.
func limited(input *impl.Input, effects []impl.Effect) bool {
	return slices.ContainsFunc(effects, func(e impl.Effect) bool {
		return e.Kind == impl.EffectRefused && (input.Kind == impl.InputOpen || input.Kind == impl.InputAttach) && errors.Is(e.Err, impl.ErrTooLarge)
	})
}

// end parts the links that a step ended, but for the one that the input is about.
func (h *happening) end(x *exchange, input *impl.Input, effects []impl.Effect) {
	for i := range effects {
		link := effects[i].Link
		a, known := x.links[link]
		if effects[i].Kind != impl.EffectEnd || !known {
			continue
		}
		h.ends = append(h.ends, a)
		a.session.detach(a.end)
		delete(x.links, link)
		delete(x.ready, link)
	}
}

// short is what limits keep an exchange from, for one object.
type short struct {
	hollow   bool // of the state held only the version is left
	withheld bool // a state waits for room upstream
	filled   int  // the state that a hollow one of the same version was filled with; 0: none
}

// hollowed is the number of the state that a hollow one stands for: of those of
// its version the one that is held already, or the one published first.
func (o *object) hollowed(before int, version []int64) int {
	if before != 0 && slices.Equal(o.versions[before], version) {
		return before
	}
	return max(0, slices.IndexFunc(o.versions, func(v []int64) bool { return v != nil && slices.Equal(v, version) }))
}

// fill makes the hollow state that an exchange held before a step the one that it
// was filled with. Under limits a state may be replaced by another of its version at
// once, instead of becoming hollow.
func (o *object) fill(r *Refinement, n int, s model.State) model.State {
	v := &o.views[n]
	before, after := s.Nodes[n].Held[0], v.raw.Held[0]
	if after.State == 0 || before.State == 0 || o.model.Version[before.State] != o.model.Version[after.State] {
		v.is.filled = 0
		return s
	}
	core := r.exchanges[n].core
	if before.State == after.State || !v.was.hollow && (core == nil || core.Limits() == impl.DefaultLimits) {
		return s
	}
	v.is.filled = after.State
	N := *s.Nodes[n]
	N.Held = []model.Flag{{State: after.State, Now: before.Now}}
	s.Nodes = slices.Clone(s.Nodes)
	s.Nodes[n] = &N
	return s
}

// do yields the states that a step leads to, with and without what a limit keeps
// from whom it goes to.
func (o *object) do(s model.State, step model.Step, yield func(model.State)) string {
	return o.model.Do(s, step, func(t model.State) {
		yield(t)
		if u, differs := o.unsaid(s, t, step); differs {
			yield(u)
		}
	})
}

// unsaid is what a pull or a read leads to when the state that it would show is
// kept back. Whoever has seen another state of the same version keeps that one,
// with the flag of now; whoever has seen an older one is told that it is not
// current, unless it knows. A link that a pull ends may leave the room that the
// same pull lacked.
func (o *object) unsaid(before, after model.State, step model.Step) (model.State, bool) {
	n, spot := o.whose(step)
	if n < 0 {
		return after, false
	}
	v, N := &o.views[n], *after.Nodes[n]
	if !(v.is.hollow || v.was.hollow || v.is.filled != 0 || step.Action == model.PullUp && (v.is.withheld || v.was.withheld || o.ends)) {
		return after, false
	}
	kept := func(was model.Flag) model.Flag {
		held := N.Held[0]
		same := was.State != 0 && o.model.Version[was.State] == o.model.Version[held.State]
		return model.Flag{State: was.State, Now: same && held.Now}
	}
	after.Nodes, after.Links = slices.Clone(after.Nodes), slices.Clone(after.Links)
	switch step.Action {
	case model.Read:
		f := before.Nodes[n].Offers[spot][0]
		f.Flag = kept(f.Flag)
		N.Offers = slices.Clone(N.Offers)
		N.Offers[spot] = []model.Offer{f}
	case model.PullDown:
		N.Downstream = slices.Clone(N.Downstream)
		b := &N.Downstream[spot]
		is, was := b.Stream[0], before.Nodes[n].Downstream[spot].Stream[0]
		if is.Number == 0 || was.Number != is.Number {
			was = model.Channel{Number: is.Number}
		}
		b.Stream = []model.Channel{{Number: is.Number, Flag: kept(was.Flag)}}
		W := *after.Links[step.Link]
		W.Down = reworded(W.Down, len(before.Links[step.Link].Down), was.Flag, b.Stream[0])
		after.Links[step.Link] = &W
	case model.PullUp:
		outlets := slices.Clone(N.Outlets[0])
		W := *after.Links[step.Link]
		for i, was := range before.Nodes[n].Outlets[0] {
			if outlets[i] != was {
				outlets[i].Flag = kept(was.Flag)
				W.Up = reworded(W.Up, len(before.Links[step.Link].Up), was.Flag, outlets[i])
			}
		}
		N.Outlets = [][]model.Channel{outlets}
		after.Links[step.Link] = &W
	}
	after.Nodes[n] = &N
	return after, true
}

// whose is the exchange that a pull or a read is of, and the place there of the
// link or the contract; negative: it is another step.
func (o *object) whose(step model.Step) (n, spot int) {
	switch step.Action {
	case model.Read:
		return o.places[step.Contract].exchange, o.spot(step.Contract)
	case model.PullUp:
		return o.slots[step.Link].child, 0
	case model.PullDown:
		n = o.slots[step.Link].parent
		return n, slices.Index(o.model.DownstreamLinks(n), step.Link)
	}
	return -1, 0
}

// reworded is a queue in which the state that a pull sent says what is kept, or
// is left out when that was said already.
func reworded(q []model.Message, from int, was model.Flag, kept model.Channel) []model.Message {
	at := len(q) - 1
	if at < from || q[at].Kind != model.StateMessage {
		return q
	}
	if kept.Flag == was {
		return q[:at:at]
	}
	q = slices.Clone(q)
	q[at].Flag = kept.Flag
	return q
}

// keptBack reports whether nothing is left of a step when what a limit keeps is
// left out.
func (o *object) keptBack(step model.Step) (kept bool) {
	o.model.Do(o.state, step, func(t model.State) {
		u, differs := o.unsaid(o.state, t, step)
		kept = differs && o.model.Equal(u, o.state)
	})
	return kept
}

// see notes what limits keep an exchange from now.
func (v *view) see(s *impl.ObjectSnapshot) {
	v.was = v.is
	v.is.hollow = s.Hollow
	v.is.withheld = slices.ContainsFunc(s.Outlets, func(c impl.ChannelSnapshot) bool { return c.Withheld })
}

// held is the state that an exchange holds, which may be hollow.
func (o *object) held(v *view, s *impl.ObjectSnapshot) model.Flag {
	if !s.Hollow {
		return o.flag(s.State, s.Synchronized)
	}
	before := 0
	if v.raw != nil {
		before = v.raw.Held[0].State
	}
	return model.Flag{State: o.hollowed(before, s.State.Version), Now: s.Synchronized.Now}
}
