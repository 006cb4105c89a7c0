package linearizability

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"hakuban"
)

// schedule is how the workers of a program get in each other's way.
type schedule uint8

const (
	virtual  schedule = iota // one at a time, in an order drawn from the seed: they sleep until moments that no two share
	parallel                 // at once: they yield to the scheduler
)

func (s schedule) String() string { return [...]string{"virtual", "parallel"}[s] }

// run is a program at work on one exchange.
type run struct {
	program  *program
	schedule schedule
	x        *hakuban.Exchange
	names    []hakuban.Object
	tag      hakuban.Tag
	places   []*workplace
	moment   atomic.Int64 // of the history: each beginning and each end of a call is one
}

// workplace is a place with what is in it. Nobody sleeps while holding mu: that would stop the bubble's clock.
type workplace struct {
	place
	mu       sync.Mutex
	contract *opened // nil: none
	handles  []*handle
}

// opened is a contract, of either kind.
type opened struct {
	number  int
	expose  *hakuban.ExposeContract
	observe *hakuban.ObserveContract
}

// handle is a sink or a stream that was taken.
type handle struct {
	number  int
	object  int
	taken   int64 // by the clock
	sink    *hakuban.Sink
	stream  *hakuban.Stream
	reading sync.Mutex // a stream is for one goroutine at a time; only tried
}

// worker is one goroutine with its part of the history.
type worker struct {
	*run
	client  int
	random  *rand.Rand
	numbers int // given to contracts and offers
	history []porcupine.Operation
}

// execute runs a program in a bubble and returns its history.
func execute(t *testing.T, p *program, s schedule) []porcupine.Operation {
	t.Helper()
	return executeBeside(t, p, s, func(*hakuban.Exchange) (leave func()) { return func() {} })
}

// executeBeside does the same while something else goes on at the exchange.
func executeBeside(t *testing.T, p *program, s schedule, beside func(*hakuban.Exchange) (leave func())) []porcupine.Operation {
	t.Helper()
	var history []porcupine.Operation
	synctest.Test(t, func(*testing.T) {
		r := &run{program: p, schedule: s, x: hakuban.NewExchange(nil), tag: hakuban.MustTag("t")}
		defer r.x.Close()
		defer beside(r.x)()
		for i := range p.objects {
			if i < p.tagged {
				r.names = append(r.names, hakuban.MustObject(i, "t"))
			} else {
				r.names = append(r.names, hakuban.MustObject(i))
			}
		}
		for _, at := range p.places {
			r.places = append(r.places, &workplace{place: at})
		}
		var running sync.WaitGroup
		workers := make([]*worker, len(p.workers)+1)
		for i := range workers {
			workers[i] = &worker{run: r, client: i, random: rand.New(rand.NewPCG(p.seed, uint64(i)+1))}
		}
		begin := make(chan struct{})
		for i, steps := range p.workers {
			running.Go(func() {
				<-begin
				if s == virtual {
					workers[i].sleep(workers[i].random.Int64N(50))
				}
				for _, step := range steps {
					workers[i].step(step)
				}
			})
		}
		close(begin)
		running.Wait()
		workers[len(p.workers)].lookAround()
		for _, w := range workers {
			history = append(history, w.history...)
		}
	})
	return history
}

// lookAround ends a run: alone, it looks at everything that there is.
func (w *worker) lookAround() {
	look := func(at int, verb verb) { w.step(step{verb: verb, place: at, version: defaultVersion, patience: 10}) }
	look(0, snapshot)
	for at, place := range w.places {
		if place.contract == nil {
			continue
		}
		look(at, take)
		for i, h := range place.handles {
			w.on(place, h, step{verb: cause})
			if i < len(place.handles)-1 {
				continue
			}
			w.on(place, h, step{verb: send, version: defaultVersion})
			w.on(place, h, step{verb: latest})
			w.on(place, h, step{verb: next})
			w.on(place, h, step{verb: release})
		}
		look(at, waitTake)
	}
	look(0, snapshot)
}

// step does one thing, if what it is for is there.
func (w *worker) step(s step) {
	place := w.places[s.place]
	switch s.verb {
	case snapshot, closeExchange:
		w.onExchange(s)
		return
	}
	place.mu.Lock()
	c, handles := place.contract, slices.Clone(place.handles)
	place.mu.Unlock()
	if c == nil {
		w.open(place, s)
		return
	}
	switch s.verb {
	case closeContract, setCapacity, take, tryTake, waitTake, waitOffered:
		w.onContract(place, c, s)
		return
	}
	if s.older && len(handles) > 1 {
		handles = handles[:len(handles)-1]
	}
	if len(handles) == 0 {
		s.verb = take
		w.onContract(place, c, s)
		return
	}
	w.on(place, handles[len(handles)-1], s)
}

// call makes a call and notes it. The effect is between two pauses, so that it may come long after the beginning and before the end.
func (w *worker) call(s step, in *operation, effect func(out *result) (began int64)) {
	out := &result{}
	begin := w.moment.Add(1)
	w.pause(s.yields[0])
	in.clock = time.Now().UnixNano()
	if began := effect(out); began != 0 {
		begin = began
	}
	if in.verb.waits() {
		in.clock = time.Now().UnixNano()
	}
	w.pause(s.yields[1])
	end := w.moment.Add(1)
	w.history = append(w.history, porcupine.Operation{
		ClientId: w.client, Input: part{in, covers(in, out)}, Call: begin, Output: out, Return: end,
	})
}

func (w *worker) pause(yields int) {
	if w.schedule == virtual {
		w.sleep(w.random.Int64N(int64(yields)*20 + 1))
		return
	}
	for range yields {
		runtime.Gosched()
	}
}

// number gives a number that no other contract or offer has.
func (w *worker) number() int {
	w.numbers++
	return w.numbers*(len(w.program.workers)+1) + w.client
}

func (w *worker) open(place *workplace, s step) {
	in := &operation{verb: openContract, objects: w.program.covered(place.place), kind: place.kind, contract: w.number()}
	if in.kind.exposes() {
		in.capacity = s.capacity
	}
	c := &opened{number: in.contract}
	w.call(s, in, func(*result) int64 {
		switch object, capacity := w.names[place.object], hakuban.Capacity(s.capacity); in.kind {
		case observeObject:
			c.observe = w.x.ObserveObject(object)
		case exposeObject:
			c.expose = w.x.ExposeObject(object, capacity)
		case observeTag:
			c.observe = w.x.ObserveTag(w.tag)
		case exposeTag:
			c.expose = w.x.ExposeTag(w.tag, capacity)
		}
		place.mu.Lock()
		defer place.mu.Unlock()
		if place.contract == nil {
			place.contract, place.handles = c, nil
		}
		return 0
	})
}

func (w *worker) onExchange(s step) {
	in := &operation{verb: s.verb, objects: w.program.all()}
	w.call(s, in, func(out *result) int64 {
		if s.verb == closeExchange {
			w.x.Close()
		} else {
			out.looks = w.looks(in.clock)
		}
		return 0
	})
}

func (w *worker) onContract(place *workplace, c *opened, s step) {
	in := &operation{verb: s.verb, objects: w.program.covered(place.place), kind: place.kind, contract: c.number}
	if s.verb == setCapacity {
		if !in.kind.exposes() {
			return
		}
		in.capacity = s.capacity
	}
	w.call(s, in, func(out *result) (began int64) {
		switch s.verb {
		case closeContract:
			if c.expose != nil {
				c.expose.Close()
			} else {
				c.observe.Close()
			}
			if s.capacity > 0 { // else later steps go on with a closed contract
				place.empty(c)
			}
		case setCapacity:
			out.outcome = outcomeOf(c.expose.SetCapacity(s.capacity))
		default:
			began = w.take(place, c, s, out)
		}
		return began
	})
}

// empty takes a contract out of its place, so that a later step finds none and opens one.
func (place *workplace) empty(c *opened) {
	place.mu.Lock()
	defer place.mu.Unlock()
	if place.contract == c {
		place.contract, place.handles = nil, nil
	}
}

// take takes a sink or a stream in one of the ways there are.
func (w *worker) take(place *workplace, c *opened, s step, out *result) (began int64) {
	h := &handle{}
	var err error
	switch s.verb {
	case take:
		err = c.next(ended, h)
	case tryTake:
		err = c.tryNext(h)
	case waitTake, waitOffered:
		ctx, ranOut := w.patience(s.patience)
		if s.verb == waitOffered {
			err = c.offered(ctx, h)
		} else {
			err = c.next(ctx, h)
		}
		began = ranOut(err)
	}
	if out.outcome = outcomeOf(err); err != nil {
		return began
	}
	var name hakuban.Object
	if h.sink != nil {
		name = h.sink.Object()
	} else {
		name = h.stream.Object()
	}
	h.number, h.object = w.number(), slices.Index(w.names, name)
	out.offer, out.object = h.number, h.object
	place.mu.Lock()
	defer place.mu.Unlock()
	if place.contract == c {
		h.taken = time.Now().UnixNano()
		place.handles = append(place.handles, h)
		slices.SortFunc(place.handles, func(a, b *handle) int { return cmp.Or(cmp.Compare(a.taken, b.taken), cmp.Compare(a.number, b.number)) })
	}
	return 0
}

func (c *opened) next(ctx context.Context, h *handle) (err error) {
	if c.expose != nil {
		h.sink, err = c.expose.Next(ctx)
	} else {
		h.stream, err = c.observe.Next(ctx)
	}
	return err
}

func (c *opened) tryNext(h *handle) error {
	ok := false
	if c.expose != nil {
		h.sink, ok = c.expose.TryNext()
	} else {
		h.stream, ok = c.observe.TryNext()
	}
	if !ok {
		return errEnded
	}
	return nil
}

// offered waits in the way of a select. It does not pause between being told and taking: others count on that.
func (c *opened) offered(ctx context.Context, h *handle) error {
	offered := (<-chan struct{})(nil)
	if c.expose != nil {
		offered = c.expose.Offered()
	} else {
		offered = c.observe.Offered()
	}
	for {
		if err := c.tryNext(h); err == nil {
			return nil
		}
		select {
		case <-offered:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// on uses a sink or a stream.
func (w *worker) on(place *workplace, h *handle, s step) {
	in := &operation{verb: s.verb, objects: []int{h.object}, kind: place.kind, offer: h.number}
	if h.sink != nil {
		switch s.verb {
		case latest, next, waitNext:
			in.verb = send
		}
	} else if s.verb == send {
		in.verb = latest
	}
	switch in.verb {
	case latest, next, waitNext:
		if !h.reading.TryLock() {
			return
		}
		defer h.reading.Unlock()
	}
	w.call(s, in, func(out *result) (began int64) {
		switch in.verb {
		case release:
			h.offer().Release()
		case send:
			out.outcome = w.send(h, s, in)
		case latest:
			state, ok := h.stream.Latest()
			if out.outcome = nothing; ok {
				out.outcome, out.seen = good, seenIn(state)
			}
		case next, waitNext:
			ctx, ranOut := ended, func(error) int64 { return 0 }
			if in.verb == waitNext {
				ctx, ranOut = w.patience(s.patience)
			}
			state, err := h.stream.Next(ctx)
			began = ranOut(err)
			if out.outcome = outcomeOf(err); err == nil {
				out.seen = seenIn(state)
			}
		case isDone:
			out.outcome = no
			select {
			case <-h.offer().Done():
				out.outcome = yes
			default:
			}
		case cause:
			out.outcome = outcomeOf(context.Cause(h.offer().Context()))
		}
		return began
	})
}

func (h *handle) offer() interface {
	Release()
	Done() <-chan struct{}
	Context() context.Context
} {
	if h.sink != nil {
		return h.sink
	}
	return h.stream
}

func (w *worker) send(h *handle, s step, in *operation) outcome {
	state := hakuban.NewState
	if s.version == defaultVersion {
		in.data = fmt.Sprint("n", w.number())
	} else {
		in.version, in.data = versions[s.version], []string{"a", "b"}[s.capacity/2]
	}
	sent := state(in.data).WithVersion(in.version...)
	if s.ago != 0 {
		in.lastAt = in.clock - s.ago
		sent = sent.WithSynchronized(hakuban.LastAt(time.Unix(0, in.lastAt)))
	}
	return outcomeOf(h.sink.Send(sent))
}

func seenIn(state hakuban.State) seen {
	s := seen{version: state.Version(), data: string(state.Data())}
	if flag := state.Synchronized(); !flag.Now() {
		s.lastAt = flag.LastAt().UnixNano()
	}
	return s
}

// looks takes a snapshot and returns it as far as the model goes.
func (w *worker) looks(clock int64) []look {
	s := w.x.Snapshot()
	looks := make([]look, w.program.objects)
	for _, o := range s.Objects {
		at := slices.Index(w.names, o.Object)
		if at < 0 {
			continue // of others
		}
		l := &looks[at]
		l.live, l.needed, l.capacity = o.ShouldExist, o.DataNeeded, o.Capacity
		l.contracts = [4]int{o.ObjectObserveContracts, o.ObjectExposeContracts, o.TagObserveContracts, o.TagExposeContracts}
		switch o.Elected.Kind {
		case hakuban.ElectedObjectContract:
			l.elected = objectContract
		case hakuban.ElectedTagContract:
			l.elected = tagContract
		}
		if o.State != nil {
			l.holds, l.version = true, versionText(o.State.Version())
			if synchronized := o.State.Synchronized(); !synchronized.Now() {
				l.lastAt = clock - int64(s.Time.Sub(synchronized.LastAt()))
			}
		}
		for _, c := range s.Contracts {
			for _, offer := range c.Offers {
				switch {
				case offer.Object != o.Object || !offer.Taken:
				case offer.Revoked:
					l.revoked++
				case c.Kind == hakuban.ExposeObject || c.Kind == hakuban.ExposeTag:
					l.sinks++
				}
			}
		}
	}
	return looks
}

var (
	errEnded  = errors.New("the context had ended")
	errRanOut = errors.New("the patience ran out")

	ended = func() context.Context {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errEnded)
		return ctx
	}()
)

func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return good
	case errors.Is(err, hakuban.ErrClosed):
		return closed
	case errors.Is(err, hakuban.ErrRevoked):
		return revoked
	case errors.Is(err, hakuban.ErrStale):
		return stale
	case errors.Is(err, errEnded), errors.Is(err, errRanOut):
		return nothing
	}
	return badError + outcome(err.Error())
}

// patience returns a context that ends after a while. When it is what ended a wait, the wait counts as a call that began when it did:
// all was quiet then, so that what had come must have been taken.
func (w *worker) patience(nanoseconds int64) (ctx context.Context, ranOut func(error) int64) {
	ctx, cancel := context.WithCancelCause(context.Background())
	var began int64
	timer := time.AfterFunc(w.until(nanoseconds), func() {
		began = w.moment.Add(1)
		cancel(errRanOut)
	})
	return ctx, func(err error) int64 {
		if errors.Is(err, errRanOut) {
			return began
		}
		timer.Stop()
		return 0
	}
}

// until returns a duration not much different from the one asked for, that ends when no other worker's does: never are two woken at one
// moment by the clock.
func (w *worker) until(nanoseconds int64) time.Duration {
	now, clients := time.Now().UnixNano(), int64(len(w.program.workers)+1)
	end := now + 1 + nanoseconds
	end += (int64(w.client) - end%clients + clients) % clients
	return time.Duration(end - now)
}

func (w *worker) sleep(nanoseconds int64) { time.Sleep(w.until(nanoseconds)) }
