package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// draw makes events of every form. Empty lists are nil and diffs are not, as DecodeEvent makes them.
type draw struct{ *rapid.T }

func (t draw) count(most int) int { return rapid.IntRange(0, most).Draw(t.T, "count") }
func (t draw) text() string       { return rapid.String().Draw(t.T, "text") }
func (t draw) uint64() uint64     { return rapid.Uint64().Draw(t.T, "integer") }
func (t draw) uint32() uint32     { return rapid.Uint32().Draw(t.T, "integer") }

func some[T any](t draw, most int, one func() T) []T {
	var list []T
	for range t.count(most) {
		list = append(list, one())
	}
	return list
}

func (t draw) event() Event {
	e := Event{
		Kind:    EventKind(rapid.IntRange(0, 2).Draw(t.T, "event")),
		Channel: ChannelID{Origin(rapid.IntRange(0, 1).Draw(t.T, "origin")), max(1, t.uint64())},
	}
	if e.Kind != EventMessage {
		return e
	}
	e.Message.Kind = MessageKind(rapid.IntRange(0, 3).Draw(t.T, "message"))
	switch e.Message.Kind {
	case MessageUninitialized:
		e.Message.Initialize = some(t, 3, t.channelType)
	case MessageUpstreamControl:
		e.Message.Control = some(t, 20, func() ControlAction { return t.control(ActionSetTagCapacity) })
	case MessageDownstreamControl:
		e.Message.Control = some(t, 3, func() ControlAction { return t.control(ActionSetLoadLimit) })
	case MessageStateStream:
		e.Message.States = some(t, 20, t.state)
	}
	return e
}

func (t draw) channelType() ChannelType {
	c := ChannelType{Kind: ChannelKind(rapid.IntRange(0, 3).Draw(t.T, "channel"))}
	if c.Kind == ChannelSink || c.Kind == ChannelStream {
		c.Tags, c.JSON = some(t, 3, t.text), t.text()
	}
	return c
}

func (t draw) control(last ActionKind) ControlAction {
	a := ControlAction{Kind: ActionKind(rapid.IntRange(0, int(last)).Draw(t.T, "action"))}
	switch {
	case a.Kind == ActionSetName:
		a.Name = t.text()
	case a.Kind == ActionSetLoadLimit:
		a.LoadLimit = some(t, 3, func() LoadPoint {
			return LoadPoint{rapid.Float32Range(0, math.Nextafter32(maxLoadSeconds, 0)).Draw(t.T, "seconds"), t.uint32()}
		})
	default:
		a.JSON = t.text()
		if a.Kind.OnObject() {
			a.Tags = some(t, 3, t.text)
		}
		if a.Kind.hasCapacity() {
			a.Capacity = t.uint32()
		}
	}
	return a
}

func (t draw) state() StateAction {
	a := StateAction{Kind: StateActionKind(rapid.IntRange(0, 1).Draw(t.T, "state")), Synchronized: t.uint64()}
	if a.Kind == StatePatch {
		a.Version = some(t, 4, func() int64 { return rapid.Int64().Draw(t.T, "element") })
		a.Diff = append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t.T, "diff")...)
		if a.HasFormat = rapid.Bool().Draw(t.T, "has format"); a.HasFormat {
			a.Format = some(t, 3, t.text)
		}
	}
	return a
}

func TestProperty_WhatIsEncodedDecodesToItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := draw{t}.event()
		got, err := DecodeEvent(AppendEvent(nil, &want), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v came back as\n%+v", want, got)
		}
	})
}

func TestProperty_DamagedBytesAreRefusedOrDecodeToSomethingEncodable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		event := draw{t}.event()
		data := AppendEvent(nil, &event)
		for range rapid.IntRange(1, 4).Draw(t, "damages") {
			at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
			data[at] = rapid.Byte().Draw(t, "byte")
		}
		data = data[:rapid.IntRange(0, len(data)).Draw(t, "length")]
		checkDecode(t, data)
	})
}

// failer is what the property tests and the fuzz targets have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkDecode holds what is true of any bytes: no panic, a fault within the message, or an event that survives its encoding.
func checkDecode(t failer, data []byte) {
	t.Helper()
	event, err := DecodeEvent(data, nil)
	if err != nil {
		if refusal := err.(*DecodeError); refusal.Offset < 0 || refusal.Offset > len(data) || refusal.Reason == "" {
			t.Fatalf("%x: refused with %+v", data, refusal)
		}
		return
	}
	encoded := AppendEvent(nil, &event)
	if len(encoded) > len(data) {
		t.Fatalf("%x: encoded in more bytes: %x", data, encoded)
	}
	again, err := DecodeEvent(encoded, nil)
	if err != nil {
		t.Fatalf("%x: encoded as %x: %v", data, encoded, err)
	}
	if !bytes.Equal(AppendEvent(nil, &again), encoded) {
		t.Fatalf("%x: encoded as %x, then differently", data, encoded)
	}
}

// jsonText makes texts that are JSON, and often wrong in one place.
func (t draw) jsonText(depth int) string {
	kinds := 4
	if depth > 4 {
		kinds = 2
	}
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t"}).Draw(t.T, "space")
	switch rapid.IntRange(0, kinds-1).Draw(t.T, "kind") {
	case 0:
		return space + rapid.StringMatching(`-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?|null|true|false`).Draw(t.T, "scalar")
	case 1:
		return space + t.jsonString()
	case 2:
		text := "["
		for i := range t.count(3) {
			if i > 0 {
				text += ","
			}
			text += t.jsonText(depth+1) + space
		}
		return text + "]"
	default:
		text := "{"
		for i := range t.count(4) {
			if i > 0 {
				text += ","
			}
			text += t.jsonString() + space + ":" + t.jsonText(depth+1)
		}
		return text + "}" + space
	}
}

func (t draw) jsonString() string {
	return rapid.StringMatching(`"([a-c]|é|🦀|\\[nrtbf/"\\]|\\u00[0-7][0-9a-fA-F]|\\ud83e\\udd80){0,3}"`).Draw(t.T, "string")
}

func TestProperty_ACanonicalTextIsItsOwn(t *testing.T) {
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		if checkCanonical(t, draw{t}.jsonText(0)) {
			taken++
		}
	})
	if taken == 0 {
		t.Error("no text was taken")
	}
}

// keyedText makes texts of objects in objects, whose keys come in any order and often twice.
func (t draw) keyedText(depth int) string {
	if depth == 5 || rapid.Bool().Draw(t.T, "leaf") {
		return rapid.StringMatching(`[1-9]|\[1\]`).Draw(t.T, "leaf")
	}
	var members []string
	for range t.count(4) {
		members = append(members, rapid.StringMatching(`"[a-c]{0,2}"`).Draw(t.T, "key")+":"+t.keyedText(depth+1))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func TestProperty_MembersAreOrderedAsAMapHasThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := "[" + draw{t}.keyedText(0) + "," + draw{t}.keyedText(0) + "]"
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := Canonical(text, nil); got != string(want) || err != nil {
			t.Fatalf("%s: spelled %s, %v, expected %s", text, got, err, want)
		}
	})
}

// checkCanonical holds what is true of any text, and reports whether CanonicalStrict took it.
func checkCanonical(t failer, text string) bool {
	t.Helper()
	spelling, identity, err := Canonical(text, nil)
	strictSpelling, strictIdentity, strictErr := CanonicalStrict(text, nil)
	if err != nil {
		if refusal := err.(*DecodeError); refusal.Offset < 0 || refusal.Offset > len(text) || refusal.Reason == "" {
			t.Fatalf("%q: refused with %+v", text, refusal)
		}
		if strictErr == nil {
			t.Fatalf("%q: refused (%v), but taken strictly", text, err)
		}
		return false
	}
	// Floats may change at each reading, but never what is an identity: each has one spelling, and its key reads back.
	descriptor, err := DescriptorFromKey("[" + identity + "]" + identity)
	if err != nil || descriptor.JSON != identity {
		t.Fatalf("%q: the identity %q came back as %q, %v", text, identity, descriptor.JSON, err)
	}
	if strictErr != nil {
		return false
	}
	if strictSpelling != spelling || strictIdentity != identity {
		t.Fatalf("%q: %q and %q, strictly %q and %q", text, spelling, identity, strictSpelling, strictIdentity)
	}
	for _, again := range []string{spelling, identity} {
		s, i, err := CanonicalStrict(again, nil)
		if s != again || i != identity || err != nil {
			t.Fatalf("%q: %q is spelled %q and identified as %q, %v", text, again, s, i, err)
		}
	}
	return true
}
