package linearizability

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"hakuban"
)

// network is exchanges above and below the one under test, on simulated links that are slow and break, all drawn from a seed. Through
// it go states of an object that the programs know nothing of.
type network struct {
	seed uint64

	mu       sync.Mutex
	sessions int
	seen     int // states, by the exchange above
}

// beside has an exchange below expose, and one above observe.
func (n *network) beside(t *testing.T) func(*hakuban.Exchange) (leave func()) {
	return func(x *hakuban.Exchange) func() {
		above, below := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { n.join(t, ctx, above, x, rand.New(rand.NewPCG(n.seed, 1))) })
		running.Go(func() { n.join(t, ctx, x, below, rand.New(rand.NewPCG(n.seed, 2))) })
		foreign := hakuban.MustObject("of others")
		expose, observe := below.ExposeObject(foreign), above.ObserveObject(foreign)
		running.Go(func() {
			for sink := range expose.Sinks(ctx) {
				for i := 0; sink.Send(hakuban.NewState("state").WithVersion(time.Now().UnixNano(), int64(i))) == nil; i++ {
					time.Sleep(10 * time.Nanosecond)
				}
			}
		})
		running.Go(func() {
			for stream := range observe.Streams(ctx) {
				for range stream.States(ctx) {
					n.mu.Lock()
					n.seen++
					n.mu.Unlock()
				}
			}
		})
		return func() {
			cancel()
			running.Wait()
			above.Close()
			below.Close()
		}
	}
}

// join keeps two exchanges joined by a slow link that breaks now and then, until a program closes the one under test.
func (n *network) join(t *testing.T, ctx context.Context, up, down *hakuban.Exchange, random *rand.Rand) {
	for ctx.Err() == nil {
		leave, err := joinSlowly(up, down, random)
		if err != nil {
			if !errors.Is(err, hakuban.ErrClosed) {
				t.Error(err)
			}
			return
		}
		n.mu.Lock()
		n.sessions++
		n.mu.Unlock()
		select {
		case <-time.After(time.Duration(200 + random.IntN(2000))):
		case <-ctx.Done():
		}
		leave()
	}
}

// TestLinearizable_OnASimulatedNetwork runs programs while links of the exchange come, carry states of others, and break.
func TestLinearizable_OnASimulatedNetwork(t *testing.T) {
	for _, s := range []schedule{virtual, parallel} {
		t.Run(s.String(), func(t *testing.T) {
			list := seeds()
			list = list[:min(100, len(list))]
			var total network
			for _, seed := range list {
				n := network{seed: seed}
				p := newProgram(seed, 0)
				history := executeBeside(t, p, s, n.beside(t))
				for _, whole := range []bool{false, true} {
					if result := (rules{}).check(p.objects, whole, history); result != porcupine.Ok {
						t.Fatalf("whole=%t: %s\n%s", whole, result, explain(t, p, s, whole, history))
					}
				}
				total.sessions += n.sessions
				total.seen += n.seen
			}
			t.Logf("%d seeds, %d sessions, %d states of others seen", len(list), total.sessions, total.seen)
			if total.seen == 0 || total.sessions <= 2*len(list) {
				t.Error("expected states of others to be seen, and links that break")
			}
		})
	}
}
