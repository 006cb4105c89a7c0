package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
)

// Convergent: at rest, the elections of every exchange that needs an object
// lead, exchange by exchange, to one sink, which is taken. If it ever published,
// as all have once more was sent, everyone on the way holds that version or a newer one, and exactly that one if it is the
// newest there ever was; its flag is then theirs; and every stream has shown
// what its exchange holds. Where nobody is elected, no contract anywhere exposes
// it, or none of the links that expose it there can take it.
type Convergent struct {
	base
	// Unexcused lets a branch of capacity zero excuse nothing above it. That does
	// not hold: see testdata/capacity-zero-starves.tape.
	Unexcused bool
	loads     loads
}

// Name implements [Checker].
func (*Convergent) Name() string { return "convergence" }

// Quiet implements [Quieter].
func (c *Convergent) Quiet(q *Quiet) (int, error) {
	for i := range q.Exchanges {
		look := &q.Exchanges[i]
		for k := range look.Snapshot.Objects {
			o := &look.Snapshot.Objects[k]
			if !o.DataNeeded {
				continue
			}
			if err := c.object(q, look, o); err != nil {
				return i, fmt.Errorf("object %s: %w", o.Descriptor.Key, err)
			}
		}
		if err := c.streams(look); err != nil {
			return i, err
		}
		if err := c.tags(q, look); err != nil {
			return i, err
		}
	}
	return 0, nil
}

func (c *Convergent) object(q *Quiet, look *Look, o *impl.ObjectSnapshot) error {
	end, at, short, err := c.follow(q, look, o)
	if err != nil {
		return err
	}
	if end == nil {
		c.ledger.marks.Hit(mark.SettledWithoutExposer)
		return c.nobody(q, at, objectByKey(at.Snapshot, o.Descriptor.Key))
	}
	sink := c.sink(at, end)
	switch {
	case sink == nil:
		return fmt.Errorf("contract %d of exchange %d is elected, and has taken no sink", end.Elected.Contract, at.Exchange)
	case sink.Published == nil && q.Phase == Fresh:
		return fmt.Errorf("sink %d of exchange %d has published nothing", sink.ID, at.Exchange)
	case sink.Published == nil:
		return nil
	}
	c.ledger.marks.Hit(mark.SettledWithExposer)
	if short && (o.State == nil || !o.Synchronized.Now) { // there was no room on the way
		c.ledger.marks.Hit(mark.ExcusedByLimit)
		return nil
	}
	if o.State == nil {
		return fmt.Errorf("nothing is held, exchange %d published version %v", at.Exchange, sink.Published)
	}
	newest := c.ledger.object(o.Descriptor.Key).Newest
	order := slices.Compare(o.State.Version, sink.Published)
	switch {
	case order < 0:
		return fmt.Errorf("version %v is held, exchange %d published %v", o.State.Version, at.Exchange, sink.Published)
	case order > 0 && slices.Equal(newest, sink.Published):
		return fmt.Errorf("version %v is held, the newest ever published is %v", o.State.Version, newest)
	case order > 0:
		c.ledger.marks.Hit(mark.SettledStale)
		if o.Synchronized.Now {
			return fmt.Errorf("version %v is held as now, exchange %d published only %v", o.State.Version, at.Exchange, sink.Published)
		}
	case order == 0 && o.Synchronized.Now != sink.Now:
		return fmt.Errorf("version %v is held with now %t, exchange %d published it with now %t", o.State.Version, o.Synchronized.Now, at.Exchange, sink.Now)
	case q.Phase == Fresh:
		c.ledger.marks.Hit(mark.FreshEverywhere)
	}
	return nil
}

// follow goes from election to election until one is a local contract's. nil:
// nobody is elected there. It is short when a limit keeps the state from coming
// all the way.
func (c *Convergent) follow(q *Quiet, look *Look, o *impl.ObjectSnapshot) (end *impl.ObjectSnapshot, at *Look, short bool, err error) {
	for range len(q.Exchanges) + 1 {
		short = short || o.Hollow || slices.ContainsFunc(o.Outlets, func(c impl.ChannelSnapshot) bool { return c.Withheld })
		var link impl.LinkID
		switch o.Elected.Kind {
		case impl.ElectedNobody:
			return nil, look, short, nil
		case impl.ElectedObjectContract, impl.ElectedTagContract:
			return o, look, short, nil
		case impl.ElectedUpstream:
			link = look.Snapshot.Upstream
		default:
			link = o.Elected.Link
		}
		at := attached(look, link)
		if at == nil {
			return nil, nil, false, fmt.Errorf("exchange %d elected link %d, which is not attached", look.Exchange, link)
		}
		next := &q.Exchanges[at.Peer]
		there := objectByKey(next.Snapshot, o.Descriptor.Key)
		if there == nil {
			return nil, nil, false, fmt.Errorf("exchange %d elected exchange %d, which does not know the object", look.Exchange, next.Exchange)
		}
		look, o = next, there
	}
	return nil, nil, false, fmt.Errorf("the elections go in a circle")
}

// sink is the taken sink of the elected contract; nil: none is taken.
func (c *Convergent) sink(at *Look, o *impl.ObjectSnapshot) *Offer {
	contract := c.ledger.lives[at.Exchange].contracts[o.Elected.Contract]
	if contract == nil {
		return nil
	}
	for _, held := range contract.Held {
		if held.Key == o.Descriptor.Key && !held.Revoked {
			return held
		}
	}
	return nil
}

// nobody checks that an exchange where the elections end with nobody elected has
// no exposer to reach. Two things excuse, where all that it has is links below
// that expose: their capacity is zero (such an exposer makes the exchanges above
// it believe that its branch needs no data from elsewhere), or their load limits
// refuse. An exchange without such links has asked its parent, which then has
// nobody either.
func (c *Convergent) nobody(q *Quiet, at *Look, o *impl.ObjectSnapshot) error {
	willing := c.willing(q, o)
	for {
		zero, refused, err := c.excuses(at, o)
		switch {
		case err != nil:
			return err
		case zero && c.Unexcused && willing != nil:
			return fmt.Errorf("nobody is elected, though %w", willing)
		case zero || refused:
			if willing != nil && zero {
				c.ledger.marks.Hit(mark.ExcusedByCapacityZero)
			}
			if willing != nil && refused {
				c.ledger.marks.Hit(mark.ExcusedByLoadLimit)
			}
			return nil
		}
		up := upstream(at)
		if up == nil && willing != nil {
			return fmt.Errorf("nobody is elected, though %w", willing)
		}
		if up == nil {
			return nil
		}
		at = &q.Exchanges[up.Peer]
		if o = objectByKey(at.Snapshot, o.Descriptor.Key); o == nil || o.Elected.Kind != impl.ElectedNobody {
			return fmt.Errorf("nobody is elected, though exchange %d above knows an exposer, or does not know the object", at.Exchange)
		}
	}
}

// excuses says why links that expose at an exchange were not elected.
func (c *Convergent) excuses(at *Look, o *impl.ObjectSnapshot) (zero, refused bool, err error) {
	c.loads.of(at.Snapshot)
	for i := range o.Links {
		link := &o.Links[i]
		if !exposes(link) {
			continue
		}
		if capacityOf(link) == 0 {
			zero = true
			continue
		}
		if limit, limited := c.ledger.limit(at, link.Link); !limited || float64(c.loads[link.Link]+shareOf(link)) <= limit {
			return false, false, fmt.Errorf("nobody is elected at exchange %d, though link %d has room", at.Exchange, link.Link)
		}
		refused = true
	}
	return zero, refused, nil
}

// willing is a contract that would expose an object, as an error; nil: there is
// none.
func (c *Convergent) willing(q *Quiet, o *impl.ObjectSnapshot) error {
	for i := range q.Exchanges {
		for k := range q.Exchanges[i].Snapshot.Contracts {
			contract := &q.Exchanges[i].Snapshot.Contracts[k]
			if exposing(contract) && contract.Capacity > 0 && covers(contract, o) {
				return fmt.Errorf("contract %d of exchange %d would expose it", contract.Contract, i)
			}
		}
	}
	return nil
}

// tags checks that an exchange knows the objects that its tag observers want and
// that its parent has from elsewhere.
func (c *Convergent) tags(q *Quiet, look *Look) error {
	up := upstream(look)
	if up == nil {
		return nil
	}
	above := q.Exchanges[up.Peer].Snapshot
	for i := range look.Snapshot.Contracts {
		k := &look.Snapshot.Contracts[i]
		if k.Kind != impl.ObserveTag {
			continue
		}
		for n := range above.Objects {
			o := &above.Objects[n]
			if covers(k, o) && o.Elected.Kind != impl.ElectedNobody && o.Elected != linkElected(up.PeerLink) && objectByKey(look.Snapshot, o.Descriptor.Key) == nil {
				return fmt.Errorf("tag contract %d observes object %s, which has an exposer at exchange %d and is unknown here", k.Contract, o.Descriptor.Key, up.Peer)
			}
		}
	}
	return nil
}

// streams checks that applications saw what their exchange holds.
func (c *Convergent) streams(look *Look) error {
	for i := range look.Snapshot.Contracts {
		k := &look.Snapshot.Contracts[i]
		if k.Kind != impl.ObserveObject && k.Kind != impl.ObserveTag {
			continue
		}
		contract := c.ledger.lives[look.Exchange].contracts[k.Contract]
		for n := range look.Snapshot.Objects {
			o := &look.Snapshot.Objects[n]
			if !covers(k, o) {
				continue
			}
			at := slices.IndexFunc(contract.Held, func(f *Offer) bool { return f.Key == o.Descriptor.Key && !f.Revoked })
			if at < 0 {
				return fmt.Errorf("contract %d observes object %s and has no stream of it", k.Contract, o.Descriptor.Key)
			}
			seen := contract.Held[at]
			if o.Hollow && seen.HasSeen && !seen.Synchronized.Now && (seen.Seen == nil || !slices.Equal(seen.Seen.Version, o.State.Version)) {
				continue // what it has seen is not current, and there is nothing newer to show
			}
			if !seen.HasSeen || (seen.Seen == nil) != (o.State == nil) ||
				o.State != nil && (!slices.Equal(seen.Seen.Version, o.State.Version) || seen.Synchronized != o.Synchronized) {
				return fmt.Errorf("stream %d of object %s has shown version %v, flag %v; held is %v, %v", seen.ID, o.Descriptor.Key,
					versionOf(seen.Seen), seen.Synchronized, versionOf(o.State), o.Synchronized)
			}
		}
	}
	return nil
}
