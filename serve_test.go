package hakuban

import (
	"sync"
	"testing"
	"testing/synctest"

	"hakuban/wire"
)

// sent is a writer that keeps what it is given, and has room or not.
type sent struct {
	mu     sync.Mutex
	t      *testing.T
	states []wire.StateAction
	writes int
	ended  int
	full   bool
}

func (s *sent) Write(messages []Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	for i := range messages {
		head, middle, tail := messages[i].Parts()
		event, err := wire.DecodeEvent(append(append(append([]byte{}, head...), middle...), tail...), nil)
		if err != nil {
			s.t.Error(err)
		}
		s.states = append(s.states, event.Message.States...)
	}
	return !s.full
}

func (s *sent) Ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended++
}

func (s *sent) set(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full, s.writes, s.states = full, 0, nil
}

func (s *sent) got() (writes int, newest []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.states) > 0 {
		newest = s.states[len(s.states)-1].Version
	}
	return s.writes, newest
}

// servedObservers is an exchange with observers of an object that writers serve, and a sink of it.
func servedObservers(t *testing.T, observers int) (x *Exchange, writers []*sent, links []*Link, sink *Sink) {
	x = NewExchange(nil)
	t.Cleanup(x.Close)
	object := MustObject("o")
	expose := x.ExposeObject(object)
	t.Cleanup(expose.Close)
	for range observers {
		p := observer(t, x, object)
		w := &sent{t: t}
		p.link.Serve(w)
		writers, links = append(writers, w), append(links, p.link)
	}
	sink, err := expose.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return x, writers, links, sink
}

func publish(t *testing.T, sink *Sink, version int64) {
	t.Helper()
	if err := sink.Send(NewState("x").WithVersion(version)); err != nil {
		t.Fatal(err)
	}
}

// All observers are served, those that a step leaves by helpers, and nothing stays behind.
func TestServe_EveryObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const observers = 5 * helperTurns
		x, writers, links, sink := servedObservers(t, observers)
		for _, w := range writers {
			w.set(false)
		}
		publish(t, sink, 1)
		synctest.Wait()
		for i, w := range writers {
			if writes, newest := w.got(); writes != 1 || len(newest) != 1 || newest[0] != 1 {
				t.Errorf("observer %d got version %v in %d writes", i, newest, writes)
			}
			if turn := links[i].turn.Load(); turn != noTurn {
				t.Errorf("link %d has turn %d when all is done", i, turn)
			}
		}
		if x.ready.length() > 0 || x.helpers > 0 {
			t.Errorf("%d links wait, %d helpers are left", x.ready.length(), x.helpers)
		}
	})
}

// Links that have ended do not make a helper stop before those that live.
func TestServe_PassesLinksThatHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, _, links, _ := servedObservers(t, 2)
		links[0].Detach(nil)
		x.mu.Lock()
		for range 3 * helperTurns {
			x.ready.push(links[0])
		}
		x.queue(links[1])
		x.help()
		x.release()
		synctest.Wait()
		if x.ready.length() > 0 || x.helpers > 0 || links[1].turn.Load() != noTurn {
			t.Errorf("%d links wait, %d helpers are left", x.ready.length(), x.helpers)
		}
	})
}

// A link without room gets nothing until it has room, then the newest state.
func TestServe_WaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, writers, links, sink := servedObservers(t, 1)
		w := writers[0]
		w.set(true)
		for version := range int64(10) {
			publish(t, sink, version+1)
			synctest.Wait()
		}
		if writes, newest := w.got(); writes != 1 || newest[0] != 1 {
			t.Errorf("without room: version %v in %d writes", newest, writes)
		}
		w.set(false)
		links[0].Resume()
		synctest.Wait()
		if writes, newest := w.got(); writes != 1 || newest[0] != 10 {
			t.Errorf("with room again: version %v in %d writes", newest, writes)
		}
		links[0].Resume() // nothing is owed: nothing happens
		publish(t, sink, 11)
		synctest.Wait()
		if writes, newest := w.got(); writes != 2 || newest[0] != 11 {
			t.Errorf("then: version %v in %d writes", newest, writes)
		}
	})
}

// What is gathered is sent when it is delivered, at once.
func TestGather_SendsNothingUntilDeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := NewExchange(nil)
		defer x.Close()
		object := MustObject("o")
		writer := &sent{t: t}
		observing := observer(t, x, object)
		observing.link.Serve(writer)
		exposer := observer(t, x, MustObject("other"))
		control := wire.ChannelID{Origin: wire.DownstreamOriginated, Number: 1}
		d := object.descriptor()
		exposer.send(wire.Event{Kind: wire.EventMessage, Channel: control, Message: wire.Message{Kind: wire.MessageUpstreamControl,
			Control: []wire.ControlAction{{Kind: wire.ActionExposeObject, JSON: d.JSON, Capacity: 1}}}})
		exposer.pull()
		synctest.Wait() // for a helper, which may have something of before
		writer.set(false)
		sinkChannel := wire.ChannelID{Origin: wire.UpstreamOriginated, Number: 2}
		for version := range int64(3) {
			event := wire.Event{Kind: wire.EventMessage, Channel: sinkChannel, Message: wire.Message{Kind: wire.MessageStateStream,
				States: []wire.StateAction{{Kind: wire.StatePatch, Version: []int64{version + 1}, HasFormat: true, Diff: []byte{byte(version)}}}}}
			if err := exposer.link.Gather(wire.AppendEvent(nil, &event)); err != nil {
				t.Fatal(err)
			}
		}
		if writes, _ := writer.got(); writes != 0 {
			t.Errorf("%d writes before Deliver", writes)
		}
		exposer.link.Deliver()
		synctest.Wait()
		if writes, newest := writer.got(); writes != 1 || len(newest) != 1 || newest[0] != 3 {
			t.Errorf("after Deliver: version %v in %d writes", newest, writes)
		}
	})
}

// A writer is told that its link has ended, unless it was the one that ended it.
func TestServe_TellsOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, writers, links, _ := servedObservers(t, 3)
		links[0].Detach(nil)
		if err := links[1].Receive([]byte{0xff}); err == nil {
			t.Error("an unknown event was taken")
		}
		if writers[0].ended != 0 || writers[1].ended != 1 {
			t.Errorf("told %d and %d times", writers[0].ended, writers[1].ended)
		}
		x.Close()
		if writers[2].ended != 1 {
			t.Errorf("told %d times of the exchange's end", writers[2].ended)
		}
		late := &sent{t: t}
		links[2].Serve(late)
		if late.ended != 1 {
			t.Error("a writer that comes late is not told")
		}
	})
}

func TestTurns_FromBothEnds(t *testing.T) {
	var q turns
	links := make([]*Link, 10_000)
	for i := range links {
		links[i] = new(Link)
		q.push(links[i])
		if i%3 == 0 && q.first() != links[i/3] {
			t.Fatal("the first is another")
		}
	}
	if q.last() != links[9_999] || q.length() != 10_000-3_334 {
		t.Errorf("%d wait", q.length())
	}
	q.dropLast()
	if q.last() != links[9_998] {
		t.Error("the last is another")
	}
	for q.length() > 0 {
		q.first()
	}
	if q.first() != nil || q.last() != nil {
		t.Error("an empty queue has a link")
	}
}
