//go:build !race

// Package race tells tests whether the race detector is on. Searches of one goroutine, and those whose goroutines share nothing but a
// queue, are cut short then: the detector makes them ten times as slow and has nothing to find in what was left out. What uses
// goroutines as users do is never cut. Processes that are built without the detector are none of its business: tests of those alone are
// left to the run without it, see [Main].
package race

// Enabled reports whether the race detector is on.
const Enabled = false
