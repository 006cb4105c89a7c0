// Package refinement holds every step of a simulated run to the specification.
//
// A run has exchanges, messages in flight and losses; spec/hakuban.tla, by way
// of its twin in model, has states and actions. For each object of the run
// [Refinement] keeps the state of the specification that the run is in, worked
// out from the snapshots of all cores and the bytes in flight, and demands that
// whatever happens is a sequence of the actions that docs/spec-map.md names for
// it, or nothing. docs/refinement.md says field by field what is compared and
// what is forgotten.
//
// The reading path: [Refinement.AfterStep] (what happened) → session.go (what is
// in flight) → abstraction.go (the state that the run is in) → plan.go (the
// actions that should lead there) → explain.go (why they do not).
package refinement
