package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// Starts of hostile messages, in hexadecimal: what leads to the place where each goes wrong.
const (
	uninitialized = "010101" + "00" // Message(DownstreamOriginated(1), Uninitialized(…
	control       = "010101" + "01" // … UpstreamControl(…
	downControl   = "010001" + "02" // Message(UpstreamOriginated(1), DownstreamControl(…
	states        = "010001" + "03" // … StateStream(…
	infinite      = "fdffffffffffffffff"
)

// smallLimits make it easy to exceed each limit; hostile inputs below are decoded with them.
var smallLimits = Limits{
	Message: 100, State: 8, Diff: 8, Descriptor: 8, Tags: 3, Version: 3, Formats: 3, Format: 8, Name: 8,
	LoadPoints: 2, Actions: 4, States: 3, Initializers: 2, Elements: 9,
}

var hostileEvents = []struct {
	story  string
	hex    string
	offset int
	reason string
}{
	{"nothing at all", "", 0, "event: the message ends here"},
	{"unknown event", "03", 0, "event: no variant 3, 3 are known"},
	{"event index of two bytes, unknown", "fb0300", 0, "event: no variant 3, 3 are known"},
	{"event index of 64 bits", "fd0000000000000000", 0, "event: a 64-bit integer where 32 bits are wanted"},
	{"event index of 128 bits", "fe00000000000000000000000000000000", 0, "event: byte 254 does not start an integer"},
	{"event index with the reserved marker", "ff", 0, "event: byte 255 does not start an integer"},
	{"event index cut short", "fb00", 1, "event: 2 bytes wanted, 1 left in the message"},
	{"open without a channel", "00", 1, "channel origin: the message ends here"},
	{"open with an unknown origin", "000201", 1, "channel origin: no variant 2, 2 are known"},
	{"open without a channel number", "0000", 2, "channel number: the message ends here"},
	{"open of channel 0", "000000", 2, "channel number: 0, the first is 1"},
	{"open of channel 0 in nine bytes", "0000fd0000000000000000", 2, "channel number: 0, the first is 1"},
	{"channel number cut short", "0000fc010000", 3, "channel number: 4 bytes wanted, 3 left in the message"},
	{"channel number of 128 bits", "0000fe", 2, "channel number: byte 254 does not start an integer"},
	{"close of channel 0", "020100", 2, "channel number: 0, the first is 1"},
	{"close without a channel", "02", 1, "channel origin: the message ends here"},
	{"message on channel 0", "010000" + "00", 2, "channel number: 0, the first is 1"},
	{"message without content", "010101", 3, "message: the message ends here"},
	{"unknown message", "01010104", 3, "message: no variant 4, 4 are known"},

	{"initialize: no count", uninitialized, 4, "initialize actions: the message ends here"},
	{"initialize: endless count", uninitialized + infinite, 4, "initialize actions: 18446744073709551615 elements announced, 0 bytes left in the message"},
	{"initialize: one more than the bytes allow", uninitialized + "02" + "000000", 4, "initialize actions: 2 elements announced, 3 bytes left in the message"},
	{"initialize: more than the limit", uninitialized + "03" + "000000000000", 4, "initialize actions: 3 elements, the limit is 2"},
	{"initialize: unknown action", uninitialized + "01" + "0100", 5, "initialize action: no variant 1, 1 are known"},
	{"initialize: unknown channel type", uninitialized + "01" + "0004", 6, "channel type: no variant 4, 4 are known"},
	{"sink: no tags", uninitialized + "01" + "0002", 7, "tags: the message ends here"},
	{"sink: endless tags", uninitialized + "01" + "0002" + infinite, 7, "tags: 18446744073709551615 elements announced, 0 bytes left in the message"},
	{"sink: more tags than the limit", uninitialized + "01" + "0002" + "04" + "00000000" + "0131", 7, "tags: 4 elements, the limit is 3"},
	{"sink: tag length of the whole memory", uninitialized + "01" + "0002" + "01" + "fd00000000ffffff7f", 17, "tag: 9223372032559808512 bytes wanted, 0 left in the message"},
	{"sink: tag longer than the limit", uninitialized + "01" + "0002" + "01" + "09" + "313131313131313131" + "0131", 8, "tag: 9 bytes, the limit is 8"},
	{"sink: tag is not UTF-8", uninitialized + "01" + "0002" + "01" + "03" + "22ff22" + "0131", 10, "tag: not UTF-8"},
	{"stream: no json", uninitialized + "01" + "0003" + "00", 8, "json: the message ends here"},
	{"stream: json longer than the limit", uninitialized + "01" + "0003" + "00" + "09" + "313131313131313131", 8, "json: 9 bytes, the limit is 8"},
	{"stream: json with an encoded surrogate", uninitialized + "01" + "0003" + "00" + "03" + "eda080", 9, "json: not UTF-8"},
	{"stream: json with an overlong zero", uninitialized + "01" + "0003" + "00" + "02" + "c080", 9, "json: not UTF-8"},

	{"control: endless count", control + infinite, 4, "control actions: 18446744073709551615 elements announced, 0 bytes left in the message"},
	{"control: four billion actions", control + "fcffffffff" + "000000", 4, "control actions: 4294967295 elements announced, 3 bytes left in the message"},
	{"control: more actions than the limit", control + "05" + strings.Repeat("000000", 5), 4, "control actions: 5 elements, the limit is 4"},
	{"control: second action is missing", control + "02" + "00000100" + "3131", 9, "control action: no variant 49, 3 are known"},
	{"control: unknown group", control + "01" + "030000", 5, "control action: no variant 3, 3 are known"},
	{"exchange: unknown action", control + "01" + "000200", 6, "exchange action: no variant 2, 2 are known"},
	{"exchange: name longer than the message", control + "01" + "0000" + "05" + "61", 8, "name: 5 bytes wanted, 1 left in the message"},
	{"exchange: name longer than the limit", control + "01" + "0000" + "09" + "616161616161616161", 7, "name: 9 bytes, the limit is 8"},
	{"exchange: name is not UTF-8", control + "01" + "0000" + "02" + "61c3", 9, "name: not UTF-8"},
	{"load limit: endless", control + "01" + "0001" + infinite, 7, "load limit: 18446744073709551615 elements announced, 0 bytes left in the message"},
	{"load limit: a point too many for the bytes", control + "01" + "0001" + "02" + "0000803f" + "01" + "0000803f", 7, "load limit: 2 elements announced, 9 bytes left in the message"},
	{"load limit: more points than the limit", control + "01" + "0001" + "03" + strings.Repeat("0000803f"+"01", 3), 7, "load limit: 3 elements, the limit is 2"},
	{"load limit: seconds are NaN", control + "01" + "0001" + "01" + "0000c07f" + "01", 8, "load limit seconds: not a number"},
	{"load limit: seconds are a negative NaN", control + "01" + "0001" + "01" + "ffffffff" + "01", 8, "load limit seconds: not a number"},
	{"load limit: seconds are infinite", control + "01" + "0001" + "01" + "0000807f" + "01", 8, "load limit seconds: 2^63 or more"},
	{"load limit: seconds are minus infinity", control + "01" + "0001" + "01" + "000080ff" + "01", 8, "load limit seconds: negative"},
	{"load limit: seconds are -1", control + "01" + "0001" + "01" + "000080bf" + "01", 8, "load limit seconds: negative"},
	{"load limit: seconds are the smallest negative", control + "01" + "0001" + "01" + "01000080" + "01", 8, "load limit seconds: negative"},
	{"load limit: seconds are 2^63", control + "01" + "0001" + "01" + "0000005f" + "01", 8, "load limit seconds: 2^63 or more"},
	{"load limit: load of 64 bits", control + "01" + "0001" + "01" + "0000803f" + "fd0100000000000000", 12, "load limit load: a 64-bit integer where 32 bits are wanted"},
	{"object contract: unknown action", control + "01" + "0105" + "000131", 6, "object contract action: no variant 5, 5 are known"},
	{"object contract: more tags than bytes", control + "01" + "0100" + "03" + "0131", 7, "tags: 3 elements announced, 2 bytes left in the message"},
	{"object contracts: more tags in all than the limit", control + "04" + strings.Repeat("0100"+"03"+"013101310131"+"0131", 4), 18, "tags: 10 elements in all lists of the message so far, the limit is 9"},
	{"object contract: json is missing", control + "01" + "0100" + "01" + "0131", 10, "json: the message ends here"},
	{"object contract: capacity is missing", control + "01" + "0102" + "00" + "0131", 10, "capacity: the message ends here"},
	{"object contract: capacity of 64 bits", control + "01" + "0102" + "00" + "0131" + "fd0100000000000000", 10, "capacity: a 64-bit integer where 32 bits are wanted"},
	{"object contract: capacity cut short", control + "01" + "0104" + "00" + "0131" + "fc010000", 11, "capacity: 4 bytes wanted, 3 left in the message"},
	{"tag contract: unknown action", control + "01" + "0205" + "0131", 6, "tag contract action: no variant 5, 5 are known"},
	{"tag contract: tag is missing", control + "01" + "0200" + "02", 8, "tag: 2 bytes wanted, 0 left in the message"},
	{"tag contract: capacity is missing", control + "01" + "0202" + "0131", 9, "capacity: the message ends here"},
	{"tag contract: capacity of 128 bits", control + "01" + "0204" + "0131" + "fe", 9, "capacity: byte 254 does not start an integer"},
	{"downstream control: an object contract", downControl + "01" + "0100" + "000131", 5, "control action: no variant 1, 1 are known"},
	{"downstream control: a tag contract", downControl + "01" + "0200" + "0131", 5, "control action: no variant 2, 1 are known"},

	{"states: endless count", states + infinite, 4, "state actions: 18446744073709551615 elements announced, 0 bytes left in the message"},
	{"states: more actions than the limit", states + "04" + strings.Repeat("0100", 4), 4, "state actions: 4 elements, the limit is 3"},
	{"states: unknown action", states + "01" + "0200", 5, "state action: no variant 2, 2 are known"},
	{"states: synchronized is missing", states + "02" + "0100" + "01fb", 9, "synchronized: 2 bytes wanted, 0 left in the message"},
	{"patch: endless version", states + "01" + "00" + infinite, 6, "version: 18446744073709551615 elements announced, 0 bytes left in the message"},
	{"patch: version longer than the limit", states + "01" + "00" + "04" + "00000000" + "00" + "00" + "00", 6, "version: 4 elements, the limit is 3"},
	{"patch: version element of 128 bits", states + "01" + "00" + "01" + "fe" + "00" + "00" + "00", 7, "version element: byte 254 does not start an integer"},
	{"patch: format option of 2", states + "01" + "00" + "00" + "02" + "00" + "00", 7, "format option: byte 2, 0 or 1 wanted"},
	{"patch: format option as a long integer", states + "01" + "00" + "00" + "fb0000" + "00" + "00", 7, "format option: byte 251, 0 or 1 wanted"},
	{"patch: endless format", states + "01" + "00" + "00" + "01" + infinite, 8, "format: 18446744073709551615 elements announced, 0 bytes left in the message"},
	{"patch: more formats than the limit", states + "01" + "00" + "00" + "01" + "04" + "00000000" + "00" + "00", 8, "format: 4 elements, the limit is 3"},
	{"patch: format element longer than the limit", states + "01" + "00" + "00" + "01" + "01" + "09" + "616161616161616161" + "00" + "00", 9, "format element: 9 bytes, the limit is 8"},
	{"patch: format element is not UTF-8", states + "01" + "00" + "00" + "01" + "01" + "01" + "80" + "00" + "00", 10, "format element: not UTF-8"},
	{"patch: endless diff", states + "01" + "00" + "00" + "00" + infinite, 17, "diff: 18446744073709551615 bytes wanted, 0 left in the message"},
	{"patch: diff of 4 GiB", states + "01" + "00" + "00" + "00" + "fcffffffff" + "00", 13, "diff: 4294967295 bytes wanted, 1 left in the message"},
	{"patch: diff longer than the limit", states + "01" + "00" + "00" + "00" + "09" + "000000000000000000" + "00", 8, "diff: 9 bytes, the limit is 8"},
	{"patch: synchronized is missing", states + "01" + "00" + "00" + "00" + "00", 9, "synchronized: the message ends here"},
	{"patch: synchronized of 128 bits", states + "01" + "00" + "00" + "00" + "00" + "fe", 9, "synchronized: byte 254 does not start an integer"},
	{"a message over the limit", strings.Repeat("00", 101), 100, "message: 101 bytes, the limit is 100"},
}

func TestDecode_HostileInputIsRefusedForTheRightReason(t *testing.T) {
	if len(hostileEvents) < 60 {
		t.Fatalf("%d inputs", len(hostileEvents))
	}
	for _, hostile := range hostileEvents {
		t.Run(hostile.story, func(t *testing.T) {
			event, err := DecodeEvent(unhex(hostile.hex), &smallLimits)
			var refusal *DecodeError
			if !errors.As(err, &refusal) {
				t.Fatalf("taken as %+v", event)
			}
			if refusal.Offset != hostile.offset || refusal.Reason != hostile.reason {
				t.Errorf("refused with\n%v, expected\nbyte %d: %s", err, hostile.offset, hostile.reason)
			}
		})
	}
}

// Nine bytes on a fresh socket end the reference's process; here they cost next to no memory.
func TestDecode_LengthBeyondMessageIsRefusedBeforeMemoryIsTaken(t *testing.T) {
	for _, start := range []string{uninitialized, control, downControl, states, states + "0100", states + "01000001", control + "010100", control + "010001"} {
		for _, length := range []string{infinite, "fd00000000ffffff7f", "fcffffffff", "fcffffff7f"} {
			data := unhex(start + length)
			if _, err := DecodeEvent(data, nil); err == nil {
				t.Fatalf("%x: taken", data)
			}
			if got := bytesAllocated(func() { _, _ = DecodeEvent(data, nil) }); got > 4096 {
				t.Errorf("%x: refused, but %d bytes were allocated", data, got)
			}
		}
	}
}

// The most memory for the fewest bytes, within the limits and beyond them: as much as DefaultLimits documents and no more.
func TestDecode_MemoryIsBoundedByTheMessageAndTheLimits(t *testing.T) {
	list := func(start string, count int, element string) []byte {
		return append(appendUint(unhex(start), uint64(count)), bytes.Repeat(unhex(element), count)...)
	}
	emptyTags := func(count int) string {
		return hex.EncodeToString(appendUint(nil, uint64(count))) + strings.Repeat("00", count)
	}
	for story, data := range map[string][]byte{
		"empty names":                        list(control, 1<<20, "000000"),
		"empty tags, as many as are taken":   list(control, 1<<12-4, "0100"+emptyTags(1<<10)+"00"),
		"empty tags, as many as fit":         list(control, 65_154, "0100"+emptyTags(1<<10)+"00"),
		"actions and tags":                   list(control, 1<<20, "0100"+emptyTags(3)+"00"),
		"actions that are broken":            list(control, 1<<20, "090909"),
		"flags":                              list(states, 1<<10, "0100"),
		"versions and formats of many parts": list(states, 1<<10, "00"+emptyTags(1<<10)+"01"+emptyTags(1<<8)+"0000"),
		"channel types with empty tags":      list(uninitialized, 16, "0003"+emptyTags(1<<10)+"00"),
	} {
		if got, most := bytesAllocated(func() { _, _ = DecodeEvent(data, nil) }), min(50*len(data), 144<<20+2*len(data)); got > uint64(most) {
			t.Errorf("%s: %d bytes allocated for %d, at most %d expected", story, got, len(data), most)
		}
	}
}

// bytesAllocated returns the fewest bytes of a few runs, for the runtime allocates too.
func bytesAllocated(run func()) uint64 {
	least := ^uint64(0)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// What the reference tolerates is tolerated.
func TestDecode_TolerantWhereTheReferenceIs(t *testing.T) {
	open := Event{Kind: EventOpen, Channel: ChannelID{DownstreamOriginated, 1}}
	for story, input := range map[string]string{
		"shortest":                 "000101",
		"bytes after the event":    "000101ffff",
		"event index of 16 bits":   "fb0000" + "0101",
		"event index of 32 bits":   "fc00000000" + "0101",
		"channel number of 64 bit": "0001" + "fd0100000000000000",
		"channel number of 16 bit": "0001" + "fb0100",
	} {
		got, err := DecodeEvent(unhex(input), &smallLimits)
		if err != nil || got.Kind != open.Kind || got.Channel != open.Channel {
			t.Errorf("%s: %+v, %v", story, got, err)
		}
	}
	for story, input := range map[string]string{
		"no initialize action":   uninitialized + "00",
		"no control action":      control + "00",
		"no state action":        states + "00",
		"empty name":             control + "01" + "0000" + "00",
		"seconds of -0":          control + "01" + "0001" + "01" + "00000080" + "01",
		"seconds just below max": control + "01" + "0001" + "01" + "ffffff5e" + "01",
		"load limit downstream":  downControl + "01" + "0001" + "00",
		"json that is no JSON":   uninitialized + "01" + "0003" + "00" + "01" + "7b",
		"all limits reached": states + "03" + "00" + "03000000" + "01" + "03" + "08" + strings.Repeat("61", 8) + "0000" +
			"08" + strings.Repeat("ff", 8) + "00" + "0100" + "0100",
	} {
		if _, err := DecodeEvent(unhex(input), &smallLimits); err != nil {
			t.Errorf("%s: %v", story, err)
		}
	}
}

func TestDecode_DiffAliasesTheMessageAndCannotGrowIntoIt(t *testing.T) {
	data := unhex(states + "01" + "00" + "00" + "00" + "02" + "6162" + "05")
	event, err := DecodeEvent(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	diff := event.Message.States[0].Diff
	data[9] = 'x'
	if string(diff) != "xb" {
		t.Errorf("diff is %q: a copy", diff)
	}
	_ = append(diff, 'y')
	if !bytes.HasSuffix(data, []byte{5}) {
		t.Error("appending to the diff wrote into the message")
	}
}

func unhex(text string) []byte {
	data, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return data
}
