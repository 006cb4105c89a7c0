//go:build unix

package main

import (
	"runtime"
	"sync"
	"unsafe"
)

// loan is memory of Go's that the host reads until its handle ends: it stays where it is until then.
//
// Invariant: nothing is pinned once the loan is over, as it may be when a thread drops a handle that another one uses.
type loan struct {
	mu     sync.Mutex // guards what follows, and what was lent
	over   bool
	pinner runtime.Pinner
}

func (l *loan) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.pinner.Unpin()
}

// array is a borrowed array as C has it.
type array struct {
	length  int
	pointer unsafe.Pointer
}

// nothing is what empty arrays point at: hosts may want an address also then.
var nothing [8]byte

// lendSlice lends the host a slice whose elements point at nothing, or at what was lent by the same loan. The caller holds l.mu.
func lendSlice[T any](l *loan, slice []T) array {
	if len(slice) == 0 {
		l.pinner.Pin(&nothing)
		return array{0, unsafe.Pointer(&nothing)}
	}
	l.pinner.Pin(&slice[0])
	return array{len(slice), unsafe.Pointer(&slice[0])}
}

// lendText lends the host a text that ends with a NUL byte. The caller holds l.mu.
func lendText(l *loan, text string) *byte {
	bytes := append([]byte(text), 0)
	l.pinner.Pin(&bytes[0])
	return &bytes[0]
}

// owned are the arrays that the host owns, until it drops them.
var owned struct {
	mu    sync.Mutex
	loans map[unsafe.Pointer]*loan
}

// give makes the host the owner of an array.
func give(bytes []byte) array {
	if len(bytes) == 0 {
		return array{}
	}
	l := &loan{}
	l.mu.Lock()
	a := lendSlice(l, bytes)
	l.mu.Unlock()
	owned.mu.Lock()
	defer owned.mu.Unlock()
	if owned.loans == nil {
		owned.loans = map[unsafe.Pointer]*loan{}
	}
	owned.loans[a.pointer] = l
	return a
}

// dropArray takes an array back; one that was not given is ignored.
func dropArray(pointer unsafe.Pointer) {
	owned.mu.Lock()
	defer owned.mu.Unlock()
	if l := owned.loans[pointer]; l != nil {
		delete(owned.loans, pointer)
		l.end()
	}
}
