//go:build !js

package transport

import (
	"sync/atomic"
	"time"
)

// leastSilence is the least silence that is broken. A timeout of no more than this is for peers that speak by themselves: the reference
// ends an idle link after "timeout=1", and so do we.
const leastSilence = time.Second

// silence tells when to ping a peer that is silent: when a third of the timeout has passed since the peer was heard, and leastSilence at
// least. So a peer whose keep-alive is longer than our timeout keeps its link: by two pongs in each timeout, by one if the timeout is short.
type silence struct {
	patience time.Duration
	start    time.Time
	last     atomic.Int64  // when the peer was heard, since the start
	asked    time.Duration // when a ping was last sent, since the start; of who pings
}

func newSilence(timeout time.Duration) silence {
	return silence{patience: max(leastSilence, timeout/3), start: time.Now()}
}

// broken notes that the peer was heard.
func (s *silence) broken() { s.last.Store(int64(time.Since(s.start))) }

// left returns how long it takes until a ping is due, if the peer stays silent; zero or less: a ping is due.
func (s *silence) left(now time.Time) time.Duration {
	return s.patience - (now.Sub(s.start) - max(s.asked, time.Duration(s.last.Load())))
}

// pinged notes that a ping is sent, and returns when the next one is due if the peer stays silent.
func (s *silence) pinged(now time.Time) time.Duration {
	s.asked = now.Sub(s.start)
	return s.patience
}
