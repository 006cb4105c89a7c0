package hakuban

import (
	"io"
	"log/slog"
	"math"
	"runtime"
	"sync"
	"time"

	"hakuban/impl"
)

// Exchange shares objects between the contracts of its process and, over links, with other exchanges. Its methods, and those of
// the contracts, streams and sinks it gives, can be called from any goroutine, and return at once where they take no context.
//
// An exchange has no goroutine of its own that stays. Whoever has an input for it, a caller or a link's reader, steps the deterministic
// core under one lock, and then sends what that makes links owe; see docs/decisions/0001-the-loop-is-a-lock.md and those after it.
type Exchange struct {
	logger *slog.Logger
	limits impl.Limits // in force
	start  time.Time   // zero of the core's monotonic clock
	done   chan struct{}
	route  *route

	unfinished *budget // of the bytes of messages that arrive

	patience sync.Mutex // see patient

	mu        sync.Mutex // guards what follows; nothing waits while holding it
	core      *impl.Exchange
	closed    bool
	record    *recording // nil: none
	upstream  *Upstream  // nil: unclaimed
	contracts map[impl.ContractID]*contract
	offers    map[impl.OfferID]*offer // taken and not released
	links     map[impl.LinkID]*Link
	lastID    uint64    // of links and contracts
	ready     turns     // links to be served
	helpers   int       // goroutines that serve
	stepping  bool      // the core is: whoever leaves the lock then has found it broken
	pulled    []Message // by the pull under way
	parted    []Writer  // to be told, once the lock is left, that their links have ended

	timer *time.Timer // runs tick at armed
	armed int64       // in the core's monotonic time; 0: not armed
}

// Options of an exchange. The zero value is good.
type Options struct {
	// Upstream says that this exchange will have an upstream. An upstream allows each of its links only so much, so this exchange must
	// not let its downstream links ask for more than that in all. With Upstream it keeps them within the bound from the start, else
	// from the first link to an upstream on.
	Upstream bool
	// Limits bound what a peer or a caller can make the exchange hold. Fields that are zero or below mean [DefaultLimits].
	Limits Limits
	// Unfinished bounds the bytes of all messages together that have begun to arrive and are not complete; zero and below mean 256 MiB,
	// and less than twice the largest message means that. Beyond it links wait in turn until others have finished; an eighth is kept for
	// messages of up to 64 KiB.
	Unfinished int

	// Rebalance moves objects from loaded downstream links to less loaded ones, once per 0.5 to 1.5 s and object. Routers do.
	Rebalance bool
	// RebalanceThreshold is by how much the load must become less by a move. Zero and below, and NaN, mean that any less will do,
	// infinity that none does. The reference's router takes [DefaultRebalanceThreshold].
	RebalanceThreshold float64

	// Record receives every input of the exchange, as a line of JSON each, before it is carried out, so that a run can be stepped
	// again. Each Write is one line, and the exchange waits for it. When one fails, recording ends, and Logger says so; the exchange
	// goes on.
	Record io.Writer

	// Logger is told what the exchange has no caller to tell. Nil means slog.Default().
	Logger *slog.Logger
}

// DefaultRebalanceThreshold is the reference router's.
const DefaultRebalanceThreshold = impl.DefaultRebalanceThreshold

// NewExchange makes an exchange that no link joins to others yet. Nil options mean the zero Options.
func NewExchange(options *Options) *Exchange {
	if options == nil {
		options = &Options{}
	}
	config := impl.Config{Limits: options.Limits.core().WithDefaults(), Rebalance: options.Rebalance, Upstream: options.Upstream}
	if options.RebalanceThreshold > 0 {
		config.RebalanceThreshold = min(options.RebalanceThreshold, math.MaxFloat64) // a recording has no infinity
	}
	x := &Exchange{
		logger:     options.Logger,
		limits:     config.Limits,
		start:      time.Now(),
		done:       make(chan struct{}),
		route:      newRoute(),
		unfinished: newBudget(options.Unfinished, config.Limits.Wire.Message),
		core:       impl.New(config),
		contracts:  map[impl.ContractID]*contract{},
		offers:     map[impl.OfferID]*offer{},
		links:      map[impl.LinkID]*Link{},
	}
	if x.logger == nil {
		x.logger = slog.Default()
	}
	if options.Record != nil {
		x.record = newRecording(options.Record, x.logger, config)
	}
	return x
}

// Close ends every contract, stream, sink and link, with [ErrClosed]. Transports learn of it and end: closing a listener or
// a connector waits until it has, so that its port is free, say. Closing again does nothing.
func (x *Exchange) Close() {
	x.mu.Lock()
	defer x.unlock()
	if x.closed {
		return
	}
	x.closed = true
	close(x.done)
	if x.timer != nil {
		x.timer.Stop()
	}
	for _, o := range x.offers {
		o.end(ErrClosed)
	}
	for _, c := range x.contracts {
		c.end(ErrClosed)
	}
	for _, l := range x.links {
		l.end(ErrClosed)
		x.part(l)
	}
	x.core, x.record, x.upstream, x.offers, x.contracts, x.links, x.ready = nil, nil, nil, nil, nil, nil, turns{}
}

// Done is closed by [Exchange.Close].
func (x *Exchange) Done() <-chan struct{} { return x.done }

// answer is what a step says to whoever caused it.
type answer struct {
	offer        *offer // taken
	state        *impl.State
	synchronized impl.Synchronized
	drained      bool // by a pull
	err          error
}

// apply steps the core and carries out the effects, none of which waits. The caller holds mu, and the exchange is open.
func (x *Exchange) apply(input *impl.Input) answer { return x.applyAt(x.now(), input) }

func (x *Exchange) applyAt(now impl.Now, input *impl.Input) (a answer) {
	if x.record != nil && !x.record.input(now, input) {
		x.record = nil
	}
	x.stepping = true
	effects := x.core.Step(now, *input)
	x.stepping = false
	for _, effect := range effects {
		switch effect.Kind {
		case impl.EffectReady:
			x.owes(x.links[effect.Link])
		case impl.EffectWrite:
			share(effect.Message.Delta())
			x.pulled = append(x.pulled, Message{effect.Message})
		case impl.EffectDrained:
			a.drained = true
		case impl.EffectEnd:
			if l := x.links[effect.Link]; l != nil {
				l.end(linkError(effect.Err))
				x.part(l)
			}
		case impl.EffectOffered:
			if c := x.contracts[effect.Contract]; c != nil {
				signal(c.offered)
			}
		case impl.EffectTaken:
			if effect.Offer != 0 {
				a.offer = x.take(effect)
			}
		case impl.EffectRevoked:
			if o := x.offers[effect.Offer]; o != nil {
				o.end(ErrRevoked)
			}
		case impl.EffectChanged:
			if o := x.offers[effect.Offer]; o != nil {
				signal(o.changed)
			}
		case impl.EffectState:
			a.state, a.synchronized = effect.State, effect.Synchronized
		case impl.EffectRefused:
			a.err = effect.Err
		}
	}
	clear(effects) // which may hold the bytes of large states until the next step
	x.arm(now)
	return a
}

// patient holds the lock while it takes a step of a long work. One long work at a time waits for the lock, so that whoever has little
// to do waits for one slice of all that is long, and not for one of each. After it, whoever waits goes first: else the next slice of the
// same work would take the lock before them.
func (x *Exchange) patient(step func()) {
	defer runtime.Gosched()
	x.patience.Lock()
	x.mu.Lock()
	defer x.unlock()
	defer x.patience.Unlock()
	step()
}

// signal tells a channel of capacity 1 that there is something to do. One telling is enough.
func signal(channel chan struct{}) {
	select {
	case channel <- struct{}{}:
	default:
	}
}

func (x *Exchange) now() impl.Now {
	t := time.Now()
	return impl.Now{Mono: int64(t.Sub(x.start)), Wall: t.UnixNano()}
}

// arm has tick run when the core's deadline comes. A timer armed too early is left alone: tick arms it again.
func (x *Exchange) arm(now impl.Now) {
	deadline, ok := x.core.Deadline()
	if !ok || x.armed != 0 && x.armed <= deadline {
		return
	}
	x.armed = max(deadline, 1)
	delay := time.Duration(max(deadline-now.Mono, 0))
	if x.timer == nil {
		x.timer = time.AfterFunc(delay, x.tick)
	} else {
		x.timer.Reset(delay)
	}
}

func (x *Exchange) tick() {
	x.patient(func() {
		if x.closed {
			return
		}
		x.armed = 0
		now := x.now()
		if deadline, ok := x.core.Deadline(); ok && deadline <= now.Mono {
			x.apply(&impl.Input{Kind: impl.InputTick})
		} else {
			x.arm(now)
		}
	})
}
