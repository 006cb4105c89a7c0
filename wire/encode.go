package wire

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendEvent appends the encoding of e to dst and returns the extended slice; it allocates only to grow dst.
//
// What it is given is this end's own doing, so an event that has no encoding, or that no peer would take, is a broken
// invariant: unknown kinds, a channel number of 0, a contract action on a DownstreamControl channel, text that is not UTF-8,
// load-limit seconds that are out of range. Such an event panics with "BUG: …". Limits are not looked at.
func AppendEvent(dst []byte, e *Event) []byte {
	if e.Kind > EventClose {
		panic("BUG: no encoding for " + e.Kind.String())
	}
	dst = append(dst, byte(e.Kind))
	dst = appendChannelID(dst, e.Channel)
	if e.Kind == EventMessage {
		dst = appendMessage(dst, &e.Message)
	}
	return dst
}

func appendChannelID(dst []byte, id ChannelID) []byte {
	if id.Origin > DownstreamOriginated || id.Number == 0 {
		panic("BUG: no encoding for channel " + id.String())
	}
	dst = append(dst, byte(id.Origin))
	return appendUint(dst, id.Number)
}

func appendMessage(dst []byte, m *Message) []byte {
	dst = append(dst, byte(m.Kind))
	switch m.Kind {
	case MessageUninitialized:
		dst = appendUint(dst, uint64(len(m.Initialize)))
		for i := range m.Initialize {
			dst = append(dst, initializeIndex)
			dst = appendChannelType(dst, &m.Initialize[i])
		}
	case MessageUpstreamControl, MessageDownstreamControl:
		dst = appendUint(dst, uint64(len(m.Control)))
		for i := range m.Control {
			dst = appendControlAction(dst, m.Kind, &m.Control[i])
		}
	case MessageStateStream:
		dst = appendUint(dst, uint64(len(m.States)))
		for i := range m.States {
			dst = appendStateAction(dst, &m.States[i])
		}
	default:
		panic("BUG: no encoding for " + m.Kind.String())
	}
	return dst
}

func appendChannelType(dst []byte, t *ChannelType) []byte {
	if t.Kind > ChannelStream {
		panic("BUG: no encoding for " + t.Kind.String())
	}
	dst = append(dst, byte(t.Kind))
	if t.Kind == ChannelSink || t.Kind == ChannelStream {
		dst = appendStrings(dst, t.Tags)
		dst = appendString(dst, t.JSON)
	}
	return dst
}

func appendControlAction(dst []byte, message MessageKind, a *ControlAction) []byte {
	if message == MessageDownstreamControl && a.Kind > ActionSetLoadLimit {
		panic("BUG: no encoding for " + a.Kind.String() + " in " + message.String())
	}
	switch {
	case a.Kind == ActionSetName:
		dst = append(dst, exchangeIndex, 0)
		return appendString(dst, a.Name)
	case a.Kind == ActionSetLoadLimit:
		dst = append(dst, exchangeIndex, 1)
		return appendLoadLimit(dst, a.LoadLimit)
	case a.Kind.OnObject():
		dst = append(dst, objectContractIndex, byte(a.Kind-ActionObserveObject))
		dst = appendStrings(dst, a.Tags)
	case a.Kind.OnTag():
		dst = append(dst, tagContractIndex, byte(a.Kind-ActionObserveTag))
	default:
		panic("BUG: no encoding for " + a.Kind.String())
	}
	dst = appendString(dst, a.JSON)
	if a.Kind.hasCapacity() {
		dst = appendUint(dst, uint64(a.Capacity))
	}
	return dst
}

func appendLoadLimit(dst []byte, points []LoadPoint) []byte {
	dst = appendUint(dst, uint64(len(points)))
	for _, point := range points {
		if reason := point.Fault(); reason != "" {
			panic("BUG: " + reason)
		}
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(point.Seconds))
		dst = appendUint(dst, uint64(point.Load))
	}
	return dst
}

func appendStateAction(dst []byte, a *StateAction) []byte {
	dst = append(dst, byte(a.Kind))
	switch a.Kind {
	case StatePatch:
		dst = appendPatchHead(dst, a)
		dst = AppendLength(dst, len(a.Diff))
		dst = append(dst, a.Diff...)
	case StateSetSynchronized:
	default:
		panic("BUG: no encoding for " + a.Kind.String())
	}
	return appendUint(dst, a.Synchronized)
}

// appendPatchHead appends what stands before the diff.
func appendPatchHead(dst []byte, a *StateAction) []byte {
	dst = appendUint(dst, uint64(len(a.Version)))
	for _, element := range a.Version {
		dst = appendInt(dst, element)
	}
	if !a.HasFormat {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	return appendStrings(dst, a.Format)
}

// AppendPatch appends the message that brings one state on a channel, without its diff: that goes to the offset at, after its
// length, see [AppendLength]. It panics as [AppendEvent] does.
func AppendPatch(dst []byte, channel ChannelID, a *StateAction) (message []byte, at int) {
	dst = append(dst, byte(EventMessage))
	dst = appendChannelID(dst, channel)
	dst = append(dst, byte(MessageStateStream))
	dst = appendUint(dst, 1)
	dst = append(dst, byte(StatePatch))
	dst = appendPatchHead(dst, a)
	at = len(dst)
	return appendUint(dst, a.Synchronized), at
}

// MaxLength is the most bytes that [AppendLength] appends.
const MaxLength = 9

// AppendLength appends the length that stands before so many bytes.
func AppendLength(dst []byte, n int) []byte { return appendUint(dst, uint64(n)) }

func appendStrings(dst []byte, list []string) []byte {
	dst = appendUint(dst, uint64(len(list)))
	for _, s := range list {
		dst = appendString(dst, s)
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		panic("BUG: no encoding for text that is not UTF-8: " + strconv.Quote(s))
	}
	dst = appendUint(dst, uint64(len(s)))
	return append(dst, s...)
}
