package impl

import (
	"cmp"
	"fmt"

	"hakuban/wire"
)

// Exchange is the core of one exchange. It changes only in [Exchange.Step]. It
// is not safe for use by several goroutines at once.
type Exchange struct {
	config    Config
	threshold uint64 // Config.RebalanceThreshold as a load

	objects   map[string]*object // by key
	tags      map[string]*tag    // by identity
	links     map[LinkID]*link
	upstream  *link // the link in ToUpstream; nil: none
	contracts map[ContractID]*contract
	offers    map[OfferID]*offer // taken, until released
	balance   rounds
	rosters   rosters // of these, for surveys
	bounded   bool    // there is, was or will be an upstream
	books             // of the ledger

	lastObject uint64
	lastTag    uint64
	lastOffer  OfferID
	lastBegun  uint64 // exposures are numbered as they begin: see date

	// Of the step under way.
	now         Now
	work        int // things that it looked at: objects, records, actions, what a pull tells of
	effects     []Effect
	touched     []*object // by the control message under way, to be settled after it
	touchedTags []*tagLink
	grown       []*link    // with charges that grew, to be judged when the step is over
	squeezed    []*channel // outlets that were withheld, likewise

	// Scratch, empty between steps.
	event wire.Event
}

// New makes an exchange with nothing in it. A threshold that is negative or not
// a number counts as the default.
func New(config Config) *Exchange {
	config.Limits = config.Limits.WithDefaults()
	config.Slice = cmp.Or(max(config.Slice, 0), DefaultSlice)
	return &Exchange{
		config:    config,
		bounded:   config.Upstream,
		threshold: loadOf(config.RebalanceThreshold),
		objects:   make(map[string]*object),
		tags:      make(map[string]*tag),
		links:     make(map[LinkID]*link),
		contracts: make(map[ContractID]*contract),
		offers:    make(map[OfferID]*offer),
	}
}

// Step carries out one input and returns its effects, in order. They are valid
// until the next step. Time must not go back; if Mono does, it counts as having
// stood still.
func (x *Exchange) Step(now Now, input Input) []Effect {
	now.Mono = max(now.Mono, x.now.Mono)
	x.now, x.work = now, 0
	x.effects = emptied(x.effects)
	switch input.Kind {
	case InputAttach:
		x.attach(input)
	case InputDetach:
		if l := x.links[input.Link]; l != nil {
			x.detach(l)
		}
	case InputReceive:
		if l := x.links[input.Link]; l != nil {
			x.receive(l, &input)
		}
	case InputContinue:
		if l := x.links[input.Link]; l != nil {
			x.goOn(l)
		}
	case InputPull:
		if l := x.links[input.Link]; l != nil {
			x.pull(l, input.Buffer, input.Budget)
		}
	case InputOpen:
		x.open(input)
	case InputClose:
		x.close(input.Contract)
	case InputSetCapacity:
		x.setCapacity(input.Contract, input.Capacity)
	case InputTake:
		x.take(input.Contract)
	case InputRelease:
		x.release(input.Offer)
	case InputPublish:
		x.publish(input)
	case InputRead:
		x.read(input.Offer)
	case InputTick:
		x.tick()
	case InputSetRights:
		if l := x.links[input.Link]; l != nil {
			x.setRights(l, input.Rights)
		}
	default:
		x.refuse(fmt.Errorf("hakuban: unknown input kind %d", input.Kind))
	}
	x.judge()
	return x.effects
}

// Limits are those in force.
func (x *Exchange) Limits() Limits { return x.config.Limits }

// Deadline is the Mono time at which InputTick is due; false: none is.
func (x *Exchange) Deadline() (int64, bool) { return x.balance.deadline() }

func (x *Exchange) emit(effect Effect) { x.effects = append(x.effects, effect) }

func (x *Exchange) refuse(err error) { x.emit(Effect{Kind: EffectRefused, Err: err}) }

// emptied returns scratch without what it held, and without the memory that one
// big step took.
func emptied[T any](scratch []T) []T {
	if cap(scratch) > 4096 {
		return nil
	}
	clear(scratch)
	return scratch[:0]
}

// bug stops the process: the core found itself broken, and nothing it would do
// from here on could be trusted.
func bug(format string, arguments ...any) {
	panic("BUG: " + fmt.Sprintf(format, arguments...))
}
