package checker

import (
	"errors"
	"fmt"

	"hakuban/impl"
)

// Offers: one sink or stream is outstanding per contract and object; what is
// live is never refused, and what is over always is.
type Offers struct{ base }

// Name implements [Checker].
func (*Offers) Name() string { return "offers" }

// Step implements [Stepper].
func (c *Offers) Step(s *Step) error {
	live := &c.ledger.lives[s.Exchange]
	for i := range s.Effects {
		e := &s.Effects[i]
		switch e.Kind {
		case impl.EffectTaken:
			if e.Offer == 0 {
				continue
			}
			contract := live.contracts[s.Input.Contract]
			if contract == nil {
				return fmt.Errorf("contract %d is closed and was given offer %d", s.Input.Contract, e.Offer)
			}
			if contract.Key != "" && contract.Key != e.Descriptor.Key {
				return fmt.Errorf("contract %d on object %s was given object %s", contract.ID, contract.Key, e.Descriptor.Key)
			}
			for _, held := range contract.Held {
				if held.Key == e.Descriptor.Key {
					return fmt.Errorf("contract %d was given offer %d of object %s while it holds %d", contract.ID, e.Offer, held.Key, held.ID)
				}
			}
		case impl.EffectRevoked:
			if o := live.offers[e.Offer]; o == nil || o.Revoked && live.contracts[o.Contract.ID] != nil {
				return fmt.Errorf("offer %d is revoked but is not held, or was revoked before", e.Offer)
			}
		case impl.EffectChanged:
			if o := live.offers[e.Offer]; (o == nil || o.Sink || o.Revoked) && s.Input.Kind != impl.InputTake {
				return fmt.Errorf("offer %d changed but is no live stream", e.Offer)
			}
		}
	}
	return c.answer(s)
}

// limited reports whether a step asked for something anew and was refused it for a
// limit. Whether rightly so is for [Limits] to say.
func limited(s *Step) bool {
	return (s.Input.Kind == impl.InputOpen || s.Input.Kind == impl.InputAttach) && errors.Is(s.Answer.Err, impl.ErrTooLarge)
}

func (c *Offers) answer(s *Step) error {
	if s.Answer == nil {
		if s.Input.Kind == impl.InputRead || s.Input.Kind == impl.InputPublish {
			return errors.New("a read or publish was not answered")
		}
		return nil
	}
	refused := s.Answer.Kind == impl.EffectRefused
	switch s.Input.Kind {
	case impl.InputPublish, impl.InputRead:
		over := s.Offer == nil || s.Offer.Revoked
		switch {
		case over && !refused:
			return fmt.Errorf("offer %d is over and was served", s.Input.Offer)
		case over && !errors.Is(s.Answer.Err, impl.ErrRevoked):
			return fmt.Errorf("offer %d is over and was refused with: %w", s.Input.Offer, s.Answer.Err)
		case !over && refused && !errors.Is(s.Answer.Err, impl.ErrStale):
			return fmt.Errorf("offer %d is live and was refused: %w", s.Input.Offer, s.Answer.Err)
		case !over && refused && len(s.Input.State.Version) == 0:
			return fmt.Errorf("a default version was refused: %w", s.Answer.Err)
		}
	default:
		if refused && !limited(s) {
			return fmt.Errorf("input kind %d was refused: %w", s.Input.Kind, s.Answer.Err)
		}
	}
	return nil
}
