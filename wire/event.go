package wire

import "strconv"

// Origin says which end of a link opened a channel. Its values are the indices in the encoding.
type Origin uint8

const (
	// UpstreamOriginated channels are opened by the upstream end of the link, whichever end dialled.
	UpstreamOriginated Origin = 0
	// DownstreamOriginated channels are opened by the downstream end.
	DownstreamOriginated Origin = 1
)

// String returns "upstream" or "downstream".
func (o Origin) String() string {
	switch o {
	case UpstreamOriginated:
		return "upstream"
	case DownstreamOriginated:
		return "downstream"
	}
	return "origin(" + strconv.Itoa(int(o)) + ")"
}

// ChannelID names a channel on one link. Each end numbers the channels that it opens from 1; 0 is never valid.
type ChannelID struct {
	Origin Origin
	Number uint64
}

// String returns for example "upstream/3".
func (c ChannelID) String() string {
	return c.Origin.String() + "/" + strconv.FormatUint(c.Number, 10)
}

// EventKind is the variant of an [Event]. Its values are the indices in the encoding.
type EventKind uint8

const (
	// EventOpen opens a channel.
	EventOpen EventKind = 0
	// EventMessage carries a message on an open channel.
	EventMessage EventKind = 1
	// EventClose closes a channel; only the end that opened it sends this.
	EventClose EventKind = 2
)

// String returns "open", "message" or "close".
func (k EventKind) String() string {
	switch k {
	case EventOpen:
		return "open"
	case EventMessage:
		return "message"
	case EventClose:
		return "close"
	}
	return "event(" + strconv.Itoa(int(k)) + ")"
}

// Event is the content of one binary websocket message.
type Event struct {
	Kind    EventKind
	Channel ChannelID
	Message Message // only for EventMessage
}
