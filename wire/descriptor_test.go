package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

type texts struct {
	tags []string
	json string
}

func bare(json string) texts                   { return texts{nil, json} }
func tagged(json string, tags ...string) texts { return texts{tags, json} }

// Which texts name one object, to the reference and so to us.
var pairs = []struct {
	story string
	a, b  texts
	same  bool
}{
	{"the same number", bare(`1`), bare(`1`), true},
	{"space around", bare(`1`), bare(" \t\r\n1\n"), true},
	{"space within", bare(`[1,2]`), bare(`[ 1 , 2 ]`), true},
	{"space in an object", bare(`{"a":1}`), bare(`{ "a" : 1 }`), true},
	{"order of keys", bare(`{"a":1,"b":2}`), bare(`{"b":2,"a":1}`), true},
	{"order of keys, deep", bare(`[{"x":{"a":1,"b":2}}]`), bare(`[{"x":{"b":2,"a":1}}]`), true},
	{"the last of two keys wins", bare(`{"a":2}`), bare(`{"a":1,"a":2}`), true},
	{"the last of three keys wins, whatever the values", bare(`{"a":3,"b":0}`), bare(`{"a":[1],"b":0,"a":{},"a":3}`), true},
	{"keys are equal once unescaped", bare(`{"a":2}`), bare(`{"a":1,"\u0061":2}`), true},
	{"escaped letter", bare(`"a"`), bare(`"\u0061"`), true},
	{"escaped letter, either case", bare(`"\u00e9"`), bare(`"\u00E9"`), true},
	{"escaped slash", bare(`"/"`), bare(`"\/"`), true},
	{"short and long escape", bare(`"\n\t\b\f\r"`), bare(`"\u000a\u0009\u0008\u000c\u000d"`), true},
	{"surrogate pair", bare(`"🦀"`), bare(`"\ud83e\udd80"`), true},
	{"escaped quote", bare(`"\""`), bare(`"\u0022"`), true},
	{"exponent", bare(`100.0`), bare(`1e2`), true},
	{"exponent with sign and case", bare(`1e2`), bare(`1E+02`), true},
	{"trailing zeros", bare(`1.5`), bare(`1.500`), true},
	{"small exponents", bare(`0.00001`), bare(`1e-5`), true},
	{"zero and minus zero, as floats", bare(`0.0`), bare(`-0.0`), true},
	{"minus zero is a float", bare(`0.0`), bare(`-0`), true},
	{"minus zero inside", bare(`[{"a":-0.0}]`), bare(`[{"a":0.0}]`), true},
	{"underflow", bare(`0.0`), bare(`1e-400`), true},
	{"zero with any exponent", bare(`0.0`), bare(`0e99999999999999999999`), true},
	{"integer beyond uint64 is a float", bare(`18446744073709551616`), bare(`1.8446744073709552e19`), true},
	{"integer below int64 is a float", bare(`-9223372036854775809`), bare(`-9223372036854775808.0`), true},
	{"floats one digit beyond precision", bare(`0.1`), bare(`0.10000000000000000001`), true},
	{"order of tags", tagged(`1`, `"a"`, `"b"`), tagged(`1`, `"b"`, `"a"`), true},
	{"tags are a set", tagged(`1`, `"a"`), tagged(`1`, `"a"`, `"a"`), true},
	{"tags are a set of values", tagged(`1`, `{"x":1,"y":2}`), tagged(`1`, `{"y":2,"x":1}`, `{ "x":1, "y":2 }`), true},
	{"tags with folded zeros", tagged(`1`, `0.0`), tagged(`1`, `-0.0`, `0.0`), true},

	{"numbers", bare(`1`), bare(`2`), false},
	{"sign", bare(`1`), bare(`-1`), false},
	{"integer and float", bare(`1`), bare(`1.0`), false},
	{"integer and exponent", bare(`100`), bare(`1e2`), false},
	{"zero and minus zero, as written", bare(`0`), bare(`-0`), false},
	{"zero and float zero", bare(`0`), bare(`0.0`), false},
	{"number and string", bare(`1`), bare(`"1"`), false},
	{"null and false", bare(`null`), bare(`false`), false},
	{"null and string", bare(`null`), bare(`"null"`), false},
	{"true and one", bare(`true`), bare(`1`), false},
	{"empty array and object", bare(`[]`), bare(`{}`), false},
	{"empty string and array", bare(`""`), bare(`[]`), false},
	{"order in an array", bare(`[1,2]`), bare(`[2,1]`), false},
	{"repetition in an array", bare(`[1]`), bare(`[1,1]`), false},
	{"nesting", bare(`[1]`), bare(`[[1]]`), false},
	{"key", bare(`{"a":1}`), bare(`{"b":1}`), false},
	{"value", bare(`{"a":1}`), bare(`{"a":2}`), false},
	{"absent and null", bare(`{}`), bare(`{"a":null}`), false},
	{"case", bare(`"a"`), bare(`"A"`), false},
	{"composed and decomposed letter", bare(`"\u00e9"`), bare(`"e\u0301"`), false},
	{"space in a string", bare(`"a b"`), bare(`"ab"`), false},
	{"large integers", bare(`9007199254740993`), bare(`9007199254740992`), false},
	{"largest integers", bare(`18446744073709551615`), bare(`18446744073709551614`), false},
	{"largest integer and float", bare(`18446744073709551615`), bare(`18446744073709551616`), false},
	{"neighbouring floats", bare(`0.1`), bare(`0.10000000000000002`), false},
	{"minus zero in a string", bare(`"-0.0"`), bare(`"0.0"`), false},
	{"minus zero in a key", bare(`{"-0.0":1}`), bare(`{"0.0":1}`), false},
	{"a tag and none", tagged(`1`, `"a"`), bare(`1`), false},
	{"a tag more", tagged(`1`, `"a"`), tagged(`1`, `"a"`, `"b"`), false},
	{"tags", tagged(`1`, `"a"`), tagged(`1`, `"b"`), false},
	{"tag and json change places", tagged(`"b"`, `"a"`), tagged(`"a"`, `"b"`), false},
	{"tag integer and float", tagged(`1`, `1`), tagged(`1`, `1.0`), false},
	{"an array and a tag", bare(`["a"]`), tagged(`[]`, `"a"`), false},
	{"one tag with a comma and two", tagged(`1`, `"a\",\"b"`), tagged(`1`, `"a"`, `"b"`), false},
	{"a tag that looks like the end", tagged(`1`, `"]1"`), tagged(`1`, `"]"`), false},
}

func TestDescriptor_EqualWhenTheReferenceSaysSo(t *testing.T) {
	if len(pairs) < 60 {
		t.Fatalf("%d pairs", len(pairs))
	}
	for _, pair := range pairs {
		t.Run(pair.story, func(t *testing.T) {
			a, err := NewDescriptor(pair.a.tags, pair.a.json, nil)
			if err != nil {
				t.Fatal(err)
			}
			b, err := NewDescriptor(pair.b.tags, pair.b.json, nil)
			if err != nil {
				t.Fatal(err)
			}
			if same := a.Key == b.Key; same != pair.same {
				t.Errorf("%s and %s: the same: %v, expected %v", a.Key, b.Key, same, pair.same)
			}
		})
	}
}

// What names nothing. The offset is within the refused text.
func TestDescriptor_RefusedTexts(t *testing.T) {
	for _, refused := range []struct {
		texts  texts
		offset int
		reason string
	}{
		{bare(``), 0, "json: a value wanted, the text ends here"},
		{bare(`  `), 2, "json: a value wanted, the text ends here"},
		{bare(`nul`), 0, "json: a value wanted"},
		{bare(`True`), 0, "json: a value wanted"},
		{bare("\ufeff1"), 0, "json: a value wanted"},
		{bare("\u00a01"), 0, "json: a value wanted"},
		{bare(`1 2`), 2, "json: text after the value"},
		{bare("1\x00"), 1, "json: text after the value"},
		{bare(`truefalse`), 4, "json: text after the value"},
		{bare(`-`), 1, "json: number: a digit wanted"},
		{bare(`--1`), 1, "json: number: a digit wanted"},
		{bare(`-01`), 1, "json: number: leading zero"},
		{bare(`00`), 0, "json: number: leading zero"},
		{bare(`1.e1`), 2, "json: number: a digit wanted after the point"},
		{bare(`1e`), 2, "json: number: a digit wanted in the exponent"},
		{bare(`1e+`), 3, "json: number: a digit wanted in the exponent"},
		{bare(`1.5.5`), 3, "json: text after the value"},
		{bare(`0x1`), 1, "json: text after the value"},
		{bare(`1_000`), 1, "json: text after the value"},
		{bare(`-1e309`), 0, "json: number: beyond the range of a float"},
		{bare(`[1,1e99999999999]`), 3, "json: number: beyond the range of a float"},
		{bare(`1.8e308`), 0, "json: number: beyond the range of a float"},
		{bare(`"a`), 2, "json: string: the text ends inside"},
		{bare(`"\n`), 3, "json: string: the text ends inside"},
		{bare(`"\`), 1, "json: string: unknown escape"},
		{bare(`"\x41"`), 1, "json: string: unknown escape"},
		{bare(`"\u12"`), 1, `json: string: four hexadecimal digits wanted after \u`},
		{bare(`"\u00g0"`), 1, `json: string: four hexadecimal digits wanted after \u`},
		{bare(`"\udc00"`), 1, "json: string: lone surrogate"},
		{bare(`"\ud800"`), 1, "json: string: lone surrogate"},
		{bare(`"\ud800\n"`), 1, "json: string: lone surrogate"},
		{bare(`"\ud800\u0041"`), 1, "json: string: lone surrogate"},
		{bare(`"\ud800\ud800"`), 1, "json: string: lone surrogate"},
		{bare("\"a\x1f\""), 2, "json: string: control character"},
		{bare("\"\\n\x00\""), 3, "json: string: control character"},
		{bare("\"\xff\""), 1, "json: not UTF-8"},
		{bare(`[`), 1, "json: a value wanted, the text ends here"},
		{bare(`[1`), 2, "json: array: ',' or ']' wanted"},
		{bare(`[1}`), 2, "json: array: ',' or ']' wanted"},
		{bare(`[,]`), 1, "json: a value wanted"},
		{bare(`]`), 0, "json: a value wanted"},
		{bare(`{`), 1, "json: object: a key wanted"},
		{bare(`{"a"}`), 4, "json: object: ':' wanted"},
		{bare(`{"a":}`), 5, "json: a value wanted"},
		{bare(`{"a":1`), 6, "json: object: ',' or '}' wanted"},
		{bare(`{"a":1,}`), 7, "json: object: a key wanted"},
		{bare(`{1:1}`), 1, "json: object: a key wanted"},
		{bare(`{'a':1}`), 1, "json: object: a key wanted"},
		{bare(`{"a":1e400,"a":1}`), 5, "json: number: beyond the range of a float"},
		{bare(`/**/1`), 0, "json: a value wanted"},
		{bare(strings.Repeat("[", 128) + strings.Repeat("]", 128)), 127, "json: nested deeper than 127"},
		{bare(strings.Repeat(`{"":`, 128) + "1" + strings.Repeat("}", 128)), 4 * 127, "json: nested deeper than 127"},
		{bare(strings.Repeat("[", 1<<20)), 127, "json: nested deeper than 127"},
		{bare(`"` + strings.Repeat("a", 1<<20) + `"`), 1 << 20, "json: descriptor: 1048578 bytes, the limit is 1048576"},
		{bare("[" + strings.Repeat("1e15,", 1<<17) + "1]"), 1 << 20, "json: descriptor: 2490371 bytes, the limit is 1048576"},
		{tagged(`1`, `"a"`, `nope`), 0, "tag 1: a value wanted"},
		{tagged(`1`, make([]string, 1025)...), 0, "tags: 1025 elements, the limit is 1024"},
	} {
		d, err := NewDescriptor(refused.texts.tags, refused.texts.json, nil)
		var refusal *DecodeError
		if !errors.As(err, &refusal) {
			t.Errorf("%.60q: taken as %.60s", refused.texts.json, d.Key)
		} else if refusal.Offset != refused.offset || refusal.Reason != refused.reason {
			t.Errorf("%.60q: refused with\n%v, expected\nbyte %d: %s", refused.texts.json, err, refused.offset, refused.reason)
		}
	}
}

func TestDescriptor_KeySortsTagsAndKeepsTheFirstSpelling(t *testing.T) {
	d, err := NewDescriptor([]string{`"b"`, ` -0.0`, `0.0`, `{"y":1,"x":-0}`, `"a"`}, ` { "b" : -0.0, "a" : 1 } `, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := `["a","b",0.0,{"x":0.0,"y":1}]{"a":1,"b":0.0}`; d.Key != want {
		t.Errorf("key %s, expected %s", d.Key, want)
	}
	if want := []string{`"a"`, `"b"`, `-0.0`, `{"x":-0.0,"y":1}`}; !slices.Equal(d.Tags, want) {
		t.Errorf("tags %v, expected %v", d.Tags, want)
	}
	if want := `{"a":1,"b":-0.0}`; d.JSON != want {
		t.Errorf("json %s, expected %s", d.JSON, want)
	}
}

func TestDescriptor_ComesBackFromItsKey(t *testing.T) {
	for _, pair := range pairs {
		d, err := NewDescriptor(pair.b.tags, pair.b.json, nil)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DescriptorFromKey(d.Key)
		if err != nil {
			t.Errorf("%s: %s: %v", pair.story, d.Key, err)
			continue
		}
		again, err := NewDescriptor(back.Tags, back.JSON, nil)
		if err != nil || back.Key != d.Key || again.Key != d.Key {
			t.Errorf("%s: %s came back as %s and %s, %v", pair.story, d.Key, back.Key, again.Key, err)
		}
	}
}

func TestDescriptor_TextThatIsNoKeyIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:                "byte 0: key: '[' wanted",
		`1`:               "byte 0: key: '[' wanted",
		`[`:               "byte 1: a value wanted, the text ends here",
		`[]`:              "byte 2: a value wanted, the text ends here",
		`[]1 `:            "byte 3: key: text after the json",
		`[] 1`:            "byte 2: a value wanted",
		`["b","a"]1`:      "byte 4: key: tags out of order",
		`["a","a"]1`:      "byte 4: key: tags out of order",
		`["a""b"]1`:       "byte 4: key: ',' or ']' wanted",
		`["a",]1`:         "byte 5: a value wanted",
		`[]-0.0`:          "byte 2: key: not spelled as an identity",
		`[]1e2`:           "byte 2: key: not spelled as an identity",
		`[]{"b":1,"a":1}`: "byte 2: key: not spelled as an identity",
		`[]{"a":1,"a":1}`: "byte 2: key: not spelled as an identity",
		`[][1, 2]`:        "byte 2: key: not spelled as an identity",
		`["\u0061"]1`:     "byte 1: key: not spelled as an identity",
		"[]\"\xff\"":      "byte 3: key: not UTF-8",
	} {
		if d, err := DescriptorFromKey(text); err == nil || err.Error() != want {
			t.Errorf("%q: %+v, %v, expected %s", text, d, err, want)
		}
	}
}
