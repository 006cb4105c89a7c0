package bisimulation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"hakuban/impl"
	"hakuban/model"
	"hakuban/sim"
	"hakuban/sim/refinement"
	"hakuban/wire"
)

// still is the time: it stands still, so that a last-at never moves.
var still = impl.Now{Mono: 1_000_000_000, Wall: 1_800_000_000_000_000_000}

// world is real cores in a configuration's tree, held to its model.
type world struct {
	model    *model.Model
	object   wire.Descriptor
	states   []*impl.State // by number; 0 is nil
	cores    []*impl.Exchange
	watch    *refinement.Refinement
	shared   uint64        // bit n: core n is another world's too; bit len(cores): so is watch
	sessions []sim.Session // by slot
	next     int           // counts links, contracts and sessions
	last     map[int]impl.ContractID
	offers   map[int]offer // by contract: the last one taken
}

type offer struct {
	id       impl.OfferID
	contract impl.ContractID
}

func newWorld(m *model.Model) *world {
	var tags []string
	for _, t := range m.Objects[0].Tags {
		tags = append(tags, strconv.Quote(m.Tags[t]))
	}
	descriptor, err := wire.NewDescriptor(tags, strconv.Quote(m.Objects[0].Name), nil)
	if err != nil {
		panic(err)
	}
	w := &world{model: m, object: descriptor, states: []*impl.State{nil}, last: map[int]impl.ContractID{}, offers: map[int]offer{}}
	for number, version := range m.Version[1:] {
		w.states = append(w.states, &impl.State{Version: []int64{int64(version)}, Data: []byte{byte(number)}})
	}
	w.watch = refinement.NewFor(m, descriptor, w.states[1:])
	for range m.Exchanges {
		w.cores = append(w.cores, impl.New(impl.Config{}))
	}
	w.sessions = make([]sim.Session, len(m.Links))
	return w
}

// clone returns a world of its own. What it shares is copied when it changes, as
// long as the world that it came from stays as it is.
func (w *world) clone() *world {
	c := *w
	c.cores, c.shared = slices.Clone(w.cores), 1<<(len(w.cores)+1)-1
	c.sessions = slices.Clone(w.sessions)
	c.last, c.offers = maps.Clone(w.last), maps.Clone(w.offers)
	return &c
}

// own makes a core, and the watch, this world's own.
func (w *world) own(n int) {
	if watch := uint64(1) << len(w.cores); w.shared&watch != 0 {
		w.watch = w.watch.Clone()
		w.shared &^= watch
	}
	if core := uint64(1) << n; w.shared&core != 0 {
		w.cores[n] = w.cores[n].Clone()
		w.shared &^= core
	}
}

func (w *world) state() model.State { return w.watch.State() }

// input steps a core, and holds the step to the model.
func (w *world) input(n int, input impl.Input) ([]impl.Effect, error) {
	w.own(n)
	w.watch.BeforeStep(n, w.cores[n], still, &input)
	effects := w.cores[n].Step(still, input)
	return effects, w.watch.AfterStep(n, w.cores[n], still, &input, effects)
}

func did(effects []impl.Effect, kind impl.EffectKind) *impl.Effect {
	for i := range effects {
		if effects[i].Kind == kind {
			return &effects[i]
		}
	}
	return nil
}

// do tries one step with the cores, and reports whether they did something. A
// message is one of those that may arrive next, by number.
func (w *world) do(step model.Step, which int) (done bool, err error) {
	switch step.Action {
	case model.Open, model.Close, model.SetCapacity:
		return w.doContract(step)
	case model.Take, model.Release, model.Publish, model.Read:
		return w.doOffer(step)
	case model.SetRights:
		return w.setRights(step.Link, step.Rights)
	case model.Attach:
		return w.attach(step.Link, step.Downstream)
	case model.Detach:
		return w.detach(step.Link, step.Downstream)
	case model.PullUp, model.PullDown:
		return w.pull(step.Link, step.Action == model.PullUp)
	case model.ReceiveContracts, model.ReceiveOpen, model.ReceiveClose, model.ReceiveStateUp, model.ReceiveStateDown:
		return w.receive(step, which)
	}
	return false, fmt.Errorf("%v is not in the alphabet", step.Action)
}

// setRights gives a link's peer rights: an object is in reach by its tags, which have all that it has.
func (w *world) setRights(l int, rights model.Rights) (bool, error) {
	link, n := w.link(l, false)
	if link == 0 {
		return false, nil
	}
	reach := func(things uint64) (reach impl.Reach) {
		for t, identity := range w.object.TagIdentities {
			if things>>(1+t)&1 == 1 {
				reach.Tags = append(reach.Tags, identity)
			}
		}
		return reach
	}
	before := w.state()
	_, err := w.input(n, impl.Input{Kind: impl.InputSetRights, Link: link, Rights: &impl.Rights{
		Observe: reach(rights.Observe), Expose: reach(rights.Expose), Capacity: uint32(rights.Capacity), LeaveOut: true,
	}})
	return !w.model.Equal(before, w.state()), err
}

func (w *world) doContract(step model.Step) (bool, error) {
	k := step.Contract
	c := w.model.Contracts[k]
	input := impl.Input{Kind: impl.InputClose, Contract: w.last[k]}
	switch step.Action {
	case model.Open:
		if w.watch.Contract(k) != 0 {
			return false, nil // an application opens it once
		}
		w.next++
		w.last[k] = impl.ContractID(w.next)
		input = impl.Input{Kind: impl.InputOpen, Contract: w.last[k], Capacity: uint32(step.Capacity), Descriptor: w.object}
		input.ContractKind = impl.ObserveObject
		if c.Kind == model.Expose {
			input.ContractKind = impl.ExposeObject
		}
		if c.On > 0 {
			input.ContractKind += impl.ObserveTag - impl.ObserveObject
			tag, err := wire.NewDescriptor(nil, strconv.Quote(w.model.Tags[c.On-1]), nil)
			if err != nil {
				return false, err
			}
			input.Descriptor = tag
		}
	case model.SetCapacity:
		input.Kind, input.Capacity = impl.InputSetCapacity, uint32(step.Capacity)
	}
	before := w.state()
	effects, err := w.input(c.At, input)
	return did(effects, impl.EffectRefused) == nil && !w.model.Equal(before, w.state()), err
}

func (w *world) doOffer(step model.Step) (bool, error) {
	k := step.Contract
	n := w.model.Contracts[k].At
	if step.Action == model.Take {
		effects, err := w.input(n, impl.Input{Kind: impl.InputTake, Contract: w.last[k]})
		taken := did(effects, impl.EffectTaken)
		if taken == nil || taken.Offer == 0 {
			return false, err
		}
		w.offers[k] = offer{taken.Offer, w.last[k]}
		return true, err
	}
	f := w.offers[k]
	input := impl.Input{Kind: impl.InputRelease, Offer: f.id}
	switch step.Action {
	case model.Publish:
		input.Kind, input.State = impl.InputPublish, w.states[step.State]
		input.Synchronized = impl.Synchronized{Now: step.Now, Mono: still.Mono}
	case model.Read:
		input.Kind = impl.InputRead
	}
	effects, err := w.input(n, input)
	// What is done with a closed contract's offer is nothing.
	current := f.contract != 0 && f.contract == w.watch.Contract(k)
	return current && did(effects, impl.EffectRefused) == nil, err
}

// link is the session at one end of a slot, and the exchange there; zero: none.
func (w *world) link(l int, below bool) (impl.LinkID, int) {
	if below {
		return w.sessions[l].ChildLink, w.model.Links[l].Downstream
	}
	return w.sessions[l].ParentLink, w.model.Links[l].Upstream
}

func (w *world) attach(l int, below bool) (bool, error) {
	W := w.state().Links[l]
	link, n := w.link(l, below)
	if link != 0 || W.Downstream == model.Gone || W.Upstream == model.Gone {
		return false, nil // a driver begins a session once, at each end
	}
	w.next++
	link = impl.LinkID(w.next)
	input := impl.Input{Kind: impl.InputAttach, Link: link, Role: impl.ToDownstream}
	if below {
		input.Role = impl.ToUpstream
	}
	if did(w.cores[n].Clone().Step(still, input), impl.EffectRefused) != nil {
		return false, nil
	}
	s := &w.sessions[l]
	if s.ChildLink == 0 && s.ParentLink == 0 {
		*s = sim.Session{Number: w.next*len(w.sessions) + l, Child: w.model.Links[l].Downstream, Parent: w.model.Links[l].Upstream}
	}
	if below {
		s.ChildLink = link
	} else {
		s.ParentLink = link
	}
	w.own(n)
	w.watch.Attach(*s, n)
	if _, err := w.input(n, input); err != nil {
		return true, err
	}
	// The greeting is nothing to the model: it is written at once.
	_, err := w.input(n, impl.Input{Kind: impl.InputPull, Link: link, Budget: 1})
	return true, err
}

func (w *world) detach(l int, below bool) (bool, error) {
	link, n := w.link(l, below)
	if link == 0 {
		return false, nil
	}
	if below {
		w.sessions[l].ChildLink = 0
	} else {
		w.sessions[l].ParentLink = 0
	}
	_, err := w.input(n, impl.Input{Kind: impl.InputDetach, Link: link})
	return true, err
}

// pull lets an end write until it has written something that the model knows, or
// has nothing more.
func (w *world) pull(l int, up bool) (bool, error) {
	link, n := w.link(l, up)
	if link == 0 {
		return false, nil
	}
	before := w.state()
	for {
		effects, err := w.input(n, impl.Input{Kind: impl.InputPull, Link: link, Budget: 1})
		if err != nil {
			return false, err
		}
		if !w.model.Equal(before, w.state()) {
			return true, nil
		}
		if did(effects, impl.EffectDrained) != nil {
			return false, nil
		}
	}
}

// receivable is the messages that a step may deliver: see Deliverable.
func (w *world) receivable(step model.Step) [][][]byte {
	kind := model.StateMessage
	switch step.Action {
	case model.ReceiveContracts:
		kind = model.ContractsMessage
	case model.ReceiveOpen:
		kind = model.OpenMessage
	case model.ReceiveClose:
		kind = model.CloseMessage
	case model.ReceiveStateUp, model.ReceiveStateDown:
	default:
		return nil
	}
	up := step.Action == model.ReceiveContracts || step.Action == model.ReceiveStateUp
	return w.watch.Deliverable(step.Link, up, kind)
}

// receive delivers one of the messages that may arrive next and are of the kind
// that the action takes, and what comes before it and is nothing to the model.
func (w *world) receive(step model.Step, which int) (bool, error) {
	up := step.Action == model.ReceiveContracts || step.Action == model.ReceiveStateUp
	link, n := w.link(step.Link, !up)
	ways := w.receivable(step)
	if link == 0 || which >= len(ways) {
		return false, nil
	}
	for _, data := range ways[which] {
		if _, err := w.input(n, impl.Input{Kind: impl.InputReceive, Link: link, Data: data}); err != nil {
			return false, err
		}
	}
	return true, nil
}
