//go:build unix

package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hakuban"
)

// pending is a future whose operation ends when results has one for it.
func pending(o *owner, results chan result, discarded *[]handle) handle {
	h, err := o.open(func(ctx context.Context) result {
		select {
		case r := <-results:
			return r
		default:
		}
		select {
		case r := <-results:
			return r
		case <-ctx.Done():
			return result{status: statusPending}
		}
	}, func(r result) { *discarded = append(*discarded, r.handle) })
	if err != nil {
		panic(err)
	}
	return h
}

func TestFuture_TimesOutAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o owner
		results := make(chan result)
		h, timeout := pending(&o, results, nil), time.Second
		if r := await(h, &timeout); r.status != statusPending {
			t.Errorf("%+v, expected pending", r)
		}
		results <- result{status: statusPointer, handle: 7}
		if r := await(h, &timeout); r.handle != 7 {
			t.Errorf("%+v, expected 7", r)
		}
		if r := await(h, &timeout); r.status != statusInvalidHandle {
			t.Errorf("%+v, expected that the handle has ended", r)
		}
		if len(o.futures) != 0 {
			t.Error("the owner still knows a future whose result was given")
		}
	})
}

func TestFuture_OneOfManyWaitersIsGivenTheResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o owner
		results, given := make(chan result), make(chan result, 8)
		h := pending(&o, results, nil)
		for range 7 {
			second, err := clone(h, kindFuture)
			if err != nil {
				t.Fatal(err)
			}
			go func() { given <- await(second, nil) }()
		}
		go func() { given <- await(h, nil) }()
		synctest.Wait()
		results <- result{status: statusPointer, handle: 7}
		pointers := 0
		for range 8 {
			switch r := <-given; {
			case r.handle == 7:
				pointers++
			case r.status != statusEndOfStream:
				t.Errorf("%+v", r)
			}
		}
		if pointers != 1 {
			t.Errorf("%d were given the result", pointers)
		}
	})
}

func TestFuture_DropGivesTheResultBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o owner
		var discarded []handle
		results, none := make(chan result), time.Duration(0)
		h := pending(&o, results, &discarded)
		await(h, &none)
		results <- result{status: statusPointer, handle: 7}
		synctest.Wait()
		if err := drop(h, kindFuture); err != nil || len(discarded) != 1 || discarded[0] != 7 {
			t.Errorf("%v: %v was given back, 7 was expected", err, discarded)
		}
	})
}

func TestFuture_OwnersDropEndsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o owner
		var waiting sync.WaitGroup
		for range 5 {
			h := pending(&o, nil, nil)
			waiting.Go(func() {
				if r := await(h, nil); r.status != statusEndOfStream {
					t.Errorf("%+v, expected the end", r)
				}
			})
		}
		synctest.Wait()
		o.closeAll()
		waiting.Wait()
		if r := await(pending(&o, nil, nil), nil); r.status != statusEndOfStream {
			t.Errorf("%+v of an owner that was dropped, expected the end", r)
		}
	})
}

func TestGuarded_TurnsAPanicIntoAStatus(t *testing.T) {
	r := guarded(func() result { panic("BUG: planted") })
	if r.status != statusInternal || r.err == nil {
		t.Errorf("%+v", r)
	}
	var o owner
	h, err := o.open(func(ctx context.Context) result {
		if ctx.Err() == nil {
			panic("BUG: planted")
		}
		return result{status: statusPending}
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := await(h, nil); r.status != statusInternal {
		t.Errorf("%+v of a future whose goroutine panics", r)
	}
}

func TestStatus_OfErrors(t *testing.T) {
	for err, want := range map[error]status{
		nil: statusOK, hakuban.ErrRevoked: statusEndOfStream, hakuban.ErrClosed: statusClosed, hakuban.ErrStale: statusStale,
		hakuban.ErrTooLarge: statusTooLarge, hakuban.ErrUpstream: statusHasUpstream, hakuban.ErrDescriptor: statusInvalidJSON,
		hakuban.ErrFormat: statusInvalidString, errors.New("another"): statusInvalidArgument,
	} {
		if seen := statusOf(err); seen != want {
			t.Errorf("%v: %d, expected %d", err, seen, want)
		}
	}
}

func TestLog_LevelsAsTheReferenceReadsThem(t *testing.T) {
	for list, want := range map[string]slog.Level{
		"": levelOff, "warn": slog.LevelWarn, "INFO": slog.LevelInfo, "off": levelOff, "trace": levelTrace, "warn,hakuban=debug": slog.LevelDebug,
		"debug,tokio=trace": slog.LevelDebug, "hakuban=error,info": slog.LevelError, "hakuban": levelTrace, "no-such-level": levelOff,
		"hakuban=": levelTrace, "info/needle": slog.LevelInfo, " warn , other=off": slog.LevelWarn,
	} {
		if level := ourLevel(list); level != want {
			t.Errorf("%q: %v, expected %v", list, level, want)
		}
	}
}

// A callback that is slow holds nobody up: what it cannot take is counted, and told with the next message.
func TestLog_SlowCallbackHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		taken, hold := make(chan string, 2*maxLogQueue), make(chan struct{})
		if err := setLogCallback(3, func(_ uint8, message string) { <-hold; taken <- message }); err != nil {
			t.Fatal(err)
		}
		for range 2 * maxLogQueue {
			logger.With("who", "test").WithGroup("g").Info("a message", "n", 1)
		}
		close(hold)
		synctest.Wait()
		logger.Info("one more")
		synctest.Wait()
		if err := setLogCallback(0, nil); err != nil {
			t.Fatal(err)
		}
		logger.Error("nobody is told")
		close(taken)
		count, told := 0, 0
		for message := range taken {
			if count++; message[0] == '(' {
				told++
			}
		}
		if count < maxLogQueue || count > maxLogQueue+3 || told != 1 {
			t.Errorf("%d messages came, of which %d tell of others", count, told)
		}
	})
}
