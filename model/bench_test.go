//go:build unix

package model

import (
	"syscall"
	"testing"
)

// BenchmarkExplore reports how many states are generated in a second of one
// processor: the clock would also count other programs.
func BenchmarkExplore(b *testing.B) {
	generated := 0
	before := processorSeconds(b)
	for b.Loop() {
		generated += S().Explore().Generated
	}
	b.ReportMetric(float64(generated)/(processorSeconds(b)-before), "generated/cpu-s")
}

func processorSeconds(b *testing.B) float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
