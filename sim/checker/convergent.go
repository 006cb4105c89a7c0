package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
)

// Convergent: at rest, the elections of every exchange that needs an object
// lead, exchange by exchange, to one sink. If it ever published, everyone on the
// way holds that version or a newer one, and exactly that one if it is the
// newest there ever was; its flag is then theirs; and every stream has shown
// what its exchange holds. Where nobody is elected, nobody was willing.
type Convergent struct {
	base
	// Unexcused lets a contract of capacity zero excuse nothing but itself. It
	// does not hold: see testdata/capacity-zero-starves.tape.
	Unexcused bool
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
	}
	return 0, nil
}

func (c *Convergent) object(q *Quiet, look *Look, o *impl.ObjectSnapshot) error {
	end, at, err := c.follow(q, look, o)
	if err != nil {
		return err
	}
	if end == nil {
		c.ledger.marks.Hit(mark.SettledWithoutExposer)
		return c.nobody(q, look, o)
	}
	sink := c.sink(at, end)
	if sink == nil || sink.Published == nil {
		return nil
	}
	c.ledger.marks.Hit(mark.SettledWithExposer)
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
// nobody is elected there.
func (c *Convergent) follow(q *Quiet, look *Look, o *impl.ObjectSnapshot) (*impl.ObjectSnapshot, *Look, error) {
	for range len(q.Exchanges) + 1 {
		var link impl.LinkID
		switch o.Elected.Kind {
		case impl.ElectedNobody:
			return nil, look, nil
		case impl.ElectedObjectContract, impl.ElectedTagContract:
			return o, look, nil
		case impl.ElectedUpstream:
			link = look.Snapshot.Upstream
		default:
			link = o.Elected.Link
		}
		at := attached(look, link)
		if at == nil {
			return nil, nil, fmt.Errorf("exchange %d elected link %d, which is not attached", look.Exchange, link)
		}
		next := &q.Exchanges[at.Peer]
		there := objectByKey(next.Snapshot, o.Descriptor.Key)
		if there == nil {
			return nil, nil, fmt.Errorf("exchange %d elected exchange %d, which does not know the object", look.Exchange, next.Exchange)
		}
		look, o = next, there
	}
	return nil, nil, fmt.Errorf("the elections go in a circle")
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

// nobody checks that an object contract which observes without an exposer had
// none to reach. Load limits excuse, and so does any exposer of capacity zero: the
// exchanges above it believe that its branch needs no data from elsewhere.
func (c *Convergent) nobody(q *Quiet, look *Look, o *impl.ObjectSnapshot) error {
	if o.ObjectObserveContracts == 0 || c.ledger.Excuse.LoadLimits {
		return nil
	}
	var willing error
	for i := range q.Exchanges {
		for k := range q.Exchanges[i].Snapshot.Contracts {
			contract := &q.Exchanges[i].Snapshot.Contracts[k]
			if contract.Kind != impl.ExposeObject && contract.Kind != impl.ExposeTag || !covers(contract, o) {
				continue
			}
			if contract.Capacity > 0 {
				willing = fmt.Errorf("it is observed and nobody is elected, though contract %d of exchange %d would expose it", contract.Contract, i)
			} else if !c.Unexcused {
				return nil
			}
		}
	}
	return willing
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
			if !seen.HasSeen || (seen.Seen == nil) != (o.State == nil) ||
				o.State != nil && (!slices.Equal(seen.Seen.Version, o.State.Version) || seen.Synchronized != o.Synchronized) {
				return fmt.Errorf("stream %d of object %s has shown version %v, flag %v; held is %v, %v", seen.ID, o.Descriptor.Key,
					versionOf(seen.Seen), seen.Synchronized, versionOf(o.State), o.Synchronized)
			}
		}
	}
	return nil
}
