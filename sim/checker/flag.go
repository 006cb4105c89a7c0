package checker

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"hakuban/impl"
)

// Flag: "now" is shown only while an open source last said so with a version
// not below the one held; "last at" is never in the future, and never goes back
// while the version stays.
type Flag struct{ base }

// Name implements [Checker].
func (*Flag) Name() string { return "flag sound" }

// Step implements [Stepper].
func (c *Flag) Step(s *Step) error {
	if s.Input.Kind != impl.InputRead || s.Answer == nil || s.Answer.Kind != impl.EffectState || s.Offer == nil || s.Answer.State == nil {
		return nil
	}
	flag := s.Answer.Synchronized
	if flag.Now && flag.Mono != 0 {
		return errors.New("a flag is both now and last-at")
	}
	if !flag.Now && flag.Mono > s.Now.Mono {
		return fmt.Errorf("object %s was current %d ns in the future", s.Offer.Key, flag.Mono-s.Now.Mono)
	}
	if seen := s.Offer.Seen; seen != nil && slices.Equal(seen.Version, s.Answer.State.Version) && !flag.Now {
		if before := s.Offer.LastAt; flag.Mono < before && flag.Mono != math.MinInt64 { // not known: a newer state is hollow
			return fmt.Errorf("object %s, version %v: last current %d ns earlier than was shown before", s.Offer.Key, seen.Version, before-flag.Mono)
		}
	}
	return nil
}

// Look implements [Looker].
func (c *Flag) Look(l *Look) error {
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		if o.State == nil {
			continue
		}
		if !o.Synchronized.Now && o.Synchronized.Mono > l.Now.Mono {
			return fmt.Errorf("object %s was current %d ns in the future", o.Descriptor.Key, o.Synchronized.Mono-l.Now.Mono)
		}
		if l.Before != nil {
			if err := c.advanced(l, o); err != nil {
				return err
			}
			if err := c.ended(l, o); err != nil {
				return err
			}
		}
		if backed := c.backed(l.Snapshot, o); o.Synchronized.Now != backed {
			return fmt.Errorf("object %s, version %v: flag now is %t, but an open source that says so with that version or above: %t",
				o.Descriptor.Key, o.State.Version, o.Synchronized.Now, backed)
		}
	}
	return nil
}

// advanced checks that a last-at moves on only because an open source of that
// version said so.
func (c *Flag) advanced(l *Look, o *impl.ObjectSnapshot) error {
	b := findObject(l.Before, o.Number)
	if b == nil || b.State == nil || !slices.Equal(b.State.Version, o.State.Version) || b.Synchronized.Now || o.Synchronized.Now ||
		o.Synchronized.Mono <= b.Synchronized.Mono {
		return nil
	}
	says := func(version []int64, flag impl.Synchronized) bool {
		return slices.Equal(version, o.State.Version) && (flag.Now || flag.Mono >= o.Synchronized.Mono)
	}
	for i := range o.Sources {
		if says(o.Sources[i].Version, o.Sources[i].Synchronized) {
			return nil
		}
	}
	for i := range o.Links {
		if says(o.Links[i].Sink.Version, o.Links[i].Sink.Synchronized) {
			return nil
		}
	}
	for i := range l.Snapshot.Contracts {
		if !exposing(&l.Snapshot.Contracts[i]) {
			continue // what it has read is no source
		}
		for _, offer := range l.Snapshot.Contracts[i].Offers {
			if offer.Key == o.Descriptor.Key && says(offer.Version, offer.Synchronized) {
				return nil
			}
		}
	}
	return fmt.Errorf("object %s, version %v: last current moved from %d to %d though no source said so", o.Descriptor.Key, o.State.Version,
		b.Synchronized.Mono, o.Synchronized.Mono)
}

// ended checks that a now that ended became last-at this moment, unless an open
// source said when.
func (c *Flag) ended(l *Look, o *impl.ObjectSnapshot) error {
	b := findObject(l.Before, o.Number)
	if b == nil || b.State == nil || !slices.Equal(b.State.Version, o.State.Version) || !b.Synchronized.Now || o.Synchronized.Now ||
		o.Synchronized.Mono == l.Now.Mono {
		return nil
	}
	said := func(version []int64, flag impl.Synchronized) bool {
		return slices.Equal(version, o.State.Version) && !flag.Now && flag.Mono <= o.Synchronized.Mono
	}
	for i := range o.Sources {
		if said(o.Sources[i].Version, o.Sources[i].Synchronized) {
			return nil
		}
	}
	for i := range o.Links {
		if link := &o.Links[i]; !link.Revoked && said(link.Sink.Version, link.Sink.Synchronized) {
			return nil
		}
	}
	for i := range l.Snapshot.Contracts {
		if !exposing(&l.Snapshot.Contracts[i]) {
			continue
		}
		for _, offer := range l.Snapshot.Contracts[i].Offers {
			if offer.Key == o.Descriptor.Key && offer.Taken && !offer.Revoked && said(offer.Version, offer.Synchronized) {
				return nil
			}
		}
	}
	return fmt.Errorf("object %s, version %v: now ended at %d and became last-at %d", o.Descriptor.Key, o.State.Version, l.Now.Mono, o.Synchronized.Mono)
}

// backed reports whether an open source says now with a version not below the
// one held.
func (c *Flag) backed(s *impl.Snapshot, o *impl.ObjectSnapshot) bool {
	backs := func(version []int64, flag impl.Synchronized) bool {
		return flag.Now && version != nil && slices.Compare(version, o.State.Version) >= 0
	}
	for i := range o.Sources {
		if backs(o.Sources[i].Version, o.Sources[i].Synchronized) {
			return true
		}
	}
	for i := range o.Links {
		if sink := &o.Links[i].Sink; sink.Number != 0 && !o.Links[i].Revoked && backs(sink.Version, sink.Synchronized) {
			return true
		}
	}
	if o.Elected.Kind == impl.ElectedObjectContract || o.Elected.Kind == impl.ElectedTagContract {
		for i := range s.Contracts {
			if s.Contracts[i].Contract != o.Elected.Contract {
				continue
			}
			for _, offer := range s.Contracts[i].Offers {
				if offer.Key == o.Descriptor.Key && offer.Taken && !offer.Revoked && backs(offer.Version, offer.Synchronized) {
					return true
				}
			}
		}
	}
	return false
}
