// Package hakuban shares data objects between processes.
//
// A process says "I can produce this object" with an expose contract, or "I want to see it" with an observe contract, both opened on
// the process's [Exchange]. Exchanges are joined to others in a tree of links; package hakuban/transport makes them. For each object
// that somebody wants, one of those who can produce it is elected and given a [Sink]; what it sends reaches every observer's
// [Stream], as differences on the wire. Observers see the newest state only.
//
//	x := hakuban.NewExchange(nil)
//	defer x.Close()
//	room := hakuban.MustObject("xxx", "some-tag")
//
// # Names
//
// An [Object] is named by a JSON value and a set of tags. A [Tag] is a wildcard: a contract on a tag covers every live object that
// carries it. Both are comparable.
//
// # Lifetime
//
// An object lives as long as somebody has an object contract on it: this exchange, or an exchange downstream. It also lives while
// upstream, or a downstream link, has a channel open for its states. A tag contract keeps no object alive.
//
// An exposer is elected only while the object's data is needed: while somebody observes the object, other than its one producer. An
// exchange forgets an object that nobody needs.
//
// A contract lasts until it is closed, or its exchange is. The context given to a loop or to Each ends the loop, not the contract. An
// expose contract that nobody loops over any more can still be elected, and then nobody produces. So close it:
//
//	expose := x.ExposeObject(room)
//	defer expose.Close()
//
// Go has no destructors, so sinks and streams are given back: leaving the body of a loop over [ExposeContract.Sinks] or
// [ObserveContract.Streams] releases the one it was given, returning from the function of Each does, and Release does. What was
// taken by Next or TryNext must be released, also after it has ended: until then the contract is given no other for that object.
//
// # States
//
// A [State] is bytes with the names of the formats they were encoded with, a version, and how current it is. A state is taken when
// its version is greater than that of the one held, wherever it arrives. It is synchronized now as long as the exposer that sent it
// is elected and connected, and says so; from then on it is known when it last was. While one elected exposer hands over to another
// both may have a sink; the versions decide.
//
// # Errors
//
// Misuse gives an error, never a panic, but for what panics anywhere in Go: a method of nil or of a struct that this package did not
// make, a nil context, a nil function. A contract that cannot be opened, as on the zero Object or after [Exchange.Close], is returned
// already closed: loops over it end at once, and [ExposeContract.Err] and [ObserveContract.Err] say why. A panic that says BUG is a
// fault of this package.
package hakuban
