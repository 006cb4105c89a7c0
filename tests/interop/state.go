package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Object is an object's id: JSON texts, as on the wire.
type Object struct {
	Tags []string
	JSON string
}

// NewObject is the object with this id and these tags, all plain strings.
func NewObject(id string, tags ...string) Object {
	object := Object{Tags: []string{}, JSON: Text(id)}
	for _, tag := range tags {
		object.Tags = append(object.Tags, Text(tag))
	}
	slices.Sort(object.Tags)
	return object
}

// Text is the JSON text of a plain string.
func Text(value string) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic("BUG: a string has no JSON text: " + err.Error())
	}
	return string(text)
}

// Equal compares ids that the reference printed, whose tags are sorted.
func (o Object) Equal(other Object) bool {
	return o.JSON == other.JSON && slices.Equal(o.Tags, other.Tags)
}

// State is one state of an object.
type State struct {
	Data    []byte
	Format  []string
	Version []int64 // nil to send with the sender's default
	// SynchronizedMicros is 0 for "now", else the microseconds since the state was last known current.
	SynchronizedMicros uint64
}

// NewState is a state of plain text with a version of its own, current now.
func NewState(text string, version ...int64) State {
	return State{Data: []byte(text), Format: []string{"TEXT"}, Version: version}
}

// LastAt is the same state, current that long ago.
func (s State) LastAt(ago time.Duration) State {
	s.SynchronizedMicros = uint64(ago.Microseconds())
	return s
}

// Now says whether the state's flag is "now".
func (s State) Now() bool { return s.SynchronizedMicros == 0 }

// SameData compares everything but the flag.
func (s State) SameData(other State) bool {
	return bytes.Equal(s.Data, other.Data) && slices.Equal(s.Format, other.Format) && slices.Equal(s.Version, other.Version)
}

func (s State) String() string {
	data := fmt.Sprintf("%q", s.Data)
	if len(s.Data) > 60 {
		data = fmt.Sprintf("%q… (%d bytes)", s.Data[:40], len(s.Data))
	}
	flag := "now"
	if !s.Now() {
		flag = fmt.Sprintf("last %v ago", time.Duration(s.SynchronizedMicros)*time.Microsecond)
	}
	return fmt.Sprintf("%v %v %s %s", s.Version, s.Format, data, flag)
}
