package hakuban_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hakuban"
	"hakuban/transport"
)

// What ends here ends in a bubble: what does not is a deadlock, which the bubble reports at once.

// Functions that wait for their context alone end with the loop's, though their sinks and streams live on.
func TestEach_EndsItsFunctionsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		defer x.Close()
		observe, expose := x.ObserveObject(room), x.ExposeObject(room)
		reason := errors.New("enough")
		for name, each := range map[string]func(context.Context, func(context.Context)){
			"sinks": func(ctx context.Context, f func(context.Context)) {
				expose.Each(ctx, func(ctx context.Context, _ *hakuban.Sink) { f(ctx) })
			},
			"streams": func(ctx context.Context, f func(context.Context)) {
				observe.Each(ctx, func(ctx context.Context, _ *hakuban.Stream) { f(ctx) })
			},
		} {
			loop, cancel := context.WithCancelCause(ctx)
			go func() { time.Sleep(time.Second); cancel(reason) }()
			rounds := 0
			each(loop, func(ctx context.Context) {
				rounds++
				<-ctx.Done()
				if context.Cause(ctx) != reason {
					t.Errorf("%s: ended with %v", name, context.Cause(ctx))
				}
			})
			if rounds != 1 {
				t.Errorf("%s: %d rounds, one was expected", name, rounds)
			}
		}
	})
}

// Two sinks come in one step, for two who have looked for one and do not wait yet: one telling must do for both.
func TestNext_TheSecondWaiterIsWokenToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
		defer x.Close()
		defer y.Close()
		expose := x.ExposeTag(tag)
		begin, got := make(chan struct{}), make(chan hakuban.Object)
		for range 2 {
			go func() {
				sink, err := expose.Next(lateContext{ctx, begin})
				if err != nil {
					t.Errorf("Next: %v", err)
					return
				}
				got <- sink.Object()
			}()
		}
		synctest.Wait()
		for i := range 2 {
			y.ObserveObject(hakuban.MustObject(i, "some-tag"))
		}
		defer must[*transport.Conduit](t)(transport.Pipe(x, y, nil)).Close()
		synctest.Wait()
		close(begin)
		if first, second := <-got, <-got; first == second {
			t.Errorf("two sinks of %v", first)
		}
	})
}

// lateContext is a context whose Done takes until begin is closed: whoever calls it is about to wait.
type lateContext struct {
	context.Context
	begin <-chan struct{}
}

func (c lateContext) Done() <-chan struct{} {
	<-c.begin
	return c.Context.Done()
}

// A closed contract gives nothing, and what it gave has ended.
func TestClose_EndsWhatTheContractGave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		defer x.Close()
		observe, expose := x.ObserveTag(tag), x.ExposeTag(tag)
		for i := range 2 {
			x.ObserveObject(hakuban.MustObject(i, "some-tag"))
		}
		sink, stream := must[*hakuban.Sink](t)(expose.Next(ctx)), must[*hakuban.Stream](t)(observe.Next(ctx))
		sinkEnds, streamEnds := sink.Context(), stream.Context()
		expose.Close() // while a second one waits
		observe.Close()
		<-sink.Done()
		<-stream.Done()
		for name, ended := range map[string]context.Context{"sink": sinkEnds, "stream": streamEnds} {
			if !errors.Is(context.Cause(ended), hakuban.ErrClosed) {
				t.Errorf("the %s's context: %v", name, context.Cause(ended))
			}
		}
		if err := sink.Send(hakuban.NewState("late")); !errors.Is(err, hakuban.ErrClosed) {
			t.Errorf("Send: %v", err)
		}
		if _, err := stream.Next(ctx); !errors.Is(err, hakuban.ErrClosed) {
			t.Errorf("Next of the stream: %v", err)
		}
		if _, ok := expose.TryNext(); ok {
			t.Error("a closed contract gave a sink")
		}
		if _, ok := observe.TryNext(); ok {
			t.Error("a closed contract gave a stream")
		}
		if _, err := expose.Next(ctx); !errors.Is(err, hakuban.ErrClosed) {
			t.Errorf("Next of the expose contract: %v", err)
		}
		if _, err := observe.Next(ctx); !errors.Is(err, hakuban.ErrClosed) {
			t.Errorf("Next of the observe contract: %v", err)
		}
		sink.Release() // which is late, and harms nobody
		stream.Release()
	})
}

// Who waits when its contract closes is told.
func TestClose_EndsAWaitForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		defer x.Close()
		expose := x.ExposeObject(room)
		go func() { time.Sleep(time.Second); expose.Close() }()
		if _, err := expose.Next(ctx); !errors.Is(err, hakuban.ErrClosed) {
			t.Errorf("Next: %v", err)
		}
	})
}

// A claim that was released is somebody else's.
func TestUpstream_AReleasedClaimAttachesNothing(t *testing.T) {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	first := must[*hakuban.Upstream](t)(x.ClaimUpstream())
	first.Release()
	if link, err := first.Attach(hakuban.LinkOptions{}); !errors.Is(err, hakuban.ErrUpstream) {
		t.Errorf("a released claim: link %v, %v", link, err)
	}
	second := must[*hakuban.Upstream](t)(x.ClaimUpstream())
	first.Release() // again, which is not the second's
	if _, err := x.ClaimUpstream(); !errors.Is(err, hakuban.ErrUpstream) {
		t.Errorf("a third claim beside the second: %v", err)
	}
	if link, err := first.Attach(hakuban.LinkOptions{}); !errors.Is(err, hakuban.ErrUpstream) {
		t.Errorf("a released claim, while another holds the place: link %v, %v", link, err)
	}
	link := must[*hakuban.Link](t)(second.Attach(hakuban.LinkOptions{}))
	second.Release()
	if link.Err() != nil {
		t.Errorf("the link went with its claim: %v", link.Err())
	}
}

// The place of an upstream is free again when its link has ended, and not before.
func TestUpstream_ALinkHoldsThePlaceUntilItEnds(t *testing.T) {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	for range 2 {
		link := must[*hakuban.Link](t)(x.AttachUpstream(hakuban.LinkOptions{}))
		if _, err := x.AttachUpstream(hakuban.LinkOptions{}); !errors.Is(err, hakuban.ErrUpstream) {
			t.Errorf("a second link to an upstream: %v", err)
		}
		link.Detach(nil)
	}
}

// Objects that wait for a load limit to rise are looked at at times of their own, which are not in the order in which they began to wait:
// the exchange's timer is moved forward for a later one whose time comes first.
func TestTimer_IsMovedForward(t *testing.T) {
	for before := range 4 { // what an object's time is depends on how many there were
		synctest.Test(t, func(t *testing.T) { timerIsMovedForward(t, before) })
	}
}

func timerIsMovedForward(t *testing.T, before int) {
	x, y := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
	defer x.Close()
	defer y.Close()
	for i := range before {
		x.ObserveObject(hakuban.MustObject(i, "another-tag")).Close()
	}
	rises := []hakuban.LoadPoint{{After: 100 * time.Millisecond}, {After: 100 * time.Millisecond, Load: 1000}}
	pipe := must[*transport.Conduit](t)(transport.Pipe(x, y, &transport.Options{LoadLimit: rises}))
	defer pipe.Close()
	y.ExposeTag(tag)
	synctest.Wait()
	const objects = 16
	for i := range objects {
		x.ObserveObject(hakuban.MustObject(i, "some-tag"))
		synctest.Wait()
	}
	instants, elected := 0, 0
	for begin := time.Now(); elected < objects; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 1600*time.Millisecond {
			t.Fatalf("%d of %d objects were elected for in 1.6 s; each is looked at within 1.5 s", elected, objects)
		}
		was := elected
		elected = 0
		for _, o := range x.Snapshot().Objects {
			if o.Elected.Kind == hakuban.ElectedLink {
				elected++
			}
		}
		if elected > was {
			instants++
		}
	}
	if instants < objects*3/4 {
		t.Errorf("%d objects were elected for at %d instants: those whose time came first waited for another's", objects, instants)
	}
}
