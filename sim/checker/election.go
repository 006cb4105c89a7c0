package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
)

// Election: the elected exposer is the one that the six rules choose, computed
// here from who was elected before the step and who asks now, and it moves only
// when a step changed what elects. Rule 6 looks at the loads of links, which
// other objects' elections in the same step change: it is checked only when one
// object's election moved.
type Election struct{ base }

// Name implements [Checker].
func (*Election) Name() string { return "election" }

const loadUnit = 1 << 32

// Look implements [Looker].
func (c *Election) Look(l *Look) error {
	moved := 0
	if l.Before != nil {
		for i := range l.Snapshot.Objects {
			o := &l.Snapshot.Objects[i]
			if b := findObject(l.Before, o.Number); b == nil && o.Elected.Kind != impl.ElectedNobody || b != nil && b.Elected != o.Elected {
				moved++
			}
		}
	}
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		c.marks(o)
		if err := c.standing(l.Snapshot, o); err != nil {
			return fmt.Errorf("object %s: %w", o.Descriptor.Key, err)
		}
		if l.Before != nil {
			if err := c.transition(l, o, findObject(l.Before, o.Number), moved); err != nil {
				return fmt.Errorf("object %s: %w", o.Descriptor.Key, err)
			}
		}
	}
	return nil
}

// standing is what must hold of the elected one at any time.
func (c *Election) standing(s *impl.Snapshot, o *impl.ObjectSnapshot) error {
	local := func(kind impl.ContractKind) bool {
		return slices.ContainsFunc(localExposers(s, o, kind), func(k *impl.ContractSnapshot) bool { return k.Contract == o.Elected.Contract })
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

// transition compares with the exchange before the step.
func (c *Election) transition(l *Look, o, before *impl.ObjectSnapshot, moved int) error {
	if before == nil {
		before = &impl.ObjectSnapshot{}
	}
	was := before.Elected
	elects := changedFacts(before, o) || was.Kind == impl.ElectedNobody && changedCapacity(before, o)
	if l.Input != nil {
		switch l.Input.Kind {
		case impl.InputTick:
			return c.tick(l, o, was, moved)
		case impl.InputRelease:
			elects = elects || o.Descriptor.Key == c.ledger.lives[l.Exchange].released
		}
	}
	if !elects {
		if was != o.Elected {
			return fmt.Errorf("elected moved from %v to %v though nothing that elects changed", was, o.Elected)
		}
		return nil
	}
	want, sure := c.choose(l.Snapshot, o, was)
	byLoad := was != want && (want.Kind == impl.ElectedLink || want.Kind == impl.ElectedNobody)
	if want != o.Elected && (!byLoad || sure && moved <= 1) {
		return fmt.Errorf("elected is %v after %v, the rules say %v", o.Elected, was, want)
	}
	if o.Elected != was {
		if err := shared(o); err != nil {
			return err
		}
	}
	c.moveMarks(was, o.Elected, o)
	return nil
}

// shared checks the share that a link was just elected with.
func shared(o *impl.ObjectSnapshot) error {
	if o.Elected.Kind != impl.ElectedLink {
		return nil
	}
	link := linkOf(o, o.Elected.Link)
	if want := loadUnit / max(1, min(capacityOf(link), loadUnit)); capacityOf(link) == 0 || link.Share != want {
		return fmt.Errorf("link %d was elected with capacity %d and share %d, expected %d", link.Link, capacityOf(link), link.Share, want)
	}
	return nil
}

// choose applies the six rules. sure is false when rounding could decide.
func (c *Election) choose(s *impl.Snapshot, o *impl.ObjectSnapshot, was impl.Elected) (elected impl.Elected, sure bool) {
	if !dataNeeded(o) {
		return impl.Elected{}, true
	}
	if len(o.Sources) > 0 {
		return impl.Elected{Kind: impl.ElectedUpstream, Link: s.Upstream}, true
	}
	for _, kind := range []impl.ContractKind{impl.ExposeObject, impl.ExposeTag} {
		elected.Kind = impl.ElectedObjectContract
		if kind == impl.ExposeTag {
			elected.Kind = impl.ElectedTagContract
		}
		if was.Kind == elected.Kind {
			for _, k := range localExposers(s, o, kind) {
				if k.Contract == was.Contract {
					return was, true
				}
			}
		}
	}
	for _, kind := range []impl.ContractKind{impl.ExposeObject, impl.ExposeTag} {
		var best *impl.ContractSnapshot
		for _, k := range localExposers(s, o, kind) {
			if best == nil || k.Capacity > best.Capacity { // by id: the lowest of equals
				best = k
			}
		}
		if best != nil {
			elected = impl.Elected{Kind: impl.ElectedObjectContract, Contract: best.Contract}
			if kind == impl.ExposeTag {
				elected.Kind = impl.ElectedTagContract
			}
			return elected, true
		}
	}
	if was.Kind == impl.ElectedLink {
		if link := linkOf(o, was.Link); link != nil && exposes(link) {
			return was, true
		}
	}
	return c.leastLoaded(s, o)
}

// leastLoaded is rule 6, with the load that a link had before it was elected for
// this object.
func (c *Election) leastLoaded(s *impl.Snapshot, o *impl.ObjectSnapshot) (impl.Elected, bool) {
	const near = 4
	var best impl.LinkID
	var least uint64
	sure := true
	for i := range o.Links {
		link := &o.Links[i]
		if !exposes(link) || capacityOf(link) == 0 {
			continue
		}
		of := snapshotOf(s, link.Link)
		if of == nil {
			continue
		}
		sum := of.Load - link.Share + loadUnit/min(capacityOf(link), loadUnit)
		if of.HasLoadLimit {
			limit := of.LoadLimit * loadUnit
			if float64(sum) > limit-near && float64(sum) < limit+near && float64(sum) != limit {
				sure = false
			}
			if float64(sum) > limit {
				c.ledger.marks.Hit(mark.OverLoadLimit)
				continue
			}
		}
		if best == 0 || sum < least {
			best, least = link.Link, sum
		}
	}
	if best == 0 {
		return impl.Elected{}, sure
	}
	return impl.Elected{Kind: impl.ElectedLink, Link: best}, sure
}

// tick checks what a rebalance did: only from nobody, or from link to link.
func (c *Election) tick(l *Look, o *impl.ObjectSnapshot, was impl.Elected, moved int) error {
	if was == o.Elected {
		return nil
	}
	switch {
	case was.Kind == impl.ElectedNobody:
		c.ledger.marks.Hit(mark.RebalanceElected)
		want, sure := c.choose(l.Snapshot, o, was)
		if moved == 1 && sure && want != o.Elected {
			return fmt.Errorf("rebalance elected %v, the rules say %v", o.Elected, want)
		}
	case was.Kind == impl.ElectedLink && o.Elected.Kind == impl.ElectedLink:
		c.ledger.marks.Hit(mark.RebalanceMoved)
		from, to := snapshotOf(l.Before, was.Link), snapshotOf(l.Before, o.Elected.Link)
		link := linkOf(o, o.Elected.Link)
		if from == nil || to == nil || link == nil || capacityOf(link) == 0 {
			return fmt.Errorf("rebalance moved from link %d to link %d, which is none or has no capacity", was.Link, o.Elected.Link)
		}
		if moved == 1 && to.Load+loadUnit/min(capacityOf(link), loadUnit) >= from.Load {
			return fmt.Errorf("rebalance moved from link %d with load %d to link %d, which gets %d", was.Link, from.Load, to.Link, to.Load+link.Share)
		}
	default:
		return fmt.Errorf("a tick moved the election from %v to %v", was, o.Elected)
	}
	return nil
}

// changedFacts reports whether anything differs that elects.
func changedFacts(a, b *impl.ObjectSnapshot) bool {
	if a.ObjectObserveContracts != b.ObjectObserveContracts || a.ObjectExposeContracts != b.ObjectExposeContracts ||
		a.TagObserveContracts != b.TagObserveContracts || a.TagExposeContracts != b.TagExposeContracts ||
		!slices.EqualFunc(a.Sources, b.Sources, sameChannel) || !slices.EqualFunc(a.Outlets, b.Outlets, sameChannel) {
		return true
	}
	for i := range b.Links {
		l, was := &b.Links[i], linkOf(a, b.Links[i].Link)
		if was == nil {
			return true
		}
		if l.Observes != was.Observes || l.Exposes != was.Exposes || l.TagObserves != was.TagObserves || l.TagExposes != was.TagExposes {
			return true
		}
	}
	return slices.ContainsFunc(a.Links, func(l impl.ObjectLinkSnapshot) bool { return linkOf(b, l.Link) == nil })
}

// changedCapacity reports whether a link below changed what it can carry, which
// elects where nobody is elected.
func changedCapacity(a, b *impl.ObjectSnapshot) bool {
	return slices.ContainsFunc(b.Links, func(l impl.ObjectLinkSnapshot) bool {
		was := linkOf(a, l.Link)
		return was == nil || capacityOf(was) != capacityOf(&l)
	})
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
		if wantsSink(o, l) && l.Share != 0 && capacityOf(l) != 0 && l.Share != loadUnit/min(capacityOf(l), loadUnit) {
			m.Hit(mark.CapacityChangedWhileElected)
		}
	}
	if sinks > 1 {
		m.Hit(mark.HandOverOverlap)
	}
	if o.DataNeeded && o.Elected.Kind == impl.ElectedNobody && c.ledger.Excuse.LoadLimits && slices.ContainsFunc(o.Links, func(l impl.ObjectLinkSnapshot) bool { return exposes(&l) && capacityOf(&l) > 0 }) {
		m.Hit(mark.NobodyForLoadLimit)
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
