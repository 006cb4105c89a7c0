package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// memoryLook is how often the router looks at its memory.
	memoryLook = 2 * time.Second
	// memorySpare is how many bytes beyond what it needed it keeps in any case.
	memorySpare = 32 << 20
)

// giveBack gives memory back to the system when a time of much work is over, until ctx ends. The Go runtime itself looks for garbage only
// when new memory is asked for, or every two minutes, and keeps what it has for long after.
func giveBack(ctx context.Context) {
	ticker := time.NewTicker(memoryLook)
	defer ticker.Stop()
	keeper := memoryKeeper{needed: heldMemory()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if keeper.excess(heldMemory()) {
			debug.FreeOSMemory()
			keeper.needed = heldMemory()
		}
	}
}

// heldMemory is what the heap has of the system, in bytes: what is in use, garbage, and what is free.
func heldMemory() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(samples)
	held := uint64(0)
	for _, sample := range samples {
		held += sample.Value.Uint64()
	}
	return held
}

// memoryKeeper decides when the heap has too much.
type memoryKeeper struct {
	needed uint64 // in bytes: what the heap had when only what is used was left of it
	last   uint64 // what it had at the last look
}

// excess reports whether the heap has much more than it needed, and grows no more: collecting garbage in the middle of work would be in vain.
func (k *memoryKeeper) excess(held uint64) bool {
	quiet := held <= k.last+k.last/16
	k.last = held
	return quiet && held > k.needed+k.needed/4+memorySpare
}
