package transport

import (
	"slices"
	"testing"
	"time"
)

// Delays double, from the first to the most, whatever the jitter made of them; a link that lived has them begin again.
func TestBackoff(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		jitter float64
		want   []time.Duration // after six failures, a link that did not live, one that did, and a failure
	}{
		"least": {0, []time.Duration{75 * ms, 150 * ms, 300 * ms, 600 * ms, 750 * ms, 750 * ms, 750 * ms, 0, 75 * ms}},
		"even":  {0.5, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1000 * ms, 1000 * ms, 1000 * ms, 0, 100 * ms}},
		"most":  {1, []time.Duration{125 * ms, 250 * ms, 500 * ms, 1000 * ms, 1250 * ms, 1250 * ms, 1250 * ms, 0, 125 * ms}},
	} {
		b := newBackoff()
		b.most, b.jitter = time.Second, func() float64 { return c.jitter }
		var got []time.Duration
		for _, up := range []time.Duration{0, 0, 0, 0, 0, 0, lived - 1, lived, 0} {
			got = append(got, b.after(up))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: delays %v, want %v", name, got, c.want)
		}
	}
	if b := newBackoff(); b.first != 100*ms || b.most != 10*time.Second {
		t.Errorf("delays from %v to %v, not as documented", b.first, b.most)
	}
}
