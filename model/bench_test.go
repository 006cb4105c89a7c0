package model

import "testing"

// BenchmarkExplore reports states generated a second and processor.
func BenchmarkExplore(b *testing.B) {
	for b.Loop() {
		r := S().Explore()
		b.ReportMetric(float64(r.Generated)*float64(b.N)/b.Elapsed().Seconds(), "generated/s")
	}
}
