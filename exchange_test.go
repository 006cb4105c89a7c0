package hakuban_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"math"
	"reflect"
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

// patience bounds what a test waits for; only a failing one waits that long.
const patience = 20 * time.Second

func send(t *testing.T, sink *hakuban.Sink, value any) {
	t.Helper()
	if err := sink.Send(hakuban.NewState(value).EncodeJSON()); err != nil {
		t.Fatalf("Send(%v): %v", value, err)
	}
}

func next[T any](t *testing.T, stream *hakuban.Stream) (T, hakuban.State) {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	state, err := stream.Next(limited)
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	value, err := hakuban.DecodeJSON[T](state)
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
			if err := sink.Send(hakuban.NewState(sink.Object().JSON()).EncodeJSON()); err != nil {
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
				seen[stream.Object().JSON()], _ = hakuban.DecodeJSON[string](state)
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
	if err := sink.Send(hakuban.NewState(2).EncodeJSON()); !errors.Is(err, hakuban.ErrClosed) {
		t.Errorf("Send on a closed contract's sink: %v", err)
	}
	sink = must[*hakuban.Sink](t)(second.Next(ctx))
	send(t, sink, 3)
	observe.Close()
	<-sink.Done()
	if err := sink.Send(hakuban.NewState(4).EncodeJSON()); !errors.Is(err, hakuban.ErrRevoked) {
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
		{"the zero state", hakuban.State{}, hakuban.ErrFormat},
		{"the zero state with a version", hakuban.State{}.WithVersion(9), hakuban.ErrFormat},
		{"nothing that was never encoded", hakuban.NewState(nil).WithFormat("JSON"), hakuban.ErrFormat},
		{"too large", hakuban.NewState(strings.Repeat("x", 1001)), hakuban.ErrTooLarge},
		{"a format's name that is not UTF-8", hakuban.NewState("b").WithFormat("JSON", "\xff"), hakuban.ErrFormat},
		{"default version", hakuban.NewState("c"), nil},
	} {
		if err := sink.Send(c.state); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestSynchronized_AgesWithTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		defer x.Close()
		stream := must[*hakuban.Stream](t)(x.ObserveObject(room).Next(ctx))
		sink := must[*hakuban.Sink](t)(x.ExposeObject(room).Next(ctx))
		time.Sleep(time.Hour)
		state := hakuban.NewState(1).EncodeJSON().WithSynchronized(hakuban.LastAt(time.Now().Add(-time.Minute)))
		if err := sink.Send(state); err != nil {
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
			"Send": sink.Send(hakuban.NewState("")), "AttachUpstream": attachErr,
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
	for name, err := range map[string]error{
		"Object exposed with a nil option": second(x.ExposeObject(room, nil).Next(ctx)),
		"Tag exposed with a nil option":    second(x.ExposeTag(tag, hakuban.Capacity(1), nil).Next(ctx)),
		"no exchange linked upstream":      second(transport.Connect(nil, "ws://127.0.0.1:9", nil)),
		"no exchange linked downstream":    second(transport.Listen(nil, "ws://127.0.0.1:0", nil)),
		"no exchange above a pipe":         second(transport.Pipe(nil, x, nil)),
		"no exchange below a pipe":         second(transport.Pipe(x, nil, nil)),
		"an option that connectors lack":   second(transport.Connect(x, "ws://127.0.0.1:9", &transport.Options{MaxConnections: 1})),
		"an option that listeners lack":    second(transport.Listen(x, "ws://127.0.0.1:0", &transport.Options{LoadLimit: []hakuban.LoadPoint{{}}})),
		"a link's name too long":           x.CheckLink(hakuban.LinkOptions{Name: strings.Repeat("n", hakuban.DefaultLimits().Wire.Name+1)}),
		"a link's session too long":        x.CheckLink(hakuban.LinkOptions{Session: strings.Repeat("n", 257)}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	x.ObserveObject(room)
	sink := must[*hakuban.Sink](t)(x.ExposeObject(room).Next(ctx))
	if err := sink.Send(hakuban.NewState("x").Encode(nil).EncodeJSON()); !errors.Is(err, hakuban.ErrFormat) {
		t.Errorf("Send of a state encoded with nil: %v", err)
	}
	if _, err := hakuban.Decode[string](hakuban.NewState("x"), nil); !errors.Is(err, hakuban.ErrFormat) {
		t.Errorf("Decode with nil: %v", err)
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

// What DefaultLimits allow, and NewObject takes, can be beyond an exchange's own.
func TestMisuse_NamesBeyondTheLimits(t *testing.T) {
	long := strings.Repeat("x", 1000)
	x := hakuban.NewExchange(&hakuban.Options{Limits: hakuban.Limits{Wire: hakuban.WireLimits{Descriptor: 10, Tags: 2}}})
	defer x.Close()
	for name, err := range map[string]error{
		"an object":           x.ObserveObject(hakuban.MustObject(long)).Err(),
		"a tag":               x.ExposeTag(hakuban.MustTag(long)).Err(),
		"a tag of an object":  x.ExposeObject(hakuban.MustObject(1, long)).Err(),
		"all of it together":  x.ExposeObject(hakuban.MustObject("12345", "1234")).Err(),
		"the number of tags":  x.ObserveObject(hakuban.MustObject(1, 2, 3, 4)).Err(),
		"eleven bytes of tag": x.ObserveTag(hakuban.MustTag("123456789")).Err(),
	} {
		if !errors.Is(err, hakuban.ErrTooLarge) || len(err.Error()) > 200 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"an object": x.ObserveObject(hakuban.MustObject("1234", 1, 2)).Err(),
		"a tag":     x.ExposeTag(hakuban.MustTag("12345678")).Err(),
	} {
		if err != nil {
			t.Errorf("%s within the limits: %v", name, err)
		}
	}
}

// Options that say nothing sensible mean what is nearest.
func TestMisuse_OptionsOutOfRange(t *testing.T) {
	var tape bytes.Buffer
	x := hakuban.NewExchange(&hakuban.Options{
		Limits:             hakuban.Limits{LinkObjects: -1, LinkBytes: -1, Wire: hakuban.WireLimits{Name: -1, State: -1, Version: -1, Descriptor: -1}},
		RebalanceThreshold: math.Inf(1),
		Record:             &tape,
	})
	x.ObserveObject(room)
	send(t, must[*hakuban.Sink](t)(x.ExposeObject(room).Next(ctx)), 1)
	listener := must[*transport.Listener](t)(transport.Listen(x, "ws://127.0.0.1:0", &transport.Options{}))
	x.Close()
	listener.Close()
	if lines := bytes.Count(tape.Bytes(), []byte("\n")); lines != 5 {
		t.Errorf("%d lines were recorded, 5 were expected: %s", lines, tape.Bytes())
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

// A snapshot can be read with the names of this package, and the ids in it are those of what users hold.
func TestSnapshot_ShowsWhoIsWho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, below := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
		defer x.Close()
		defer below.Close()
		defer must[*transport.Conduit](t)(transport.Pipe(x, below, nil)).Close()
		observe, expose, tags := x.ObserveObject(room), below.ExposeObject(room), below.ExposeTag(tag, hakuban.Capacity(7))
		synctest.Wait()
		send(t, must[*hakuban.Sink](t)(expose.Next(ctx)), 1)
		synctest.Wait()

		above, s := x.Snapshot(), below.Snapshot()
		if elected := above.Objects[0].Elected; elected != (hakuban.Elected{Kind: hakuban.ElectedLink, Link: above.Links[0].Link}) {
			t.Errorf("above, elected %+v", elected)
		}
		if above.Links[0].Role != hakuban.ToDownstream || s.Links[0].Role != hakuban.ToUpstream || s.Links[0].Link != s.Upstream {
			t.Errorf("the two ends are %+v and %+v", above.Links[0], s.Links[0])
		}
		if c := above.Contracts[0]; c.Kind != hakuban.ObserveObject || c.Contract != observe.ID() {
			t.Errorf("the observer is contract %d: %+v", observe.ID(), c)
		}
		if elected := s.Objects[0].Elected; elected != (hakuban.Elected{Kind: hakuban.ElectedObjectContract, Contract: expose.ID()}) {
			t.Errorf("below, elected %+v, not contract %d", elected, expose.ID())
		}
		if want := []hakuban.ToldSnapshot{
			{Object: room, Exposes: true, Capacity: 1},
			{Tag: tag, Exposes: true, Capacity: 7},
		}; !reflect.DeepEqual(s.Links[0].Told, want) {
			t.Errorf("told %+v, want %+v", s.Links[0].Told, want)
		}
		kinds := map[uint64]hakuban.ContractKind{}
		for _, c := range s.Contracts {
			kinds[c.Contract] = c.Kind
		}
		want := map[uint64]hakuban.ContractKind{
			expose.ID(): hakuban.ExposeObject, tags.ID(): hakuban.ExposeTag,
		}
		if !maps.Equal(kinds, want) {
			t.Errorf("contracts %v, want %v", kinds, want)
		}
		if o := above.Objects[0]; o.Object != room || o.State == nil || string(o.State.Data()) != "1" || !o.State.Synchronized().Now() {
			t.Errorf("above, %+v is held", o)
		}
		if id := x.ObserveTag(hakuban.Tag{}).ID(); id != 0 {
			t.Errorf("a contract that could not be opened has id %d", id)
		}
	})
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
	if err := sink.Send(hakuban.NewState("x").WithFormat("\xff")); !errors.Is(err, hakuban.ErrFormat) {
		t.Errorf("a format's name that is not UTF-8: %v", err)
	}
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
		if i == 0 && (parsed.Version != 3 || !parsed.Config.Rebalance) || i > 0 && parsed.Now.Wall == 0 {
			t.Errorf("line %d: %s", i, line)
		}
		kinds = append(kinds, parsed.Input.Kind)
	}
	// Of the state that was refused there is nothing: JSON would have made its format's name another, which the replay takes.
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

var quiet = &transport.Options{Logger: slog.New(slog.DiscardHandler)}
