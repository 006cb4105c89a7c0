//go:build unix

package main

import (
	"fmt"
	"math/bits"
	"sync"
)

// handle is what the host holds in place of a pointer: a number that names a slot of the table, the kind of thing in it, and how often
// the slot was used before. It is odd, and no address: a host that looks behind it faults at once.
//
// From the lowest bit: 1, the kind, the slot, the generation.
type handle uintptr

const (
	kindBits       = 5
	slotBits       = bits.UintSize/2 - kindBits - 1
	generationBits = bits.UintSize / 2

	slotLimit       = 1 << slotBits
	generationLimit = 1 << generationBits
)

// kind is the type that a handle has in C. bridge.h has the same numbers.
type kind uint8

const (
	kindNone kind = iota
	kindExchange
	kindRuntime
	kindConnector
	kindListener
	kindTag
	kindObject
	kindObjectObserve
	kindTagObserve
	kindObjectExpose
	kindTagExpose
	kindStream
	kindSink
	kindSinkParams
	kindState
	kindFuture
)

var kindNames = [...]string{
	"nothing", "an exchange", "a runtime", "a connector", "a listener", "a tag descriptor", "an object descriptor",
	"an object observe contract", "a tag observe contract", "an object expose contract", "a tag expose contract", "a stream", "a sink",
	"sink params", "a state", "a future",
}

func (k kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// kind returns the kind that a handle claims to be of.
func (h handle) kind() kind { return kind(h >> 1 & (1<<kindBits - 1)) }

// table holds what handles name. Its zero value is good.
//
// Invariant: no two handles that were ever given are equal. A slot whose generations are used up is not used again.
type table struct {
	mu    sync.RWMutex
	slots []slot
	free  []uint // slots that hold nothing and can be used again
}

type slot struct {
	generation uint
	kind       kind // kindNone: it holds nothing
	borrowed   bool // it ends with another handle
	value      any
}

// handles is the table of the process.
var handles table

// add gives a value a handle of its own.
func (t *table) add(value any, kind kind) (handle, error) {
	return t.insert(slot{kind: kind, value: value})
}

// lend gives a value a handle that the host cannot drop; take back with end.
func (t *table) lend(value any, kind kind) (handle, error) {
	return t.insert(slot{kind: kind, value: value, borrowed: true})
}

func (t *table) insert(s slot) (handle, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var n uint
	if last := len(t.free) - 1; last >= 0 {
		n, t.free = t.free[last], t.free[:last]
		s.generation = t.slots[n].generation
	} else {
		if n = uint(len(t.slots)); n == slotLimit {
			return 0, failed(statusTooLarge, "there are %d handles already", n)
		}
		t.slots = append(t.slots, slot{})
	}
	t.slots[n] = s
	return handle(1 | uint(s.kind)<<1 | n<<(1+kindBits) | s.generation<<generationBits), nil
}

// slot returns the slot that a handle names, where it holds a thing of the kind. The caller holds mu.
func (t *table) slot(h handle, wanted kind) (*slot, error) {
	if h == 0 {
		return nil, failed(statusInvalidHandle, "null, where %v was expected", wanted)
	}
	seen, n, generation := h.kind(), uint(h)>>(1+kindBits)%slotLimit, uint(h)>>generationBits
	switch {
	case h&1 == 0 || seen == kindNone || int(seen) >= len(kindNames) || n >= uint(len(t.slots)):
		return nil, failed(statusInvalidHandle, "%#x is no handle; %v was expected", uint(h), wanted)
	case t.slots[n].generation != generation || t.slots[n].kind != seen:
		return nil, failed(statusInvalidHandle, "%v that was dropped already; %v was expected", seen, wanted)
	case seen != wanted:
		return nil, failed(statusInvalidHandle, "%v, where %v was expected", seen, wanted)
	}
	return &t.slots[n], nil
}

// lookup returns what a handle names.
func lookup[T any](t *table, h handle, kind kind) (T, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s, err := t.slot(h, kind)
	if err != nil {
		var nothing T
		return nothing, err
	}
	return s.value.(T), nil
}

// take ends a handle of the host's and returns what it named.
func (t *table) take(h handle, kind kind) (any, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, err := t.slot(h, kind)
	if err != nil {
		return nil, err
	}
	if s.borrowed {
		return nil, failed(statusInvalidHandle, "%v that ends with the handle it was asked of", kind)
	}
	return t.clear(h, s), nil
}

// end takes a lent handle back.
func (t *table) end(h handle, kind kind) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, err := t.slot(h, kind); err == nil {
		t.clear(h, s)
	}
}

func (t *table) clear(h handle, s *slot) any {
	value := s.value
	*s = slot{generation: s.generation + 1}
	if s.generation < generationLimit-1 {
		t.free = append(t.free, uint(h)>>(1+kindBits)%slotLimit)
	}
	return value
}

// size counts the handles that were given and not ended.
func (t *table) size() (n int) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, s := range t.slots {
		if s.kind != kindNone {
			n++
		}
	}
	return n
}
