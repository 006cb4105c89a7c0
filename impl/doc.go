// Package impl is the deterministic core of a Hakuban exchange.
//
// An [Exchange] is one value that changes only in [Exchange.Step]: it takes the
// time and one [Input], and answers with [Effect] values for whoever drives it.
// It has no goroutine, clock, randomness, I/O or logger, and nothing in it
// depends on the order of a map, so the same inputs give the same effects, byte
// for byte. The library, the router and the simulator all run this code.
//
// The core is level-triggered. What it owes a link is never queued: it is the
// difference between what should be so and what that link was last told, worked
// out when the link has room and pulls. A slow link therefore costs memory per
// object, never per update, and a change that was undone before the link pulled
// is never sent.
//
// Start reading at exchange.go (Step), then object.go (when an object lives and
// its data is needed), election.go, propagation.go and pull.go. Each transition
// names its action in spec/hakuban.tla.
package impl
