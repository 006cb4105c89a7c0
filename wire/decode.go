package wire

import "strconv"

// Indices of enums that have no type of their own here.
const (
	initializeIndex     = 0 // Initialize has one variant
	exchangeIndex       = 0 // UpstreamControlAction and DownstreamControlAction
	objectContractIndex = 1 // UpstreamControlAction
	tagContractIndex    = 2 // UpstreamControlAction
)

// Fewest bytes that an element of each list can take: what a length prefix is checked against.
const (
	minimumInitialize    = 2 // index, channel type
	minimumControlAction = 3 // two indices, empty text or list
	minimumStateAction   = 2 // index, synchronized
	minimumLoadPoint     = 5 // four bytes of seconds, load
)

// DecodeEvent decodes one event from a peer; nil limits means [DefaultLimits]. The error is a [*DecodeError].
//
// The diffs in the event alias data, which must not change while they are in use; texts are copies. How much memory the event takes
// is told at [DefaultLimits].
// Taken as the reference takes them: bytes after the event, and integers longer than necessary.
// An empty message, which the reference ignores, is an error here: the caller drops it first.
func DecodeEvent(data []byte, limits *Limits) (Event, error) {
	d := decoder{data: data, limits: limits.orDefault()}
	if len(data) > d.limits.Message {
		return Event{}, &DecodeError{
			Offset: d.limits.Message,
			Reason: "message: " + strconv.Itoa(len(data)) + " bytes, the limit is " + strconv.Itoa(d.limits.Message),
		}
	}
	event := Event{Kind: EventKind(d.index(3, "event"))}
	event.Channel = d.channelID()
	if event.Kind == EventMessage {
		event.Message = d.message()
	}
	if d.err != nil {
		return Event{}, d.err
	}
	return event, nil
}

func (d *decoder) channelID() ChannelID {
	origin := Origin(d.index(2, "channel origin"))
	start := d.offset
	number := d.uint("channel number")
	if number == 0 {
		d.fail(start, "channel number: 0, the first is 1")
	}
	return ChannelID{Origin: origin, Number: number}
}

func (d *decoder) message() Message {
	m := Message{Kind: MessageKind(d.index(4, "message"))}
	switch m.Kind {
	case MessageUninitialized:
		count := d.count(d.limits.Initializers, minimumInitialize, "initialize actions")
		m.Initialize = room[ChannelType](count)
		for i := 0; i < count && d.err == nil; i++ {
			d.index(1, "initialize action")
			m.Initialize = append(m.Initialize, d.channelType())
		}
	case MessageUpstreamControl, MessageDownstreamControl:
		count := d.count(d.limits.Actions, minimumControlAction, "control actions")
		m.Control = room[ControlAction](count)
		for i := 0; i < count && d.err == nil; i++ {
			m.Control = append(m.Control, ControlAction{})
			d.controlAction(m.Kind, &m.Control[i])
		}
	case MessageStateStream:
		count := d.count(d.limits.States, minimumStateAction, "state actions")
		m.States = room[StateAction](count)
		for i := 0; i < count && d.err == nil; i++ {
			m.States = append(m.States, StateAction{})
			d.stateAction(&m.States[i])
		}
	}
	return m
}

// room returns an empty list with space for count elements; nil for none.
func room[T any](count int) []T {
	if count == 0 {
		return nil
	}
	return make([]T, 0, count)
}

func (d *decoder) channelType() ChannelType {
	t := ChannelType{Kind: ChannelKind(d.index(4, "channel type"))}
	if t.Kind == ChannelSink || t.Kind == ChannelStream {
		t.Tags = d.tags()
		t.JSON = d.string(d.limits.Descriptor, "json")
	}
	return t
}

func (d *decoder) controlAction(message MessageKind, a *ControlAction) {
	groups := uint32(3)
	if message == MessageDownstreamControl {
		groups = 1
	}
	switch d.index(groups, "control action") {
	case exchangeIndex:
		d.exchangeAction(a)
		return
	case objectContractIndex:
		a.Kind = ActionObserveObject + ActionKind(d.index(5, "object contract action"))
		a.Tags = d.tags()
		a.JSON = d.string(d.limits.Descriptor, "json")
	case tagContractIndex:
		a.Kind = ActionObserveTag + ActionKind(d.index(5, "tag contract action"))
		a.JSON = d.string(d.limits.Descriptor, "tag")
	}
	if a.Kind.hasCapacity() {
		a.Capacity = d.uint32("capacity")
	}
}

func (d *decoder) exchangeAction(a *ControlAction) {
	a.Kind = ActionSetName + ActionKind(d.index(2, "exchange action"))
	if a.Kind == ActionSetName {
		a.Name = d.string(d.limits.Name, "name")
		return
	}
	count := d.count(d.limits.LoadPoints, minimumLoadPoint, "load limit")
	a.LoadLimit = room[LoadPoint](count)
	for i := 0; i < count && d.err == nil; i++ {
		seconds := d.seconds()
		a.LoadLimit = append(a.LoadLimit, LoadPoint{Seconds: seconds, Load: d.uint32("load limit load")})
	}
}

func (d *decoder) stateAction(a *StateAction) {
	a.Kind = StateActionKind(d.index(2, "state action"))
	if a.Kind == StatePatch {
		count := d.count(d.limits.Version, 1, "version")
		a.Version = room[int64](count)
		for i := 0; i < count && d.err == nil; i++ {
			a.Version = append(a.Version, unfoldInt(d.uint("version element")))
		}
		start := d.offset
		switch option := d.byte("format option"); option {
		case 0:
		case 1:
			a.HasFormat = true
			a.Format = d.strings(d.limits.Formats, d.limits.Format, "format", "format element")
		default:
			d.fail(start, "format option: byte "+decimal(uint64(option))+", 0 or 1 wanted")
		}
		a.Diff = d.bytes(d.limits.Diff, "diff")
	}
	a.Synchronized = d.uint("synchronized")
}

func (d *decoder) tags() []string {
	return d.strings(d.limits.Tags, d.limits.Descriptor, "tags", "tag")
}
