package hakuban_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"hakuban"
	"hakuban/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ctx  = context.Background()
	room = hakuban.MustObject("xxx", "some-tag")
	tag  = hakuban.MustTag("some-tag")
)

func send(t *testing.T, sink *hakuban.Sink, value any) {
	t.Helper()
	if err := sink.Send(ctx, hakuban.NewState(value).JSON()); err != nil {
		t.Fatalf("Send(%v): %v", value, err)
	}
}

func next[T any](t *testing.T, stream *hakuban.Stream) (T, hakuban.State) {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	state, err := stream.Next(limited)
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	value, err := hakuban.JSON[T](state)
	if err != nil {
		t.Fatalf("JSON: %v", err)
	}
	return value, state
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestPublish_ObserverSeesNewestOnly(t *testing.T) {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	expose, observe := x.ExposeObject(room), x.ObserveObject(room)
	sink := must[*hakuban.Sink](t)(expose.Next(ctx))
	for i := range 100 {
		send(t, sink, i)
	}
	stream := must[*hakuban.Stream](t)(observe.Next(ctx))
	if n, state := next[int](t, stream); n != 99 || !state.Synchronized().Now() {
		t.Errorf("got %d, %v; want the last one, 99, now", n, state.Synchronized())
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if state, err := stream.Next(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Next with nothing new: %v, %v", state, err)
	}
	send(t, sink, 100)
	if state, err := stream.Next(ended); err != nil || string(state.Data()) != "100" {
		t.Errorf("a state that is there must win over an ended context: %s, %v", state.Data(), err)
	}
}

func TestTag_ContractsCoverEveryLiveObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		defer x.Close()
		expose := x.ExposeTag(tag, hakuban.Capacity(10))
		go expose.Each(ctx, func(ctx context.Context, sink *hakuban.Sink) {
			if err := sink.Send(ctx, hakuban.NewState(sink.Object().JSON()).JSON()); err != nil {
				t.Errorf("Send: %v", err)
			}
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, hakuban.ErrRevoked) && !errors.Is(cause, hakuban.ErrClosed) {
				t.Errorf("cause %v", cause)
			}
		})
		var mu sync.Mutex
		seen := map[string]string{}
		everything := x.ObserveTag(tag)
		go everything.Each(ctx, func(ctx context.Context, stream *hakuban.Stream) {
			for state := range stream.States(ctx) {
				mu.Lock()
				seen[stream.Object().JSON()], _ = hakuban.JSON[string](state)
				mu.Unlock()
			}
			mu.Lock()
			delete(seen, stream.Object().JSON())
			mu.Unlock()
		})
		var observers []*hakuban.ObserveContract
		for i := range 5 {
			observers = append(observers, x.ObserveObject(hakuban.MustObject(i, "some-tag")))
		}
		x.ObserveObject(hakuban.MustObject("another", "other-tag"))
		synctest.Wait()
		mu.Lock()
		if len(seen) != 5 || seen["3"] != "3" {
			t.Errorf("seen %v", seen)
		}
		mu.Unlock()
		for _, observer := range observers {
			observer.Close()
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if len(seen) != 0 {
			t.Errorf("tag contracts keep nothing alive, but %v", seen)
		}
	})
}

func TestHandOver_RevokedSinkRefusesStates(t *testing.T) {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	observe := x.ObserveObject(room)
	first, second := x.ExposeObject(room), x.ExposeObject(room)
	sink := must[*hakuban.Sink](t)(first.Next(ctx))
	if other, ok := second.TryNext(); ok {
		t.Fatalf("two sinks for one object: %v", other)
	}
	send(t, sink, 1)
	first.Close()
	<-sink.Context().Done()
	if cause := context.Cause(sink.Context()); !errors.Is(cause, hakuban.ErrClosed) {
		t.Errorf("the sink's context ends with %v", cause)
	}
	if err := sink.Send(ctx, hakuban.NewState(2).JSON()); !errors.Is(err, hakuban.ErrClosed) {
		t.Errorf("Send on a closed contract's sink: %v", err)
	}
	sink = must[*hakuban.Sink](t)(second.Next(ctx))
	send(t, sink, 3)
	observe.Close()
	<-sink.Done()
	if err := sink.Send(ctx, hakuban.NewState(4).JSON()); !errors.Is(err, hakuban.ErrRevoked) {
		t.Errorf("Send when nobody needs the object: %v", err)
	}
	if !errors.Is(context.Cause(sink.Context()), hakuban.ErrRevoked) {
		t.Errorf("cause asked for late: %v", context.Cause(sink.Context()))
	}
	sink.Release()
	sink.Release()
}

func TestSend_StaleAndTooLarge(t *testing.T) {
	limits := hakuban.Limits{Wire: hakuban.WireLimits{State: 1000}}
	x := hakuban.NewExchange(&hakuban.Options{Limits: limits})
	defer x.Close()
	x.ObserveObject(room)
	sink := must[*hakuban.Sink](t)(x.ExposeObject(room).Next(ctx))
	state := hakuban.NewState("a").WithVersion(5)
	for _, c := range []struct {
		name  string
		state hakuban.State
		want  error
	}{
		{"first", state, nil},
		{"the same again", state, nil},
		{"same version, other data", hakuban.NewState("b").WithVersion(5), hakuban.ErrStale},
		{"lower version", hakuban.NewState("b").WithVersion(4, 9), hakuban.ErrStale},
		{"never encoded", hakuban.NewState(1), hakuban.ErrFormat},
		{"too large", hakuban.NewState(strings.Repeat("x", 1001)), hakuban.ErrTooLarge},
		{"default version", hakuban.NewState("c"), nil},
	} {
		if err := sink.Send(ctx, c.state); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	ended, cancel := context.WithCancelCause(ctx)
	cancel(errors.New("enough"))
	if err := sink.Send(ended, hakuban.NewState("d")); err == nil || err.Error() != "enough" {
		t.Errorf("Send with an ended context: %v", err)
	}
}

func TestRelease_NextOfferComesAtOnce(t *testing.T) {
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

func TestSynchronized_AgesWithTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		defer x.Close()
		stream := must[*hakuban.Stream](t)(x.ObserveObject(room).Next(ctx))
		sink := must[*hakuban.Sink](t)(x.ExposeObject(room).Next(ctx))
		time.Sleep(time.Hour)
		state := hakuban.NewState(1).JSON().WithSynchronized(hakuban.LastAt(time.Now().Add(-time.Minute)))
		if err := sink.Send(ctx, state); err != nil {
			t.Fatal(err)
		}
		_, got := next[int](t, stream)
		if ago := got.Synchronized().Ago(); ago != time.Minute {
			t.Errorf("ago %v, want 1m", ago)
		}
		time.Sleep(time.Second)
		if ago := got.Synchronized().Ago(); ago != time.Minute+time.Second {
			t.Errorf("ago %v, want 1m1s", ago)
		}
		if got := got.Synchronized().String(); got != "1m1s ago" {
			t.Errorf("String %q", got)
		}
		version := got.Version()
		if now := time.Now().Unix(); len(version) != 3 || version[0] != 0 || version[1] != now-1 {
			t.Errorf("default version %v, wall clock %d", version, now)
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
	<-x.ObserveObject(room).Done()
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
		defer must[*transport.Conduit](t)(transport.Pipe(x, y)).Close()
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

func TestClose_EndsEverythingWithErrClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		observe, expose, idle := x.ObserveObject(room), x.ExposeObject(room), x.ExposeTag(hakuban.MustTag(1))
		stream := must[*hakuban.Stream](t)(observe.Next(ctx))
		sink := must[*hakuban.Sink](t)(expose.Next(ctx))
		up := must[*hakuban.Link](t)(x.AttachUpstream(hakuban.LinkOptions{}))
		down := must[*hakuban.Link](t)(x.AttachDownstream(hakuban.LinkOptions{}))
		errs := make(chan error, 3)
		go func() { _, err := stream.Next(ctx); errs <- err }()
		go func() { _, err := idle.Next(ctx); errs <- err }()
		go func() { <-sink.Context().Done(); errs <- context.Cause(sink.Context()) }()
		synctest.Wait()
		x.Close()
		x.Close()
		for range 3 {
			if err := <-errs; !errors.Is(err, hakuban.ErrClosed) {
				t.Errorf("a waiter got %v", err)
			}
		}
		<-x.Done()
		<-up.Done()
		<-down.Done()
		_, err := observe.Next(ctx)
		late := x.ExposeObject(room)
		_, lateErr := late.Next(ctx)
		_, attachErr := x.AttachUpstream(hakuban.LinkOptions{})
		_, _, pullErr := up.Pull(nil, 1)
		for what, err := range map[string]error{
			"Next": err, "Next of a contract opened too late": lateErr, "SetCapacity": late.SetCapacity(1),
			"Send": sink.Send(ctx, hakuban.NewState("")), "AttachUpstream": attachErr,
			"Receive": down.Receive(nil), "Pull": pullErr, "Err": up.Err(),
		} {
			if !errors.Is(err, hakuban.ErrClosed) {
				t.Errorf("%s after Close: %v", what, err)
			}
		}
		if _, ok := late.TryNext(); ok {
			t.Error("TryNext after Close")
		}
		sink.Release()
		stream.Release()
		observe.Close()
		late.Close()
		up.Detach(nil)
		if n := len(x.Snapshot().Objects); n != 0 {
			t.Errorf("%d objects after Close", n)
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

func TestMisuse_GivesErrors(t *testing.T) {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	for name, err := range map[string]error{
		"zero Object observed": second(x.ObserveObject(hakuban.Object{}).Next(ctx)),
		"zero Object exposed":  second(x.ExposeObject(hakuban.Object{}).Next(ctx)),
		"zero Tag observed":    second(x.ObserveTag(hakuban.Tag{}).Next(ctx)),
		"zero Tag exposed":     second(x.ExposeTag(hakuban.Tag{}).Next(ctx)),
	} {
		if !errors.Is(err, hakuban.ErrDescriptor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := x.AttachDownstream(hakuban.LinkOptions{Name: "\xff"}); err == nil {
		t.Error("a name that is not UTF-8 was taken")
	}
	if _, err := x.AttachUpstream(hakuban.LinkOptions{LoadLimit: []hakuban.LoadPoint{{After: -1}}}); err == nil {
		t.Error("a negative time was taken")
	}
	link, err := x.AttachUpstream(hakuban.LinkOptions{})
	if err != nil {
		t.Fatalf("AttachUpstream after a failed one: %v", err)
	}
	if _, err := x.AttachUpstream(hakuban.LinkOptions{}); !errors.Is(err, hakuban.ErrUpstream) {
		t.Errorf("a second upstream: %v", err)
	}
	link.Detach(errors.New("enough"))
	if err := link.Err(); err == nil || err.Error() != "enough" {
		t.Errorf("Err %v", err)
	}
	claim, err := x.ClaimUpstream()
	if err != nil {
		t.Fatalf("ClaimUpstream after Detach: %v", err)
	}
	if _, err := x.AttachUpstream(hakuban.LinkOptions{}); !errors.Is(err, hakuban.ErrUpstream) {
		t.Errorf("AttachUpstream of a claimed one: %v", err)
	}
	if _, err = claim.Attach(hakuban.LinkOptions{}); err != nil {
		t.Errorf("Attach: %v", err)
	}
	if _, err = claim.Attach(hakuban.LinkOptions{}); !errors.Is(err, hakuban.ErrUpstream) {
		t.Errorf("Attach twice: %v", err)
	}
	claim.Release()
	if _, err = claim.Attach(hakuban.LinkOptions{}); !errors.Is(err, hakuban.ErrUpstream) {
		t.Errorf("Attach after Release: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestReceive_ProtocolErrorEndsTheLinkOnly(t *testing.T) {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	bad := must[*hakuban.Link](t)(x.AttachDownstream(hakuban.LinkOptions{Name: "router"}))
	good := must[*hakuban.Link](t)(x.AttachDownstream(hakuban.LinkOptions{Name: "router"}))
	var protocol *hakuban.ProtocolError
	if err := bad.Receive([]byte{0xff, 0xff}); !errors.As(err, &protocol) {
		t.Fatalf("Receive: %v", err)
	}
	<-bad.Done()
	if err := bad.Err(); !errors.As(err, &protocol) {
		t.Errorf("Err: %v", err)
	}
	select {
	case <-good.Done():
		t.Error("the other link ended too")
	case <-good.Ready():
	}
	messages, more, err := good.Pull(nil, 1<<16)
	if err != nil || more || len(messages) == 0 {
		t.Errorf("Pull: %d messages, %v, %v", len(messages), more, err)
	}
}

type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestRecord_WritesEachInputAsALine(t *testing.T) {
	var tape bytes.Buffer
	x := hakuban.NewExchange(&hakuban.Options{Record: &tape, Rebalance: true, RebalanceThreshold: 0.5})
	x.ObserveObject(room)
	sink := must[*hakuban.Sink](t)(x.ExposeObject(room).Next(ctx))
	send(t, sink, 1)
	x.Close()
	var kinds []int
	for i, line := range bytes.Split(bytes.TrimSpace(tape.Bytes()), []byte("\n")) {
		var parsed struct {
			Version int `json:"hakuban-recording"`
			Config  struct{ Rebalance bool }
			Now     struct{ Wall int64 }
			Input   struct{ Kind int }
		}
		if err := json.Unmarshal(line, &parsed); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		if i == 0 && (parsed.Version != 1 || !parsed.Config.Rebalance) || i > 0 && parsed.Now.Wall == 0 {
			t.Errorf("line %d: %s", i, line)
		}
		kinds = append(kinds, parsed.Input.Kind)
	}
	if want := []int{0, 5, 5, 8, 10}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want header, open, open, take, publish: %v", kinds, want)
	}
}

func TestRecord_FailingWriterIsReportedAndTheExchangeGoesOn(t *testing.T) {
	for after := range 4 {
		var log bytes.Buffer
		x := hakuban.NewExchange(&hakuban.Options{Record: &failing{after}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		x.ObserveObject(room)
		sink := must[*hakuban.Sink](t)(x.ExposeObject(room).Next(ctx))
		send(t, sink, 1)
		x.Close()
		if n := strings.Count(log.String(), "disk full"); n != 1 {
			t.Errorf("after %d writes: reported %d times: %s", after, n, log.String())
		}
	}
}

func TestClose_LeavesNoMemory(t *testing.T) {
	kept := make([]*hakuban.Exchange, 0, 100)
	before := heap()
	for range 100 {
		x := hakuban.NewExchange(&hakuban.Options{Rebalance: true})
		x.ObserveObject(room)
		sink := must[*hakuban.Sink](t)(x.ExposeObject(room).Next(ctx))
		send(t, sink, strings.Repeat("x", 100_000))
		x.Close()
		kept = append(kept, x)
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("100 closed exchanges hold %d bytes", after-before)
	}
	runtime.KeepAlive(kept)
}

var quiet = transport.WithLogger(slog.New(slog.DiscardHandler))
