package checker

import (
	"errors"
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
)

// Limits: whoever takes more than a limit allows must end, and nobody else may. The
// checker keeps books of its own of what each link takes: it adds up what a
// snapshot shows, and remembers only what no snapshot shows, which link brought the
// state that is held, and which link's states upstream has.
//
// After every step no link that is left takes too much. A link that a step ended
// could have taken too much: before the step, with all that the input may have
// added. That bound is never too low, and mostly exact.
type Limits struct {
	base
	lives []limitLife
}

// limitLife is what the books remember of one life of an exchange.
type limitLife struct {
	number  int
	bounded bool                // an upstream is, or was, linked to
	brought map[uint64]brought  // by number of an object
	lifted  map[outletID]lifted // what upstream has
	hollow  map[uint64]bool
	waits   map[outletID]bool
}

// brought is where the state held came from.
type brought struct {
	foreign bool        // over a link
	link    impl.LinkID // zero: the channel was closed since, or it is our own
	channel uint64
}

// outletID names an outlet: it may not be of another session.
type outletID struct {
	link    impl.LinkID
	channel uint64
}

// lifted is a state that went upstream, in bytes, and the link that brought it.
type lifted struct {
	by   impl.LinkID // zero: none of those below
	size int
}

// greed is how many times what is left for others one link may take of what an
// upstream allows.
const greed = 8

// Name implements [Checker].
func (*Limits) Name() string { return "limits" }

// Glance implements [Glancer].
func (c *Limits) Glance(l *Look) error {
	config := &c.ledger.lives[l.Exchange].config
	if config.Limits == (impl.Limits{}) {
		return nil
	}
	life := c.life(l, config)
	was, err := newBooks(config, l.Before, life)
	if err != nil {
		return err
	}
	if err := c.refused(l, was, life); err != nil {
		return err
	}
	var gain *gain
	if l.ends() {
		gain = newGain(l, was)
	}
	c.remember(l, life)
	is, err := newBooks(config, l.Snapshot, life)
	if err != nil {
		return err
	}
	if err := c.ended(l, was, is, gain); err != nil {
		return err
	}
	if err := c.shares(l, was, is); err != nil {
		return err
	}
	for _, check := range []func(*Look, *books) error{c.within, c.hollow, c.withheld} {
		if err := check(l, is); err != nil {
			return err
		}
	}
	c.keep(l, life)
	return nil
}

// life is what is remembered of the exchange's life.
func (c *Limits) life(l *Look, config *impl.Config) *limitLife {
	for len(c.lives) <= l.Exchange {
		c.lives = append(c.lives, limitLife{number: -1})
	}
	life := &c.lives[l.Exchange]
	if life.number != l.Life {
		*life = limitLife{number: l.Life, bounded: config.Upstream, brought: map[uint64]brought{}, lifted: map[outletID]lifted{},
			hollow: map[uint64]bool{}, waits: map[outletID]bool{}}
	}
	return life
}

// refused checks that a contract or an upstream was refused rightly.
func (c *Limits) refused(l *Look, was *books, life *limitLife) error {
	answer := l.refusal()
	if answer == nil || !errors.Is(answer, impl.ErrTooLarge) {
		if l.Input.Kind == impl.InputAttach && l.Input.Role == impl.ToUpstream {
			life.bounded = true
		}
		return nil
	}
	asks, bytes := was.room()
	switch l.Input.Kind {
	case impl.InputAttach:
		if life.bounded || was.asks <= asks && was.names <= bytes {
			return fmt.Errorf("an upstream was refused, though %d objects and tags of %d bytes are asked for, of %d and %d", was.asks, was.names, asks, bytes)
		}
	case impl.InputOpen:
		size := was.sizeOf(l.Input)
		if told, names := max(was.asks, was.told), max(was.names, was.toldNames); !life.bounded || told < asks && names+size+was.lifted <= bytes {
			return fmt.Errorf("a contract was refused, though upstream is asked for %d objects and tags of %d bytes, with %d bytes of states, of %d and %d",
				told, names, was.lifted, asks, bytes)
		}
	default:
		return fmt.Errorf("input kind %d was refused for a limit", l.Input.Kind)
	}
	return nil
}

// ends reports whether the step ended a link.
func (l *Look) ends() bool {
	return slices.ContainsFunc(l.Effects, func(e impl.Effect) bool { return e.Kind == impl.EffectEnd })
}

// refusal is why the input was refused; nil: it was not.
func (l *Look) refusal() error {
	for i := range l.Effects {
		if l.Effects[i].Kind == impl.EffectRefused {
			return l.Effects[i].Err
		}
	}
	return nil
}

// ended checks that every link which the step ended for a limit took too much.
func (c *Limits) ended(l *Look, was, is *books, gain *gain) error {
	var ended []impl.LinkID
	for i := range l.Effects {
		if e := &l.Effects[i]; e.Kind == impl.EffectEnd && errors.Is(e.Err, impl.ErrTooLarge) {
			ended = append(ended, e.Link)
		}
	}
	if len(ended) == 0 {
		return nil
	}
	neighbours := slices.ContainsFunc(l.Snapshot.Links, func(s impl.LinkSnapshot) bool { return s.Role == impl.ToDownstream })
	for _, link := range ended {
		if link == l.Before.Upstream {
			if !gain.overdrawnUpstream() {
				return fmt.Errorf("the link to upstream was ended, which made us hold %d bytes in %d channels, with what came %d and %d",
					was.upstreamBytes, was.upstreamChannels, was.upstreamBytes+gain.bytes, was.upstreamChannels+gain.channels)
			}
			c.ledger.marks.Hit(mark.LimitUpstreamEnded)
			continue
		}
		why := gain.greedy(is, link)
		overdrawn := gain.overdrawn(link)
		if !overdrawn && why != nil {
			return fmt.Errorf("link %d was ended, which could have taken %d bytes of %d and asked for %d objects and tags of %d: %w",
				link, gain.potential(link), was.limits.LinkBytes, gain.asksOf(link), was.limits.LinkObjects, why)
		}
		if neighbours && overdrawn {
			c.ledger.marks.Hit(mark.LimitOverdrawnEnded)
		} else if neighbours {
			c.ledger.marks.Hit(mark.LimitGreedyEnded)
		}
	}
	return nil
}

// within checks that each link is charged what it takes, and that no link that is
// left takes more than is allowed to one.
func (c *Limits) within(l *Look, is *books) error {
	for _, link := range is.below {
		t := &is.links[link].taking
		should := impl.Charged{Own: t.bytes, Records: t.records, Left: t.left, Lifted: t.lifted, Objects: t.answers}
		if charged := snapshotOf(l.Snapshot, link).Charged; charged != should {
			return fmt.Errorf("link %d is charged %+v, it takes %+v", link, charged, should)
		}
		switch {
		case t.asks+1 > is.limits.LinkObjects:
			return fmt.Errorf("link %d asks for %d objects and tags and goes on, the limit is %d with its control channel", link, t.asks, is.limits.LinkObjects)
		case t.answers > is.limits.LinkObjects:
			return fmt.Errorf("link %d answers for %d objects and goes on, the limit is %d", link, t.answers, is.limits.LinkObjects)
		case t.bytes > is.limits.LinkBytes:
			return fmt.Errorf("link %d takes %d bytes and goes on, the limit is %d", link, t.bytes, is.limits.LinkBytes)
		case t.records > is.limits.LinkBytes:
			return fmt.Errorf("link %d has %d bytes of records and channels and goes on, the limit is %d", link, t.records, is.limits.LinkBytes)
		case t.left > is.limits.LinkBytes:
			return fmt.Errorf("link %d keeps %d bytes of what others left, the limit is %d", link, t.left, is.limits.LinkBytes)
		}
	}
	return nil
}

// shares checks that a link which asked for more left others their share, and that
// upstream is not made to hold too much: states may go up that are smaller than those
// before, or our own.
func (c *Limits) shares(l *Look, was, is *books) error {
	asks, bytes := is.room()
	if !is.bounded {
		return nil
	}
	if is.told > asks || is.toldNames+is.lifted > max(bytes, was.toldNames+was.lifted) && !is.ownAlone(bytes) {
		return fmt.Errorf("upstream is asked for %d objects and tags, %d bytes of names and %d of states; there is room for %d, and %d in all",
			is.told, is.toldNames, is.lifted, asks, bytes)
	}
	adder := is.links[l.Input.Link]
	if l.Input.Kind != impl.InputReceive || adder == nil || adder.up || !adder.grew(l) {
		return nil
	}
	if adder.asks/greed > asks-is.asks {
		return fmt.Errorf("link %d asks for %d objects and tags and goes on, though only %d are left", l.Input.Link, adder.asks, asks-is.asks)
	}
	return nil
}

// hollow checks that a state is hollow where its keeper had no room, and nowhere else.
func (c *Limits) hollow(l *Look, is *books) error {
	life := &c.lives[l.Exchange]
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		before := findObject(l.Before, o.Number)
		if !o.Hollow {
			if before != nil && before.Hollow && o.State != nil && slices.Equal(before.State.Version, o.State.Version) {
				c.filled(life.brought[o.Number].foreign)
			}
			continue
		}
		if says := full(l.Snapshot, o); says != "" {
			return fmt.Errorf("object %s is hollow, though %s has its state", o.Descriptor.Key, says)
		}
		if before == nil || before.Hollow || before.State == nil || !slices.Equal(before.State.Version, o.State.Version) {
			continue
		}
		if most := mostLeft(l.Before); most <= is.limits.LinkBytes {
			return fmt.Errorf("object %s became hollow, though nobody keeps more than %d bytes of what others have left", o.Descriptor.Key, most)
		}
		c.ledger.marks.Hit(mark.LimitHollow)
	}
	return nil
}

func (c *Limits) filled(foreign bool) {
	if foreign {
		c.ledger.marks.Hit(mark.LimitFilledByLink)
	} else {
		c.ledger.marks.Hit(mark.LimitFilledLocally)
	}
}

// full says who has the data of a hollow state; empty: nobody.
func full(s *impl.Snapshot, o *impl.ObjectSnapshot) string {
	has := func(state *impl.State) bool {
		return state != nil && len(state.Data) > 0 && slices.Equal(state.Version, o.State.Version)
	}
	for i := range o.Sources {
		if has(o.Sources[i].State) {
			return fmt.Sprintf("source %d", o.Sources[i].Number)
		}
	}
	for i := range o.Links {
		if has(o.Links[i].Sink.State) && !o.Links[i].Revoked && wantsSink(o, &o.Links[i]) {
			return fmt.Sprintf("the sink of link %d", o.Links[i].Link)
		}
	}
	for i := range s.Contracts {
		if k := &s.Contracts[i]; exposing(k) && o.Elected.Contract == k.Contract {
			for _, f := range k.Offers {
				if f.Key == o.Descriptor.Key && !f.Revoked && has(f.State) {
					return fmt.Sprintf("contract %d", k.Contract)
				}
			}
		}
	}
	return ""
}

// withheld checks that a state waits for room upstream only while there is none.
func (c *Limits) withheld(l *Look, is *books) error {
	life := &c.lives[l.Exchange]
	_, bytes := is.room()
	left := bytes - is.toldNames - is.lifted
	need, waits := 0, 0
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		for k := range o.Outlets {
			id := outletID{l.Snapshot.Upstream, o.Outlets[k].Number}
			if !o.Outlets[k].Withheld {
				if life.waits[id] && o.State != nil && slices.Equal(o.Outlets[k].Version, o.State.Version) {
					c.ledger.marks.Hit(mark.LimitToldLater)
					delete(life.waits, id)
				}
				continue
			}
			c.ledger.marks.Hit(mark.LimitWithheld)
			life.waits[id] = true
			waits++
			grows := sizeOfState(o.State) - life.lifted[id].size
			if o.Hollow {
				grows = 0 // nothing is owed
			}
			if from := life.brought[o.Number]; from.foreign && from.link == 0 {
				grows += bytes / 2 // half of the room is for those who are here
			}
			need = max(need, grows)
		}
	}
	if up := upstream(l); waits > 0 && need <= left && up != nil && up.Drained {
		return fmt.Errorf("%d states wait for room upstream; the largest needs %d bytes, %d are left", waits, need, left)
	}
	return nil
}
