// Package linearizability holds the calls of several goroutines on one exchange against a sequential model of it, with
// Porcupine: each call must seem to take effect at one moment between its beginning and its end.
//
// That is promised for one exchange only. What travels over a link arrives later, so reads on another exchange are not
// linearizable; TestPropagatedReads_AreNotLinearizable makes that claim on purpose, and passes when Porcupine refuses it.
//
// # A run
//
// A seed makes a program (program_test.go): a few goroutines that share contracts, sinks and streams on up to three objects. It
// runs in a testing/synctest bubble (driver_test.go), so that the clock a call sees is known exactly, and so are the default versions
// and the times in flags. There are two schedules:
//
//   - virtual: around the effect of each call goroutines sleep until moments that no two share. One runs at a time, calls overlap all
//     the same, and the whole history is a function of the seed, so that it can be replayed.
//   - parallel: they yield to the scheduler instead and run at once, on all processors; the program is a function of the seed, the
//     history is not. Time hardly passes, so that Porcupine has the order of calls to find.
//
// network_test.go runs them while the exchange has one above and one below it, on simulated links that are slow and break as the seed
// says, and that carry states of an object of others.
//
// unbubbled_test.go runs the same programs outside a bubble, on the wall clock, where times are forgotten.
//
// Each run ends, when all is quiet, with a look at everything there is.
//
// # The model
//
// model_test.go is written from docs/spec-map.md and docs/deviations.md, not from the core. Its state is one object: contracts and
// their offers, who is elected, the state held and its flag. A history is checked twice: object by object, where a call on a tag
// contract or a snapshot counts for each object it covers, and whole, where such a call must take effect on all at one moment.
//
// The clock does not go back: calls take effect in the order of the times they saw. Beyond that any order will do that Porcupine finds
// between their beginnings and ends.
//
// Left open, because the API leaves it open: in which order a tag contract is offered the sinks or streams of several objects. A
// wait that ran out tells that nothing had come when it did, which is how a lost wake-up is found.
//
// # Whether it can fail
//
// mutant_test.go gives it wrong models, one rule of each changed, and wrong histories, one result of each changed; all must be refused.
//
// # When it fails
//
// The message has the seed and the schedule, and names an HTML page with Porcupine's picture of the history:
//
//	go test ./tests/linearizability -run Linearizable -seed 17 -artifacts
//
// runs that seed alone and keeps the page. -seeds changes how many are run.
package linearizability
