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
	Elements     int // elements of all lists of one message: its actions, and the tags of each, and so on
}

// DefaultLimits are the limits used where nil is given. Message is the reference's own bound.
//
// They bound the memory that decoding a message takes: to 50 times its size, and to 144 MiB and twice its size. What takes most for
// its size is an action on states, 96 bytes for as few as 2, which States bounds to 98 KB; an action of control, 96 bytes for as few
// as 3, which Actions bounds to 96 MiB; a tag, 16 bytes for as few as 1, which Elements bounds to 48 MiB beside that many actions.
// A text takes at most twice its bytes besides.
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
	Elements:     1 << 22,
}

// WithDefaults returns the limits with [DefaultLimits] in place of each that is zero or below.
func (l Limits) WithDefaults() Limits {
	d := DefaultLimits
	return Limits{
		Message:      cmp.Or(max(l.Message, 0), d.Message),
		State:        cmp.Or(max(l.State, 0), d.State),
		Diff:         cmp.Or(max(l.Diff, 0), d.Diff),
		Descriptor:   cmp.Or(max(l.Descriptor, 0), d.Descriptor),
		Tags:         cmp.Or(max(l.Tags, 0), d.Tags),
		Version:      cmp.Or(max(l.Version, 0), d.Version),
		Formats:      cmp.Or(max(l.Formats, 0), d.Formats),
		Format:       cmp.Or(max(l.Format, 0), d.Format),
		Name:         cmp.Or(max(l.Name, 0), d.Name),
		LoadPoints:   cmp.Or(max(l.LoadPoints, 0), d.LoadPoints),
		Actions:      cmp.Or(max(l.Actions, 0), d.Actions),
		States:       cmp.Or(max(l.States, 0), d.States),
		Initializers: cmp.Or(max(l.Initializers, 0), d.Initializers),
		Elements:     cmp.Or(max(l.Elements, 0), d.Elements),
	}
}

// orDefault returns l, or DefaultLimits for nil.
func (l *Limits) orDefault() *Limits {
	if l == nil {
		return &DefaultLimits
	}
	return l
}
