package checker

import (
	"fmt"
	"math"

	"hakuban/impl"
)

// Summaries: when upstream is owed nothing, it was told exactly the summary of
// what is asked for here and below.
type Summaries struct{ base }

// Name implements [Checker].
func (*Summaries) Name() string { return "summaries" }

// Look implements [Looker].
func (c *Summaries) Look(l *Look) error {
	up := upstream(l)
	if up == nil || !up.Drained {
		return nil
	}
	link := snapshotOf(l.Snapshot, up.Link)
	if link == nil {
		return fmt.Errorf("link %d to upstream is attached and unknown", up.Link)
	}
	told := link.Told
	expect := func(key string, tag, observes, exposes bool, capacity uint64) error {
		want := impl.ToldSnapshot{Observes: observes, Exposes: exposes, Capacity: uint32(min(capacity, math.MaxUint32))}
		var is impl.ToldSnapshot
		for i := range told {
			if t := &told[i]; t.Tag == tag && (tag && t.Descriptor.JSON == key || !tag && t.Descriptor.Key == key) {
				is = *t
			}
		}
		if is.Observes != want.Observes || is.Exposes != want.Exposes || is.Capacity != want.Capacity {
			return fmt.Errorf("%s: upstream is owed nothing and was told %t, %t, %d; the summary is %t, %t, %d",
				key, is.Observes, is.Exposes, is.Capacity, want.Observes, want.Exposes, want.Capacity)
		}
		return nil
	}
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		observed, exposed := o.ObjectObserveContracts > 0, o.ObjectExposeContracts > 0
		for k := range o.Links {
			observed = observed || o.Links[k].Observes
			exposed = exposed || o.Links[k].Exposes
		}
		if err := expect(o.Descriptor.Key, false, observed, exposed, o.Capacity); err != nil {
			return err
		}
	}
	for i := range l.Snapshot.Tags {
		t := &l.Snapshot.Tags[i]
		observed, exposed := t.ObserveContracts > 0, t.ExposeContracts > 0
		for k := range t.Links {
			observed = observed || t.Links[k].Observes
			exposed = exposed || t.Links[k].Exposes
		}
		if err := expect(t.JSON, true, observed, exposed, t.Capacity); err != nil {
			return err
		}
	}
	for i := range told {
		t := &told[i]
		if !t.Tag && objectByKey(l.Snapshot, t.Descriptor.Key) == nil && (t.Observes || t.Exposes) {
			return fmt.Errorf("upstream still believes in object %s", t.Descriptor.Key)
		}
	}
	return nil
}
