package transport

import (
	"math/rand/v2"
	"time"
)

// backoff spaces attempts to connect: growing, so that a dead upstream costs little, and jittered, so that the many that lost one
// upstream do not come back together.
type backoff struct {
	first, most time.Duration
	jitter      func() float64 // from 0 to 1

	delay time.Duration // the next one, before jitter; 0: first
}

// lived is how long a link must have been up to be worth an immediate attempt to make it again.
const lived = time.Second

func newBackoff() *backoff {
	return &backoff{first: 100 * time.Millisecond, most: 10 * time.Second, jitter: rand.Float64}
}

// after returns the delay before the next attempt, when the last one made a link that was up for a time, or none: 0. It is none at all
// after a link that lived; else the current one, give or take a quarter.
func (b *backoff) after(up time.Duration) time.Duration {
	if up >= lived {
		b.delay = 0
		return 0
	}
	if b.delay == 0 {
		b.delay = b.first
	}
	delay := time.Duration(float64(b.delay) * (0.75 + b.jitter()/2))
	b.delay = min(2*b.delay, b.most)
	return delay
}
