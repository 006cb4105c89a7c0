package hakuban

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"hakuban/impl"
	"hakuban/wire"
)

// ObserveContract says that its process wants to see an object, or every live object with a tag. It gives a [Stream] for each such
// object, one at a time per object: the next comes after the last was released.
type ObserveContract struct {
	c *contract
}

// ExposeContract says that its process can produce the states of an object, or of every live object with a tag. It gives a [Sink]
// for each object that somebody wants while this contract is the elected one.
//
// Among the contracts and downstream links of an exchange, upstream wins while it has the object, then local object contracts,
// local tag contracts, and last the link with the least load. While one elected hands over to another both may hold a sink.
type ExposeContract struct {
	c *contract
}

// ExposeOption is an option of [Exchange.ExposeObject] and [Exchange.ExposeTag].
type ExposeOption func(*exposeOptions)

type exposeOptions struct {
	capacity uint32
}

// Capacity is how many objects the contract can produce at a time, in the eyes of the elections: each object it is elected for
// adds 1/capacity to its load. The default is 1. With 0 only this exchange's own elections choose it.
func Capacity(n uint32) ExposeOption {
	return func(o *exposeOptions) { o.capacity = n }
}

// ObserveObject opens a contract to observe an object. The object lives at least as long.
func (x *Exchange) ObserveObject(object Object) *ObserveContract {
	descriptor, err := objectDescriptor(object)
	return &ObserveContract{x.open(&impl.Input{ContractKind: impl.ObserveObject, Descriptor: descriptor}, err)}
}

// ObserveTag opens a contract to observe every live object that carries the tag. It keeps none alive itself.
func (x *Exchange) ObserveTag(tag Tag) *ObserveContract {
	descriptor, err := tag.descriptor()
	return &ObserveContract{x.open(&impl.Input{ContractKind: impl.ObserveTag, Descriptor: descriptor}, err)}
}

// ExposeObject opens a contract to produce an object's states while somebody wants them. The object lives at least as long.
func (x *Exchange) ExposeObject(object Object, options ...ExposeOption) *ExposeContract {
	descriptor, err := objectDescriptor(object)
	return x.openExpose(impl.ExposeObject, descriptor, err, options)
}

// ExposeTag opens a contract to produce the states of every live object that carries the tag and that somebody wants. It keeps none
// alive itself.
func (x *Exchange) ExposeTag(tag Tag, options ...ExposeOption) *ExposeContract {
	descriptor, err := tag.descriptor()
	return x.openExpose(impl.ExposeTag, descriptor, err, options)
}

// ID is the contract's in a [Snapshot]: unique in the exchange's life, and zero if the contract could not be opened.
func (c *ObserveContract) ID() uint64 { return uint64(c.c.id) }

// Streams ranges over the contract's streams as they come, until ctx ends or the contract closes, for which [ObserveContract.Err]
// gives the reason. Leaving the loop's body releases its stream. The end of the loop does not close the contract: one on an object
// keeps it alive until [ObserveContract.Close].
func (c *ObserveContract) Streams(ctx context.Context) iter.Seq[*Stream] {
	return func(yield func(*Stream) bool) {
		for ctx.Err() == nil { // also when the next one waits already
			o, err := c.c.next(ctx, ctx)
			if err != nil || !within(o, func() bool { return yield(&Stream{o}) }) {
				return
			}
		}
	}
}

// Next waits for the contract's next stream. It returns the context's cause when ctx ends first, and [ObserveContract.Err] when the
// contract is or gets closed. A stream that waits already wins over a context that has ended. Release it.
func (c *ObserveContract) Next(ctx context.Context) (*Stream, error) {
	o, err := c.c.next(ctx, context.Background())
	if err != nil {
		return nil, err
	}
	return &Stream{o}, nil
}

// TryNext returns the contract's next stream if one waits, for use with [ObserveContract.Offered]. Release it.
func (c *ObserveContract) TryNext() (*Stream, bool) {
	o, err := c.c.take(context.Background())
	if o == nil || err != nil {
		return nil, false
	}
	return &Stream{o}, true
}

// Offered receives when a stream may be waiting, for use in select; then call [ObserveContract.TryNext] until it has no more.
// Next receives from it too. It does not receive when the contract closes; that is [ObserveContract.Done].
func (c *ObserveContract) Offered() <-chan struct{} { return c.c.offered }

// Each runs f in a goroutine of its own for each stream, until ctx ends or the contract closes, and returns when every f has. The
// context given to f ends with its stream and with ctx. Returning from f releases the stream. The end of Each does not close the
// contract: one on an object keeps it alive until [ObserveContract.Close].
func (c *ObserveContract) Each(ctx context.Context, f func(context.Context, *Stream)) {
	c.c.each(ctx, func(o *offer) { f(o.context(), &Stream{o}) })
}

// Done is closed when the contract is: by Close, with its exchange, or from the start when it could not be opened.
func (c *ObserveContract) Done() <-chan struct{} { return c.c.closed }

// Err returns why the contract is closed, nil while it is open: [ErrClosed], or why it could not be opened.
func (c *ObserveContract) Err() error { return c.c.reason() }

// Close closes the contract and ends its streams. Closing again does nothing.
func (c *ObserveContract) Close() { c.c.close() }

// ID is the contract's in a [Snapshot]: unique in the exchange's life, and zero if the contract could not be opened.
func (c *ExposeContract) ID() uint64 { return uint64(c.c.id) }

// Sinks ranges over the contract's sinks as it is elected, until ctx ends or the contract closes, for which [ExposeContract.Err]
// gives the reason. Leaving the loop's body releases its sink; while the contract remains the elected one the next comes at once.
// The end of the loop does not close the contract: it stays in the elections, and keeps others from being elected, until
// [ExposeContract.Close].
func (c *ExposeContract) Sinks(ctx context.Context) iter.Seq[*Sink] {
	return func(yield func(*Sink) bool) {
		for ctx.Err() == nil { // also when the next one waits already
			o, err := c.c.next(ctx, ctx)
			if err != nil || !within(o, func() bool { return yield(&Sink{o}) }) {
				return
			}
		}
	}
}

// Next waits for the contract's next sink. It returns the context's cause when ctx ends first, and [ExposeContract.Err] when the
// contract is or gets closed. A sink that waits already wins over a context that has ended. Release it.
func (c *ExposeContract) Next(ctx context.Context) (*Sink, error) {
	o, err := c.c.next(ctx, context.Background())
	if err != nil {
		return nil, err
	}
	return &Sink{o}, nil
}

// TryNext returns the contract's next sink if one waits, for use with [ExposeContract.Offered]. Release it.
func (c *ExposeContract) TryNext() (*Sink, bool) {
	o, err := c.c.take(context.Background())
	if o == nil || err != nil {
		return nil, false
	}
	return &Sink{o}, true
}

// Offered receives when a sink may be waiting, for use in select; then call [ExposeContract.TryNext] until it has no more. Next
// receives from it too. It does not receive when the contract closes; that is [ExposeContract.Done].
func (c *ExposeContract) Offered() <-chan struct{} { return c.c.offered }

// Each runs f in a goroutine of its own for each sink, until ctx ends or the contract closes, and returns when every f has. The
// context given to f ends with its sink and with ctx. Returning from f releases the sink. The end of Each does not close the
// contract: it stays in the elections, and keeps others from being elected, until [ExposeContract.Close].
func (c *ExposeContract) Each(ctx context.Context, f func(context.Context, *Sink)) {
	c.c.each(ctx, func(o *offer) { f(o.context(), &Sink{o}) })
}

// SetCapacity changes the contract's capacity, for the elections to come. It returns [ExposeContract.Err] when the contract is closed.
func (c *ExposeContract) SetCapacity(n uint32) error {
	x := c.c.x
	x.mu.Lock()
	defer x.unlock()
	if c.c.err != nil {
		return c.c.err
	}
	return x.apply(&impl.Input{Kind: impl.InputSetCapacity, Contract: c.c.id, Capacity: n}).err
}

// Done is closed when the contract is: by Close, with its exchange, or from the start when it could not be opened.
func (c *ExposeContract) Done() <-chan struct{} { return c.c.closed }

// Err returns why the contract is closed, nil while it is open: [ErrClosed], or why it could not be opened.
func (c *ExposeContract) Err() error { return c.c.reason() }

// Close closes the contract and ends its sinks. Closing again does nothing.
func (c *ExposeContract) Close() { c.c.close() }

// contract is what the two kinds have in common.
type contract struct {
	x       *Exchange
	id      impl.ContractID
	offered chan struct{} // capacity 1
	closed  chan struct{}

	err   error                   // why it is closed; guarded by x.mu
	taken map[impl.OfferID]*offer // not released; guarded by x.mu
}

func objectDescriptor(object Object) (wire.Descriptor, error) {
	if object.key == "" {
		return wire.Descriptor{}, fmt.Errorf("%w: the zero Object", ErrDescriptor)
	}
	return object.descriptor(), nil
}

func (x *Exchange) openExpose(kind impl.ContractKind, descriptor wire.Descriptor, err error, options []ExposeOption) *ExposeContract {
	o := exposeOptions{capacity: 1}
	for _, option := range options {
		if option == nil {
			err = errors.New("hakuban: a nil ExposeOption")
			break
		}
		option(&o)
	}
	return &ExposeContract{x.open(&impl.Input{ContractKind: kind, Descriptor: descriptor, Capacity: o.capacity}, err)}
}

// open opens a contract; one that cannot be is closed from the start, with the reason.
func (x *Exchange) open(input *impl.Input, err error) *contract {
	c := &contract{x: x, offered: make(chan struct{}, 1), closed: make(chan struct{}), taken: map[impl.OfferID]*offer{}}
	if err == nil {
		// A name is good since it was made, within DefaultLimits; ours may be narrower.
		if _, beyond := wire.NewDescriptor(input.Descriptor.Tags, input.Descriptor.JSON, &x.limits.Wire); beyond != nil {
			err = fmt.Errorf("%w: %w", ErrTooLarge, beyond)
		}
	}
	x.mu.Lock()
	defer x.unlock()
	if x.closed {
		err = ErrClosed
	}
	if err == nil {
		x.lastID++
		c.id = impl.ContractID(x.lastID)
		x.contracts[c.id] = c
		input.Kind, input.Contract = impl.InputOpen, c.id
		err = x.apply(input).err
	}
	if err != nil {
		c.end(err)
	}
	return c
}

func (c *contract) close() {
	c.x.mu.Lock()
	defer c.x.unlock()
	if c.err != nil {
		return
	}
	taken := c.taken
	c.taken = nil
	for _, o := range taken {
		o.end(ErrClosed)
	}
	c.x.apply(&impl.Input{Kind: impl.InputClose, Contract: c.id})
	for _, o := range taken {
		o.forget()
	}
	c.end(ErrClosed)
}

// end notes that the core has forgotten the contract, or will never be stepped again. The caller holds x.mu.
func (c *contract) end(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	close(c.closed)
	delete(c.x.contracts, c.id)
}

// reason returns why the contract is closed, nil while it is open.
func (c *contract) reason() error {
	c.x.mu.Lock()
	defer c.x.unlock()
	return c.err
}

// next waits for an offer. The offer's context will be a child of parent.
func (c *contract) next(ctx, parent context.Context) (*offer, error) {
	for {
		o, err := c.take(parent)
		if o != nil || err != nil {
			return o, err
		}
		select {
		case <-c.offered:
		case <-c.closed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// take returns the first waiting offer, nil when there is none.
func (c *contract) take(parent context.Context) (*offer, error) {
	c.x.mu.Lock()
	defer c.x.unlock()
	if c.err != nil {
		return nil, c.err
	}
	a := c.x.apply(&impl.Input{Kind: impl.InputTake, Contract: c.id})
	if a.offer != nil {
		a.offer.parent = parent
		signal(c.offered) // there may be more, and others who wait
	}
	return a.offer, a.err
}

// within runs the body of a loop for an offer and releases it, however the body is left.
func within(o *offer, body func() bool) bool {
	defer o.release()
	return body()
}

func (c *contract) each(ctx context.Context, f func(*offer)) {
	var running sync.WaitGroup
	defer running.Wait()
	for ctx.Err() == nil {
		o, err := c.next(ctx, ctx)
		if err != nil {
			return
		}
		running.Go(func() {
			defer o.release()
			f(o)
		})
	}
}
