package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
)

// Election: the elected exposer is the one that the six rules choose, computed
// here from who was elected before the step and who asks now, and it moves only
// when a step changed what elects, or when a tick rebalances. Rule 6 and a
// rebalance look at the loads of links, which other elections of the same step
// change: in some order each of them must be right. At rest no rebalance is due,
// and nobody is unelected where a link has room.
type Election struct {
	base
	loads loads
	due   []election
}

// election is one object of which a step may have moved the election.
type election struct{ was, is *impl.ObjectSnapshot }

// none is an object that an exchange does not know.
var none impl.ObjectSnapshot

// Name implements [Checker].
func (*Election) Name() string { return "election" }

// Glance implements [Glancer].
func (c *Election) Glance(l *Look) error {
	c.due = c.due[:0]
	for i := range l.Snapshot.Objects {
		e := election{was: &none, is: &l.Snapshot.Objects[i]}
		if b := findObject(l.Before, e.is.Number); b != nil {
			e.was = b
		}
		c.marks(e.is)
		if err := c.standing(l, e.is); err != nil {
			return fmt.Errorf("object %s: %w", e.is.Descriptor.Key, err)
		}
		switch {
		case c.elects(l, e):
			c.due = append(c.due, e)
		case e.was.Elected != e.is.Elected:
			return fmt.Errorf("object %s: elected moved from %v to %v though nothing that elects changed", e.is.Descriptor.Key, e.was.Elected, e.is.Elected)
		}
	}
	for i := range l.Before.Objects {
		if b := &l.Before.Objects[i]; b.Elected.Kind == impl.ElectedLink && findObject(l.Snapshot, b.Number) == nil {
			c.due = append(c.due, election{was: b, is: &none})
		}
	}
	c.loads.of(l.Before)
	if err := c.inSomeOrder(l, c.due); err != nil {
		return err
	}
	for _, e := range c.due {
		if e.was.Elected != e.is.Elected && l.Input.Kind != impl.InputTick {
			c.moveMarks(e.was.Elected, e.is.Elected, e.is)
		}
	}
	return nil
}

// elects reports whether a step may have elected for an object. A tick may for
// any; of which the time had come is not known here.
func (c *Election) elects(l *Look, e election) bool {
	if l.ends() { // an election before the end may have found no room that there is now
		return e.was.Elected != e.is.Elected
	}
	switch l.Input.Kind {
	case impl.InputTick:
		return e.was.Elected != e.is.Elected
	case impl.InputRelease:
		if e.is.Descriptor.Key == c.ledger.lives[l.Exchange].released {
			return true
		}
	case impl.InputReceive, impl.InputDetach:
		if e.was.Elected.Kind == impl.ElectedNobody && e.is.Elected.Kind == impl.ElectedLink {
			// Nothing that is seen here need have changed: a message may ask for one tag in place of another, a link that goes may have had
			// nothing but a sink to close. A load limit may have risen meanwhile.
			return true
		}
	}
	return changedFacts(e.was, e.is) || e.was.Elected.Kind == impl.ElectedNobody && changedCapacity(e.was, e.is)
}

// inSomeOrder checks elections one after the other, each with the loads that the
// ones before it left.
func (c *Election) inSomeOrder(l *Look, due []election) (err error) {
	if len(due) == 0 {
		return nil
	}
	for i := range due {
		due[0], due[i] = due[i], due[0]
		wrong := c.one(l, due[0])
		if wrong != nil {
			wrong = fmt.Errorf("object %s: %w", due[0].is.Descriptor.Key, wrong)
		} else {
			c.loads.move(due[0].was, due[0].is)
			if wrong = c.inSomeOrder(l, due[1:]); wrong == nil {
				return nil
			}
			c.loads.move(due[0].is, due[0].was)
		}
		due[0], due[i] = due[i], due[0]
		if err == nil {
			err = wrong
		}
	}
	return err
}

// one checks one election.
func (c *Election) one(l *Look, e election) error {
	was, is := e.was.Elected, e.is.Elected
	if l.Input.Kind == impl.InputTick {
		if was.Kind == impl.ElectedLink {
			return c.moved(l, e)
		}
		if was.Kind != impl.ElectedNobody {
			return fmt.Errorf("a tick moved the election from %v to %v", was, is)
		}
		c.ledger.marks.Hit(mark.RebalanceElected)
	}
	want := c.choose(l, e.is, was)
	if want != is && l.ends() { // another was elected while the link that the step ended was there
		want = c.choose(l, e.is, impl.Elected{})
		if want.Kind == impl.ElectedLink && (is.Kind == impl.ElectedLink || is.Kind == impl.ElectedNobody) { // and loads were others
			want = is
		}
	}
	if want != is {
		return fmt.Errorf("elected is %v after %v, the rules say %v", is, was, want)
	}
	if was != is {
		return shared(e.is)
	}
	return nil
}

// moved checks a move from a link by a tick.
func (c *Election) moved(l *Look, e election) error {
	was, is := e.was.Elected, e.is.Elected
	c.ledger.marks.Hit(mark.RebalanceMoved)
	config := &c.ledger.lives[l.Exchange].config
	if !config.Rebalance {
		return fmt.Errorf("a tick moved the election from %v to %v where rebalancing is off", was, is)
	}
	best, load := c.leastLoaded(l, e.is, was.Link)
	if is != linkElected(best) {
		return fmt.Errorf("rebalance moved from link %d to %v, the least loaded is link %d", was.Link, is, best)
	}
	if !c.pays(config, load, was.Link) {
		return fmt.Errorf("rebalance moved from link %d with load %d to link %d, which gets %d: less than the threshold", was.Link, c.loads[was.Link], best, load)
	}
	return shared(e.is)
}

// pays reports whether to move to a load is worth it.
func (c *Election) pays(config *impl.Config, load uint64, from impl.LinkID) bool {
	return float64(load)+config.RebalanceThreshold*loadUnit < float64(c.loads[from])
}

// Look implements [Looker]: nothing is due at rest.
func (c *Election) Look(l *Look) error {
	if !l.AtRest {
		return nil
	}
	config := &c.ledger.lives[l.Exchange].config
	c.loads.of(l.Snapshot)
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		if !o.DataNeeded {
			continue
		}
		best, load := c.leastLoaded(l, o, o.Elected.Link)
		switch {
		case best == 0:
		case o.Elected.Kind == impl.ElectedNobody:
			return fmt.Errorf("object %s: at rest nobody is elected, and link %d has room", o.Descriptor.Key, best)
		case o.Elected.Kind == impl.ElectedLink && config.Rebalance && c.pays(config, load, o.Elected.Link):
			return fmt.Errorf("object %s: at rest link %d is elected with load %d, and a move to link %d, which would get %d, is due",
				o.Descriptor.Key, o.Elected.Link, c.loads[o.Elected.Link], best, load)
		}
	}
	return nil
}

// standing is what must hold of the elected one at any time.
func (c *Election) standing(l *Look, o *impl.ObjectSnapshot) error {
	local := func(kind impl.ContractKind) bool {
		k := c.ledger.lives[l.Exchange].contracts[o.Elected.Contract]
		return k != nil && k.Kind == kind && k.covers(o)
	}
	exposers := o.ObjectExposeContracts + o.TagExposeContracts
	switch o.Elected.Kind {
	case impl.ElectedNobody:
		if o.DataNeeded && (len(o.Sources) > 0 || exposers > 0) {
			return fmt.Errorf("nobody is elected with %d sources and %d local exposers", len(o.Sources), exposers)
		}
		return nil
	case impl.ElectedUpstream:
		if len(o.Sources) == 0 {
			return fmt.Errorf("upstream is elected and streams nothing")
		}
	case impl.ElectedObjectContract:
		if !local(impl.ExposeObject) || len(o.Sources) > 0 {
			return fmt.Errorf("contract %d is elected; it is open: %t, sources: %d", o.Elected.Contract, local(impl.ExposeObject), len(o.Sources))
		}
	case impl.ElectedTagContract:
		if !local(impl.ExposeTag) || len(o.Sources) > 0 {
			return fmt.Errorf("tag contract %d is elected; it is open: %t, sources: %d", o.Elected.Contract, local(impl.ExposeTag), len(o.Sources))
		}
	case impl.ElectedLink:
		link := linkOf(o, o.Elected.Link)
		if link == nil || !exposes(link) || len(o.Sources) > 0 || exposers > 0 {
			return fmt.Errorf("link %d is elected; it exposes: %t, sources: %d, local exposers: %d", o.Elected.Link, link != nil && exposes(link), len(o.Sources), exposers)
		}
	}
	if !o.DataNeeded {
		return fmt.Errorf("somebody is elected though no data is needed")
	}
	return nil
}

// shared checks the share that a link was just elected with.
func shared(o *impl.ObjectSnapshot) error {
	if o.Elected.Kind != impl.ElectedLink {
		return nil
	}
	link := linkOf(o, o.Elected.Link)
	if capacityOf(link) == 0 || link.Share != shareOf(link) {
		return fmt.Errorf("link %d was elected with capacity %d and share %d", link.Link, capacityOf(link), link.Share)
	}
	return nil
}

// choose applies the six rules.
func (c *Election) choose(l *Look, o *impl.ObjectSnapshot, was impl.Elected) impl.Elected {
	if !dataNeeded(o) {
		return impl.Elected{}
	}
	if len(o.Sources) > 0 {
		return impl.Elected{Kind: impl.ElectedUpstream, Link: l.Snapshot.Upstream}
	}
	contracts := c.ledger.lives[l.Exchange].contracts
	if was.Kind == impl.ElectedObjectContract || was.Kind == impl.ElectedTagContract {
		if k := contracts[was.Contract]; k != nil && k.covers(o) {
			return was
		}
	}
	for _, rule := range []struct {
		kind    impl.ContractKind
		elected impl.ElectedKind
	}{{impl.ExposeObject, impl.ElectedObjectContract}, {impl.ExposeTag, impl.ElectedTagContract}} {
		var best *Contract
		tie := false
		for _, k := range contracts {
			switch {
			case k.Kind != rule.kind || !k.covers(o):
			case best == nil || k.Capacity > best.Capacity:
				best, tie = k, false
			case k.Capacity == best.Capacity:
				tie = true
				if k.Began < best.Began {
					best = k
				}
			}
		}
		if tie {
			c.ledger.marks.Hit(mark.TieOfContracts)
		}
		if best != nil {
			return impl.Elected{Kind: rule.elected, Contract: best.ID}
		}
	}
	if was.Kind == impl.ElectedLink {
		if link := linkOf(o, was.Link); link != nil && exposes(link) {
			return was
		}
	}
	best, _ := c.leastLoaded(l, o, 0)
	if best == 0 && slices.ContainsFunc(o.Links, func(l impl.ObjectLinkSnapshot) bool { return exposes(&l) && capacityOf(&l) > 0 }) {
		c.ledger.marks.Hit(mark.NobodyForLoadLimit)
	}
	return linkElected(best)
}

func linkElected(link impl.LinkID) impl.Elected {
	if link == 0 {
		return impl.Elected{}
	}
	return impl.Elected{Kind: impl.ElectedLink, Link: link}
}

// leastLoaded is rule 6: a link, and its load with the object. Of equals it is the
// link that exposes the object for longest. Zero: none has room. One link may be
// left out.
func (c *Election) leastLoaded(l *Look, o *impl.ObjectSnapshot, except impl.LinkID) (best impl.LinkID, load uint64) {
	live, tie := &c.ledger.lives[l.Exchange], false
	for i := range o.Links {
		link := &o.Links[i]
		if !exposes(link) || capacityOf(link) == 0 || link.Link == except {
			continue
		}
		sum := c.loads[link.Link] + shareOf(link)
		if limit, limited := c.ledger.limit(l, link.Link); limited && float64(sum) > limit {
			c.ledger.marks.Hit(mark.OverLoadLimit)
			continue
		}
		switch {
		case best == 0 || sum < load:
			best, load, tie = link.Link, sum, false
		case sum == load:
			tie = true
			if live.since(link.Link, o) < live.since(best, o) {
				best = link.Link
			}
		}
	}
	if tie {
		c.ledger.marks.Hit(mark.TieOfLinks)
	}
	return best, load
}

// changedFacts reports whether anything differs that elects.
func changedFacts(a, b *impl.ObjectSnapshot) bool {
	return a.ObjectObserveContracts != b.ObjectObserveContracts || a.ObjectExposeContracts != b.ObjectExposeContracts ||
		a.TagObserveContracts != b.TagObserveContracts || a.TagExposeContracts != b.TagExposeContracts ||
		!slices.EqualFunc(a.Sources, b.Sources, sameChannel) || !slices.EqualFunc(a.Outlets, b.Outlets, sameChannel) ||
		changedLink(a, b, func(l, was *impl.ObjectLinkSnapshot) bool {
			return l.Observes != was.Observes || l.Exposes != was.Exposes || l.TagObserves != was.TagObserves || l.TagExposes != was.TagExposes
		})
}

// changedCapacity reports whether a link below changed what it can carry, which
// elects where nobody is elected.
func changedCapacity(a, b *impl.ObjectSnapshot) bool {
	return changedLink(a, b, func(l, was *impl.ObjectLinkSnapshot) bool { return capacityOf(l) != capacityOf(was) })
}

// noLink is a link that has no record on an object: as one that asks for
// nothing, whose record is kept for channels that are to close.
var noLink impl.ObjectLinkSnapshot

// changedLink reports whether a link differs on an object.
func changedLink(a, b *impl.ObjectSnapshot, differ func(l, was *impl.ObjectLinkSnapshot) bool) bool {
	anyDiffers := func(links []impl.ObjectLinkSnapshot, other *impl.ObjectSnapshot) bool {
		for i := range links {
			l := linkOf(other, links[i].Link)
			if l == nil {
				l = &noLink
			}
			if differ(&links[i], l) {
				return true
			}
		}
		return false
	}
	return anyDiffers(b.Links, a) || anyDiffers(a.Links, b)
}

func sameChannel(a, b impl.ChannelSnapshot) bool { return a.Number == b.Number }

func (c *Election) marks(o *impl.ObjectSnapshot) {
	m := c.ledger.marks
	m.Hit([...]mark.Mark{mark.ElectedNobody, mark.ElectedUpstream, mark.ElectedObjectContract, mark.ElectedTagContract, mark.ElectedLink}[o.Elected.Kind])
	sinks := 0
	for i := range o.Links {
		l := &o.Links[i]
		if l.Sink.Number != 0 {
			sinks++
		}
		if observes(l) && exposes(l) {
			m.Hit(mark.ObservedAndExposed)
			if wantsSink(o, l) {
				m.Hit(mark.StreamNotToElected)
			}
		}
		if wantsSink(o, l) && l.Share != 0 && capacityOf(l) != 0 && l.Share != shareOf(l) {
			m.Hit(mark.CapacityChangedWhileElected)
		}
	}
	if sinks > 1 {
		m.Hit(mark.HandOverOverlap)
	}
}

func (c *Election) moveMarks(was, is impl.Elected, o *impl.ObjectSnapshot) {
	if was == is || was.Kind == impl.ElectedNobody {
		return
	}
	m := c.ledger.marks
	switch {
	case is.Kind == impl.ElectedNobody:
		m.Hit(mark.ElectionLost)
	case is.Kind == impl.ElectedUpstream:
		m.Hit(mark.ElectionMovedUpstream)
	case was.Kind == impl.ElectedLink:
		m.Hit(mark.ElectionMovedLink)
	default:
		m.Hit(mark.ElectionMovedLocal)
	}
	if is.Kind != impl.ElectedNobody && slices.ContainsFunc(o.Links, func(l impl.ObjectLinkSnapshot) bool { return l.Stream.Number != 0 }) {
		m.Hit(mark.StreamKeptAtHandOver)
	}
}
