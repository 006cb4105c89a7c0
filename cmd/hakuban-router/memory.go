package main

import (
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// The parts of a memory limit, as fractions.
const (
	// heapPart of what a cgroup allows is for the Go runtime, which collects garbage more often as it comes close. The rest is for what
	// the kernel keeps of sockets.
	heapPart = 0.9
	// fullPart of what the Go runtime may use is as far as newcomers may fill it.
	fullPart = 0.9
)

// limitMemory keeps to the memory limit of the cgroup, unless the environment variable GOMEMLIMIT says otherwise.
func limitMemory(logger *slog.Logger) {
	if _, err := memlimit.Set(memlimit.WithRatio(heapPart), memlimit.WithProvider(memlimit.FromCgroup)); err != nil {
		logger.Debug("no memory limit", "reason", err)
	}
}

// collecting is held while garbage is collected for the sake of newcomers, and for a while after.
var collecting atomic.Bool

// collect finds out what is garbage by now, without waiting: a router that nobody is let into makes none, so the runtime may not look
// for minutes.
func collect() {
	if collecting.CompareAndSwap(false, true) {
		go func() {
			runtime.GC()
			time.AfterFunc(time.Second, func() { collecting.Store(false) })
		}()
	}
}

// overload refuses newcomers while what is in use, garbage aside, leaves too little of the memory limit to those who are here.
func overload() error {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return nil
	}
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}, {Name: "/memory/classes/os-stacks:bytes"}, {Name: "/memory/classes/metadata/other:bytes"}}
	metrics.Read(samples)
	used := uint64(0)
	for _, sample := range samples {
		used += sample.Value.Uint64()
	}
	if float64(used) < fullPart*float64(limit) {
		return nil
	}
	collect()
	return fmt.Errorf("memory is short: %d MiB of %d are in use", used>>20, limit>>20)
}
