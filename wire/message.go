package wire

import "strconv"

// MessageKind is the variant of a [Message]. Its values are the indices in the encoding.
type MessageKind uint8

const (
	// MessageUninitialized is the first message on every channel: it gives the channel its type.
	MessageUninitialized MessageKind = 0
	// MessageUpstreamControl goes from the downstream end to the upstream end.
	MessageUpstreamControl MessageKind = 1
	// MessageDownstreamControl goes from the upstream end to the downstream end.
	MessageDownstreamControl MessageKind = 2
	// MessageStateStream carries states of one object, in the direction of its channel's type.
	MessageStateStream MessageKind = 3
)

// String returns the variant's name in words, for example "upstream control".
func (k MessageKind) String() string {
	switch k {
	case MessageUninitialized:
		return "uninitialized"
	case MessageUpstreamControl:
		return "upstream control"
	case MessageDownstreamControl:
		return "downstream control"
	case MessageStateStream:
		return "state stream"
	}
	return "message(" + strconv.Itoa(int(k)) + ")"
}

// Message is a list of actions for one channel. Kind says which of the lists is meaningful; any of them may be empty.
type Message struct {
	Kind       MessageKind
	Initialize []ChannelType   // MessageUninitialized
	Control    []ControlAction // MessageUpstreamControl; MessageDownstreamControl, which has no encoding for contract actions
	States     []StateAction   // MessageStateStream
}

// ChannelKind is the variant of a [ChannelType]. Its values are the indices in the encoding.
type ChannelKind uint8

const (
	// ChannelUpstreamControl is opened by the downstream end and carries its name, load limit and contracts.
	ChannelUpstreamControl ChannelKind = 0
	// ChannelDownstreamControl is opened by the upstream end and carries its name.
	ChannelDownstreamControl ChannelKind = 1
	// ChannelSink is ObjectSinkToUpstream: the downstream end is elected for the object and sends its states.
	ChannelSink ChannelKind = 2
	// ChannelStream is ObjectStreamFromUpstream: the downstream end observes the object and receives its states.
	ChannelStream ChannelKind = 3
)

// String returns "upstream control", "downstream control", "sink" or "stream".
func (k ChannelKind) String() string {
	switch k {
	case ChannelUpstreamControl:
		return "upstream control"
	case ChannelDownstreamControl:
		return "downstream control"
	case ChannelSink:
		return "sink"
	case ChannelStream:
		return "stream"
	}
	return "channel(" + strconv.Itoa(int(k)) + ")"
}

// ChannelType is what a channel is for. Tags and JSON are the object's, for ChannelSink and ChannelStream only.
type ChannelType struct {
	Kind ChannelKind
	Tags []string // JSON texts, in no particular order on receipt
	JSON string
}
