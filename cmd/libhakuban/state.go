//go:build unix

package main

import (
	"math"
	"time"

	"hakuban"
)

// state is behind a handle of an object state.
type state struct {
	hakuban.State
	read uint64 // which one of its stream's it was, from 1; 0: it was not read

	loan loan
	lent [3]*array // by part; nil: not asked for yet; guarded by loan.mu
}

// The parts of a state that the host can ask for. bridge.h has the same numbers.
const (
	partData = iota
	partFormat
	partVersion
)

func newState(version []int64, format []string, data []byte, microsecondsAgo uint64) result {
	for _, name := range format {
		if err := checkText(name); err != nil {
			return resultOf(err)
		}
	}
	s := hakuban.NewState(append([]byte{}, data...)).WithFormat(format...).WithVersion(version...)
	if microsecondsAgo > 0 {
		s = s.WithSynchronized(hakuban.LastAt(ago(microsecondsAgo)))
	}
	return added(&state{State: s}, kindState)
}

// ago returns the time that many microseconds before now, or as far back as a duration goes: 292 years.
func ago(microseconds uint64) time.Time {
	return time.Now().Add(-time.Duration(min(microseconds, math.MaxInt64/1000)) * time.Microsecond)
}

// part lends the host a part of the state.
func (s *state) part(part int) array {
	s.loan.mu.Lock()
	defer s.loan.mu.Unlock()
	if s.loan.over {
		return array{}
	}
	if s.lent[part] == nil {
		var a array
		switch part {
		case partFormat:
			var names []*byte
			for _, name := range s.Format() {
				names = append(names, lendText(&s.loan, name))
			}
			a = lendSlice(&s.loan, names)
		case partVersion:
			a = lendSlice(&s.loan, s.Version())
		default:
			a = lendSlice(&s.loan, s.Data())
		}
		s.lent[part] = &a
	}
	return *s.lent[part]
}

func statePart(h handle, part int) (array, error) {
	s, err := lookup[*state](&handles, h, kindState)
	if err != nil {
		return array{}, err
	}
	return s.part(part), nil
}

// stateAgo returns how many microseconds ago the state was known to be current; at least 1 unless it is now.
func stateAgo(h handle) (uint64, error) {
	s, err := lookup[*state](&handles, h, kindState)
	if err != nil {
		return math.MaxUint64, err
	}
	if s.Synchronized().Now() {
		return 0, nil
	}
	return max(uint64(s.Synchronized().Ago()/time.Microsecond), 1), nil
}

func (s *state) drop() { s.loan.end() }

func (s *state) clone() any { return &state{State: s.State} }
