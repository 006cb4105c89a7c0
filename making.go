package hakuban

import (
	"runtime"
	"sync"
	"sync/atomic"

	"hakuban/impl"
	"hakuban/wire/diff"
)

// What takes long because there are many bytes of it is done outside of the exchange's lock: messages are decoded and large states
// patched before the core is stepped, diffs are made after. A gate bounds how much of it is done at a time, in all exchanges of the
// process: so much memory it takes at most, and one processor is left to small messages.

// largeDelta is how many bytes there must be to look at for a delta to wait at its gate. Making a smaller one takes less than a millisecond.
const largeDelta = 64 << 10

var (
	makers   = newGate(runtime.GOMAXPROCS(0) - 1)
	patchers = newGate(runtime.GOMAXPROCS(0) - 1)

	encoders = sync.Pool{New: func() any { return new(diff.Encoder) }}
	arrivals = sync.Pool{New: func() any { return new(impl.Arrival) }}
)

// gate lets a number of goroutines in at a time.
type gate chan struct{}

func newGate(n int) gate { return make(gate, max(1, n)) }

func (g gate) enter() { g <- struct{}{} }
func (g gate) leave() { <-g }

// making has a delta made once, however many goroutines need it.
type making struct {
	once sync.Once
	done atomic.Bool
}

// share makes a delta's making. The caller holds the lock of the delta's exchange.
func share(d *impl.Delta) {
	if d != nil && d.Driver == nil {
		d.Driver = new(making)
	}
}

// isHeavy reports whether a delta is large, and not made yet.
func isHeavy(d *impl.Delta) bool {
	return d != nil && d.Size() > largeDelta && !d.Driver.(*making).done.Load()
}

// made makes what is missing of a message, or waits until another goroutine has.
func made(message *impl.Message) {
	d := message.Delta()
	if d == nil {
		return
	}
	m := d.Driver.(*making)
	m.once.Do(func() {
		defer m.done.Store(true)
		if d.Size() > largeDelta {
			makers.enter()
			defer makers.leave()
		}
		encoder := encoders.Get().(*diff.Encoder)
		defer encoders.Put(encoder)
		d.Make(encoder)
	})
}
