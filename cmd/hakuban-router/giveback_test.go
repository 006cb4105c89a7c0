package main

import "testing"

func TestMemoryKeeper_WaitsForTheEndOfGrowth(t *testing.T) {
	const mib = 1 << 20
	k := memoryKeeper{needed: 100 * mib}
	for i, look := range []struct {
		held   uint64
		excess bool
	}{
		{100 * mib, false}, {120 * mib, false}, {150 * mib, false}, // a quarter and 32 MiB more are kept
		{300 * mib, false}, {600 * mib, false}, // it grows
		{610 * mib, true}, // and has grown
		{605 * mib, true},
	} {
		if got := k.excess(look.held); got != look.excess {
			t.Errorf("look %d, at %d MiB: %v", i, look.held/mib, got)
		}
	}
	k.needed = 600 * mib
	if k.excess(605 * mib) {
		t.Error("what is needed is too much")
	}
}

func TestHeldMemory_IsKnown(t *testing.T) {
	ballast := make([]byte, 64<<20)
	for i := range ballast {
		ballast[i] = 1
	}
	if held := heldMemory(); held < 64<<20 {
		t.Errorf("%d bytes with a ballast of 64 MiB", held)
	}
	ballast[0] = 2
}
