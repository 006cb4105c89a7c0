// Package sim runs trees of real exchange cores in virtual time.
//
// A [World] is a tree of exchanges. Each is an [impl.Exchange] with a small
// application above it, which opens contracts, takes offers, publishes and
// reads. Each child has one link to its parent. A link is a network of its own:
// it carries the very bytes that the cores encode, in order, late, or not at
// all, and each of its two ends learns by itself that a session began or ended.
//
// Nothing in a run is random. Whatever could be one way or another is asked of
// a [Source] under a [Label] that says what the choice is about, and zero is
// always the dull answer: no action, no fault, no delay. A seed answers with a
// hash of itself and the label; a [Tape] answers with what was recorded, and
// with zero where nothing was. A tape therefore survives changes of unrelated
// code, and can be shrunk by forgetting parts of it.
//
// A run is chaos, then calm. In chaos contracts come and go, states are
// published, and faults are injected. In calm everything heals and nothing new
// is asked for; within [CalmBound] of virtual time the tree must be quiet, and
// then every observer must hold what its elected exposer published last. At the
// end all contracts close, and everything must be forgotten.
//
// The properties are in package checker, one file each. Steps are checked as
// they happen; whole exchanges are looked at every few steps, because a look
// costs more than a step. [Observer] is the hook for checkers that want to see
// everything.
//
// Start reading at run.go, then world.go, session.go, workload.go and fault.go.
package sim
