// Package tidy holds the project to the rules that no compiler checks: what the deterministic core may use, which package may
// import which, how long a file may be, what must be documented, and what no file may hold.
//
// A rule looks at a [Tree] and returns what it found, one line for each breach. Each rule is tested twice: on this module, where it
// must find nothing, and on a bad sample, where it must find what was planted, so that no rule passes because it cannot fail.
package tidy
