// Package wire is the protocol of hakuban 0.8.5: its types, their encoding, and the identity of object and tag descriptors.
//
// A link carries one [Event] in each binary websocket message. [AppendEvent] encodes one, [DecodeEvent] decodes one that a
// stranger sent: it takes memory in proportion to the bytes it was given, never on the word of a length prefix, and refuses
// with a [DecodeError] what the reference refuses, what crashes the reference, and what exceeds [Limits].
//
// Objects and tags are named by JSON texts. Two texts name the same thing when the reference's JSON library holds them equal;
// [Canonical] and [Descriptor] decide that.
//
// The package is pure: no goroutine, clock, randomness or I/O, and equal inputs give equal outputs on every machine.
package wire
