package impl

import (
	"slices"

	"hakuban/wire"
	"hakuban/wire/diff"
)

// Message is one websocket message that a pull answers with. A message that
// brings a state names the way to it, a [Delta]; the bytes of that are made by
// whoever writes.
type Message struct {
	data  []byte // all but the diff: a part of the pull's buffer
	delta *Delta // nil: data is the whole message
	at    int    // where in data the diff goes
}

// Delta returns what is still to be made for the message; nil: nothing.
func (m *Message) Delta() *Delta { return m.delta }

// Own is how many bytes the message has, its delta apart.
func (m *Message) Own() int { return len(m.data) }

// Append appends the message to dst. It makes the delta if nobody has.
func (m *Message) Append(dst []byte, encoder *diff.Encoder) []byte {
	if m.delta == nil {
		return append(dst, m.data...)
	}
	dst = append(dst, m.data[:m.at]...)
	dst = append(dst, m.delta.Make(encoder)...)
	return append(dst, m.data[m.at:]...)
}

// Parts returns the three pieces that the message is made of, in order, once its
// delta is made. The middle one is shared by all messages with that delta. They
// must not be changed.
func (m *Message) Parts() (head, diff, tail []byte) {
	if m.delta == nil {
		return m.data, nil, nil
	}
	return m.data[:m.at], m.delta.made, m.data[m.at:]
}

// Bytes returns a message as it goes out, for those who write few of them.
func (m *Message) Bytes() []byte { return m.Append(nil, new(diff.Encoder)) }

// Delta is the way from one state to another. It is a pure function of the two,
// so the core only names it, once for all links that need it, and whoever writes
// makes the bytes, outside of the core.
type Delta struct {
	old, new []byte // nil once it is made
	size     int    // of both
	made     []byte // nil: not yet

	// Driver is for whoever drives the core, who must not have one delta made by
	// several goroutines at once. The core does not look at it.
	Driver any
}

func newDelta(old, new *State) *Delta {
	return &Delta{old: old.data(), new: new.data(), size: len(old.data()) + len(new.data())}
}

// Size is how much there is to look at to make a delta, in bytes.
func (d *Delta) Size() int { return d.size }

// Make returns the diff with its length before it, as it stands in a message. It
// makes it the first time.
func (d *Delta) Make(encoder *diff.Encoder) []byte {
	if d.made == nil {
		const room = wire.MaxLength
		// What is new makes most of a diff. Growing to that size would take several times the memory.
		encoded := encoder.Append(make([]byte, room, room+64+diffBound(max(0, len(d.new)-len(d.old)))), d.old, d.new)
		length := wire.AppendLength(make([]byte, 0, room), len(encoded)-room)
		d.made = encoded[room-len(length):]
		copy(d.made, length)
		if len(d.made) < cap(d.made)/2 {
			d.made = slices.Clone(d.made)
		}
		d.old, d.new = nil, nil
	}
	return d.made
}
