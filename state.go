package hakuban

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"hakuban/impl"
)

// State is one value of an object: bytes, the formats they were encoded with, a version, and how current it is. A State is
// immutable: the methods that change something return another one.
type State struct {
	value        any    // what is still to be encoded; nil when data holds
	data         []byte // nil: never encoded
	format       []string
	version      []int64
	synchronized Synchronized
	err          error // of an encoding; told by Send
}

// NewState makes a state of a value: synchronized now, with the default version. A []byte (which is copied) or a string is taken
// as the data as it stands; anything else must be encoded, by [State.EncodeJSON] or [State.Encode], before it can be sent.
func NewState(value any) State {
	switch value := value.(type) {
	case []byte:
		return State{value: value, data: append([]byte{}, value...)}
	case string:
		return State{value: value, data: []byte(value)}
	}
	return State{value: value}
}

// EncodeJSON encodes the state's value with encoding/json and adds the format name "JSON", which all exchanges know. An error is told
// by [Sink.Send].
func (s State) EncodeJSON() State { return s.Encode(jsonFormat{}) }

// Encode encodes the state's value, or the bytes that an earlier encoding left, and adds the format's names to the state's. An
// error is told by [Sink.Send].
func (s State) Encode(format Format) State {
	if s.err != nil {
		return s // an earlier encoding failed
	}
	if format == nil {
		s.err = fmt.Errorf("%w: a state encoded with nil", ErrFormat)
		return s
	}
	value := s.value
	if value == nil && s.data != nil {
		value = s.data
	}
	data, err := format.Encode(value)
	if err != nil {
		s.err = fmt.Errorf("hakuban: encoding a state as %q: %w", format.Names(), err)
		return s
	}
	s.value, s.data = nil, encoded(data)
	return s.WithFormat(append(slices.Clip(s.format), format.Names()...)...)
}

// WithFormat names the formats the data is encoded with, innermost first, without encoding anything.
func (s State) WithFormat(names ...string) State {
	s.format = slices.Clone(names)
	return s
}

// WithVersion sets the version: a list of numbers, compared element by element, the longer one being the greater where the other
// ends. An exchange takes a state only when its version is greater than that of the one it holds.
//
// The default, which no arguments ask for, is right unless versions come from elsewhere: 0, seconds and nanoseconds of the wall
// clock, or the successor of the newest version this exchange has known since the object came to life, where that is greater.
func (s State) WithVersion(version ...int64) State {
	s.version = slices.Clone(version)
	return s
}

// WithSynchronized sets how current the state is. Sending the same version again takes a "now" back: observers then see the time
// given, but none before the last "now" of that version was sent.
func (s State) WithSynchronized(synchronized Synchronized) State {
	s.synchronized = synchronized
	return s
}

// Data returns the encoded bytes. They are shared with the exchange and all who read this state: do not change them.
func (s State) Data() []byte { return s.data }

// Format returns the names of the formats the data is encoded with, innermost first.
func (s State) Format() []string { return slices.Clone(s.format) }

// Version returns the version; empty stands for the default one, on a state that was not received.
func (s State) Version() []int64 { return slices.Clone(s.version) }

// Synchronized tells how current the state is. On a state that was received it is what held when it was read.
func (s State) Synchronized() Synchronized { return s.synchronized }

// DecodeJSON decodes a state whose outermost format is "JSON", with encoding/json. It returns [ErrFormat] when it is another one.
func DecodeJSON[T any](state State) (T, error) { return Decode[T](state, jsonFormat{}) }

// Decode decodes a state whose outermost formats are those of format. It returns [ErrFormat] when they are others.
func Decode[T any](state State, format Format) (T, error) {
	var value T
	if err := state.check(); err != nil {
		return value, err
	}
	if format == nil {
		return value, fmt.Errorf("%w: a state decoded with nil", ErrFormat)
	}
	names := format.Names()
	inner := len(state.format) - len(names)
	if inner < 0 || !slices.Equal(state.format[inner:], names) {
		return value, fmt.Errorf("%w: the state's is %q, %q was expected", ErrFormat, state.format, names)
	}
	err := format.Decode(state.data, &value)
	return value, err
}

// check returns why the state has no data.
func (s State) check() error {
	if s.err == nil && s.data == nil {
		return fmt.Errorf("%w: a state of %T was never encoded", ErrFormat, s.value)
	}
	return s.err
}

// encoded is data that shows that a state was encoded.
func encoded(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// String returns the state for a person to read, its data cut after 64 bytes: `21.5` as ["JSON"], version [0 1763972130 5], now.
func (s State) String() string {
	if err := s.check(); err != nil {
		return err.Error()
	}
	const shown = 64
	data, rest := s.data, ""
	if len(data) > shown {
		data, rest = data[:shown], fmt.Sprintf(" and %d bytes more", len(data)-shown)
	}
	return fmt.Sprintf("%#q%s as %q, version %d, %v", data, rest, s.format, s.version, s.synchronized)
}

// A Format turns values into bytes and back: a serialization, or several layers such as JSON that is then compressed. Peers
// agree on formats by their names.
type Format interface {
	// Names are the names of the format's layers, innermost first, such as "JSON", "gzip".
	Names() []string
	// Encode encodes a value; bytes, when the state was encoded before. The result belongs to the state.
	Encode(value any) ([]byte, error)
	// Decode decodes into the value that into points at. It must not change data.
	Decode(data []byte, into any) error
}

type jsonFormat struct{}

func (jsonFormat) Names() []string                    { return []string{"JSON"} }
func (jsonFormat) Encode(value any) ([]byte, error)   { return json.Marshal(value) }
func (jsonFormat) Decode(data []byte, into any) error { return json.Unmarshal(data, into) }

// Synchronized tells how current a state is: now (the zero value), as long as the elected exposer is connected and says so; or
// last known to be so at some time.
type Synchronized struct {
	last time.Time
}

// LastAt is the Synchronized of a state last known to be current at t.
func LastAt(t time.Time) Synchronized {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return Synchronized{t}
}

// Now reports whether the state is known to be current.
func (s Synchronized) Now() bool { return s.last.IsZero() }

// LastAt returns when the state was last known to be current; the zero time when it is now.
func (s Synchronized) LastAt() time.Time { return s.last }

// Ago returns how long ago the state was last known to be current; 0 when it is now.
func (s Synchronized) Ago() time.Duration {
	if s.Now() {
		return 0
	}
	return max(time.Since(s.last), 1)
}

// String returns "now" or for example "5s ago".
func (s Synchronized) String() string {
	if s.Now() {
		return "now"
	}
	return s.Ago().Round(time.Millisecond).String() + " ago"
}

// input returns the state as the core takes it.
func (s State) input() *impl.State {
	return &impl.State{Version: s.version, Format: s.format, Data: s.data}
}
