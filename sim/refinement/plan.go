package refinement

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/model"
)

// happening is one step of a core, or a crash, with what it did to sessions.
type happening struct {
	exchange int
	input    impl.InputKind
	crash    bool
	refused  bool
	limited  bool // refused because of a limit

	contract impl.ContractID
	capacity int
	key      string      // of the object of an offer
	state    *impl.State // published or shown
	now      bool

	sessions []attachment // those that the step touched, with the end where it was
	received *message     // nil: none
	ended    bool         // the session that the input is about did; the first of sessions
	ends     []attachment // those of other links that the step ended
	quieted  bool         // a link said that it has nothing to send
	sent     []*message   // into the first of sessions
}

// happened works out what a step did, and does it to the sessions.
func (r *Refinement) happened(n int, input *impl.Input, effects []impl.Effect) (*happening, error) {
	x := r.exchanges[n]
	h := r.begin(n)
	h.input, h.contract, h.capacity = input.Kind, input.Contract, int(input.Capacity)
	for i := range effects {
		h.refused = h.refused || effects[i].Kind == impl.EffectRefused
		h.ended = h.ended || effects[i].Kind == impl.EffectEnd && effects[i].Link == input.Link
		switch effects[i].Kind {
		case impl.EffectReady:
			x.ready[effects[i].Link] = true
		case impl.EffectDrained:
			x.ready[effects[i].Link] = false
			h.quieted = true
		}
	}
	h.limited = limited(input, effects)
	defer h.end(x, input, effects)
	switch input.Kind {
	case impl.InputAttach, impl.InputDetach, impl.InputReceive, impl.InputContinue, impl.InputPull, impl.InputSetRights:
		a, known := x.links[input.Link]
		if !known {
			return nil, fmt.Errorf("link %d is not attached", input.Link)
		}
		h.sessions = append(h.sessions, a)
		return h, h.session(r, x, input, effects)
	case impl.InputOpen:
		if input.ContractKind == impl.ObserveObject || input.ContractKind == impl.ObserveTag {
			h.capacity = 0
		}
	case impl.InputTake:
		h.refused = true // unless there is an offer
		for i := range effects {
			if e := &effects[i]; e.Kind == impl.EffectTaken && e.Offer != 0 {
				h.key, h.refused = e.Descriptor.Key, false
				x.offers[e.Offer] = offer{input.Contract, h.key}
			}
		}
	case impl.InputRelease, impl.InputPublish, impl.InputRead:
		// What is done with a closed contract's offer is nothing.
		if f := x.offers[input.Offer]; x.open(f.contract) {
			h.contract, h.key = f.contract, f.key
		}
		if input.Kind == impl.InputRelease {
			delete(x.offers, input.Offer)
		}
		for i := range effects {
			if e := &effects[i]; e.Kind == impl.EffectState {
				h.state, h.now = e.State, e.Synchronized.Now
			}
		}
		if o := r.object(h.key); o != nil && input.Kind == impl.InputPublish {
			if err := h.publish(input); err != nil {
				return nil, err
			}
			o.publish(h.state)
		}
	}
	return h, nil
}

// publish takes what was published from the input, and of what the core answers
// only the version, where the input has none; the rest must be the same.
func (h *happening) publish(input *impl.Input) error {
	answer, now, state := h.state, h.now, input.State
	h.state, h.now = state, input.Synchronized.Now
	if h.refused {
		return nil
	}
	if answer == nil {
		return fmt.Errorf("a publication was neither refused nor answered")
	}
	if len(state.Version) == 0 {
		h.state = &impl.State{Version: answer.Version, Format: state.Format, Data: state.Data}
	}
	if now != h.now || !bytes.Equal(appendContent(nil, answer), appendContent(nil, h.state)) {
		return fmt.Errorf("a publication of %d bytes of format %q, version %v, now %v, was answered with %d bytes of format %q, version %v, now %v",
			len(state.Data), state.Format, state.Version, h.now, len(answer.Data), answer.Format, answer.Version, now)
	}
	return nil
}

// begin uses the memory of the last happening again.
func (r *Refinement) begin(n int) *happening {
	h := &r.happening
	*h = happening{exchange: n, sessions: h.sessions[:0], sent: h.sent[:0], ends: h.ends[:0]}
	return h
}

// session is a step of one link.
func (h *happening) session(r *Refinement, x *exchange, input *impl.Input, effects []impl.Effect) (err error) {
	s, end := h.sessions[0].session, h.sessions[0].end
	switch {
	case input.Kind == impl.InputAttach && h.limited:
		delete(x.links, input.Link)
	case input.Kind == impl.InputAttach:
		s.ends[end] = model.On
		x.rights[input.Link] = input.Rights
	case input.Kind == impl.InputSetRights && !h.refused && !h.ended:
		x.rights[input.Link] = input.Rights
	case input.Kind == impl.InputDetach || h.ended:
		h.ended = true
		switch input.Kind {
		case impl.InputReceive:
			h.received, _ = s.receive(end, input.Data) // nil: it was cut
		case impl.InputContinue:
			h.received, _ = s.takeOn(end)
		}
		s.detach(end)
		delete(x.links, input.Link)
		delete(x.ready, input.Link)
	case input.Kind == impl.InputReceive:
		h.received, err = s.receive(end, input.Data)
	case input.Kind == impl.InputContinue:
		h.received, err = s.takeOn(end)
	case input.Kind == impl.InputPull:
		first := len(s.queues[end])
		for i := range effects {
			if effects[i].Kind != impl.EffectWrite {
				continue
			}
			m, err := s.send(r, end, effects[i].Message.Bytes())
			if err != nil {
				return err
			}
			h.sent = append(h.sent, m)
		}
		if s.unordered && end == childEnd { // the specification has them in the order of the channels
			slices.SortStableFunc(s.queues[end][first:], func(a, b message) int { return cmp.Compare(a.channel, b.channel) })
		}
	}
	return err
}

// plan is the actions that the specification has for a happening, for one
// object; a tick may be a Rebalance besides, see refine.
func (o *object) plan(r *Refinement, h *happening) []model.Step {
	o.steps = o.steps[:0]
	switch {
	case h.crash:
		o.planCrash(h)
	case len(h.sessions) > 0:
		o.planSession(r, h)
	default:
		o.planContract(h)
	}
	for _, a := range h.ends {
		o.steps = append(o.steps, o.detach(a))
	}
	return o.steps
}

func (o *object) detach(a attachment) model.Step {
	return model.Step{Action: model.Detach, Link: o.slotOf(a.session), Downstream: a.end == childEnd}
}

func (o *object) planContract(h *happening) {
	k := o.placeOf(h.exchange, h.contract)
	if k < 0 {
		return
	}
	step := model.Step{Contract: k}
	offers := false // the action is one on an offer, of one object
	switch h.input {
	case impl.InputOpen:
		step.Action, step.Capacity = model.Open, h.capacity
	case impl.InputClose:
		step.Action = model.Close
	case impl.InputSetCapacity:
		step.Action, step.Capacity = model.SetCapacity, h.capacity
		if o.state.Nodes[h.exchange].Contracts[o.spot(k)] == h.capacity {
			return // it had that capacity
		}
	case impl.InputTake:
		step.Action, offers = model.Take, !h.refused
	case impl.InputRelease:
		step.Action, offers = model.Release, true
	case impl.InputRead:
		step.Action, offers = model.Read, true
	case impl.InputPublish:
		step.Action, offers = model.Publish, true
	default:
		return
	}
	if offers && h.key != o.descriptor.Key {
		return
	}
	if h.input == impl.InputPublish {
		step.Flag = model.Flag{State: o.number(h.state), Now: h.now}
	}
	o.steps = append(o.steps, step)
}

func (o *object) planCrash(h *happening) {
	for k, p := range o.places {
		if p.exchange == h.exchange && p.contract != 0 && o.state.Nodes[p.exchange].IsOpen(o.spot(k)) {
			o.steps = append(o.steps, model.Step{Action: model.Close, Contract: k})
		}
	}
	for _, a := range h.sessions {
		o.steps = append(o.steps, o.detach(a))
	}
}

// planRights is the action that gives a link other rights, if they are that for the object.
func (o *object) planRights(r *Refinement, h *happening) {
	s, end := h.sessions[0].session, h.sessions[0].end
	if end != parentEnd {
		return
	}
	l := o.slotOf(s)
	before, rights := o.model.Everything(), o.rights(r, h.exchange, l)
	if h.input == impl.InputSetRights {
		spot := slices.Index(o.model.DownstreamLinks(h.exchange), l)
		before = o.state.Nodes[h.exchange].Downstream[spot].Rights
	}
	if rights != before {
		o.steps = append(o.steps, model.Step{Action: model.SetRights, Link: l, Rights: rights})
	}
}

func (o *object) planSession(r *Refinement, h *happening) {
	s, end := h.sessions[0].session, h.sessions[0].end
	step := model.Step{Link: o.slotOf(s)}
	switch {
	case h.input == impl.InputAttach:
		step.Action, step.Downstream = model.Attach, end == childEnd
		o.steps = append(o.steps, step)
		o.planRights(r, h)
		return
	case h.input == impl.InputSetRights && !h.ended:
		o.planRights(r, h)
		return
	case h.ended:
		step = o.detach(h.sessions[0])
	case h.input == impl.InputPull:
		o.planPull(h, step, end)
		return
	default:
		o.planReceive(h)
		return
	}
	o.steps = append(o.steps, step)
}

// planReceive is the actions that take what was received.
func (o *object) planReceive(h *happening) {
	if h.received == nil {
		return
	}
	for i := range h.received.joined {
		o.planMessage(h, &h.received.joined[i])
	}
	o.planMessage(h, h.received)
}

// planMessage is the action that takes a message.
func (o *object) planMessage(h *happening, m *message) {
	s, end := h.sessions[0].session, h.sessions[0].end
	step := model.Step{Link: o.slotOf(s)}
	switch {
	case !o.concerns(m):
		return
	case m.kind == model.ContractsMessage:
		step.Action = model.ReceiveContracts
	case m.kind == model.OpenMessage:
		step.Action = model.ReceiveOpen
	case m.kind == model.CloseMessage:
		step.Action = model.ReceiveClose
	case end == parentEnd:
		step.Action = model.ReceiveStateUp
	default:
		step.Action = model.ReceiveStateDown
	}
	o.steps = append(o.steps, step)
}

// planPull is one action for each control message and each state upwards, and
// one for all that goes down for the object.
func (o *object) planPull(h *happening, step model.Step, end int) {
	step.Action = model.PullUp
	if end == parentEnd {
		step.Action = model.PullDown
	}
	for _, m := range h.sent {
		if !o.concerns(m) {
			continue
		}
		o.steps = append(o.steps, step)
		if end == parentEnd {
			return
		}
	}
}

// placeOf is the place of an exchange's contract; negative: it does not cover the object.
func (o *object) placeOf(n int, id impl.ContractID) int {
	for k, p := range o.places {
		if id != 0 && p.exchange == n && p.contract == id {
			return k
		}
	}
	return -1
}

// spot is the index of a place among the contracts of its exchange.
func (o *object) spot(k int) int {
	for spot, other := range o.model.ContractsAt(o.places[k].exchange) {
		if other == k {
			return spot
		}
	}
	panic("BUG: a contract is not among those of its exchange")
}

// refine holds what came of a happening to what the actions lead to, and reports
// whether anything of the object changed.
func (o *object) refine(r *Refinement, h *happening) (changed bool, err error) {
	r.counts.Checks++
	steps := o.plan(r, h)
	o.ends = len(h.ends) > 0
	if h.limited {
		steps = nil
	}
	if h.refused && !h.limited {
		if err := o.refuses(steps); err != nil {
			return false, err
		}
		r.counts.Refusals += len(steps)
		steps = nil
	}
	differ := o.look(r, h.exchange)
	changed = differ != 0
	for _, a := range h.ends {
		changed = true
		o.lookAtWire(o.slotOf(a.session))
	}
	for _, a := range h.sessions {
		if h.crash || h.ended || h.input == impl.InputAttach || len(steps) > 0 {
			changed = true
			o.lookAtWire(o.slotOf(a.session))
		}
	}
	if h.input == impl.InputRead && !h.refused && h.key == o.descriptor.Key {
		o.shows(h)
	}
	if o.unknown != "" {
		return false, fmt.Errorf("object %s: %s", o.descriptor.Key, o.unknown)
	}
	if len(steps) == 0 && !changed {
		r.counts.Stutters++
		return false, nil
	}
	before := o.fill(r, h.exchange, o.state)
	if changed {
		o.renumber(h.exchange, differ)
	}
	if o.leads(before, o.state, steps) {
		r.counts.took(steps)
		return changed, nil
	}
	if h.ended && o.endedAfter(r, h, before) {
		return changed, nil
	}
	if len(steps) == 0 && h.input == impl.InputTick {
		steps = []model.Step{{Action: model.Rebalance, Exchange: h.exchange}}
		if o.leads(before, o.state, steps) {
			r.counts.took(steps)
			return changed, nil
		}
	}
	return changed, o.explain(before, o.state, steps)
}

// endedAfter reports whether the step is one that takes what was received, or of several states the first few, and then ends the link.
func (o *object) endedAfter(r *Refinement, h *happening, before model.State) bool {
	if h.received == nil {
		return false
	}
	received := append(slices.Clone(h.received.joined), *h.received)
	for few := 1; few <= len(received); few++ {
		o.steps = o.steps[:0]
		for i := range received[:few] {
			o.planMessage(h, &received[i])
		}
		for _, a := range append(h.sessions, h.ends...) {
			o.steps = append(o.steps, o.detach(a))
		}
		if o.leads(before, o.state, o.steps) {
			r.counts.took(o.steps)
			return true
		}
	}
	return false
}

// shows demands that what a Read shows is what is held.
func (o *object) shows(h *happening) {
	shown, held := o.flag(h.state, impl.Synchronized{Now: h.now}), o.views[h.exchange].raw.Held[0]
	if shown != held && !o.views[h.exchange].is.hollow && o.unknown == "" {
		o.unknown = fmt.Sprintf("a Read shows %+v, held is %+v", shown, held)
	}
}

// refuses demands that what a core refused is not enabled.
func (o *object) refuses(steps []model.Step) error {
	for _, step := range steps {
		if o.model.Do(o.state, step, func(model.State) {}) == "" {
			return fmt.Errorf("object %s: the core refused %s, which the specification allows", o.descriptor.Key, o.describe(step))
		}
	}
	return nil
}

// drained demands that links which say that they have nothing to send owe
// nothing of the object.
func (o *object) drained(r *Refinement, n int) error {
	x := r.exchanges[n]
	for i := range o.slots {
		s := o.slots[i].session
		if s == nil {
			continue
		}
		for end, action := range [2]model.Action{model.PullUp, model.PullDown} {
			if s.at(end) != n || s.ends[end] != model.On || x.ready[s.links[end]] {
				continue
			}
			step := model.Step{Action: action, Link: i}
			if o.model.Do(o.state, step, func(model.State) {}) == "" {
				if o.keptBack(step) {
					continue
				}
				return fmt.Errorf("object %s: link %d has nothing to send, but the specification has %s", o.descriptor.Key, s.links[end], o.describe(step))
			}
		}
	}
	return nil
}

// leads reports whether the steps can lead from one state to another.
func (o *object) leads(before, after model.State, steps []model.Step) (leads bool) {
	reaches := func(s model.State) { leads = leads || o.model.Equal(s, after) }
	switch len(steps) {
	case 0:
		reaches(before)
	case 1:
		o.do(before, steps[0], reaches)
	default:
		frontier := []model.State{before}
		for _, step := range steps {
			frontier = o.follow(frontier, step)
		}
		for _, s := range frontier {
			reaches(s)
		}
	}
	return leads
}

// follow is all states that a step leads to from any of some states, each once.
func (o *object) follow(frontier []model.State, step model.Step) (next []model.State) {
	for _, s := range frontier {
		o.do(s, step, func(t model.State) {
			for _, known := range next {
				if o.model.Equal(known, t) {
					return
				}
			}
			next = append(next, t)
		})
	}
	return next
}
