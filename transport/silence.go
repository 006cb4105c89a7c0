//go:build !js

package transport

import (
	"sync/atomic"
	"time"
)

// silence tells when to ping a peer that is silent: when a third of the timeout has passed since it was heard, so that a peer whose
// keep-alive is longer than our timeout keeps its link by two pongs or more.
type silence struct {
	third time.Duration
	start time.Time
	last  atomic.Int64 // when the peer was heard, since the start
}

func newSilence(timeout time.Duration) *silence {
	return &silence{third: max(1, timeout/3), start: time.Now()}
}

// broken notes that the peer was heard.
func (s *silence) broken() { s.last.Store(int64(time.Since(s.start))) }

// left returns how long it takes until a ping is due, if the peer stays silent; zero or less: it is.
func (s *silence) left() time.Duration {
	return s.third - (time.Since(s.start) - time.Duration(s.last.Load()))
}
