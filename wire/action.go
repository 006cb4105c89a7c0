package wire

import (
	"math"
	"strconv"
)

// ActionKind is the variant of a [ControlAction], the nested enums of the encoding flattened into one.
type ActionKind uint8

const (
	// ActionSetName tells the sender's Name.
	ActionSetName ActionKind = iota
	// ActionSetLoadLimit replaces the sender's LoadLimit; an empty one means unlimited.
	ActionSetLoadLimit
	// ActionObserveObject and those below it change contracts on the object {Tags, JSON}.
	ActionObserveObject
	// ActionUnobserveObject takes back ActionObserveObject.
	ActionUnobserveObject
	// ActionExposeObject offers to expose the object, with Capacity.
	ActionExposeObject
	// ActionUnexposeObject takes back ActionExposeObject.
	ActionUnexposeObject
	// ActionSetObjectCapacity changes the Capacity of an offer on an object.
	ActionSetObjectCapacity
	// ActionObserveTag and those below it change contracts on the tag JSON.
	ActionObserveTag
	// ActionUnobserveTag takes back ActionObserveTag.
	ActionUnobserveTag
	// ActionExposeTag offers to expose every object with the tag, with Capacity.
	ActionExposeTag
	// ActionUnexposeTag takes back ActionExposeTag.
	ActionUnexposeTag
	// ActionSetTagCapacity changes the Capacity of an offer on a tag.
	ActionSetTagCapacity
)

var actionNames = [...]string{
	"set name", "set load limit",
	"observe object", "unobserve object", "expose object", "unexpose object", "set object capacity",
	"observe tag", "unobserve tag", "expose tag", "unexpose tag", "set tag capacity",
}

// String returns the action in words, for example "observe object".
func (k ActionKind) String() string {
	if int(k) < len(actionNames) {
		return actionNames[k]
	}
	return "action(" + strconv.Itoa(int(k)) + ")"
}

// OnObject reports whether the action concerns an object.
func (k ActionKind) OnObject() bool { return k >= ActionObserveObject && k <= ActionSetObjectCapacity }

// OnTag reports whether the action concerns a tag.
func (k ActionKind) OnTag() bool { return k >= ActionObserveTag && k <= ActionSetTagCapacity }

// hasCapacity reports whether the encoding of the action ends with a capacity.
func (k ActionKind) hasCapacity() bool {
	switch k {
	case ActionExposeObject, ActionSetObjectCapacity, ActionExposeTag, ActionSetTagCapacity:
		return true
	}
	return false
}

// ControlAction is one action on a control channel. Kind says which of the other fields are meaningful.
type ControlAction struct {
	Kind      ActionKind
	Name      string      // ActionSetName
	LoadLimit []LoadPoint // ActionSetLoadLimit
	Tags      []string    // actions on objects: each tag's JSON text, in no particular order on receipt
	JSON      string      // actions on objects and tags: the JSON text
	Capacity  uint32      // expose and set-capacity actions
}

// LoadPoint is one corner of a load limit: Load is the limit at Seconds after the limit was received.
type LoadPoint struct {
	Seconds float32 // finite, not negative, below maxLoadSeconds
	Load    uint32
}

// maxLoadSeconds is the bound (exclusive, 2^63) from which the reference crashes on a load limit: its clock cannot hold the sum.
const maxLoadSeconds = 1 << 63

// Fault says why no load limit can have the point, in words; "" if one can.
func (p LoadPoint) Fault() string {
	switch {
	case p.Seconds != p.Seconds:
		return "load limit seconds: not a number"
	case p.Seconds < 0:
		return "load limit seconds: negative"
	case p.Seconds >= maxLoadSeconds:
		return "load limit seconds: 2^63 or more"
	}
	return ""
}

// Nanoseconds returns Seconds in nanoseconds, saturated at the greatest int64 (about 292 years).
func (p LoadPoint) Nanoseconds() int64 {
	nanoseconds := float64(p.Seconds) * 1e9
	if nanoseconds >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(nanoseconds)
}

// StateActionKind is the variant of a [StateAction]. Its values are the indices in the encoding.
type StateActionKind uint8

const (
	// StatePatch is PatchAndSetAndMemorize: a new state, as a diff to the last one sent on the channel.
	StatePatch StateActionKind = 0
	// StateSetSynchronized changes the flag only.
	StateSetSynchronized StateActionKind = 1
)

// String returns "patch" or "set synchronized".
func (k StateActionKind) String() string {
	switch k {
	case StatePatch:
		return "patch"
	case StateSetSynchronized:
		return "set synchronized"
	}
	return "state(" + strconv.Itoa(int(k)) + ")"
}

// StateAction is one action on a state channel. StateSetSynchronized has only Synchronized.
type StateAction struct {
	Kind         StateActionKind
	Version      []int64  // compared lexicographically
	HasFormat    bool     // false: the format is that of the channel's last state
	Format       []string // meaningful, and possibly empty, when HasFormat
	Diff         []byte   // to the data of the channel's last state; see package wire/diff
	Synchronized uint64   // 0: current now; else microseconds since the state was last known current
}
