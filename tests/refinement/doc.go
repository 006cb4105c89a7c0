// Package refinement drives real cores, with their real messages, through the topologies of the specification's
// configurations, and holds each step against model/, the specification's Go twin.
//
// A world is the cores of one configuration and the bytes in flight between them. Its abstraction is a state of the model,
// field by field (abstract_test.go says what is forgotten). Every input of a core must lead to a state that the action of
// that input leads to in the model, or change nothing that the model knows. (tests/bisimulation compares both ways, and
// sim/refinement holds whole simulated trees to the model.)
//
//   - walk_test.go: random walks, each step refined
//   - balance_test.go: what a tick must do in them, where loads are counted; plants_test.go: bugs of loads that they refuse
//   - trace_test.go: walks written as TLA+ literals and given to TLC, whole and corrupted
//
// And it holds what real exchanges did to the model: with goroutines, real time and websockets, recorded and stepped again.
//
//   - real_test.go, relay_test.go: the applications, and the network that breaks
//   - recorded_test.go: every step is one of the specification
//   - corrupted_test.go: a recording of what did not happen is rejected, and where
//   - realtrace_test.go: what the exchanges did, given to TLC
//   - plants_test.go: real runs with bugs planted into the core
package refinement
