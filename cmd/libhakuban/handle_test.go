//go:build unix

package main

import (
	"errors"
	"sync"
	"testing"
)

func TestTable_HandlesAreNeverGivenTwice(t *testing.T) {
	var handles table
	seen := map[handle]bool{}
	for round := range 1000 {
		var held []handle
		for range round % 7 {
			h, err := handles.add(round, kindState)
			if err != nil || h&1 == 0 || seen[h] {
				t.Fatalf("round %d: %#x, %v", round, h, err)
			}
			seen[h] = true
			held = append(held, h)
		}
		for _, h := range held {
			if value, err := handles.take(h, kindState); err != nil || value != round {
				t.Fatalf("took %v, %v", value, err)
			}
			if _, err := handles.take(h, kindState); statusOf(err) != statusInvalidHandle {
				t.Fatalf("taken twice: %v", err)
			}
		}
	}
	if n := handles.size(); n != 0 {
		t.Errorf("%d are left", n)
	}
	if n := len(handles.slots); n > 6 {
		t.Errorf("%d slots for 6 handles at a time", n)
	}
}

func TestTable_WornSlotIsNotUsedAgain(t *testing.T) {
	handles := table{slots: []slot{{generation: generationLimit - 2}}, free: []uint{0}}
	for want := range uint(3) {
		h, err := handles.add("worn", kindTag)
		if err != nil {
			t.Fatal(err)
		}
		if n := uint(h) >> (1 + kindBits) % slotLimit; n != 0 != (want > 0) {
			t.Errorf("handle %d is in slot %d", want, n)
		}
		if _, err := handles.take(h, kindTag); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTable_TellsWhatIsWrong(t *testing.T) {
	var handles table
	good, _ := handles.add("good", kindTag)
	dropped, _ := handles.add("dropped", kindObject)
	lent, _ := handles.lend("lent", kindTag)
	if _, err := handles.take(dropped, kindObject); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		h     handle
		kind  kind
		wants string
	}{
		{0, kindTag, "null, where a tag descriptor was expected"},
		{2, kindTag, "0x2 is no handle; a tag descriptor was expected"},
		{good, kindSink, "a tag descriptor, where a sink was expected"},
		{dropped, kindObject, "an object descriptor that was dropped already; an object descriptor was expected"},
		{lent, kindTag, "a tag descriptor that ends with the handle it was asked of"},
	} {
		if _, err := handles.take(c.h, c.kind); err == nil || err.Error() != c.wants || statusOf(err) != statusInvalidHandle {
			t.Errorf("%#x as %v: %v, expected %q", c.h, c.kind, err, c.wants)
		}
	}
	handles.end(lent, kindTag)
	if n := handles.size(); n != 1 {
		t.Errorf("%d handles are left, one was expected", n)
	}
}

func TestTable_FromManyGoroutines(t *testing.T) {
	var handles table
	var running sync.WaitGroup
	for n := range 8 {
		running.Go(func() {
			for range 1000 {
				h, err := handles.add(n, kindTag)
				if value, lookupErr := lookup[int](&handles, h, kindTag); errors.Join(err, lookupErr) != nil || value != n {
					t.Errorf("%v, %v, %v", value, err, lookupErr)
				}
				if _, err := handles.take(h, kindTag); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
}
