package impl

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"hakuban/wire"
)

// contract is a local contract: the wish to see, or the offer to produce, an
// object or every live object with a tag.
type contract struct {
	id       ContractID
	place    int // in its roster
	kind     ContractKind
	object   *object // of an object contract
	tag      *tag    // of a tag contract
	capacity uint32
	begun    uint64 // of an expose contract: when it was opened

	offers  map[string]*offer // outstanding, by key of the object; one an object at most
	waiting fifo[*offer]      // of those, the ones not taken yet, oldest first
}

// offer is a sink or a stream: one object, handed to one contract. It is a
// waiting one until it is taken; then, when it ends, a revoked one until it is
// released. An offer that ends while waiting is withdrawn without a trace.
type offer struct {
	id       OfferID
	place    int // in its roster
	contract *contract
	key      string
	object   *object // nil once revoked
	taken    bool

	last     *State       // sink: the last state sent; stream: the last one read
	flag     Synchronized // with last
	notified bool         // stream: a change was told and not yet read

	waiting entry[*offer] // in contract.waiting
}

func (c *contract) exposes() bool { return c.kind == ExposeObject || c.kind == ExposeTag }

// list returns where contracts of this kind stand on their object or tag.
func (c *contract) list() *[]*contract {
	switch c.kind {
	case ObserveObject:
		return &c.object.observers
	case ExposeObject:
		return &c.object.exposers
	case ObserveTag:
		return &c.tag.observers
	default:
		return &c.tag.exposers
	}
}

// spec: Open
func (x *Exchange) open(input Input) {
	if input.Contract == 0 || x.contracts[input.Contract] != nil {
		x.refuse(fmt.Errorf("hakuban: contract id %d is zero or in use", input.Contract))
		return
	}
	// A driver makes descriptors by wire; an input from a file may hold anything.
	d, err := wire.NewDescriptor(input.Descriptor.Tags, input.Descriptor.JSON, &x.config.Limits.Wire)
	if err != nil || d.Key != input.Descriptor.Key {
		x.refuse(fmt.Errorf("hakuban: a contract's descriptor is not canonical: %q, %v", input.Descriptor.Key, err))
		return
	}
	tagIdentity := strings.TrimPrefix(d.Key, "[]")
	known, size := x.knowsObject(d.Key), objectSize(&d)
	if input.ContractKind == ObserveTag || input.ContractKind == ExposeTag {
		known, size = x.knowsTag(tagIdentity), tagSize(d.JSON, tagIdentity)
	}
	if err := x.mayAsk(size, known); err != nil {
		x.refuse(err)
		return
	}
	c := &contract{id: input.Contract, kind: input.ContractKind, offers: make(map[string]*offer)}
	if c.exposes() {
		c.capacity = input.Capacity
		x.date(&c.begun, true)
	}
	switch c.kind {
	case ObserveObject, ExposeObject:
		c.object = x.acquire(d)
	case ObserveTag, ExposeTag:
		if len(d.Tags) > 0 {
			x.refuse(fmt.Errorf("hakuban: a tag contract's descriptor has tags: %q", d.Key))
			return
		}
		c.tag = x.acquireTag(d.JSON, tagIdentity)
	default:
		x.refuse(fmt.Errorf("hakuban: unknown contract kind %d", input.ContractKind))
		return
	}
	x.contracts[c.id] = c
	x.rosters.contracts.add(c)
	list := c.list()
	at, _ := slices.BinarySearchFunc(*list, c.id, func(c *contract, id ContractID) int { return cmp.Compare(c.id, id) })
	*list = slices.Insert(*list, at, c)
	x.settleContract(c)
}

// spec: Close
func (x *Exchange) close(id ContractID) {
	c := x.contracts[id]
	if c == nil {
		x.refuse(ErrClosed)
		return
	}
	delete(x.contracts, id)
	x.rosters.contracts.remove(c)
	list := c.list()
	at := slices.Index(*list, c)
	*list = slices.Delete(*list, at, at+1)
	for _, key := range sortedKeys(c.offers) {
		x.revoke(c.offers[key])
	}
	x.settleContract(c)
}

// settleContract settles every object that a contract covers.
func (x *Exchange) settleContract(c *contract) {
	if c.object != nil {
		x.settle(c.object)
		return
	}
	for _, o := range c.tag.objects.values() {
		x.settle(o)
	}
	x.summarizeTag(c.tag)
	x.forgetTag(c.tag)
}

// spec: SetCapacity
func (x *Exchange) setCapacity(id ContractID, capacity uint32) {
	c := x.contracts[id]
	if c == nil {
		x.refuse(ErrClosed)
		return
	}
	if !c.exposes() {
		x.refuse(fmt.Errorf("hakuban: contract %d does not expose", id))
		return
	}
	c.capacity = capacity
	if c.object != nil {
		x.summarizeObject(c.object)
	} else {
		x.summarizeTag(c.tag)
	}
}

// offer gives every local contract that covers an object the sink or stream it
// is due, and ends those no longer due.
func (x *Exchange) offer(o *object) {
	for _, c := range o.observers {
		x.offerTo(c, o)
	}
	for _, c := range o.exposers {
		x.offerTo(c, o)
	}
	for _, t := range o.tags {
		for _, c := range t.observers {
			x.offerTo(c, o)
		}
		for _, c := range t.exposers {
			x.offerTo(c, o)
		}
	}
}

// due reports whether a contract should have a sink or stream for an object it covers.
func (c *contract) due(o *object) bool {
	switch o.elected.Kind {
	case ElectedObjectContract, ElectedTagContract:
		if c.exposes() {
			return o.elected.Contract == c.id
		}
	}
	return !c.exposes() && o.shouldExist
}

func (x *Exchange) offerTo(c *contract, o *object) {
	existing, due := c.offers[o.descriptor.Key], c.due(o)
	switch {
	case due && existing == nil:
		x.lastOffer++
		f := &offer{id: x.lastOffer, contract: c, key: o.descriptor.Key, object: o}
		f.waiting.value = f
		c.offers[f.key] = f
		x.rosters.offers.add(f)
		c.waiting.push(&f.waiting)
		x.emit(Effect{Kind: EffectOffered, Contract: c.id})
	case !due && existing != nil:
		x.revoke(existing)
	}
}

// revoke ends an offer: a waiting one is withdrawn, a taken one stays in the way
// of the next until it is released.
func (x *Exchange) revoke(f *offer) {
	if !f.taken {
		f.contract.waiting.remove(&f.waiting)
		delete(f.contract.offers, f.key)
		x.rosters.offers.remove(f)
		f.object = nil
		return
	}
	if f.object != nil {
		f.object, f.last = nil, nil
		x.emit(Effect{Kind: EffectRevoked, Contract: f.contract.id, Offer: f.id})
	}
}

// spec: Take
func (x *Exchange) take(id ContractID) {
	c := x.contracts[id]
	if c == nil {
		x.refuse(ErrClosed)
		return
	}
	if c.waiting.first == nil {
		x.emit(Effect{Kind: EffectTaken, Contract: id})
		return
	}
	f := c.waiting.first.value
	c.waiting.remove(&f.waiting)
	f.taken = true
	x.offers[f.id] = f
	x.emit(Effect{Kind: EffectTaken, Contract: id, Offer: f.id, Descriptor: f.object.descriptor})
	x.notify(f)
}

// spec: Release
func (x *Exchange) release(id OfferID) {
	f := x.offers[id]
	if f == nil {
		x.refuse(ErrRevoked)
		return
	}
	o := f.object
	if o == nil {
		o = x.objects[f.key]
	}
	delete(x.offers, id)
	delete(f.contract.offers, f.key)
	x.rosters.offers.remove(f)
	f.object = nil
	if o != nil && x.contracts[f.contract.id] != nil { // a closed contract has no next offer to wait for
		x.settle(o)
	}
}

// publish takes a state from a local sink.
//
// spec: Publish
func (x *Exchange) publish(input Input) {
	f := x.offers[input.Offer]
	if f == nil || f.object == nil || !f.contract.exposes() {
		x.refuse(ErrRevoked)
		return
	}
	o, state := f.object, input.State
	if state == nil {
		x.refuse(fmt.Errorf("hakuban: no state"))
		return
	}
	if len(state.Version) == 0 {
		state = &State{Version: x.nextVersion(o), Format: state.Format, Data: state.Data}
	}
	if err := x.fits(state); err != nil {
		x.refuse(err)
		return
	}
	if o.held != nil {
		order := slices.Compare(state.Version, o.held.Version)
		if order < 0 || order == 0 && !o.hollow && !sameContent(state, o.held) {
			x.refuse(ErrStale)
			return
		}
		if order == 0 && !o.hollow {
			state = o.held
		}
	}
	flag := input.Synchronized
	flag.Mono = min(flag.Mono, x.now.Mono)
	if flag.Now {
		flag.Mono = 0
	}
	f.last, f.flag = state, flag
	x.absorb(o, state, flag, nil)
	x.emit(Effect{Kind: EffectState, Offer: f.id, State: state, Synchronized: flag})
}

// fits checks a local state against the limits peers are held to.
func (x *Exchange) fits(state *State) error {
	limits := &x.config.Limits.Wire
	tooMany := func(what string, seen, limit int) error {
		return fmt.Errorf("%w: %s is %d, at most %d", ErrTooLarge, what, seen, limit)
	}
	if size := messageBound(state); size > limits.Message {
		return tooMany("the state's message in bytes", size, limits.Message)
	}
	if len(state.Data) > limits.State {
		return tooMany("the state's size in bytes", len(state.Data), limits.State)
	}
	if len(state.Version) > limits.Version {
		return tooMany("the version's length", len(state.Version), limits.Version)
	}
	if len(state.Format) > limits.Formats {
		return tooMany("the format's length", len(state.Format), limits.Formats)
	}
	for _, name := range state.Format {
		if len(name) > limits.Format {
			return tooMany("the size of one of the format's names in bytes", len(name), limits.Format)
		}
		if !utf8.ValidString(name) {
			return fmt.Errorf("hakuban: the format's name %q is not UTF-8", name)
		}
	}
	return nil
}

// read answers with the newest state of a taken stream.
//
// spec: Read
func (x *Exchange) read(id OfferID) {
	f := x.offers[id]
	if f == nil || f.object == nil || f.contract.exposes() {
		x.refuse(ErrRevoked)
		return
	}
	f.last, f.flag = f.object.shown(f.last, f.flag)
	f.notified = false
	x.emit(Effect{Kind: EffectState, Offer: id, State: f.last, Synchronized: f.flag})
}

// notify tells a taken stream once that it has something new to read.
func (x *Exchange) notify(f *offer) {
	if f == nil || !f.taken || f.notified || f.object == nil || f.contract.exposes() {
		return
	}
	if last, flag := f.object.shown(f.last, f.flag); last == f.last && flag == f.flag {
		return
	}
	f.notified = true
	x.emit(Effect{Kind: EffectChanged, Contract: f.contract.id, Offer: f.id})
}

// nextVersion is the default version of a new state: the wall clock, or when
// that is not greater than every version known here, the successor of those.
func (x *Exchange) nextVersion(o *object) []int64 {
	version := []int64{0, x.now.Wall / 1e9, x.now.Wall % 1e9}
	if slices.Compare(version, o.newest) > 0 {
		return version
	}
	return Successor(o.newest)
}

// Successor is the least version we know how to make that is greater than a
// given one: the last element plus one or, when that is the greatest there is, a
// 0 appended.
func Successor(version []int64) []int64 {
	last := len(version) - 1
	if last < 0 || version[last] == 1<<63-1 {
		return append(slices.Clone(version), 0)
	}
	next := slices.Clone(version)
	next[last]++
	return next
}

func sameContent(a, b *State) bool {
	return slices.Equal(a.Format, b.Format) && string(a.Data) == string(b.Data)
}

// messageBound is an upper bound of the bytes of a message with the state whole.
func messageBound(state *State) int {
	size := 64 + diffBound(len(state.Data)) + 10*len(state.Version)
	for _, name := range state.Format {
		size += 10 + len(name)
	}
	return size
}
