//go:build unix

package main

import (
	"testing"
	"testing/synctest"

	"hakuban"
)

// oneStream returns a stream as the host has one, and what sends to it.
func oneStream(t *testing.T) (*stream, *hakuban.Sink) {
	t.Helper()
	x := hakuban.NewExchange(nil)
	t.Cleanup(x.Close)
	object := hakuban.MustObject("world")
	streams, err := x.ObserveObject(object).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sink, err := x.ExposeObject(object).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &stream{stream: streams}, sink
}

func sendData(t *testing.T, sink *hakuban.Sink, data string) {
	t.Helper()
	if err := sink.Send(hakuban.NewState(data)); err != nil {
		t.Fatal(err)
	}
}

// taken returns a state as a future has it that nobody awaits any more.
func taken(t *testing.T, s *stream) result {
	t.Helper()
	read, err := s.read(over)
	if err != nil {
		t.Fatal(err)
	}
	return added(read, kindState)
}

// Futures that were dropped have read two states. The newer one comes again, in whatever order they are given back.
func TestStream_TheNewestComesAgain(t *testing.T) {
	for name, newerFirst := range map[string]bool{"the newer one first": true, "the older one first": false} {
		t.Run(name, func(t *testing.T) {
			s, sink := oneStream(t)
			sendData(t, sink, "c")
			first := taken(t, s)
			sendData(t, sink, "d")
			second := taken(t, s)
			if newerFirst {
				first, second = second, first
			}
			s.discard(first)
			s.discard(second)
			if again, err := s.read(over); err != nil || string(again.Data()) != "d" {
				t.Errorf("%v, %v came again, d was expected", again, err)
			}
			if more, err := s.read(over); err == nil {
				t.Errorf("%v came, too", more)
			}
		})
	}
}

// While a dropped future has the newest state, an older one that is given back is not given out: whoever waits is given the newest.
func TestStream_WaitsForTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, sink := oneStream(t)
		sendData(t, sink, "c")
		older := taken(t, s)
		sendData(t, sink, "d")
		newer := taken(t, s)
		s.discard(older)
		h, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		given := make(chan result, 1)
		go func() { given <- await(h, nil) }()
		synctest.Wait()
		s.discard(newer)
		r := <-given
		read, err := lookup[*state](&handles, r.handle, kindState)
		if err != nil || string(read.Data()) != "d" {
			t.Errorf("%+v: %v, %v was given, d was expected", r, read, err)
		}
	})
}

// A future that was dropped was told that the sink is open: another that waits is told instead.
func TestSink_TellsAgainThatItIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, source := oneStream(t)
		s := &sink{sink: source}
		first, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := futureDescriptor(first); err != nil { // it begins
			t.Fatal(err)
		}
		second, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		given := make(chan result, 1)
		go func() { given <- await(second, nil) }()
		synctest.Wait()
		if err := drop(first, kindFuture); err != nil {
			t.Fatal(err)
		}
		if r := <-given; r.status != statusPointer {
			t.Errorf("%+v, expected that it is open", r)
		}
	})
}
