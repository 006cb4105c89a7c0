package linearizability

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"hakuban"
	"hakuban/transport"
)

// register is the false claim: what is sent at one exchange is what is read at another from then on.
var register = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		if sent := input.(string); sent != "" {
			return true, sent
		}
		return output.(string) == state.(string), state
	},
	DescribeOperation: func(input, output any) string {
		if sent := input.(string); sent != "" {
			return "send " + sent
		}
		return fmt.Sprintf("latest → %q", output)
	},
	DescribeState: func(state any) string { return fmt.Sprintf("%q", state) },
}

// joining is how the reader's exchange has to do with the writer's.
type joining struct {
	name         string
	join         func(t *testing.T, up, down *hakuban.Exchange, random *rand.Rand) (leave func())
	quiet        bool // nobody reads before all that was sent has arrived
	linearizable bool
}

var joinings = []joining{
	{"the same exchange", nil, false, true},
	{"a pipe", pipe, false, false},
	{"a slow link", slowLink, false, false},
	{"a pipe, and nobody reads until it is quiet", pipe, true, true},
}

// TestPropagatedReads_AreNotLinearizable makes a claim that is false and must be refused: that reads on another exchange are
// linearizable with the sends on this one. The same claim is true, and must be found so, where writer and readers share an exchange, or
// where nobody reads before all is quiet; so it is propagation that refutes it.
func TestPropagatedReads_AreNotLinearizable(t *testing.T) {
	for _, j := range joinings {
		t.Run(j.name, func(t *testing.T) {
			illegal, list := 0, seeds()
			for _, seed := range list[:min(100, len(list))] {
				history := propagate(t, j, seed)
				result := porcupine.CheckOperationsTimeout(register, history, patient)
				if result == porcupine.Ok {
					continue
				}
				if illegal++; illegal == 1 {
					_, info := porcupine.CheckOperationsVerbose(register, history, patient)
					page := filepath.Join(t.ArtifactDir(), "stale-read.html")
					if err := porcupine.VisualizePath(register, info, page); err != nil {
						t.Errorf("the picture: %v", err)
					}
					t.Logf("seed %d: %s; -artifacts keeps the picture: %s", seed, result, page)
				}
			}
			t.Logf("%d of %d histories refused", illegal, min(100, len(list)))
			if j.linearizable && illegal > 0 {
				t.Errorf("%d histories were refused", illegal)
			}
			if !j.linearizable && illegal == 0 {
				t.Error("no history was refused: the check is blind, or propagation takes no time")
			}
		})
	}
}

// propagate has a writer, who reads too, and two readers, and returns what they saw. All read at another exchange if there is one.
func propagate(t *testing.T, j joining, seed uint64) []porcupine.Operation {
	var history []porcupine.Operation
	synctest.Test(t, func(t *testing.T) {
		here := hakuban.NewExchange(nil)
		defer here.Close()
		there := here
		if j.join != nil {
			there = hakuban.NewExchange(nil)
			defer there.Close()
			defer j.join(t, here, there, rand.New(rand.NewPCG(seed, 0)))()
		}
		object := hakuban.MustObject("x")
		expose := here.ExposeObject(object)
		var streams []*hakuban.Stream
		for range 3 {
			stream, err := there.ObserveObject(object).Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, stream)
		}
		sink, err := expose.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // the streams are open at both ends
		var moment atomic.Int64
		var mu sync.Mutex
		call := func(client int, input string, effect func() string) {
			begin := moment.Add(1)
			output := effect()
			end := moment.Add(1)
			mu.Lock()
			defer mu.Unlock()
			history = append(history, porcupine.Operation{ClientId: client, Input: input, Call: begin, Output: output, Return: end})
		}
		send := func(n int) {
			text := fmt.Sprint("n", n)
			call(0, text, func() string {
				if err := sink.Send(hakuban.NewState(text)); err != nil {
					t.Errorf("send: %v", err)
				}
				return ""
			})
		}
		read := func(client int) {
			call(client, "", func() string {
				state, _ := streams[client].Latest()
				return string(state.Data())
			})
		}
		if j.quiet {
			for n := range 10 {
				send(n)
				synctest.Wait()
				for client := range 3 {
					read(client)
				}
			}
			return
		}
		var running sync.WaitGroup
		for client := range 3 {
			random := rand.New(rand.NewPCG(seed, uint64(client)+1))
			running.Go(func() {
				for n := range 10 {
					if client == 0 {
						send(n)
					}
					read(client)
					for range random.IntN(4) {
						runtime.Gosched()
					}
					if random.IntN(4) == 0 {
						time.Sleep(time.Duration(random.IntN(100)))
					}
				}
			})
		}
		running.Wait()
	})
	return history
}

func pipe(t *testing.T, up, down *hakuban.Exchange, _ *rand.Rand) (leave func()) {
	conduit, err := transport.Pipe(up, down, nil)
	if err != nil {
		t.Fatal(err)
	}
	return conduit.Close
}

// slowLink is a link on which each message takes up to 100 ns of the bubble's time, so that what is late does not depend on the
// scheduler.
func slowLink(t *testing.T, up, down *hakuban.Exchange, random *rand.Rand) (leave func()) {
	leave, err := joinSlowly(up, down, random)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

func joinSlowly(up, down *hakuban.Exchange, random *rand.Rand) (leave func(), err error) {
	upper, err := up.AttachDownstream(hakuban.LinkOptions{})
	if err != nil {
		return nil, err
	}
	lower, err := down.AttachUpstream(hakuban.LinkOptions{})
	if err != nil {
		upper.Detach(nil)
		return nil, err
	}
	var running sync.WaitGroup
	carry := func(from, to *hakuban.Link, delays *rand.Rand) {
		for {
			select {
			case <-from.Ready():
			case <-from.Done():
				return
			}
			for more := true; more; {
				var messages [][]byte
				var err error
				if messages, more, err = from.Pull(nil, 1<<16); err != nil {
					break
				}
				for _, message := range messages {
					time.Sleep(time.Duration(1 + delays.IntN(100)))
					if to.Receive(message) != nil {
						return
					}
				}
			}
		}
	}
	seed := random.Uint64()
	running.Go(func() { carry(upper, lower, rand.New(rand.NewPCG(seed, 1))) })
	running.Go(func() { carry(lower, upper, rand.New(rand.NewPCG(seed, 2))) })
	return func() {
		upper.Detach(nil)
		lower.Detach(nil)
		running.Wait()
	}, nil
}
