package refinement

import (
	"fmt"
	"slices"
	"time"

	"hakuban/impl"
	"hakuban/model"
	"hakuban/wire"
)

// world is the cores of a configuration and what is in flight between them.
type world struct {
	m     *model.Model
	moves bool // ticks move objects from link to link
	cores []*impl.Exchange
	links []session
	open  []impl.ContractID      // by contract of the model; 0: closed
	taken []map[int]impl.OfferID // by contract of the model: the offer of each object that was taken and not released
	ids   uint64                 // of links and contracts
	now   impl.Now
	keys  []wire.Descriptor // by thing
}

// session is a link slot.
type session struct {
	below, above model.End
	child        impl.LinkID // the session's id at the downstream end; 0: not attached
	parent       impl.LinkID
	up, down     []flight
	ready        [2]bool // at the downstream end, at the upstream end: there is something to pull

	// What the sender last said on each channel, to see in a message what the model sees.
	told     []model.Asks
	channels map[channelKey]channelSaid
}

type channelKey struct {
	up     bool
	number uint64
}

type channelSaid struct {
	object int
	last   model.Flag
}

// flight is a message in flight, and what it is to the model; nil: nothing.
type flight struct {
	data    []byte
	channel wire.ChannelID
	message *model.Message
}

// loadUnit is the load of an object on a link of capacity 1: in the specification, where loads are counted in sixths, and in
// the core. Of capacities 1 and 2 both are exact.
const (
	loadUnit     = 6
	coreLoadUnit = 1 << 32
)

// newWorld is cores with nothing open. Where moves is false objects stay on the link that they are on.
func newWorld(m *model.Model, moves bool) *world {
	w := &world{m: m, moves: moves, now: impl.Now{Mono: 1e9, Wall: 1}}
	for range m.Exchanges {
		w.cores = append(w.cores, impl.New(impl.Config{Rebalance: moves, RebalanceThreshold: float64(m.Threshold) / loadUnit}))
	}
	w.links = make([]session, len(m.Links))
	for l := range w.links {
		w.links[l].reset(m)
	}
	w.open = make([]impl.ContractID, len(m.Contracts))
	w.taken = make([]map[int]impl.OfferID, len(m.Contracts))
	for _, object := range m.Objects {
		var tags []string
		for _, t := range object.Tags {
			tags = append(tags, quoted(m.Tags[t]))
		}
		w.keys = append(w.keys, descriptor(tags, quoted(object.Name)))
	}
	for _, tag := range m.Tags {
		w.keys = append(w.keys, descriptor(nil, quoted(tag)))
	}
	return w
}

func quoted(name string) string { return `"` + name + `"` }

func descriptor(tags []string, json string) wire.Descriptor {
	d, err := wire.NewDescriptorStrict(tags, json, nil)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return d
}

func (s *session) reset(m *model.Model) {
	*s = session{told: make([]model.Asks, m.Things()), channels: make(map[channelKey]channelSaid)}
}

// step steps the core of exchange n and notes what it has to send.
func (w *world) step(n int, input impl.Input) []impl.Effect {
	effects := slices.Clone(w.cores[n].Step(w.now, input))
	for _, e := range effects {
		for l := range w.links {
			s := &w.links[l]
			switch {
			case e.Link == 0:
			case e.Link == s.child && w.m.Links[l].Downstream == n:
				s.ready[0] = s.ready[0] || e.Kind == impl.EffectReady
			case e.Link == s.parent && w.m.Links[l].Upstream == n:
				s.ready[1] = s.ready[1] || e.Kind == impl.EffectReady
			}
		}
		if e.Kind == impl.EffectEnd || e.Kind == impl.EffectRefused {
			panic(fmt.Sprintf("BUG: input %d: %v", input.Kind, e.Err))
		}
	}
	if err := w.cores[n].Check(); err != nil {
		panic("BUG: " + err.Error())
	}
	return effects
}

// input is one thing that can happen in a world: a step of the model with its parameters, or a pull or a delivery whose
// action depends on what is there.
type input struct {
	model.Step
	deliver bool // a message on Link: up where Below, else down
	at      int  // its place in the queue
}

// inputs lists what can happen now.
func (w *world) inputs() (list []input) {
	add := func(step model.Step) { list = append(list, input{Step: step}) }
	for k, c := range w.m.Contracts {
		capacities := w.m.Capacities
		if c.Kind == model.Observe {
			capacities = []int{0}
		}
		if w.open[k] == 0 {
			for _, capacity := range capacities {
				add(model.Step{Action: model.Open, Contract: k, Capacity: capacity})
			}
			continue
		}
		add(model.Step{Action: model.Close, Contract: k})
		contract := w.contract(k)
		for _, capacity := range capacities {
			if c.Kind == model.Expose && int(contract.Capacity) != capacity {
				add(model.Step{Action: model.SetCapacity, Contract: k, Capacity: capacity})
			}
		}
		for _, offer := range contract.Offers {
			if !offer.Taken {
				add(model.Step{Action: model.Take, Contract: k})
				break
			}
		}
		for o := range w.m.Objects {
			if w.taken[k][o] == 0 {
				continue
			}
			add(model.Step{Action: model.Release, Contract: k, Object: o})
			if c.Kind == model.Observe {
				add(model.Step{Action: model.Read, Contract: k, Object: o})
				continue
			}
			for state := 1; state < len(w.m.Version); state++ {
				add(model.Step{Action: model.Publish, Contract: k, Object: o, Flag: model.Flag{State: state}})
				add(model.Step{Action: model.Publish, Contract: k, Object: o, Flag: model.Flag{State: state, Now: true}})
			}
		}
	}
	for l := range w.links {
		s := &w.links[l]
		if s.below != model.Gone && s.above != model.Gone {
			if s.below == model.Off && !w.linked(w.m.Links[l].Downstream) {
				add(model.Step{Action: model.Attach, Link: l, Downstream: true})
			}
			if s.above == model.Off {
				add(model.Step{Action: model.Attach, Link: l})
			}
		}
		if s.below == model.On {
			add(model.Step{Action: model.Detach, Link: l, Downstream: true})
			if s.ready[0] {
				add(model.Step{Action: model.PullUp, Link: l})
			}
			for _, at := range w.deliverable(l, s.down) {
				list = append(list, input{Step: model.Step{Link: l}, deliver: true, at: at})
			}
		}
		if s.above == model.On {
			for _, rights := range w.m.Rights {
				add(model.Step{Action: model.SetRights, Link: l, Rights: rights})
			}
			add(model.Step{Action: model.Detach, Link: l})
			if s.ready[1] {
				add(model.Step{Action: model.PullDown, Link: l})
			}
			for _, at := range w.deliverable(l, s.up) {
				list = append(list, input{Step: model.Step{Link: l, Downstream: true}, deliver: true, at: at})
			}
		}
	}
	for n := range w.cores {
		if _, due := w.cores[n].Deadline(); due {
			add(model.Step{Action: model.Rebalance, Exchange: n})
		}
	}
	return list
}

// deliverable is the places in a queue of what may arrive next: the oldest message, of each channel where channels overtake
// one another.
func (w *world) deliverable(l int, queue []flight) (places []int) {
	for at, f := range queue {
		waits := func(older flight) bool { return w.m.Links[l].Ordered || older.channel == f.channel }
		if !slices.ContainsFunc(queue[:at], waits) {
			places = append(places, at)
		}
	}
	return places
}

// linked reports whether an exchange has a link to upstream.
func (w *world) linked(n int) bool {
	for l := range w.links {
		if w.m.Links[l].Downstream == n && w.links[l].below == model.On {
			return true
		}
	}
	return false
}

// do carries an input out, and returns the actions that it may be in the model, none meaning that it must be nothing there.
func (w *world) do(in input) []model.Action {
	if in.deliver {
		return w.deliver(in.Link, in.Downstream, in.at)
	}
	switch in.Action {
	case model.Attach, model.Detach:
		w.session(in)
	case model.PullUp:
		w.pull(in.Link, true)
	case model.PullDown:
		w.pull(in.Link, false)
	case model.SetRights:
		w.step(w.m.Links[in.Link].Upstream, impl.Input{Kind: impl.InputSetRights, Link: w.links[in.Link].parent, Rights: w.rights(in.Rights)})
	case model.Rebalance:
		at, _ := w.cores[in.Exchange].Deadline()
		w.now.Mono = max(w.now.Mono, at)
		if w.m.Loads {
			w.now.Mono += int64(2 * time.Second) // later than any object's deadline
		}
		w.step(in.Exchange, impl.Input{Kind: impl.InputTick})
	default:
		w.local(in)
	}
	return []model.Action{in.Action}
}

// rights are those of a model as the core has them. An object is in reach by its tags.
func (w *world) rights(r model.Rights) *impl.Rights {
	reach := func(things uint64) (reach impl.Reach) {
		for t := range w.m.Tags {
			if d := len(w.m.Objects) + t; things>>d&1 == 1 {
				reach.Tags = append(reach.Tags, quoted(w.m.Tags[t]))
			}
		}
		slices.Sort(reach.Tags)
		return reach
	}
	return &impl.Rights{Observe: reach(r.Observe), Expose: reach(r.Expose), Capacity: uint32(r.Capacity), LeaveOut: true}
}

// abstractRights are those of a link as the model has them.
func (w *world) abstractRights(given *impl.Rights) model.Rights {
	if given == nil {
		return w.m.Everything()
	}
	reached := func(reach *impl.Reach) (things uint64) {
		for d := range w.m.Things() {
			if o := d < len(w.m.Objects); o && reach.HasObject(&w.keys[d]) || !o && reach.HasTag(quoted(w.m.Tags[d-len(w.m.Objects)])) {
				things |= 1 << d
			}
		}
		return things
	}
	return model.Rights{Observe: reached(&given.Observe), Expose: reached(&given.Expose), Capacity: int(given.Capacity)}
}

// local carries out an input of a local contract.
func (w *world) local(in input) {
	k := in.Contract
	n := w.m.Contracts[k].At
	offer := w.taken[k][in.Object]
	switch in.Action {
	case model.Open:
		w.ids++
		w.open[k], w.taken[k] = impl.ContractID(w.ids), make(map[int]impl.OfferID)
		kind := impl.ObserveObject
		switch on := w.m.Contracts[k].On; {
		case w.m.Contracts[k].Kind == model.Expose && on < len(w.m.Objects):
			kind = impl.ExposeObject
		case w.m.Contracts[k].Kind == model.Expose:
			kind = impl.ExposeTag
		case on >= len(w.m.Objects):
			kind = impl.ObserveTag
		}
		w.step(n, impl.Input{Kind: impl.InputOpen, Contract: w.open[k], ContractKind: kind, Descriptor: w.keys[w.m.Contracts[k].On], Capacity: uint32(in.Capacity)})
	case model.Close:
		w.step(n, impl.Input{Kind: impl.InputClose, Contract: w.open[k]})
		for o := range w.m.Objects { // as a driver does
			if offer := w.taken[k][o]; offer != 0 {
				w.step(n, impl.Input{Kind: impl.InputRelease, Offer: offer})
			}
		}
		w.open[k], w.taken[k] = 0, nil
	case model.SetCapacity:
		w.step(n, impl.Input{Kind: impl.InputSetCapacity, Contract: w.open[k], Capacity: uint32(in.Capacity)})
	case model.Take:
		for _, e := range w.step(n, impl.Input{Kind: impl.InputTake, Contract: w.open[k]}) {
			if e.Kind == impl.EffectTaken {
				w.taken[k][w.object(e.Descriptor.Key)] = e.Offer
			}
		}
	case model.Release:
		delete(w.taken[k], in.Object)
		w.step(n, impl.Input{Kind: impl.InputRelease, Offer: offer})
	case model.Read, model.Publish:
		input := impl.Input{Kind: impl.InputRead, Offer: offer}
		if in.Action == model.Publish {
			input = impl.Input{Kind: impl.InputPublish, Offer: offer, State: w.state(in.State), Synchronized: impl.Synchronized{Now: in.Now, Mono: 5e8}}
		}
		w.refusable(n, input)
	}
}

// refusable steps an input that the core may refuse, which changes nothing.
func (w *world) refusable(n int, input impl.Input) {
	before := w.cores[n].Clone()
	for _, e := range w.cores[n].Step(w.now, input) {
		if e.Kind == impl.EffectRefused {
			w.cores[n] = before
			return
		}
	}
	w.cores[n] = before
	w.step(n, input)
}

// state is the model's state as one of the core.
func (w *world) state(state int) *impl.State {
	return &impl.State{Version: []int64{int64(w.m.Version[state])}, Format: []string{"N"}, Data: []byte{byte(state)}}
}

func (w *world) object(key string) int {
	return slices.IndexFunc(w.keys[:len(w.m.Objects)], func(d wire.Descriptor) bool { return d.Key == key })
}

func (w *world) contract(k int) *impl.ContractSnapshot {
	contracts := w.cores[w.m.Contracts[k].At].Snapshot(w.now).Contracts
	for i := range contracts {
		if contracts[i].Contract == w.open[k] {
			return &contracts[i]
		}
	}
	panic("BUG: an open contract is not in the snapshot")
}

// session attaches or detaches one end.
func (w *world) session(in input) {
	s, link := &w.links[in.Link], w.m.Links[in.Link]
	end, other, n, id := &s.above, &s.below, link.Upstream, &s.parent
	role := impl.ToDownstream
	if in.Downstream {
		end, other, n, id = &s.below, &s.above, link.Downstream, &s.child
		role = impl.ToUpstream
	}
	if in.Action == model.Attach {
		w.ids++
		*id, *end = impl.LinkID(w.ids), model.On
		input := impl.Input{Kind: impl.InputAttach, Link: *id, Role: role, Name: w.m.Exchanges[n]}
		if in.Downstream && w.m.Loads {
			input.LoadLimit = []wire.LoadPoint{{Load: uint32(link.Limit / loadUnit)}}
		}
		w.step(n, input)
		return
	}
	w.step(n, impl.Input{Kind: impl.InputDetach, Link: *id})
	if *other != model.On {
		s.reset(w.m)
		return
	}
	*end, *id = model.Gone, 0
	if in.Downstream {
		s.down, s.ready[0] = nil, false
	} else {
		s.up, s.ready[1] = nil, false
	}
}

// pull has one end of a link write at most what one object is owed, or one portion of the contracts.
func (w *world) pull(l int, up bool) {
	s, link := &w.links[l], w.m.Links[l]
	n, id, ready, gone := link.Upstream, s.parent, &s.ready[1], s.below == model.Gone
	if up {
		n, id, ready, gone = link.Downstream, s.child, &s.ready[0], s.above == model.Gone
	}
	for _, e := range w.step(n, impl.Input{Kind: impl.InputPull, Link: id, Budget: 1}) {
		switch e.Kind {
		case impl.EffectDrained:
			*ready = false
		case impl.EffectWrite:
			f := w.understand(s, up, e.Message.Bytes())
			switch {
			case gone:
			case up:
				s.up = append(s.up, f)
			default:
				s.down = append(s.down, f)
			}
		}
	}
}

// deliver hands a message over.
func (w *world) deliver(l int, up bool, at int) []model.Action {
	s, link := &w.links[l], w.m.Links[l]
	queue, n, id := &s.down, link.Downstream, s.child
	if up {
		queue, n, id = &s.up, link.Upstream, s.parent
	}
	f := (*queue)[at]
	*queue = slices.Delete(slices.Clone(*queue), at, at+1)
	w.step(n, impl.Input{Kind: impl.InputReceive, Link: id, Data: f.data})
	if f.message == nil {
		return nil
	}
	switch f.message.Kind {
	case model.ContractsMessage:
		return []model.Action{model.ReceiveContracts}
	case model.OpenMessage:
		return []model.Action{model.ReceiveOpen}
	case model.CloseMessage:
		return []model.Action{model.ReceiveClose}
	}
	if up {
		return []model.Action{model.ReceiveStateUp}
	}
	return []model.Action{model.ReceiveStateDown}
}
