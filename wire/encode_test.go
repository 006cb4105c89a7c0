package wire

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// everyAction has all there is to encode, some of it more than once.
var everyAction = []Event{
	{Kind: EventOpen, Channel: ChannelID{UpstreamOriginated, math.MaxUint64}},
	{Kind: EventClose, Channel: ChannelID{DownstreamOriginated, 251}},
	{Kind: EventMessage, Channel: ChannelID{DownstreamOriginated, 1}, Message: Message{Kind: MessageUninitialized, Initialize: []ChannelType{
		{Kind: ChannelUpstreamControl}, {Kind: ChannelDownstreamControl},
		{Kind: ChannelSink, Tags: []string{`"a"`, `"b"`}, JSON: `{}`}, {Kind: ChannelStream, JSON: `1`},
	}}},
	{Kind: EventMessage, Channel: ChannelID{UpstreamOriginated, 1}, Message: Message{Kind: MessageDownstreamControl, Control: []ControlAction{
		{Kind: ActionSetName, Name: "router"}, {Kind: ActionSetLoadLimit},
	}}},
	{Kind: EventMessage, Channel: ChannelID{DownstreamOriginated, 1}, Message: Message{Kind: MessageUpstreamControl, Control: []ControlAction{
		{Kind: ActionSetName, Name: "bób"}, {Kind: ActionSetLoadLimit, LoadLimit: []LoadPoint{{0, 3}, {2.5, math.MaxUint32}}},
		{Kind: ActionObserveObject, Tags: []string{`"a"`}, JSON: `1`}, {Kind: ActionUnobserveObject, JSON: `1`},
		{Kind: ActionExposeObject, JSON: `1`, Capacity: 70000}, {Kind: ActionUnexposeObject, JSON: `1`},
		{Kind: ActionSetObjectCapacity, JSON: `1`, Capacity: 250}, {Kind: ActionObserveTag, JSON: `1`}, {Kind: ActionUnobserveTag, JSON: `1`},
		{Kind: ActionExposeTag, JSON: `1`, Capacity: 251}, {Kind: ActionUnexposeTag, JSON: `1`}, {Kind: ActionSetTagCapacity, JSON: `1`},
	}}},
	{Kind: EventMessage, Channel: ChannelID{UpstreamOriginated, 2}, Message: Message{Kind: MessageStateStream, States: []StateAction{
		{Kind: StatePatch, Version: []int64{0, -1, math.MaxInt64, math.MinInt64}, HasFormat: true, Format: []string{"JSON"}, Diff: bytes.Repeat([]byte{7}, 300), Synchronized: math.MaxUint64},
		{Kind: StatePatch, HasFormat: true, Diff: []byte{}}, {Kind: StateSetSynchronized, Synchronized: 65536},
	}}},
}

// Integers change size where the reference's do; signed ones are folded. Worked out by hand from the wire document.
func TestEncode_IntegersTakeTheFewestBytes(t *testing.T) {
	for _, golden := range []struct {
		n    uint64
		want string
	}{
		{0, "00"}, {250, "fa"}, {251, "fbfb00"}, {65535, "fbffff"}, {65536, "fc00000100"},
		{1<<32 - 1, "fcffffffff"}, {1 << 32, "fd0000000001000000"}, {math.MaxUint64, "fdffffffffffffffff"},
	} {
		if got := appendUint(nil, golden.n); !bytes.Equal(got, unhex(golden.want)) {
			t.Errorf("%d: %x, expected %s", golden.n, got, golden.want)
		}
	}
	for _, golden := range []struct {
		n    int64
		want string
	}{
		{0, "00"}, {-1, "01"}, {1, "02"}, {-2, "03"}, {125, "fa"}, {-126, "fbfb00"}, {126, "fbfc00"},
		{math.MaxInt64, "fdfeffffffffffffff"}, {math.MinInt64, "fdffffffffffffffff"},
	} {
		got := appendInt(nil, golden.n)
		if !bytes.Equal(got, unhex(golden.want)) {
			t.Errorf("%d: %x, expected %s", golden.n, got, golden.want)
		}
		d := decoder{data: got, limits: &DefaultLimits}
		if back := unfoldInt(d.uint("")); back != golden.n {
			t.Errorf("%d: came back as %d", golden.n, back)
		}
	}
}

func TestEncode_AllocatesNothingIntoALargeEnoughBuffer(t *testing.T) {
	buffer := make([]byte, 0, 4096)
	for i := range everyAction {
		if allocations := testing.AllocsPerRun(100, func() { AppendEvent(buffer, &everyAction[i]) }); allocations != 0 {
			t.Errorf("%s: %v allocations", everyAction[i].Message.Kind, allocations)
		}
	}
}

func TestEncode_KeepsWhatTheBufferHeld(t *testing.T) {
	got := AppendEvent([]byte("before"), &Event{Kind: EventClose, Channel: ChannelID{UpstreamOriginated, 3}})
	if string(got) != "before\x02\x00\x03" {
		t.Errorf("%q", got)
	}
}

// What has no encoding, or would crash or offend a peer, is our own bug and says so.
func TestEncode_OurOwnNonsenseIsABug(t *testing.T) {
	channel := ChannelID{UpstreamOriginated, 1}
	message := func(m Message) Event { return Event{Kind: EventMessage, Channel: channel, Message: m} }
	control := func(a ControlAction) Event {
		return message(Message{Kind: MessageUpstreamControl, Control: []ControlAction{a}})
	}
	for _, nonsense := range []struct {
		event Event
		want  string
	}{
		{Event{Kind: 3, Channel: channel}, "BUG: no encoding for event(3)"},
		{Event{}, "BUG: no encoding for channel upstream/0"},
		{Event{Channel: ChannelID{2, 1}}, "BUG: no encoding for channel origin(2)/1"},
		{message(Message{Kind: 4}), "BUG: no encoding for message(4)"},
		{message(Message{Initialize: []ChannelType{{Kind: 4}}}), "BUG: no encoding for channel(4)"},
		{control(ControlAction{Kind: 12}), "BUG: no encoding for action(12)"},
		{control(ControlAction{Name: "\xff"}), `BUG: no encoding for text that is not UTF-8: "\xff"`},
		{control(ControlAction{Kind: ActionSetLoadLimit, LoadLimit: []LoadPoint{{float32(math.NaN()), 1}}}), "BUG: load limit seconds: not a number"},
		{control(ControlAction{Kind: ActionSetLoadLimit, LoadLimit: []LoadPoint{{-1, 1}}}), "BUG: load limit seconds: negative"},
		{message(Message{Kind: MessageStateStream, States: []StateAction{{Kind: 2}}}), "BUG: no encoding for state(2)"},
		{message(Message{Kind: MessageDownstreamControl, Control: []ControlAction{{Kind: ActionExposeTag}}}), "BUG: no encoding for expose tag in downstream control"},
	} {
		if got := panicOf(func() { AppendEvent(nil, &nonsense.event) }); got != nonsense.want {
			t.Errorf("%+v: %v, expected %s", nonsense.event, got, nonsense.want)
		}
	}
}

func panicOf(run func()) (reason any) {
	defer func() { reason = recover() }()
	run()
	return nil
}

func TestLoadPoint_NanosecondsSaturate(t *testing.T) {
	for seconds, want := range map[float32]int64{0: 0, 2.5: 2_500_000_000, 1e9: 1e18, 9.3e9: math.MaxInt64, 9e18: math.MaxInt64} {
		if got := (LoadPoint{Seconds: seconds}).Nanoseconds(); got != want {
			t.Errorf("%v s: %d ns, expected %d", seconds, got, want)
		}
	}
}

func TestNames_ReadAsWords(t *testing.T) {
	got := []string{
		ChannelID{UpstreamOriginated, 3}.String(), EventMessage.String(), MessageStateStream.String(), ChannelSink.String(),
		ActionSetTagCapacity.String(), StateSetSynchronized.String(), (&DecodeError{7, "why"}).Error(),
	}
	if want := "upstream/3,message,state stream,sink,set tag capacity,set synchronized,byte 7: why"; strings.Join(got, ",") != want {
		t.Errorf("%s, expected %s", strings.Join(got, ","), want)
	}
}

// benchmarkEvent is what a busy link carries: one patch of a small state.
var benchmarkEvent = Event{Kind: EventMessage, Channel: ChannelID{UpstreamOriginated, 1234}, Message: Message{Kind: MessageStateStream, States: []StateAction{
	{Kind: StatePatch, Version: []int64{0, 1_700_000_000, 123_456_789}, Diff: make([]byte, 100)},
}}}

func BenchmarkAppendEvent(b *testing.B) {
	b.ReportAllocs()
	buffer := make([]byte, 0, 4096)
	for b.Loop() {
		AppendEvent(buffer, &benchmarkEvent)
	}
}

func BenchmarkDecodeEvent(b *testing.B) {
	b.ReportAllocs()
	data := AppendEvent(nil, &benchmarkEvent)
	for b.Loop() {
		if _, err := DecodeEvent(data, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewDescriptor(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewDescriptor([]string{`"some-tag"`, `{"room":1}`}, `{"b":[1,2.5],"a":"xxx"}`, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// A message without its diff becomes the whole one when the diff is put where it belongs.
func TestAppendPatch_IsAppendEventWithoutTheDiff(t *testing.T) {
	channel := ChannelID{UpstreamOriginated, 70000}
	for _, action := range everyAction[len(everyAction)-1].Message.States {
		if action.Kind != StatePatch {
			continue
		}
		want := AppendEvent(nil, &Event{Kind: EventMessage, Channel: channel, Message: Message{Kind: MessageStateStream, States: []StateAction{action}}})
		before := []byte("before")
		message, at := AppendPatch(before, channel, &action)
		got := append(AppendLength(bytes.Clone(message[:at]), len(action.Diff)), action.Diff...)
		got = append(got, message[at:]...)
		if !bytes.Equal(got, append(before, want...)) {
			t.Errorf("%+v: %x, expected %x", action, got, want)
		}
	}
}
