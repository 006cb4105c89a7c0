package linearizability

import (
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strconv"

	"github.com/anishathalye/porcupine"
)

// object is one object at one exchange without links: the state of the model. It is never changed once made.
type object struct {
	exchangeClosed bool
	contracts      []contract // open ones that cover it: observers by number, then exposers as they opened
	ended          []ending   // offers that ended, by number
	elected        int        // a contract; 0: nobody

	holds  bool
	held   seen
	by     int     // the sink that says that held is current; 0: held is not
	floor  int64   // when a sink last said that held is current, or ceased to vouch for it
	newest []int64 // the greatest version held since the object came to life

	key string // all of the above
}

// contract is a contract, as far as one object goes.
type contract struct {
	number   int
	kind     contractKind
	capacity uint32

	status offerStatus
	offer  int // taken or revoked
	read   bool
	last   seen // what a stream was last read with
}

// offerStatus is what became of the sink or stream that a contract may have on the object.
type offerStatus uint8

const (
	noOffer      offerStatus = iota
	offerWaiting             // not taken yet
	offerTaken
	offerRevoked // taken, ended, and not released: in the way of the next
)

// ending is an offer's end, with its reason.
type ending struct {
	offer int
	why   outcome
}

// rules is the model, or a mutant of it when a change is named.
type rules struct {
	mutant mutant
}

// step carries out a call on one object. It returns false when the call cannot have had that result.
func (r rules) step(before *object, number int, in *operation, out *result) (bool, *object) {
	o := *before
	o.contracts = slices.Clone(o.contracts)
	if !r.apply(&o, number, in, out) {
		return false, before
	}
	o.key = o.describe()
	return true, &o
}

// apply is step on a copy.
func (r rules) apply(o *object, number int, in *operation, out *result) bool {
	switch in.verb {
	case openContract:
		if o.exchangeClosed {
			return out.outcome == good // it is closed from the start, which later calls show
		}
		at := len(o.contracts)
		if !in.kind.exposes() {
			at = slices.IndexFunc(append(o.contracts, contract{kind: exposeObject}), func(c contract) bool { return c.kind.exposes() || c.number > in.contract })
		}
		o.contracts = slices.Insert(o.contracts, at, contract{number: in.contract, kind: in.kind, capacity: in.capacity})
		r.settle(o, in.clock)
		return true
	case closeContract:
		r.close(o, in)
		return true
	case closeExchange:
		for i := range o.contracts {
			o.endOffer(&o.contracts[i], closed)
		}
		*o = object{exchangeClosed: true, ended: o.ended}
		return true
	case setCapacity:
		c := o.find(in.contract)
		if c == nil {
			return out.outcome == closed
		}
		c.capacity = in.capacity
		if r.mutant == capacityElects {
			o.elected = 0
			r.settle(o, in.clock)
		}
		return out.outcome == good
	case take, tryTake, waitTake, waitOffered:
		return r.take(o, number, in, out)
	case release:
		r.release(o, in)
		return true
	case send:
		return out.outcome == r.send(o, in)
	case latest, next, waitNext:
		return r.read(o, in, out)
	case isDone:
		return (out.outcome == yes) == (o.endOf(in.offer) != good)
	case cause:
		return out.outcome == o.endOf(in.offer)
	case snapshot:
		return out.looks[number] == o.look()
	}
	panic("no such verb")
}

// settle works out what follows from the contracts: who is elected, who has an offer, what is held and whether it is current.
func (r rules) settle(o *object, clock int64) {
	if !o.live() {
		if r.mutant != versionsOutliveObject {
			o.newest = nil
		}
	}
	o.elected = r.elect(o)
	for i := range o.contracts {
		c := &o.contracts[i]
		due := o.live()
		if c.kind.exposes() {
			due = c.number == o.elected
		}
		switch {
		case due && c.status == noOffer:
			c.status = offerWaiting
		case due && c.status == offerRevoked && r.mutant == revokedOfferIsNotInTheWay:
			c.status = offerWaiting
		case !due && c.status == offerWaiting:
			c.status = noOffer
		case !due && c.status == offerTaken:
			o.endOffer(c, revoked)
			c.status = offerRevoked
		}
	}
	o.settleFlag(clock, r)
}

// settleFlag ends a flag whose sink is gone, and erases a state that is not current while nobody needs it.
func (o *object) settleFlag(clock int64, r rules) {
	if o.holds && o.by != 0 && o.endOf(o.by) != good && r.mutant != goneSinkVouches {
		o.by, o.held.lastAt, o.floor = 0, clock, clock
	}
	if o.holds && o.by == 0 && !o.needed(r) && r.mutant != nothingIsErased {
		o.holds, o.held, o.floor = false, seen{}, 0
	}
}

// live is whether the object should exist: tag contracts alone keep none alive.
func (o *object) live() bool {
	return slices.ContainsFunc(o.contracts, func(c contract) bool { return !c.kind.ofTag() })
}

// needed is whether anybody wants the data of a live object.
func (o *object) needed(r rules) bool {
	live := o.live() || r.mutant == tagsKeepAlive && len(o.contracts) > 0
	return live && slices.ContainsFunc(o.contracts, func(c contract) bool { return !c.kind.exposes() })
}

// elect is the rule of election among local contracts: the one elected now while it is open, then the object contract of greatest
// capacity, then the tag contract of greatest capacity; of equals, the one that opened first.
func (r rules) elect(o *object) int {
	if !o.needed(r) {
		return 0
	}
	if o.find(o.elected) != nil && r.mutant != electedMayLose {
		return o.elected
	}
	order := []contractKind{exposeObject, exposeTag}
	if r.mutant == tagBeforeObject {
		slices.Reverse(order)
	}
	for _, kind := range order {
		best := -1
		for i, c := range o.contracts {
			if c.kind == kind && (best < 0 || c.capacity > o.contracts[best].capacity || c.capacity == o.contracts[best].capacity && r.mutant == tieGoesToNewest) {
				best = i
			}
		}
		if best >= 0 {
			return o.contracts[best].number
		}
	}
	return 0
}

// take gives the offer that waits, if one does. Only a tag contract can have one of another object.
func (r rules) take(o *object, number int, in *operation, out *result) bool {
	c := o.find(in.contract)
	if c == nil {
		if in.verb == tryTake || in.verb == waitOffered {
			return out.outcome == nothing // neither tells a closed contract from one without an offer
		}
		return out.outcome == closed
	}
	if out.outcome != good {
		return out.outcome == nothing && c.status != offerWaiting
	}
	if c.status != offerWaiting || out.object != number {
		return false
	}
	c.status, c.offer, c.read, c.last = offerTaken, out.offer, false, seen{}
	return true
}

func (r rules) close(o *object, in *operation) {
	at := slices.IndexFunc(o.contracts, func(c contract) bool { return c.number == in.contract })
	if at < 0 {
		return
	}
	o.endOffer(&o.contracts[at], closed)
	o.contracts = slices.Delete(o.contracts, at, at+1)
	r.settle(o, in.clock)
}

func (r rules) release(o *object, in *operation) {
	c := o.holder(in.offer)
	if c == nil {
		return // released before, or its contract is closed
	}
	o.endOffer(c, revoked)
	c.status, c.offer = noOffer, 0
	if r.mutant == releasedOfferIsTheLast {
		o.settleFlag(in.clock, r)
		return
	}
	r.settle(o, in.clock)
}

// send takes a state from a sink, or says why not.
func (r rules) send(o *object, in *operation) outcome {
	if why := o.endOf(in.offer); why != good && (r.mutant != revokedSinkSends || why != revoked) {
		return why
	}
	version, lastAt := in.version, min(in.lastAt, in.clock)
	if len(version) == 0 {
		version = []int64{0, in.clock / 1e9, in.clock % 1e9}
		if slices.Compare(version, o.newest) <= 0 && r.mutant != clockIsTheVersion {
			version = successor(o.newest)
		}
	}
	order := 1
	if o.holds {
		order = slices.Compare(version, o.held.version)
	}
	switch {
	case order < 0:
		if r.mutant != olderIsTaken {
			return stale
		}
	case order == 0 && (in.data != o.held.data || r.mutant == sameAgainIsStale):
		return stale
	case order == 0 && lastAt != 0:
		at := max(lastAt, o.floor)
		if r.mutant == lastAtMovesBack {
			at = lastAt
		}
		o.by, o.held.lastAt, o.floor = 0, at, at
		o.settleFlag(in.clock, r)
		return good
	}
	o.holds = true
	o.held = seen{version: version, data: in.data, lastAt: lastAt}
	if slices.Compare(version, o.newest) > 0 {
		o.newest = version
	}
	o.by, o.floor = 0, lastAt
	if lastAt == 0 {
		o.by, o.floor = in.offer, in.clock
	}
	o.settleFlag(in.clock, r)
	return good
}

// successor is the least version that an exchange makes to follow another.
func successor(version []int64) []int64 {
	end := len(version) - 1
	if version[end] == math.MaxInt64 {
		return append(slices.Clone(version), 0)
	}
	version = slices.Clone(version)
	version[end]++
	return version
}

// read reads a stream. Next, unlike Latest, returns only what differs from what was read last, and says why a stream ended.
func (r rules) read(o *object, in *operation, out *result) bool {
	if why := o.endOf(in.offer); why != good {
		if in.verb == latest {
			why = nothing
		}
		return out.outcome == why
	}
	c := o.holder(in.offer)
	news := o.holds && (in.verb == latest || !c.read || !same(o.held, c.last) || r.mutant == nextRepeats)
	if !news {
		return out.outcome == nothing
	}
	if out.outcome != good || !same(o.held, out.seen) {
		return false
	}
	c.read, c.last = true, o.held
	return true
}

func same(a, b seen) bool {
	return a.data == b.data && a.lastAt == b.lastAt && slices.Equal(a.version, b.version)
}

// look is what a snapshot would show.
func (o *object) look() look {
	if !o.live() {
		return look{} // the exchange has forgotten it
	}
	l := look{live: true, needed: o.needed(rules{}), holds: o.holds}
	if o.holds {
		l.version, l.lastAt = versionText(o.held.version), o.held.lastAt
	}
	for _, c := range o.contracts {
		l.contracts[c.kind]++
		if c.kind == exposeObject {
			l.capacity += uint64(c.capacity)
		}
		if c.kind.exposes() && c.status == offerTaken {
			l.sinks++
		}
		if c.status == offerRevoked {
			l.revoked++
		}
		if c.number == o.elected {
			l.elected = objectContract
			if c.kind.ofTag() {
				l.elected = tagContract
			}
		}
	}
	return l
}

// find returns an open contract, nil when it is not.
func (o *object) find(number int) *contract {
	at := slices.IndexFunc(o.contracts, func(c contract) bool { return c.number == number })
	if at < 0 {
		return nil
	}
	return &o.contracts[at]
}

// holder returns the contract that has an offer, taken or revoked.
func (o *object) holder(offer int) *contract {
	at := slices.IndexFunc(o.contracts, func(c contract) bool { return c.offer == offer })
	if at < 0 {
		return nil
	}
	return &o.contracts[at]
}

// endOffer notes why a taken offer ended. The first reason stays.
func (o *object) endOffer(c *contract, why outcome) {
	if c.status != offerTaken {
		return
	}
	at, _ := slices.BinarySearchFunc(o.ended, c.offer, func(e ending, offer int) int { return e.offer - offer })
	o.ended = slices.Insert(slices.Clip(slices.Clone(o.ended)), at, ending{c.offer, why})
}

// endOf returns why an offer ended; good when it has not. One that was never taken has no end and no holder: nothing.
func (o *object) endOf(offer int) outcome {
	if at, found := slices.BinarySearchFunc(o.ended, offer, func(e ending, offer int) int { return e.offer - offer }); found {
		return o.ended[at].why
	}
	if o.holder(offer) == nil {
		return "never taken"
	}
	return good
}

// describe writes all of the state, so that equal states have equal texts.
func (o *object) describe() string {
	text := make([]byte, 0, 128)
	number := func(before string, n int64) { text = strconv.AppendInt(append(text, before...), n, 10) }
	version := func(before string, version []int64) {
		text = append(text, before...)
		for _, n := range version {
			number(",", n)
		}
	}
	state := func(s seen) {
		version(" ", s.version)
		text = strconv.AppendQuote(text, s.data)
		number("@", s.lastAt)
	}
	if o.exchangeClosed {
		text = append(text, "closed"...)
	}
	for _, c := range o.contracts {
		number(" c", int64(c.number))
		number("/", int64(c.kind))
		number("*", int64(c.capacity))
		number(":", int64(c.status))
		number("s", int64(c.offer))
		if c.read {
			state(c.last)
		}
	}
	number("; elected ", int64(o.elected))
	if o.holds {
		text = append(text, "; held"...)
		state(o.held)
		number(" by ", int64(o.by))
		number(" floor ", o.floor)
	}
	version("; newest ", o.newest)
	text = append(text, "; ended"...)
	for _, e := range o.ended {
		number(" ", int64(e.offer))
		text = append(text, e.why...)
	}
	return string(text)
}

// exchange is the state of the model of a whole exchange. Its clock does not go back.
type exchange struct {
	clock   int64
	objects []*object
}

var hashSeed = maphash.MakeSeed()

// porcupineModel returns the model in Porcupine's form: partitioned by object, or whole.
func (r rules) porcupineModel(objects int, whole bool) porcupine.Model {
	model := porcupine.Model{
		Init: func() any {
			x := exchange{objects: make([]*object, objects)}
			for i := range x.objects {
				x.objects[i] = &object{}
			}
			return x
		},
		Step: func(state, input, output any) (bool, any) {
			before, in, out := state.(exchange), input.(part), output.(*result)
			if in.clock < before.clock {
				return false, before
			}
			after := exchange{in.clock, slices.Clone(before.objects)}
			for _, number := range in.objects {
				ok, next := r.step(before.objects[number], number, in.operation, out)
				if !ok {
					return false, before
				}
				after.objects[number] = next
			}
			return true, after
		},
		Equal: func(a, b any) bool {
			x, y := a.(exchange), b.(exchange)
			return x.clock == y.clock && slices.EqualFunc(x.objects, y.objects, func(a, b *object) bool { return a.key == b.key })
		},
		Hash: func(state any) uint64 {
			var hash maphash.Hash
			hash.SetSeed(hashSeed)
			for _, o := range state.(exchange).objects {
				_, _ = hash.WriteString(o.key)
				_ = hash.WriteByte(0)
			}
			return hash.Sum64()
		},
		DescribeOperation: func(input, output any) string {
			return fmt.Sprintf("%s → %s", input.(part).operation, output.(*result))
		},
		DescribeState: func(state any) string {
			text := ""
			for i, o := range state.(exchange).objects {
				if o.key != "" {
					text += fmt.Sprintf("object %d: %s\n", i, o.key)
				}
			}
			return text
		},
	}
	if !whole {
		model.Partition = func(history []porcupine.Operation) [][]porcupine.Operation {
			parts := make([][]porcupine.Operation, objects)
			for _, call := range history {
				in := call.Input.(part)
				for _, number := range in.objects {
					call.Input = part{in.operation, []int{number}}
					parts[number] = append(parts[number], call)
				}
			}
			return parts
		}
	}
	return model
}

// part is a call as far as some objects go.
type part struct {
	*operation
	objects []int
}
