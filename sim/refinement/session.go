package refinement

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"

	"hakuban/impl"
	"hakuban/model"
	"hakuban/sim"
	"hakuban/wire"
	"hakuban/wire/diff"
)

// The ends of a session; each is also the direction in which it sends.
const (
	childEnd  = 0
	parentEnd = 1
)

// session is one session as the specification sees it: the two ends, each of
// which learns by itself that it is over, and what is in flight.
type session struct {
	sim.Session
	links  [2]impl.LinkID
	ends   [2]model.End
	queues [2][]message // by the sending end

	// Messages overtake one another, but for those of one channel.
	unordered bool

	told     map[string]model.Asks // by thing: what the child has asked for, as sent
	channels map[uint64]*channel   // state channels, all numbered by the parent
}

// channel is what a session's state channel carried, as sent.
type channel struct {
	object string // key
	last   *impl.State
	now    bool
	used   bool
}

// message is one message of a session, taken apart.
type message struct {
	data    []byte
	none    bool // no message of the specification
	kind    model.MessageKind
	object  string // key; empty in ContractsMessage
	channel uint64
	sink    bool
	state   *impl.State
	now     bool
	changed []string              // ContractsMessage: things
	told    map[string]model.Asks // ContractsMessage: all that is asked for after it
	before  map[string]model.Asks // ContractsMessage: and before it
	actions []wire.ControlAction  // ContractsMessage
	joined  []message             // StateMessage: those before it, in the same message of the wire
}

func newSession(public sim.Session) *session {
	return &session{Session: public, told: make(map[string]model.Asks), channels: make(map[uint64]*channel)}
}

// at is the exchange at an end.
func (s *session) at(end int) int {
	if end == childEnd {
		return s.Child
	}
	return s.Parent
}

func (s *session) over() bool { return s.ends[0] == model.Off && s.ends[1] == model.Off }

// detach is the specification's Parted.
func (s *session) detach(end int) {
	if s.ends[1-end] != model.On {
		s.ends, s.queues = [2]model.End{}, [2][]message{}
		return
	}
	s.ends[end] = model.Gone
	s.queues[1-end] = nil
}

// send takes apart what an end wrote, and queues it unless the other end has left.
func (s *session) send(r *Refinement, end int, data []byte) (*message, error) {
	data = slices.Clone(data)
	event, err := wire.DecodeEvent(data, &wire.DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("a core wrote what does not decode: %w", err)
	}
	m := message{data: data, channel: event.Channel.Number}
	switch event.Kind {
	case wire.EventOpen:
		m.none = true
	case wire.EventClose:
		err = s.sendClose(&m)
	case wire.EventMessage:
		err = s.sendMessage(r, &m, &event.Message)
	}
	if err != nil {
		return nil, err
	}
	if s.ends[1-end] != model.Gone {
		s.queues[end] = append(s.queues[end], m)
	}
	return &m, nil
}

func (s *session) sendClose(m *message) error {
	c := s.channels[m.channel]
	if c == nil {
		return fmt.Errorf("close of channel %d, which is not open", m.channel)
	}
	// It is kept: the child may write on it until it learns of this.
	m.kind, m.object = model.CloseMessage, c.object
	return nil
}

func (s *session) sendMessage(r *Refinement, m *message, sent *wire.Message) error {
	switch sent.Kind {
	case wire.MessageUninitialized:
		return s.sendInitialize(r, m, &sent.Initialize[0])
	case wire.MessageUpstreamControl:
		return s.sendContracts(r, m, sent.Control)
	case wire.MessageStateStream:
		return s.sendState(m, sent.States)
	}
	m.none = true
	return nil
}

func (s *session) sendInitialize(r *Refinement, m *message, kind *wire.ChannelType) error {
	if kind.Kind != wire.ChannelSink && kind.Kind != wire.ChannelStream {
		m.none = true
		return nil
	}
	key, err := r.key(kind.Tags, kind.JSON)
	if err != nil {
		return err
	}
	m.kind, m.object, m.sink = model.OpenMessage, key, kind.Kind == wire.ChannelSink
	s.channels[m.channel] = &channel{object: key}
	return nil
}

func (s *session) sendState(m *message, actions []wire.StateAction) error {
	c := s.channels[m.channel]
	if c == nil {
		return fmt.Errorf("a state on channel %d, which was never opened", m.channel)
	}
	before, beforeNow, used := c.last, c.now, c.used
	for i := range actions {
		action := &actions[i]
		c.now, c.used = action.Synchronized == 0, true
		if action.Kind != wire.StatePatch {
			continue
		}
		var old []byte
		format := action.Format
		if c.last != nil {
			old = c.last.Data
			if !action.HasFormat {
				format = c.last.Format
			}
		}
		data, err := diff.Patch(old, action.Diff, math.MaxInt32)
		if err != nil {
			return fmt.Errorf("a state on channel %d: %w", m.channel, err)
		}
		c.last = &impl.State{Version: action.Version, Format: format, Data: data}
	}
	m.kind, m.object, m.state, m.now = model.StateMessage, c.object, c.last, c.now
	// A last-at that moved: the specification's flags have no time.
	m.none = used && before == c.last && beforeNow == c.now
	return nil
}

func (s *session) sendContracts(r *Refinement, m *message, actions []wire.ControlAction) error {
	told, err := r.ask(m, s.told, actions)
	if err != nil {
		return err
	}
	s.told = told
	return nil
}

// ask makes a message of some actions, and returns what is asked for after it.
func (r *Refinement) ask(m *message, before map[string]model.Asks, actions []wire.ControlAction) (told map[string]model.Asks, err error) {
	told = maps.Clone(before)
	for i := range actions {
		action := &actions[i]
		var thing string
		switch {
		case action.Kind < wire.ActionObserveObject:
			continue
		case action.Kind < wire.ActionObserveTag:
			key, err := r.key(action.Tags, action.JSON)
			if err != nil {
				return nil, err
			}
			thing = objectThing(key)
		default:
			thing = tagThing(r.identity(action.JSON))
		}
		asks := told[thing]
		switch action.Kind {
		case wire.ActionObserveObject, wire.ActionObserveTag:
			asks.Observes = true
		case wire.ActionUnobserveObject, wire.ActionUnobserveTag:
			asks.Observes = false
		case wire.ActionExposeObject, wire.ActionExposeTag:
			asks.Exposes, asks.Capacity = true, int(action.Capacity)
		case wire.ActionUnexposeObject, wire.ActionUnexposeTag:
			asks.Exposes, asks.Capacity = false, 0
		case wire.ActionSetObjectCapacity, wire.ActionSetTagCapacity:
			asks.Capacity = int(action.Capacity)
		}
		told[thing] = asks
		m.changed = append(m.changed, thing)
	}
	m.none = len(m.changed) == 0
	m.kind, m.told, m.before, m.actions = model.ContractsMessage, told, before, actions
	return told, nil
}

// cut takes the message that an end is about to receive apart, into as many as the core there takes it in: a message that
// is taken in slices is nothing else. It reports whether there are several.
func (s *session) cut(r *Refinement, end, slice int, data []byte) bool {
	q := s.queues[1-end]
	at := slices.IndexFunc(q, func(m message) bool { return bytes.Equal(m.data, data) })
	if at < 0 || len(q[at].actions) <= slice {
		return false
	}
	whole, actions, told := q[at], q[at].actions, q[at].before
	var parts []message
	for len(actions) > 0 {
		part := message{data: whole.data, channel: whole.channel}
		if len(parts) > 0 {
			part.data = nil // it comes next, by itself
		}
		few := actions[:min(slice, len(actions))]
		actions = actions[len(few):]
		told, _ = r.ask(&part, told, few) // the core that sent them spelled the names
		parts = append(parts, part)
	}
	s.queues[1-end] = slices.Concat(q[:at], parts, q[at+1:])
	return true
}

// respell has the first messages in flight from an end arrive as others, which must mean the same: a control message as several, or
// several states as one message. It reports whether there are other messages of the specification now.
func (s *session) respell(r *Refinement, end int, was, now [][]byte) (cut bool, err error) {
	q := s.queues[end]
	for i, data := range was {
		if i >= len(q) || !bytes.Equal(q[i].data, data) {
			return false, fmt.Errorf("session %d respells what is not the oldest message in flight", s.Number)
		}
	}
	last := q[len(was)-1]
	if last.actions == nil {
		if len(now) != 1 {
			return false, fmt.Errorf("session %d respells %d states as %d messages", s.Number, len(was), len(now))
		}
		last.data, last.joined = now[0], slices.Clone(q[:len(was)-1])
		s.queues[end] = append([]message{last}, q[len(was):]...)
		return false, nil
	}
	told := last.before
	var parts []message
	for _, data := range now {
		event, err := wire.DecodeEvent(data, &wire.DefaultLimits)
		if err != nil {
			return false, err
		}
		part := message{data: slices.Clone(data), channel: last.channel}
		if told, err = r.ask(&part, told, event.Message.Control); err != nil {
			return false, err
		}
		parts = append(parts, part)
	}
	if len(was) != 1 || !maps.Equal(told, last.told) {
		return false, fmt.Errorf("session %d respells a control message as one that means another thing", s.Number)
	}
	s.queues[end] = append(parts, q[1:]...)
	return true, nil
}

// takeOn takes the next part of a message that an end takes in slices.
func (s *session) takeOn(end int) (*message, error) {
	q := s.queues[1-end]
	at := slices.IndexFunc(q, func(m message) bool { return m.data == nil })
	if at < 0 {
		return nil, fmt.Errorf("session %d goes on with a message that is taken", s.Number)
	}
	m := q[at]
	s.queues[1-end] = slices.Delete(slices.Clone(q), at, at+1)
	return &m, nil
}

// receive takes a message in flight to an end that may arrive next. Nil: an empty
// message, which the fault injector made and receivers ignore.
func (s *session) receive(end int, data []byte) (*message, error) {
	if len(data) == 0 {
		return nil, nil
	}
	q := s.queues[1-end]
	at := slices.IndexFunc(q, func(m message) bool { return bytes.Equal(m.data, data) })
	if at < 0 || !s.deliverable(q, at) {
		return nil, fmt.Errorf("session %d delivers what is not the oldest message in flight", s.Number)
	}
	m := q[at]
	if at == 0 {
		s.queues[1-end] = q[1:]
	} else {
		s.queues[1-end] = slices.Delete(slices.Clone(q), at, at+1)
	}
	return &m, nil
}

// deliverable reports whether the message at a place of a queue may arrive next:
// it is the oldest, or where messages overtake one another that of its channel.
// Of the channels that one end writes on no two have one number.
func (s *session) deliverable(q []message, at int) bool {
	return !slices.ContainsFunc(q[:at], func(older message) bool { return !s.unordered || older.channel == q[at].channel })
}

// Things are named by what they are and their identity.

func objectThing(key string) string   { return "object " + key }
func tagThing(identity string) string { return "tag " + identity }

// key is that of an object as a message spells it.
func (r *Refinement) key(tags []string, json string) (string, error) {
	r.text = append(r.text[:0], json...)
	for _, tag := range tags {
		r.text = append(append(r.text, 0), tag...) // no JSON has a zero byte
	}
	if key, known := r.keys[string(r.text)]; known {
		return key, nil
	}
	descriptor, err := wire.NewDescriptor(tags, json, nil)
	if err != nil {
		return "", err
	}
	r.keys[string(r.text)] = descriptor.Key
	return descriptor.Key, nil
}

// identity is that of a tag's text.
func (r *Refinement) identity(text string) string {
	if identity, known := r.identities[text]; known {
		return identity
	}
	_, identity, err := wire.Canonical(text, nil)
	if err != nil {
		panic(err) // the core took it
	}
	r.identities[text] = identity
	return identity
}
