package sim

import (
	"slices"
	"strconv"

	"hakuban/impl"
	"hakuban/sim/mark"
	"hakuban/wire"
)

// contract is a local contract as its application knows it.
type contract struct {
	id         impl.ContractID
	kind       impl.ContractKind
	subject    int // index of the object or the tag
	taking     bool
	descriptor wire.Descriptor
}

// offer is a taken sink or stream as its application knows it.
type offer struct {
	node      *node
	life      int
	id        impl.OfferID
	contract  *contract
	object    int
	sink      bool
	revoked   bool
	reading   bool
	at        int         // in World.sinks, for a sink
	published *impl.State // last
}

// appDelay is how long an application takes to react.
func (w *World) appDelay(n *node) int64 {
	n.appOrdinal++
	if w.calm {
		return 100 * microsecond
	}
	delay := int64(w.choose(chooseAppDelay, n.index, 0, n.appOrdinal, 20))*100*microsecond + 100*microsecond
	if n.appSlowUntil > w.now {
		delay = min(delay*200, 2*second)
	}
	return delay
}

func (w *World) schedule(n *node, kind eventKind, id uint64) {
	w.push(event{time: w.now + w.appDelay(n), kind: kind, id: id, node: int16(n.index), life: int32(n.life)})
}

func (n *node) contract(id impl.ContractID) *contract {
	for _, c := range n.contracts {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (n *node) offer(id impl.OfferID) *offer {
	for _, o := range n.offers {
		if o.id == id {
			return o
		}
	}
	return nil
}

// open opens a contract on an object or, by kind, a tag.
func (w *World) open(n *node, kind impl.ContractKind, subject int, capacity uint32) {
	n.nextContract++
	c := &contract{id: n.nextContract, kind: kind, subject: subject}
	if kind == impl.ObserveObject || kind == impl.ExposeObject {
		c.descriptor = w.objects[subject].descriptor
	} else {
		descriptor, err := wire.NewDescriptor(nil, w.tags[subject], nil)
		if err != nil {
			panic(err)
		}
		c.descriptor = descriptor
	}
	n.contracts = append(n.contracts, c)
	w.input = impl.Input{Kind: impl.InputOpen, Contract: c.id, ContractKind: kind, Descriptor: c.descriptor, Capacity: capacity}
	w.step(n)
	if w.refused() {
		w.marks.Hit(mark.LimitRefusedContract)
		n.contracts = slices.DeleteFunc(n.contracts, func(other *contract) bool { return other == c })
	}
}

// close closes a contract; its offers are over for the application too.
func (w *World) close(n *node, c *contract) {
	n.contracts = slices.DeleteFunc(n.contracts, func(other *contract) bool { return other == c })
	w.input = impl.Input{Kind: impl.InputClose, Contract: c.id}
	w.step(n)
	for _, o := range n.offers {
		if o.contract == c && !o.revoked {
			w.revoked(n, o.id)
		}
	}
}

func (w *World) offered(n *node, id impl.ContractID) {
	if c := n.contract(id); c != nil && !c.taking {
		c.taking = true
		w.schedule(n, eventTake, uint64(id))
	}
}

// take takes every waiting offer of a contract.
func (w *World) take(n *node, id impl.ContractID) {
	c := n.contract(id)
	if c == nil {
		return
	}
	c.taking = false
	for range len(w.objects) + 1 {
		w.input = impl.Input{Kind: impl.InputTake, Contract: id}
		o := w.stepTake(n, c)
		if o == nil || w.violation != nil {
			return
		}
		if !o.sink {
			w.changed(n, o.id)
		} else if w.fresh || !w.calm && w.choose(chooseDetail, n.index, 9, n.appOrdinal, 4) != 0 {
			state := impl.State{Data: w.payload(n, w.choose(chooseSize2, n.index, 9, n.appOrdinal, 40)), Format: formatJSON}
			if w.rules.limits == limitsTight && !w.calm && w.choose(chooseVersion, n.index, 9, n.appOrdinal, 3) == 2 {
				state.Version = slices.Clone(w.objects[o.object].last) // which may be hollow here
			}
			w.publish(o, state, impl.Synchronized{Now: true})
		}
	}
}

// stepTake steps an InputTake and registers the offer that it answers.
func (w *World) stepTake(n *node, c *contract) *offer {
	before := len(n.offers)
	w.pendingTake = c
	w.step(n)
	w.pendingTake = nil
	if len(n.offers) == before {
		w.marks.Hit(mark.NothingToTake)
		return nil
	}
	return n.offers[len(n.offers)-1]
}

// taken registers an offer.
func (w *World) taken(n *node, e *impl.Effect) {
	if e.Offer == 0 || w.pendingTake == nil {
		return
	}
	c := w.pendingTake
	object := slices.IndexFunc(w.objects, func(o object) bool { return o.descriptor.Key == e.Descriptor.Key })
	o := &offer{node: n, life: n.life, id: e.Offer, contract: c, object: object, sink: c.kind == impl.ExposeObject || c.kind == impl.ExposeTag}
	n.offers = append(n.offers, o)
	if o.sink {
		o.at = len(w.sinks)
		w.sinks = append(w.sinks, o)
	}
}

func (w *World) revoked(n *node, id impl.OfferID) {
	if o := n.offer(id); o != nil && !o.revoked {
		o.revoked = true
		w.schedule(n, eventRelease, uint64(id))
	}
}

func (w *World) changed(n *node, id impl.OfferID) {
	if o := n.offer(id); o != nil && !o.reading {
		o.reading = true
		w.schedule(n, eventRead, uint64(id))
	}
}

func (w *World) read(n *node, id impl.OfferID) {
	o := n.offer(id)
	if o == nil {
		return
	}
	o.reading = false
	if o.revoked {
		return
	}
	w.input = impl.Input{Kind: impl.InputRead, Offer: id}
	w.step(n)
}

func (w *World) release(n *node, id impl.OfferID) {
	o := n.offer(id)
	if o == nil {
		return
	}
	if !o.revoked {
		w.marks.Hit(mark.ReleasedWhileLive)
	}
	n.offers = slices.DeleteFunc(n.offers, func(other *offer) bool { return other == o })
	w.dropSink(o)
	w.input = impl.Input{Kind: impl.InputRelease, Offer: id}
	w.step(n)
}

func (w *World) dropSink(o *offer) {
	if !o.sink || o.at < 0 {
		return
	}
	last := w.sinks[len(w.sinks)-1]
	w.sinks[o.at] = last
	last.at = o.at
	w.sinks = w.sinks[:len(w.sinks)-1]
	o.at = -1
}

var formatJSON = []string{"JSON"}

// publish sends a state on a sink, which may be revoked.
func (w *World) publish(o *offer, state impl.State, synchronized impl.Synchronized) {
	w.input = impl.Input{Kind: impl.InputPublish, Offer: o.id, State: &state, Synchronized: synchronized}
	w.publishing = o
	w.step(o.node)
	w.publishing = nil
}

// acknowledged notes the state that a publish was taken as.
func (w *World) acknowledged(e *impl.Effect) {
	if w.publishing == nil || e.State == nil {
		return
	}
	w.publishing.published = e.State
	if o := &w.objects[w.publishing.object]; slices.Compare(e.State.Version, o.last) > 0 {
		o.last = e.State.Version
	}
}

// payload is data that no other publication has: it names its publisher and
// counts. Size is dull at 0, and large from 38 on.
func (w *World) payload(n *node, size uint32) []byte {
	w.published++
	data := make([]byte, 0, 64)
	data = append(data, `{"from":`...)
	data = strconv.AppendInt(data, int64(n.index), 10)
	data = append(data, `,"count":`...)
	data = strconv.AppendUint(data, uint64(w.published), 10)
	pad := int(size) * 2
	if w.rules.limits == limitsTight && size > 0 {
		pad = 1000 + int(size)*100 // two or three are too much
		if w.rules.halves {
			pad = n.config.Limits.LinkBytes / 2 * 8 / 9 // two are
		}
	}
	if size >= 38 {
		pad = max(pad, 3000)
		w.marks.Hit(mark.LargeState)
	}
	if pad > 0 {
		data = append(data, `,"pad":"`...)
		for i := range pad {
			data = append(data, "simulated payload "[i%18])
		}
		data = append(data, '"')
	}
	return append(data, '}')
}
