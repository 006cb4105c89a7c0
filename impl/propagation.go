package impl

import (
	"math"
	"slices"

	"hakuban/wire"
	"hakuban/wire/diff"
)

// channel is a state channel with a link: a source or sink that states come in
// on, an outlet or stream that they go out on.
type channel struct {
	number uint64
	object *object
	link   *link
	record *objectLink // of a sink or a stream

	last *State       // the last state that crossed it; nil: none yet
	flag Synchronized // the last flag that crossed it

	charge charge // for the channel
	kept   charge // for last
	*upstreamEnd
}

// upstreamEnd is what a source or an outlet has besides.
type upstreamEnd struct {
	outlet   bool
	pending  entry[*channel] // an outlet's place in link.outlets
	withheld entry[*channel] // and in link.withheld or link.leftover; it is in one at most
	leftover bool            // in the latter
	letIn    charge
	up       charge // of an outlet: for the state that upstream has
	lifter   charge // of an outlet: likewise, to whom that is charged here
}

// newChannel makes a stream or a sink.
func newChannel(number uint64, ol *objectLink) *channel {
	return &channel{number: number, object: ol.object, link: ol.link, record: ol}
}

// newUpstreamChannel makes a source or an outlet.
func newUpstreamChannel(number uint64, o *object, l *link, outlet bool) *channel {
	c := &channel{number: number, object: o, link: l, upstreamEnd: &upstreamEnd{outlet: outlet}}
	c.pending.value, c.withheld.value = c, c
	return c
}

// isOut reports whether states go out on the channel.
func (c *channel) isOut() bool {
	if c.record == nil {
		return c.outlet
	}
	return c.record.sink != c
}

// absorb takes a state and its flag, which the caller has noted on the source
// they come from: a greater version is taken, an equal one counts for the flag,
// a lower one for nothing. It came on a channel, or (nil) from our own process. An
// equal version is also the data of a state that has become hollow.
func (x *Exchange) absorb(o *object, state *State, flag Synchronized, bringer *channel) {
	held, before := o.held, o.flag
	order := 1
	if held != nil {
		order = slices.Compare(state.Version, held.Version)
	}
	if order > 0 || order == 0 && o.hollow {
		o.held, o.hollow = state, false
		o.foreign, o.bringer = bringer != nil, bringer
	}
	switch {
	case order > 0:
		o.flag, o.floor = flag, flag.Mono
		if slices.Compare(state.Version, o.newest) > 0 {
			o.newest = state.Version
		}
	case order == 0 && flag.Now:
		o.flag = flag
	case order == 0 && !o.flag.Now:
		o.flag.Mono = max(o.flag.Mono, flag.Mono)
	case order == 0 && !x.hasNowSource(o):
		o.flag.Now, o.flag.Mono = false, max(o.floor, flag.Mono)
	}
	if order >= 0 && flag.Now {
		o.floor = x.now.Mono
	}
	x.dropStale(o)
	x.changedFrom(o, held, before)
	x.chargeHeld(o)
}

// refreshFlag makes the flag follow the sources that are left.
func (x *Exchange) refreshFlag(o *object) {
	held, before := o.held, o.flag
	x.dropStale(o)
	x.changedFrom(o, held, before)
}

// dropStale ends a flag that no source upholds, and erases a state that is not
// current while nobody needs the data. A stream that is still open keeps it: were
// the stream wanted again before the pull that closes it, its other end would
// hold a flag that nothing corrects.
func (x *Exchange) dropStale(o *object) {
	if o.held == nil {
		return
	}
	if o.flag.Now && !x.hasNowSource(o) {
		o.flag = Synchronized{Mono: x.now.Mono}
	}
	if !o.flag.Now && !o.dataNeeded && !o.streams() {
		o.held, o.hollow, o.flag, o.foreign, o.bringer = nil, false, Synchronized{}, false, nil
		x.chargeHeld(o)
	}
}

// hasNowSource reports whether some open source says that the state held is current:
// its last flag was now and its last version is not below the one held.
//
// spec: HasNowSource
func (x *Exchange) hasNowSource(o *object) bool {
	says := func(last *State, flag Synchronized) bool {
		return last != nil && flag.Now && slices.Compare(last.Version, o.held.Version) >= 0
	}
	for _, source := range o.sources {
		if says(source.last, source.flag) {
			return true
		}
	}
	if sink := o.electedSink(); sink != nil {
		return says(sink.last, sink.flag)
	}
	if c := x.electedContract(o); c != nil {
		if f := c.offers[o.descriptor.Key]; f != nil && f.object == o {
			return says(f.last, f.flag)
		}
	}
	return false
}

// electedSink is the sink in force; nil: none.
func (o *object) electedSink() *channel {
	if o.elected.Kind != ElectedLink {
		return nil
	}
	at, found := o.findLink(o.elected.Link)
	if !found || o.links[at].revoked {
		return nil
	}
	return o.links[at].sink
}

// replaceHeld puts a state of the same version in place of the one held, which its
// keeper has no room for: that of another open source, or none. It is hollow then:
// its data and its format are gone, and its version and flag stay. Whoever has seen
// the state is told of its flag, and older states are refused. Whoever has not sees
// none until one comes that is as new.
func (x *Exchange) replaceHeld(o *object) {
	full := o.held
	o.held, o.hollow = &State{Version: full.Version}, true
	put := func(state *State, bringer *channel) {
		if o.hollow && state != nil && slices.Equal(state.Version, full.Version) {
			o.held, o.hollow, o.foreign, o.bringer = state, false, bringer != nil, bringer
		}
	}
	for _, source := range o.sources {
		put(source.last, source)
	}
	if sink := o.electedSink(); sink != nil {
		put(sink.last, sink)
	}
	if c := x.electedContract(o); c != nil {
		if f := c.offers[o.descriptor.Key]; f != nil && f.object == o {
			put(f.last, nil)
		}
	}
	x.changedFrom(o, full, o.flag)
}

// changedFrom wakes all who see an object's state if it is not what it was.
func (x *Exchange) changedFrom(o *object, held *State, flag Synchronized) {
	if o.held == held && o.flag == flag {
		return
	}
	if o.held != held {
		o.deltas.clear()
		x.pin(o)
	}
	for _, c := range o.observers {
		x.notify(c.offers[o.descriptor.Key])
	}
	for _, t := range o.tags {
		for _, c := range t.observers {
			x.notify(c.offers[o.descriptor.Key])
		}
	}
	for _, outlet := range o.outlets {
		x.queueOutlet(outlet)
	}
	for _, ol := range o.links {
		if ol.stream != nil {
			x.queueLink(ol)
		}
	}
}

// receiveStates takes the actions of one message from a source or a sink that is
// open and in force.
//
// spec: ReceiveStateUp, ReceiveStateDown
func (x *Exchange) receiveStates(l *link, c *channel, a *Arrival) error {
	ahead := a.patchedFrom(c.last)
	made := 0 // bytes of states that the message makes: a few of its own can make many
	for i := range a.event.Message.States {
		action := &a.event.Message.States[i]
		c.flag = x.flagFromWire(action.Synchronized)
		if action.Kind == wire.StatePatch {
			if err := x.checkVersion(l, action.Version); err != nil {
				return err
			}
			var data []byte
			if len(ahead) > 0 {
				data, ahead = ahead[0], ahead[1:]
			}
			state, err := x.patched(l, c, action, data)
			if err != nil {
				return err
			}
			x.crossed(c, state)
			if made += len(state.Data); made > maxMade(&x.config.Limits.Wire) {
				return protocolf("states of more than %d bytes in one message on channel %d", 2*x.config.Limits.Wire.State, c.number)
			}
		}
		if c.last != nil {
			x.absorb(c.object, c.last, c.flag, c)
		}
	}
	return nil
}

// patched applies a diff to the last state of a channel. The data that comes of it
// is known already, or (nil) is not.
func (x *Exchange) patched(l *link, c *channel, action *wire.StateAction, data []byte) (*State, error) {
	format := action.Format
	if !action.HasFormat {
		if c.last == nil {
			return nil, protocolf("the first state on channel %d has no format", c.number)
		}
		format = c.last.Format
	}
	room := x.roomFor(c)
	if limit := min(x.config.Limits.Wire.State, room); data == nil || len(data) > limit {
		var err error
		data, err = diff.Patch(c.last.data(), action.Diff, limit)
		switch {
		case err != nil && limit < x.config.Limits.Wire.State:
			return nil, protocolf("state on channel %d: %w: %v", c.number, errLinkBytes, err)
		case err != nil:
			return nil, protocolf("state on channel %d: %v", c.number, err)
		}
	}
	state := &State{Version: action.Version, Format: format, Data: data}
	if bound := messageBound(state); bound > x.config.Limits.Wire.Message {
		return nil, protocolf("state on channel %d needs a message of %d bytes to be sent on, the limit is %d", c.number, bound, x.config.Limits.Wire.Message)
	}
	if state.size() > room {
		return nil, protocolf("state on channel %d: %w", c.number, errLinkBytes)
	}
	return state, nil
}

// data is the data of a state; of none, none.
func (s *State) data() []byte {
	if s == nil {
		return nil
	}
	return s.Data
}

// shown is the state and flag of an object for whoever was shown a last one: of a
// hollow state no more than that what came before it is not current.
func (o *object) shown(last *State, flag Synchronized) (*State, Synchronized) {
	switch {
	case !o.hollow:
		return o.held, o.flag
	case last == nil:
		return nil, flag
	case slices.Equal(last.Version, o.held.Version):
		return last, o.flag
	}
	return last, Synchronized{Mono: math.MinInt64}
}

// owes reports whether a stream or outlet has something to send.
func (c *channel) owes() bool {
	state, flag := c.object.shown(c.last, c.flag)
	return state != nil && (c.last == nil || c.flag != flag || !slices.Equal(c.last.Version, state.Version))
}

// emitState brings a stream or outlet up to date with a message.
func (x *Exchange) emitState(p *pulling, c *channel, id wire.ChannelID) {
	o := c.object
	state, flag := o.shown(c.last, c.flag)
	action := wire.StateAction{Kind: wire.StateSetSynchronized, Synchronized: x.flagToWire(flag)}
	if c.last == nil || !slices.Equal(c.last.Version, state.Version) {
		action.Kind = wire.StatePatch
		action.Version = state.Version
		if c.last == nil || len(c.last.Format) == 0 || !slices.Equal(c.last.Format, state.Format) { // none: forgotten, perhaps
			action.HasFormat, action.Format = true, state.Format
		}
		x.emitPatch(p, id, &action, o.delta(c.last), diffBound(len(state.Data)))
		x.crossed(c, state)
	} else {
		x.emitFlag(p, id, action)
	}
	c.flag = flag
}

func (x *Exchange) emitFlag(p *pulling, id wire.ChannelID, action wire.StateAction) {
	x.event.Kind, x.event.Channel = wire.EventMessage, id
	x.event.Message.Kind = wire.MessageStateStream
	x.event.Message.States = append(x.event.Message.States[:0], action)
	x.emitEvent(p)
	x.event.Message.States[0] = wire.StateAction{}
}

// flagFromWire turns microseconds since a state was current into a time; 0 is now.
func (x *Exchange) flagFromWire(micros uint64) Synchronized {
	if micros == 0 {
		return Synchronized{Now: true}
	}
	if micros > math.MaxInt64/1000 {
		return Synchronized{Mono: math.MinInt64}
	}
	mono := x.now.Mono - int64(micros)*1000
	if mono > x.now.Mono {
		mono = math.MinInt64
	}
	return Synchronized{Mono: mono}
}

func (x *Exchange) flagToWire(flag Synchronized) uint64 {
	if flag.Now {
		return 0
	}
	return max(1, (uint64(x.now.Mono)-uint64(flag.Mono))/1000)
}

// diffBound is the greatest size of a diff that makes data of a size.
func diffBound(size int) int { return diff.MaxSize(size) }

// deltas keeps the newest few ways to the state an object holds, so that all
// links that are at the same state share one. It is empty whenever no channel of
// the object waits to be pulled.
type deltas struct {
	entries [4]deltaFrom
	next    int
}

func (d *deltas) empty() bool {
	return !slices.ContainsFunc(d.entries[:], func(entry deltaFrom) bool { return entry.delta != nil })
}

type deltaFrom struct {
	from  *State // nil: from nothing
	delta *Delta // nil: no entry
}

func (d *deltas) clear() { *d = deltas{} }

// delta returns the way from a state to the one held. The caller takes its channel
// off a queue before.
func (o *object) delta(from *State) *Delta {
	for _, entry := range o.deltas.entries {
		if entry.delta != nil && entry.from == from {
			return entry.delta
		}
	}
	delta := newDelta(from, o.held)
	if o.unsent > 0 { // others wait for it
		o.deltas.entries[o.deltas.next] = deltaFrom{from, delta}
		o.deltas.next = (o.deltas.next + 1) % len(o.deltas.entries)
	}
	return delta
}
