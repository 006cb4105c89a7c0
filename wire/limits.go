package wire

import "cmp"

// Limits bounds what a peer can make this end hold. Every bound is inclusive, and exceeding one is the peer's fault.
// The reference has no bounds but that on messages; the others are far above what it is used for.
type Limits struct {
	Message      int // bytes of one event
	State        int // bytes of one state's data once patched; for the caller of wire/diff, DecodeEvent does not see it
	Diff         int // bytes of one diff
	Descriptor   int // bytes of one JSON text as received, and of an object's json and tags together as spelled
	Tags         int // tags of one object
	Version      int // elements of a version
	Formats      int // elements of a format
	Format       int // bytes of one element of a format
	Name         int // bytes of a name
	LoadPoints   int // points of a load limit
	Actions      int // actions of one control message; a fresh link's second one has every contract of the peer
	States       int // actions of one state message
	Initializers int // actions of an Uninitialized message, of which the protocol wants exactly one
}

// DefaultLimits are the limits used where nil is given. Message is the reference's own bound.
// An action takes 96 bytes of memory and as few as 2 of the message, which is what Actions and States bound: to 100 MB and 6 MB.
var DefaultLimits = Limits{
	Message:      64 << 20,
	State:        64 << 20,
	Diff:         64 << 20,
	Descriptor:   1 << 20,
	Tags:         1 << 10,
	Version:      1 << 10,
	Formats:      1 << 8,
	Format:       1 << 16,
	Name:         1 << 16,
	LoadPoints:   1 << 12,
	Actions:      1 << 20,
	States:       1 << 10,
	Initializers: 16,
}

// WithDefaults returns the limits with [DefaultLimits] in place of every zero.
func (l Limits) WithDefaults() Limits {
	d := DefaultLimits
	return Limits{
		Message:      cmp.Or(l.Message, d.Message),
		State:        cmp.Or(l.State, d.State),
		Diff:         cmp.Or(l.Diff, d.Diff),
		Descriptor:   cmp.Or(l.Descriptor, d.Descriptor),
		Tags:         cmp.Or(l.Tags, d.Tags),
		Version:      cmp.Or(l.Version, d.Version),
		Formats:      cmp.Or(l.Formats, d.Formats),
		Format:       cmp.Or(l.Format, d.Format),
		Name:         cmp.Or(l.Name, d.Name),
		LoadPoints:   cmp.Or(l.LoadPoints, d.LoadPoints),
		Actions:      cmp.Or(l.Actions, d.Actions),
		States:       cmp.Or(l.States, d.States),
		Initializers: cmp.Or(l.Initializers, d.Initializers),
	}
}

// orDefault returns l, or DefaultLimits for nil.
func (l *Limits) orDefault() *Limits {
	if l == nil {
		return &DefaultLimits
	}
	return l
}
