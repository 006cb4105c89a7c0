package refinement

import (
	"errors"
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/model"
	"hakuban/sim"
)

// Refinement is an observer of one run of the simulator.
type Refinement struct {
	exchanges  []*exchange
	sessions   map[int]*session
	objects    []*object         // in the order in which they were first opened
	names      []string          // of exchanges
	identities map[string]string // of tags, by text
	keys       map[string]string // of objects, by the text of a descriptor
	text       []byte            // scratch
	limited    bool              // some link has, or will have, a load limit
	announced  *session          // by Attach, for the step that follows
	failure    error             // of a crash, told at the next step
	counts     Counts
	happening  happening // the last one

	// distort changes what the abstraction says of an exchange; only tests that
	// prove the comparison set it.
	distort func(exchange int, N *model.Node)
}

// Counts is how much was refined.
type Counts struct {
	Steps    int // of cores, and crashes
	Checks   int // steps times objects
	Stutters int // of those, the ones in which nothing of the object changed
	Refusals int // inputs that a core refused and that no action takes
	Actions  [model.Actions]int
}

func (c *Counts) took(steps []model.Step) {
	for _, step := range steps {
		c.Actions[step.Action]++
	}
}

// Add adds another run's counts.
func (c *Counts) Add(other *Counts) {
	c.Steps += other.Steps
	c.Checks += other.Checks
	c.Stutters += other.Stutters
	c.Refusals += other.Refusals
	for action, count := range other.Actions {
		c.Actions[action] += count
	}
}

// String returns the counts in one line.
func (c *Counts) String() string {
	text := fmt.Sprintf("%d steps refined, %d with each object, of which %d changed nothing, %d refusals;", c.Steps, c.Checks, c.Stutters, c.Refusals)
	for action, count := range c.Actions {
		text += fmt.Sprintf(" %v %d", model.Action(action), count)
	}
	return text
}

// exchange is what the observer knows of one exchange.
type exchange struct {
	core      *impl.Exchange // nil: crashed
	links     map[impl.LinkID]attachment
	contracts map[impl.ContractID]contract // open
	offers    map[impl.OfferID]offer       // taken, and not given back
	ready     map[impl.LinkID]bool         // it said that it has something to send
	rights    map[impl.LinkID]*impl.Rights // as they were given; nil: everything
}

func newExchange() *exchange {
	return &exchange{
		links:     make(map[impl.LinkID]attachment),
		contracts: make(map[impl.ContractID]contract),
		offers:    make(map[impl.OfferID]offer),
		ready:     make(map[impl.LinkID]bool),
		rights:    make(map[impl.LinkID]*impl.Rights),
	}
}

func (x *exchange) open(id impl.ContractID) bool { _, open := x.contracts[id]; return open }

// offer is a taken offer: the contract and the object that it is of.
type offer struct {
	contract impl.ContractID
	key      string
}

// contract is an open local contract.
type contract struct {
	kind  model.Kind
	thing string
}

// attachment is a session that an exchange's core knows.
type attachment struct {
	session *session
	end     int
}

// New returns an observer for one run.
func New() *Refinement {
	return &Refinement{sessions: make(map[int]*session), identities: make(map[string]string), keys: make(map[string]string)}
}

// Counts returns what was refined so far.
func (r *Refinement) Counts() *Counts { return &r.counts }

// Property is part of [sim.Observer].
func (r *Refinement) Property() string { return "every step is a step of the specification" }

// Begin is part of [sim.Observer].
func (r *Refinement) Begin(n int, core *impl.Exchange) {
	for len(r.exchanges) <= n {
		r.exchanges = append(r.exchanges, &exchange{})
	}
	r.exchanges[n] = newExchange()
	r.exchanges[n].core = core
}

// Attach is part of [sim.Observer].
func (r *Refinement) Attach(public sim.Session, n int) {
	s := r.sessions[public.Number]
	if s == nil {
		s = newSession(public)
		s.unordered = r.unordered(public.Number)
		r.sessions[public.Number] = s
	}
	end, link := childEnd, public.ChildLink
	if n == public.Parent {
		end, link = parentEnd, public.ParentLink
	}
	s.links[end] = link
	r.exchanges[n].links[link] = attachment{s, end}
	r.announced = s
}

// BeforeStep is part of [sim.Observer]: it makes room in the models for what the
// step brings.
func (r *Refinement) BeforeStep(n int, core *impl.Exchange, now impl.Now, input *impl.Input) {
	r.exchanges[n].core = core
	switch input.Kind {
	case impl.InputAttach:
		r.limited = r.limited || len(input.LoadLimit) > 0
		for _, o := range r.objects {
			o.model.Limited = o.model.Limited || r.limited
			if o.seat(r.announced) {
				o.grow(r)
			}
		}
	case impl.InputOpen:
		r.beforeOpen(n, input)
	case impl.InputReceive:
		r.beforeReceive(n, core.Slice(), input)
	}
}

// beforeReceive cuts a message that will be taken in slices.
func (r *Refinement) beforeReceive(n, slice int, input *impl.Input) {
	a, known := r.exchanges[n].links[input.Link]
	if !known || a.end == childEnd || !a.session.cut(r, a.end, slice, input.Data) {
		return
	}
	for _, o := range r.objects {
		o.lookAtWire(o.slotOf(a.session))
		o.renumber(n, 0)
	}
}

func (r *Refinement) beforeOpen(n int, input *impl.Input) {
	c := contract{kind: model.Observe}
	if input.ContractKind == impl.ExposeObject || input.ContractKind == impl.ExposeTag {
		c.kind = model.Expose
	}
	if input.ContractKind == impl.ObserveTag || input.ContractKind == impl.ExposeTag {
		c.thing = tagThing(r.identity(input.Descriptor.JSON))
	} else {
		c.thing = objectThing(input.Descriptor.Key)
		if r.object(input.Descriptor.Key) == nil {
			r.objects = append(r.objects, newObject(r, input.Descriptor))
		}
	}
	r.exchanges[n].contracts[input.Contract] = c
	for _, o := range r.objects {
		if o.place(n, input.Contract, c) {
			o.grow(r)
		}
	}
}

func (r *Refinement) object(key string) *object {
	for _, o := range r.objects {
		if o.descriptor.Key == key {
			return o
		}
	}
	return nil
}

// AfterStep is part of [sim.Observer].
func (r *Refinement) AfterStep(n int, core *impl.Exchange, now impl.Now, input *impl.Input, effects []impl.Effect) error {
	if r.failure != nil {
		return r.failure
	}
	r.counts.Steps++
	h, err := r.happened(n, input, effects)
	if err != nil {
		return err
	}
	for _, o := range r.objects {
		changed, err := o.refine(r, h)
		if err == nil && (changed || h.quieted) {
			err = o.drained(r, n)
		}
		if err != nil {
			return fmt.Errorf("exchange %d, %s: %w", n, sim.DescribeInput(input), err)
		}
	}
	r.forget(h)
	return nil
}

// forget gives the places of what is over back.
func (r *Refinement) forget(h *happening) {
	if h.input == impl.InputClose && !h.refused {
		delete(r.exchanges[h.exchange].contracts, h.contract)
	}
	for _, a := range h.sessions {
		if a.session.over() {
			delete(r.sessions, a.session.Number)
		}
	}
	for _, o := range r.objects {
		for i := range o.places {
			if p := &o.places[i]; p.exchange == h.exchange && p.contract != 0 {
				if _, open := r.exchanges[h.exchange].contracts[p.contract]; !open {
					p.contract = 0
				}
			}
		}
		for i := range o.slots {
			if s := o.slots[i].session; s != nil && s.over() {
				o.slots[i].session = nil
			}
		}
	}
}

// Crash is part of [sim.Observer]. A crash is the end of all contracts and of
// all sessions at this end.
func (r *Refinement) Crash(n int) {
	r.counts.Steps++
	h := r.begin(n)
	h.crash = true
	for _, s := range r.sessions {
		for end := range s.ends {
			if s.at(end) == n && s.ends[end] == model.On {
				s.detach(end)
				h.sessions = append(h.sessions, attachment{s, end})
			}
		}
	}
	// Downstream sessions in order of age: the order does not matter, but runs
	// must repeat.
	slices.SortFunc(h.sessions, func(a, b attachment) int { return a.session.Number - b.session.Number })
	r.exchanges[n] = newExchange()
	for _, o := range r.objects {
		if _, err := o.refine(r, h); err != nil {
			r.failure = errors.Join(r.failure, fmt.Errorf("exchange %d crashed: %w", n, err))
		}
	}
	r.forget(h)
}

// Send is part of [sim.Observer]: what was sent is taken from the effects, which
// also have what went into a lost session.
func (r *Refinement) Send(sim.Session, int, int, []byte) error { return nil }

// Respell is part of [sim.Observer].
func (r *Refinement) Respell(public sim.Session, from, to int, was, now [][]byte) error {
	s := r.sessions[public.Number]
	end := childEnd
	if from == s.Parent {
		end = parentEnd
	}
	cut, err := s.respell(r, end, was, now)
	if cut {
		for _, o := range r.objects {
			o.lookAtWire(o.slotOf(s))
			o.renumber(to, 0)
		}
	}
	return err
}

// Deliver is part of [sim.Observer]: what arrives is taken from the input.
func (r *Refinement) Deliver(sim.Session, int, int, []byte) error { return nil }

// Lose is part of [sim.Observer]. A lost message waits for ever, as in the
// specification, until the end that it was meant for leaves.
func (r *Refinement) Lose(sim.Session, int, int, bool) error { return nil }
