package hakuban_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hakuban"
	"hakuban/transport"
)

// TestConcurrent_EverythingAtOnce has many goroutines open, send, read, change and close on a tree of three, and wants nothing left.
func TestConcurrent_EverythingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		xs := make([]*hakuban.Exchange, 3)
		for i := range xs {
			xs[i] = hakuban.NewExchange(&hakuban.Options{Rebalance: i == 0, RebalanceThreshold: 0.1})
			defer xs[i].Close()
		}
		var pipes []*transport.Conduit
		for _, below := range xs[1:] {
			pipes = append(pipes, must[*transport.Conduit](t)(transport.Pipe(xs[0], below, nil)))
		}
		until, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		var workers sync.WaitGroup
		for i := range 24 {
			workers.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(i)))
				for until.Err() == nil {
					x := xs[random.IntN(len(xs))]
					object := hakuban.MustObject(random.IntN(5), "t")
					short, cancel := context.WithTimeout(until, time.Duration(random.IntN(1000))*time.Millisecond)
					switch i % 4 {
					case 0:
						expose := x.ExposeObject(object, hakuban.Capacity(uint32(random.IntN(4))))
						produce(t, short, expose)
						expose.Close()
					case 1:
						expose, capacity := x.ExposeTag(hakuban.MustTag("t")), random.Uint32N(3)
						expose.Each(short, func(ctx context.Context, sink *hakuban.Sink) {
							_ = sink.Send(hakuban.NewState(i).EncodeJSON())
							_ = expose.SetCapacity(capacity)
							<-ctx.Done()
						})
						expose.Close()
					case 2:
						observe := x.ObserveObject(object)
						consume(t, short, observe)
						observe.Close()
					case 3:
						observe := x.ObserveTag(hakuban.MustTag("t"))
						consume(t, short, observe)
						observe.Close()
					}
					cancel()
				}
			})
		}
		workers.Wait()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for i, x := range xs {
			if s := x.Snapshot(); len(s.Objects)+len(s.Tags)+len(s.Contracts) != 0 {
				t.Errorf("exchange %d: %d objects, %d tags, %d contracts left", i, len(s.Objects), len(s.Tags), len(s.Contracts))
			}
		}
		for _, pipe := range pipes {
			if err := pipe.Err(); err != nil {
				t.Errorf("a pipe broke: %v", err)
			}
			pipe.Close()
		}
	})
}

func produce(t *testing.T, ctx context.Context, expose *hakuban.ExposeContract) {
	for sink := range expose.Sinks(ctx) {
		for n := 0; sink.Context().Err() == nil; n++ {
			err := sink.Send(hakuban.NewState(n).EncodeJSON())
			if err != nil && !errors.Is(err, hakuban.ErrRevoked) && ctx.Err() == nil {
				t.Errorf("Send: %v", err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func consume(t *testing.T, ctx context.Context, observe *hakuban.ObserveContract) {
	for stream := range observe.Streams(ctx) {
		for state := range stream.States(ctx) {
			if _, err := hakuban.DecodeJSON[int](state); err != nil {
				t.Errorf("state %q: %v", state.Data(), err)
			}
		}
	}
}

// TestConcurrent_CloseMeetsEverything closes exchanges in the middle of use by real goroutines; the race detector looks on.
func TestConcurrent_CloseMeetsEverything(t *testing.T) {
	for round := range 20 {
		x, y := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
		pipe := must[*transport.Conduit](t)(transport.Pipe(x, y, nil))
		var workers sync.WaitGroup
		for i := range 8 {
			workers.Go(func() {
				object := hakuban.MustObject(i % 2)
				for n := 0; ; n++ {
					expose, observe := y.ExposeObject(object), x.ObserveObject(object)
					sink, err := expose.Next(ctx)
					if err != nil {
						return
					}
					_ = sink.Send(hakuban.NewState(fmt.Sprint(n)))
					if stream, ok := observe.TryNext(); ok {
						stream.Latest()
					}
					expose.Close()
					observe.Close()
				}
			})
		}
		time.Sleep(time.Duration(round) * 200 * time.Microsecond)
		y.Close()
		workers.Wait()
		x.Close()
		<-pipe.Done()
		pipe.Close()
	}
}

type stopper struct{ bytes.Buffer }

func (s *stopper) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(`"input":{"kind":10`)) {
		panic("the process ends here")
	}
	return s.Buffer.Write(p)
}

func TestRecord_InputIsWrittenBeforeItIsStepped(t *testing.T) {
	x := hakuban.NewExchange(&hakuban.Options{Record: &stopper{}})
	defer x.Close()
	stream := must[*hakuban.Stream](t)(x.ObserveObject(room).Next(ctx))
	sink := must[*hakuban.Sink](t)(x.ExposeObject(room).Next(ctx))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the publication was not written")
			}
		}()
		_ = sink.Send(hakuban.NewState("x"))
	}()
	if _, ok := stream.Latest(); ok {
		t.Error("the state was taken before it was recorded")
	}
}

// TestRebalance_RunsOnTheTimer moves an object to a worker that came later, with nobody calling.
func TestRebalance_RunsOnTheTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := hakuban.NewExchange(&hakuban.Options{Rebalance: true, RebalanceThreshold: 0.1})
		defer router.Close()
		tag := hakuban.MustTag("jobs")
		sinks := make(chan string, 100)
		worker := func(name string) {
			x := hakuban.NewExchange(nil)
			t.Cleanup(x.Close)
			must[*transport.Conduit](t)(transport.Pipe(router, x, nil))
			go x.ExposeTag(tag).Each(ctx, func(ctx context.Context, _ *hakuban.Sink) {
				sinks <- name
				<-ctx.Done()
			})
			synctest.Wait()
		}
		worker("early")
		for n := range 2 {
			router.ObserveObject(hakuban.MustObject(n, "jobs"))
		}
		synctest.Wait()
		if got := <-sinks + " " + <-sinks; got != "early early" {
			t.Fatalf("before: %s", got)
		}
		time.Sleep(time.Minute) // many rounds with nothing to do
		worker("late")
		start := time.Now()
		if got := <-sinks; got != "late" {
			t.Errorf("moved to %s", got)
		}
		if took := time.Since(start); took > 1500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		time.Sleep(10 * time.Second)
		if len(sinks) != 0 {
			t.Errorf("the objects move on and on: %d moves", len(sinks))
		}
	})
}

// TestRebalance_TimerOutlivesTheObjectItWasSetFor closes the objects that were due first.
func TestRebalance_TimerOutlivesTheObjectItWasSetFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := hakuban.NewExchange(&hakuban.Options{Rebalance: true, RebalanceThreshold: 0.1})
		early, late := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
		for _, x := range []*hakuban.Exchange{router, early, late} {
			defer x.Close()
		}
		tag := hakuban.MustTag("jobs")
		must[*transport.Conduit](t)(transport.Pipe(router, early, nil))
		early.ExposeTag(tag)
		synctest.Wait()
		var observers []*hakuban.ObserveContract
		for n := range 50 {
			observers = append(observers, router.ObserveObject(hakuban.MustObject(n, "jobs")))
		}
		synctest.Wait()
		must[*transport.Conduit](t)(transport.Pipe(router, late, nil))
		expose := late.ExposeTag(tag)
		synctest.Wait()
		for _, observe := range observers[2:] {
			observe.Close()
		}
		synctest.Wait()
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if _, err := expose.Next(limited); err != nil {
			t.Errorf("nothing was moved: %v", err)
		}
	})
}
