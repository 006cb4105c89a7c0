package sim

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind says what a choice is about.
type Kind uint8

// The kinds of choice. A tape holds their names, so that their order is free.
const (
	kindNone Kind = iota
	chooseShape
	chooseSize
	chooseParent
	chooseObjects
	chooseTags
	chooseObjectTags
	chooseWorkload
	chooseFaultOn
	chooseRebalance
	chooseLoadLimit
	chooseSlot
	chooseGap
	chooseNode
	choosePick
	chooseObject
	chooseCapacity
	chooseVersion
	chooseFlag
	chooseSize2
	chooseFormat
	chooseFault
	chooseTarget
	chooseTarget2
	chooseDuration
	chooseDetail
	chooseDelay
	chooseSlow
	chooseAppDelay
	chooseDial
	chooseNotice
	chooseKeep
	chooseDense
	chooseBudget
	chooseLimits
	chooseSlice
	chooseDialect
	kindCount
)

var kindNames = [kindCount]string{
	"none", "shape", "size", "parent", "objects", "tags", "object-tags", "workload", "fault-on", "rebalance",
	"load-limit", "slot", "gap", "node", "pick", "object", "capacity", "version", "flag", "payload", "format",
	"fault", "target", "target2", "duration", "detail", "delay", "slow", "app-delay", "dial", "notice", "keep",
	"dense", "budget", "limits", "slice", "dialect",
}

// String returns the kind's name in a tape.
func (k Kind) String() string { return kindNames[k] }

// Label names one choice of a run: its kind, the exchanges or whatever else it
// is between, and how many of its sort came before.
type Label struct {
	Kind     Kind
	From, To int16
	Ordinal  uint32
}

// String returns "kind/from/to/ordinal".
func (l Label) String() string {
	return fmt.Sprintf("%s/%d/%d/%d", l.Kind, l.From, l.To, l.Ordinal)
}

// ParseLabel is the inverse of [Label.String].
func ParseLabel(text string) (Label, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 4 {
		return Label{}, fmt.Errorf("label %q: expected kind/from/to/ordinal", text)
	}
	var label Label
	for k, name := range kindNames {
		if name == parts[0] {
			label.Kind = Kind(k)
		}
	}
	from, err1 := strconv.ParseInt(parts[1], 10, 16)
	to, err2 := strconv.ParseInt(parts[2], 10, 16)
	ordinal, err3 := strconv.ParseUint(parts[3], 10, 32)
	if label.Kind == kindNone || err1 != nil || err2 != nil || err3 != nil {
		return Label{}, fmt.Errorf("label %q: unknown kind or bad number", text)
	}
	label.From, label.To, label.Ordinal = int16(from), int16(to), uint32(ordinal)
	return label, nil
}

// Source answers the choices of a run.
type Source interface {
	// Choose returns a number below n (at least 1), always the same for the same
	// label and n. Zero is the dull answer.
	Choose(label Label, n uint32) uint32
}

// Seed is a source that answers with a hash of itself and the label.
type Seed uint64

// Choose implements [Source].
func (s Seed) Choose(label Label, n uint32) uint32 {
	x := uint64(s)*0x9e3779b97f4a7c15 + uint64(label.Kind)<<56 ^ uint64(uint16(label.From))<<40 ^ uint64(uint16(label.To))<<24 ^ uint64(label.Ordinal)
	x = mix(mix(x) + uint64(s))
	return uint32((x >> 32) * uint64(n) >> 32)
}

// mix is the finaliser of splitmix64.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// Recorder passes choices through and keeps those that are not zero.
type Recorder struct {
	Source  Source
	Choices map[Label]uint32
}

// Choose implements [Source].
func (r *Recorder) Choose(label Label, n uint32) uint32 {
	value := r.Source.Choose(label, n)
	if value != 0 {
		r.Choices[label] = value
	}
	return value
}
