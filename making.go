package hakuban

import (
	"runtime"
	"sync"

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

// share has a delta made once, however many goroutines need it. The caller holds the lock of the delta's exchange.
func share(d *impl.Delta) {
	if d != nil && d.Driver == nil {
		d.Driver = new(sync.Once)
	}
}

// made makes what is missing of a message, or waits until another goroutine has.
func made(m *impl.Message) {
	d := m.Delta()
	if d == nil {
		return
	}
	d.Driver.(*sync.Once).Do(func() {
		if d.Size() > largeDelta {
			makers.enter()
			defer makers.leave()
		}
		encoder := encoders.Get().(*diff.Encoder)
		defer encoders.Put(encoder)
		d.Make(encoder)
	})
}
