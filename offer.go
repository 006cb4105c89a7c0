package hakuban

import (
	"context"
	"slices"

	"hakuban/impl"
)

// offer is a sink or a stream that was taken: what both have in common.
//
// Invariant: the exchange, in x.offers, and the contract know an offer from its taking until it is released or its contract closes.
type offer struct {
	x        *Exchange
	id       impl.OfferID
	contract *contract
	object   Object
	changed  chan struct{} // capacity 1
	done     chan struct{}
	parent   context.Context // of ctx

	// Guarded by x.mu.
	err      error // why it ended
	released bool
	ctx      context.Context // nil until asked for
	cancel   context.CancelCauseFunc

	seen             bool // the state and flag that a stream was last read with
	seenState        *impl.State
	seenSynchronized impl.Synchronized
}

// take makes an offer known. The caller holds mu.
func (x *Exchange) take(effect impl.Effect) *offer {
	o := &offer{
		x:        x,
		id:       effect.Offer,
		contract: x.contracts[effect.Contract],
		object:   Object{effect.Descriptor.Key},
		changed:  make(chan struct{}, 1),
		done:     make(chan struct{}),
	}
	x.offers[o.id] = o
	o.contract.taken[o.id] = o
	return o
}

// end notes that the offer has ended. The caller holds x.mu.
func (o *offer) end(err error) {
	if o.err != nil {
		return
	}
	o.err = err
	close(o.done)
	if o.cancel != nil {
		o.cancel(err)
	}
}

func (o *offer) release() {
	o.x.mu.Lock()
	defer o.x.unlock()
	if o.x.closed || o.released {
		return
	}
	o.end(ErrRevoked)
	o.forget()
}

// forget has the core forget the offer. The caller holds x.mu.
func (o *offer) forget() {
	o.released = true
	delete(o.x.offers, o.id)
	delete(o.contract.taken, o.id)
	o.x.apply(&impl.Input{Kind: impl.InputRelease, Offer: o.id})
}

// context returns the context that ends with the offer. It is made when first asked for: most streams never are.
func (o *offer) context() context.Context {
	o.x.mu.Lock()
	defer o.x.unlock()
	if o.ctx == nil {
		o.ctx, o.cancel = context.WithCancelCause(o.parent)
		if o.err != nil {
			o.cancel(o.err)
		}
	}
	return o.ctx
}

// read returns the newest state; news tells whether it, or its flag, differs from what was read last.
func (o *offer) read() (state State, ok, news bool, err error) {
	o.x.mu.Lock()
	defer o.x.unlock()
	if o.err != nil {
		return State{}, false, false, o.err
	}
	a := o.x.apply(&impl.Input{Kind: impl.InputRead, Offer: o.id})
	if a.err != nil || a.state == nil {
		return State{}, false, false, a.err
	}
	news = !o.seen || a.state != o.seenState && !equal(a.state, o.seenState) || a.synchronized != o.seenSynchronized
	o.seen, o.seenState, o.seenSynchronized = true, a.state, a.synchronized
	return clock{o.x.start}.state(a.state, a.synchronized), true, news, nil
}

// equal reports whether two states are one: an object holds one state of a version.
func equal(a, b *impl.State) bool { return slices.Equal(a.Version, b.Version) }
