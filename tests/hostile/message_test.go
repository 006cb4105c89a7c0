package hostile

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// raw concatenates bytes, texts and floats: messages that the codec would refuse to write.
func raw(parts ...any) []byte {
	var data []byte
	for _, part := range parts {
		switch part := part.(type) {
		case int:
			data = append(data, byte(part))
		case string:
			data = append(data, part...)
		case float32:
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(part))
		}
	}
	return data
}

// control is the start of a control message with one action, up to the action.
const control = "\x01\x01\x01\x01\x01"

// huge is a length of 2^63-1.
const huge = "\xfd\xff\xff\xff\xff\xff\xff\xff\x7f"

// text is a string's length and content.
func text(content string) string {
	return string(binary.LittleEndian.AppendUint32([]byte{252}, uint32(len(content)))) + content
}

// object is a message that observes an object.
func object(json string) []byte { return raw(control, 1, 0, 0, text(json)) }

// mebibyte is the action that observes an object of 1 MiB; half is half of one.
var (
	half     = strings.Repeat("x", 1<<19)
	mebibyte = string(raw(1, 0, 0, text(`"`+half+half[2:]+`"`)))
)

// TestMessages_EndTheirLinkOnly is about single messages of a child that has greeted.
func TestMessages_EndTheirLinkOnly(t *testing.T) {
	r := startRouter(t, "")
	limit := func(seconds float32) []byte { return raw(control, 0, 1, 1, seconds, 5) }
	for _, row := range []struct {
		story  string
		data   []byte
		reason string
	}{
		{"an unknown event", raw(3, 1, 1), "event"},
		{"an event that ends after its kind", raw(0), "byte 1"},
		{"a channel number of zero", raw(0, 1, 0), "channel number: 0"},
		{"a channel of no origin", raw(0, 2, 1), "byte 1"},
		{"a channel opened twice", raw(0, 1, 1), "open"},
		{"a channel of ours opened", raw(0, 0, 9), "this end"},
		{"a channel closed that is not open", raw(2, 1, 9), "not open"},
		{"our channel closed", raw(2, 0, 1), "this end"},
		{"the control channel closed", raw(2, 1, 1), "control"},
		{"a message on no channel", raw(1, 1, 9, 0, 0), "not open"},
		{"a message on a channel of ours that was never opened", raw(1, 0, 77, 3, 0), "never opened"},
		{"a message of no kind", raw(1, 1, 1, 9, 0), "message"},
		{"states on the control channel", raw(1, 1, 1, 3, 0), "does not take"},
		{"a second initialization", raw(1, 1, 1, 0, 1, 0, 0), "does not take"},
		{"a list longer than memory", raw("\x01\x01\x01\x01", huge), "byte 4"},
		{"a list of 2^32 actions", raw("\x01\x01\x01\x01\xfc\xff\xff\xff\xff"), "byte 4"},
		{"a name longer than memory", raw(control, 0, 0, huge), "name"},
		{"a name that is not UTF-8", raw(control, 0, 0, 1, 0xff), "UTF-8"},
		{"a name beyond the limit", raw(control, 0, 0, "\xfc\x00\x00\x02\x00", strings.Repeat("n", 1<<17)), "name"},
		{"a text longer than memory", raw(control, 1, 0, 0, huge), "byte"},
		{"a text longer than the message", raw(control, 1, 0, 0, 200, "x"), "byte"},
		{"a tag list longer than memory", raw(control, 1, 0, huge), "byte"},
		{"load limit seconds that are NaN", limit(float32(math.NaN())), "seconds"},
		{"load limit seconds that are infinite", limit(float32(math.Inf(1))), "seconds"},
		{"load limit seconds that are minus infinite", limit(float32(math.Inf(-1))), "seconds"},
		{"load limit seconds that are negative", limit(-1), "seconds"},
		{"load limit seconds of 1e19", limit(1e19), "seconds"},
		{"load limit seconds of 3e38", limit(3e38), "seconds"},
		{"a load limit longer than memory", raw(control, 0, 1, huge), "byte"},
		{"a capacity of 64 bits", raw(control, 1, 2, 0, 1, "1", "\xfd\x01\x00\x00\x00\x00\x00\x00\x00"), "capacity"},
		{"an action of no kind", raw(control, 7), "byte"},
		{"a contract of no kind", raw(control, 1, 9, 0, 1, "1"), "byte"},
		{"an object that is no JSON", raw(control, 1, 0, 0, 2, "{]"), "json"},
		{"an object of nothing", raw(control, 1, 0, 0, 0), "json"},
		{"an object with a number too great", raw(control, 1, 0, 0, 5, "1e400"), "json"},
		{"an object with a lone surrogate", raw(control, 1, 0, 0, 8, `"\ud800"`), "json"},
		{"an object with a raw control character", raw(control, 1, 0, 0, 3, "\"\n\""), "json"},
		{"an object nested 128 deep", raw(control, 1, 0, 0, "\xfb\x00\x01", strings.Repeat("[", 128)+strings.Repeat("]", 128)), "json"},
		{"an object nested 100,000 deep", raw(control, 1, 0, 0, "\xfc\xa0\x86\x01\x00", strings.Repeat("[", 100_000)), "json"},
		{"an object with two values", raw(control, 1, 0, 0, 3, "1 2"), "json"},
		{"an object of NaN", object("NaN"), "json"},
		{"an object of Infinity", object("-Infinity"), "json"},
		{"a number with a leading zero", object("01"), "json"},
		{"a number with a plus sign", object("+1"), "json"},
		{"a number without digits after the point", object("1."), "json"},
		{"a number in hexadecimal", object("0x10"), "json"},
		{"an exponent of 10^18, and not zero", object("1e999999999999999999"), "json"},
		{"a number of 100,001 digits", object(strings.Repeat("9", 100_001)), "json"},
		{"arrays and objects nested 128 deep", object(strings.Repeat(`{"a":[`, 64) + "1" + strings.Repeat("]}", 64)), "json"},
		{"a million brackets", object(strings.Repeat("[", 1<<20)), "json"},
		{"an object of 1 MiB and a byte", object(`"` + strings.Repeat("x", 1<<20-1) + `"`), "json"},
		{"an object of 1 MiB observed twice", raw("\x01\x01\x01\x01\x02", mebibyte, mebibyte), "observe object of object"}, // of which the log must not be full
		{"tags that are 1.5 MiB together", raw(control, 1, 0, 3, text(`"1`+half+`"`), text(`"2`+half+`"`), text(`"3`+half+`"`), 1, "1"), "bytes"},
		{"1,025 tags", raw(control, 1, 0, "\xfb\x01\x04", strings.Repeat("\x011", 1025), 1, "1"), "tags"},
		{"4,097 points of a load limit", raw(control, 0, 1, "\xfb\x01\x10", strings.Repeat("\x00\x00\x80\x3f\x01", 4097)), "load limit"},
		{"a load of 64 bits", raw(control, 0, 1, 1, float32(1), huge), "load"},
		{"2^20 and one actions", raw("\x01\x01\x01\x01\xfc\x01\x00\x10\x00", strings.Repeat("\x00\x00\x00", 1<<20+1)), "actions"},
		{"a channel type of no kind", raw(1, 1, 1, 0, 1, 0, 9), "byte"},
		{"a tag that is no JSON", raw(control, 2, 0, 1, "}"), "tag"},
		{"an object whose tag is no JSON", raw(control, 1, 0, 1, 1, "}", 1, "1"), "tag 0"},
		{"an object observed twice", raw("\x01\x01\x01\x01\x02", 1, 0, 0, 1, "1", 1, 0, 0, 1, "1"), "already"},
		{"a tag exposed twice", raw("\x01\x01\x01\x01\x02", 2, 2, 1, "1", 1, 2, 2, 1, "1", 1), "already"},
		{"an object unexposed that is only observed", raw("\x01\x01\x01\x01\x02", 1, 0, 0, 1, "1", 1, 3, 0, 1, "1"), "does not expose"},
		{"random bytes", raw("\x9f\x1c\x00\xfa\x07 not a message"), "byte"},
	} {
		t.Run(row.story, func(t *testing.T) {
			c := r.dial(t)
			c.event(greeting()...)
			c.send(row.data)
			c.ends(row.reason)
		})
		r.pass(row.story)
	}
	r.bounded("bad messages", 100)
}

// TestMessages_ThatAreHarmless is about what looks odd and ends nothing.
func TestMessages_ThatAreHarmless(t *testing.T) {
	r := startRouter(t, "")
	for _, row := range []struct {
		story string
		data  [][]byte
	}{
		{"an empty message", [][]byte{{}}},
		{"no actions", [][]byte{raw("\x01\x01\x01\x01\x00")}},
		{"trailing bytes", [][]byte{raw("\x01\x01\x01\x01\x00 and more")}},
		{"integers longer than need be", [][]byte{raw("\x01\x01\xfb\x01\x00\x01\x00")}},
		{"unobserve of nothing", [][]byte{raw(control, 1, 1, 0, 1, "1")}},
		{"capacity of nothing", [][]byte{raw(control, 1, 4, 0, 1, "1", 5)}},
		{"a channel opened and closed before it was anything", [][]byte{raw(0, 1, 2), raw(2, 1, 2)}},
		{"a channel opened again after its close", [][]byte{raw(0, 1, 2), raw(2, 1, 2), raw(0, 1, 2)}},
		{"a second control channel", [][]byte{raw(0, 1, 2), raw(1, 1, 2, 0, 1, 0, 0)}},
		{"the greatest channel number", [][]byte{raw(0, 1, "\xfd\xff\xff\xff\xff\xff\xff\xff\xff")}},
		{"the greatest capacity, twice", [][]byte{raw("\x01\x01\x01\x01\x02", 1, 2, 0, 1, "1", "\xfc\xff\xff\xff\xff", 2, 2, 1, "1", "\xfc\xff\xff\xff\xff")}},
		{"zero and minus zero", [][]byte{object("0"), object("-0"), object("[-0.0e99999999999999999999]")}},
		{"a number too small for a float", [][]byte{object("1e-400")}},
		{"the greatest and the least integers", [][]byte{object("18446744073709551615"), object("-9223372036854775808")}},
		{"integers beyond those", [][]byte{object("18446744073709551616"), object("-9223372036854775809")}},
		{"a number of 300 digits", [][]byte{object(strings.Repeat("9", 300))}},
		{"the greatest float", [][]byte{object("1.7976931348623157e308")}},
		{"an object nested 127 deep", [][]byte{object(strings.Repeat("[", 127) + strings.Repeat("]", 127))}},
		{"an object of 1 MiB", [][]byte{raw("\x01\x01\x01\x01\x01", mebibyte)}},
		{"a name that would move a terminal's cursor", [][]byte{raw(control, 0, 0, text("\x1b[2J\r\n\x00\u202e"))}},
		{"a capacity of zero", [][]byte{raw(control, 1, 2, 0, 1, "1", 0)}},
		{"an empty load limit, and one that goes back in time", [][]byte{raw(control, 0, 1, 0), raw(control, 0, 1, 3, float32(9), 1, float32(1), 2, float32(9), 3)}},
		{"10,000 keys of which all are one", [][]byte{object("{" + strings.Repeat(`"k":[{}],`, 9_999) + `"k":0}`)}},
		{"duplicate keys", [][]byte{raw(control, 1, 0, 0, 13, `{"a":1,"a":2}`)}},
		{"a load limit far in the future", [][]byte{raw(control, 0, 1, 1, float32(9e18), 5)}},
	} {
		t.Run(row.story, func(t *testing.T) {
			c := r.dial(t)
			c.event(greeting()...)
			for _, data := range row.data {
				c.send(data)
			}
			c.alive()
		})
		r.pass(row.story)
	}
	r.bounded("odd messages", 60)
}
