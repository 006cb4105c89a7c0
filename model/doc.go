// Package model is spec/hakuban.tla as executable Go, action for action.
//
// The tests explore every configuration of spec/ and must find what TLC found:
// as many states, generated and distinct, as deep, by the same actions, and the
// same states (spec/golden). So whoever trusts TLC can trust this package, which
// is faster, needs no Java, and can be asked about one step.
//
// A [Model] is the constants of the specification. A [State] is one state: what
// each exchange knows, and what is between the two ends of each link. Each
// action is a method that yields the states it can lead to or, when it is not
// enabled, says which condition is false first; [Model.Successors] asks all of
// them. Budgets are no part of a model: see [Configuration].
//
// Things are named by their index in the model's lists. Inside a node, contracts
// and links have the index they have among those of that node (ContractsAt,
// DownstreamLinks).
package model
