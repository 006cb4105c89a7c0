package hakuban_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hakuban"
	"hakuban/transport"
)

func TestRelease_NextOfferComesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		defer x.Close()
		observe, expose := x.ObserveObject(room), x.ExposeObject(room)
		var last *hakuban.Sink
		rounds := 0
		for sink := range expose.Sinks(ctx) {
			if last != nil && last.Context().Err() == nil {
				t.Error("leaving the body must release the sink")
			}
			last = sink
			send(t, sink, rounds)
			if rounds++; rounds == 3 {
				break
			}
		}
		if last.Context().Err() == nil {
			t.Error("break must release the sink")
		}
		stream := must[*hakuban.Stream](t)(observe.Next(ctx))
		if n, state := next[int](t, stream); n != 2 || state.Synchronized().Now() {
			t.Errorf("got %d %v; want 2, not vouched for", n, state.Synchronized())
		}
		stream.Release()
		if _, err := stream.Next(ctx); !errors.Is(err, hakuban.ErrRevoked) {
			t.Errorf("Next of a released stream: %v", err)
		}
		again := must[*hakuban.Stream](t)(observe.Next(ctx))
		if n, _ := next[int](t, again); n != 2 {
			t.Errorf("the next stream shows %d", n)
		}
	})
}

func TestLoops_EndWithTheirContext(t *testing.T) {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	observe, expose := x.ObserveObject(room), x.ExposeObject(room)
	rounds := 0
	for range expose.Sinks(ended) { // although a sink waits, and after each release another
		rounds++
	}
	for range observe.Streams(ended) {
		rounds++
	}
	expose.Each(ended, func(context.Context, *hakuban.Sink) { rounds++ })
	observe.Each(ended, func(context.Context, *hakuban.Stream) { rounds++ })
	sink, stream := must[*hakuban.Sink](t)(expose.Next(ended)), must[*hakuban.Stream](t)(observe.Next(ended))
	send(t, sink, 1)
	for range stream.States(ended) {
		rounds++
		send(t, sink, rounds)
	}
	if rounds != 0 {
		t.Errorf("%d rounds after the context ended", rounds)
	}
	if sink.Context().Err() != nil || stream.Context().Err() != nil {
		t.Error("what Next gives does not end with the context it waited with")
	}
}

// A loop that ends leaves its contract open, and elected: only Close lets another produce.
func TestLoops_LeaveTheirContractOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		defer x.Close()
		x.ObserveObject(room)
		first, second := x.ExposeObject(room), x.ExposeObject(room)
		short, cancel := context.WithCancel(ctx)
		first.Each(short, func(ctx context.Context, sink *hakuban.Sink) { cancel() })
		for range first.Sinks(short) {
			t.Error("a round after the context ended")
		}
		if sink, ok := second.TryNext(); ok || first.Err() != nil {
			t.Errorf("the contract went with its loop: %v, %v", first.Err(), sink)
		}
		first.Close()
		if _, ok := second.TryNext(); !ok {
			t.Error("the other is not elected")
		}
	})
}

func TestSelect_OfferedAndChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		defer x.Close()
		observe, expose := x.ObserveObject(room), x.ExposeObject(room)
		<-observe.Offered()
		stream, ok := observe.TryNext()
		if !ok {
			t.Fatal("no stream was offered")
		}
		if _, ok := stream.Latest(); ok {
			t.Error("Latest before the first state")
		}
		<-expose.Offered()
		sink, ok := expose.TryNext()
		if !ok {
			t.Fatal("no sink was offered")
		}
		go func() {
			for i := range 3 {
				time.Sleep(time.Second)
				send(t, sink, i)
			}
			time.Sleep(time.Second)
			sink.Release()
			observe.Close()
		}()
		var seen []string
		for ended := false; !ended; {
			select {
			case <-stream.Changed():
				if state, ok := stream.Latest(); ok {
					seen = append(seen, string(state.Data()))
				}
			case <-stream.Done():
				ended = true
			}
		}
		if got := strings.Join(slices.Compact(seen), " "); got != "0 1 2" {
			t.Errorf("seen %q", got)
		}
	})
}

func TestContract_DoneWhenClosed(t *testing.T) {
	x := hakuban.NewExchange(nil)
	observe, expose := x.ObserveObject(room), x.ExposeTag(tag)
	if observe.Err() != nil || expose.Err() != nil {
		t.Errorf("open, but %v, %v", observe.Err(), expose.Err())
	}
	select {
	case <-observe.Done():
		t.Error("done before it was closed")
	case <-expose.Done():
		t.Error("done before its exchange was closed")
	default:
	}
	observe.Close()
	<-observe.Done()
	x.Close()
	<-expose.Done()
	late := x.ObserveObject(room)
	<-late.Done()
	for _, err := range []error{observe.Err(), expose.Err(), late.Err()} {
		if !errors.Is(err, hakuban.ErrClosed) {
			t.Errorf("closed, with %v", err)
		}
	}
}

// The reason is there for who only loops.
func TestContract_ErrTellsWhyItCouldNotBeOpened(t *testing.T) {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	observe, expose := x.ObserveTag(hakuban.Tag{}), x.ExposeObject(hakuban.Object{})
	for range observe.Streams(ctx) {
		t.Error("a stream of nothing")
	}
	expose.Each(ctx, func(context.Context, *hakuban.Sink) { t.Error("a sink of nothing") })
	<-observe.Done()
	<-expose.Done()
	_, noStream := observe.Next(ctx)
	_, noSink := expose.Next(ctx)
	for _, err := range []error{observe.Err(), expose.Err(), noStream, noSink} {
		if !errors.Is(err, hakuban.ErrDescriptor) {
			t.Errorf("it could not be opened, with %v", err)
		}
	}
}

func TestNext_ManyWaitersEachGetOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
		defer x.Close()
		defer y.Close()
		expose := x.ExposeTag(tag)
		got := make(chan hakuban.Object, 10)
		for range 10 {
			go func() {
				sink, err := expose.Next(ctx)
				if err != nil {
					t.Errorf("Next: %v", err)
					return
				}
				got <- sink.Object()
			}()
		}
		synctest.Wait()
		for i := range 10 {
			y.ObserveObject(hakuban.MustObject(i, "some-tag"))
		}
		// One message of the link brings all of them, in one step.
		defer must[*transport.Conduit](t)(transport.Pipe(x, y, nil)).Close()
		synctest.Wait()
		objects := map[hakuban.Object]bool{}
		for len(got) > 0 {
			objects[<-got] = true
		}
		if len(objects) != 10 {
			t.Errorf("%d objects for 10 waiters", len(objects))
		}
	})
}

func TestClose_ContractForgetsItsOffers(t *testing.T) {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	rounds := func(n int) {
		for range n {
			observe, expose := x.ObserveObject(room), x.ExposeObject(room)
			stream := must[*hakuban.Stream](t)(observe.Next(ctx))
			sink := must[*hakuban.Sink](t)(expose.Next(ctx))
			send(t, sink, 1)
			next[int](t, stream)
			observe.Close()
			expose.Close()
		}
	}
	rounds(100)
	before := heap()
	rounds(3000)
	if after := heap(); after > before+200_000 {
		t.Errorf("3000 contracts that were closed, with offers that were not released, hold %d bytes", after-before)
	}
	s := x.Snapshot()
	if len(s.Objects)+len(s.Tags)+len(s.Contracts) != 0 {
		t.Errorf("left behind: %+v", s)
	}
}

// heap returns the bytes in use.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools held
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
