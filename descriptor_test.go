package hakuban_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"

	"hakuban"
)

func TestObject_Identity(t *testing.T) {
	raw := func(text string) any { return json.RawMessage(text) }
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{1, 1, true},
		{1, int64(1), true},
		{1, 1.0, true}, // encoding/json writes 1 for both
		{1, raw("1.0"), false},
		{raw("1.0"), raw("1e0"), true},
		{0, raw("-0"), false},
		{raw("0.0"), raw("-0.0"), true},
		{"a", "b", false},
		{"ó", raw(`"\u00f3"`), true},
		{"<&>", raw(`"<&>"`), true},
		{"1", 1, false},
		{nil, raw("null"), true},
		{nil, false, false},
		{map[string]int{"a": 1, "b": 2}, raw(`{"b":2, "a":1}`), true},
		{[]int{1, 2}, []int{2, 1}, false},
		{uint64(math.MaxUint64), raw("18446744073709551615"), true},
		{int64(9007199254740993), int64(9007199254740992), false},
		{struct{ A int }{1}, map[string]int{"A": 1}, true},
	} {
		a, b := hakuban.MustObject(c.a), hakuban.MustObject(c.b)
		if (a == b) != c.want {
			t.Errorf("%v == %v: %v", a, b, a == b)
		}
		if ta, tb := hakuban.MustTag(c.a), hakuban.MustTag(c.b); (ta == tb) != c.want {
			t.Errorf("tags %v == %v: %v", ta, tb, ta == tb)
		}
		if c.want && !hakuban.MustObject(1, c.a).HasTag(hakuban.MustTag(c.b)) {
			t.Errorf("an object with tag %v must have %v", c.a, c.b)
		}
	}
	if hakuban.MustObject(1, "a", "b", "a") != hakuban.MustObject(1, hakuban.MustTag("b"), "a") {
		t.Error("tags are a set")
	}
	if hakuban.MustObject(1, "a") == hakuban.MustObject(1) {
		t.Error("tags count")
	}
}

func TestObject_Refused(t *testing.T) {
	for name, err := range map[string]error{
		"a function":        second(hakuban.NewObject(func() {})),
		"a cycle":           second(hakuban.NewObject(cycle())),
		"NaN":               second(hakuban.NewObject(math.NaN())),
		"not UTF-8":         second(hakuban.NewObject("\xff")),
		"a key twice":       second(hakuban.NewObject(json.RawMessage(`{"a":1,"a":2}`))),
		"bad JSON":          second(hakuban.ParseObject(`{`)),
		"two values":        second(hakuban.ParseObject(`1 2`)),
		"nothing":           second(hakuban.ParseObject(``)),
		"1e400":             second(hakuban.ParseObject(`1e400`)),
		"a lone surrogate":  second(hakuban.ParseObject(`"\ud800"`)),
		"128 levels":        second(hakuban.ParseObject(strings.Repeat("[", 128) + strings.Repeat("]", 128))),
		"2 MiB":             second(hakuban.NewObject(strings.Repeat("x", 2<<20))),
		"2000 tags":         second(hakuban.NewObject(1, many(2000)...)),
		"the zero Tag":      second(hakuban.NewObject(1, hakuban.Tag{})),
		"a bad tag":         second(hakuban.NewObject(1, math.Inf(1))),
		"a bad tag text":    second(hakuban.ParseObject(`1`, `x`)),
		"a tag that is bad": second(hakuban.NewTag(func() {})),
		"a text of a tag":   second(hakuban.ParseTag(`{"a":1,"a":2}`)),
		"a zero Tag inside": second(hakuban.NewObject([]any{hakuban.Tag{}})),
		"a zero Object":     second(hakuban.NewObject(hakuban.Object{})),
		"a zero one inside": second(hakuban.NewTag(map[string]any{"of": &hakuban.Object{}})),
	} {
		if !errors.Is(err, hakuban.ErrDescriptor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Names that hold names differ where those do, however deep they lie.
func TestObject_NamesInsideNames(t *testing.T) {
	type alarm struct {
		For hakuban.Object `json:"alarm-for"`
	}
	kitchen, cellar, tag := hakuban.MustObject("kitchen", "room", json.RawMessage("1.0")), hakuban.MustObject("cellar"), hakuban.MustTag("<ó>")
	for _, c := range []struct {
		json any
		want string
	}{
		{kitchen, `{"json":"kitchen","tags":["room",1.0]}`},
		{&cellar, `{"json":"cellar","tags":[]}`},
		{tag, `"<ó>"`},
		{&tag, `"<ó>"`},
		{[]any{tag, cellar}, `["<ó>",{"json":"cellar","tags":[]}]`},
		{[]hakuban.Tag{tag}, `["<ó>"]`},
		{map[string]any{"alarm-for": kitchen}, `{"alarm-for":{"json":"kitchen","tags":["room",1.0]}}`},
		{alarm{cellar}, `{"alarm-for":{"json":"cellar","tags":[]}}`},
		{hakuban.MustObject(cellar, kitchen), `{"json":{"json":"cellar","tags":[]},"tags":[{"json":"kitchen","tags":["room",1.0]}]}`},
	} {
		if got := hakuban.MustObject(c.json); got.JSON() != c.want {
			t.Errorf("%v: named %s, want %s", c.json, got.JSON(), c.want)
		}
		if got := hakuban.MustTag(c.json); got.JSON() != c.want {
			t.Errorf("%v: tagged %s, want %s", c.json, got.JSON(), c.want)
		}
	}
	var got alarm
	if err := hakuban.MustObject(alarm{kitchen}).Decode(&got); err != nil || got.For != kitchen {
		t.Errorf("decoded %v, %v; want %v", got.For, err, kitchen)
	}
	if got, err := hakuban.DecodeJSON[alarm](hakuban.NewState(alarm{cellar}).EncodeJSON()); err != nil || got.For != cellar {
		t.Errorf("a state decoded as %v, %v; want %v", got.For, err, cellar)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("elected", "object", cellar)
	if want := `"object":{"tags":[],"json":"cellar"}`; !strings.Contains(log.String(), want) {
		t.Errorf("logged %s, want %s", log.String(), want)
	}
}

func TestObject_MarshalledAndBack(t *testing.T) {
	for _, want := range []hakuban.Object{
		hakuban.MustObject(nil), hakuban.MustObject("xxx", "some-tag"), hakuban.MustObject(map[string]any{"b": "\ufffd\\ufffd", "a": []int{}}, nil, 1, "é"),
		hakuban.MustObject(json.RawMessage("-0.0"), json.RawMessage("1e300"), uint64(math.MaxUint64)),
	} {
		text, err := json.Marshal(want)
		var got hakuban.Object
		if err != nil || json.Unmarshal(text, &got) != nil || got != want {
			t.Errorf("%v: marshalled as %s, %v, and back as %v", want, text, err, got)
		}
		for _, want := range want.Tags() {
			text, err := json.Marshal(want)
			var got hakuban.Tag
			if err != nil || string(text) != want.JSON() || json.Unmarshal(text, &got) != nil || got != want {
				t.Errorf("tag %v: marshalled as %s, %v, and back as %v", want, text, err, got)
			}
		}
	}
	for _, text := range []string{`null`, `{}`, `{"tags":["a"]}`, `"x"`, `["a"]"x"`, `{"json":1,"tags":"a"}`, `{"json":{"a":1,"a":2}}`} {
		object := hakuban.MustObject("as before")
		if err := json.Unmarshal([]byte(text), &object); err == nil || object != hakuban.MustObject("as before") {
			t.Errorf("%s was taken for an object: %v, %v", text, object, err)
		}
	}
	var tag hakuban.Tag
	if err := json.Unmarshal([]byte(`{"a":1,"a":2}`), &tag); !errors.Is(err, hakuban.ErrDescriptor) {
		t.Errorf("taken for a tag: %v, %v", tag, err)
	}
}

// What encoding/json would write the same is refused; what says U+FFFD is not.
func TestObject_TextThatIsNotUTF8(t *testing.T) {
	type room string
	for name, json := range map[string]any{
		"a string":             "a\xff",
		"a kind of string":     room("\xff"),
		"in a list":            []string{"\xfe"},
		"a key":                map[string]int{"\xff": 1},
		"after a backslash":    []string{"\\\xff"},
		"of another marshaler": marshaler{"\xff"},
		"the escape":           json.RawMessage(`"\ufffd"`),
		"a raw text":           json.RawMessage("\"\xff\""),
	} {
		if object, err := hakuban.NewObject(json); !errors.Is(err, hakuban.ErrDescriptor) {
			t.Errorf("%s: %v, %v", name, object, err)
		}
		if tag, err := hakuban.NewTag(json); !errors.Is(err, hakuban.ErrDescriptor) {
			t.Errorf("%s: %v, %v", name, tag, err)
		}
	}
	for _, text := range []string{"\ufffd", `\ufffd`, `\\ufffd`, "\\\ufffd"} {
		var got []string
		if err := hakuban.MustObject([]string{text}).Decode(&got); err != nil || got[0] != text {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
	if object, err := hakuban.ParseObject(`"\ufffd"`); err != nil || object != hakuban.MustObject("\ufffd") {
		t.Errorf("the escape parsed: %v, %v", object, err)
	}
}

type marshaler struct{ text string }

func (m marshaler) MarshalJSON() ([]byte, error) { return json.Marshal(m.text) }

func cycle() any {
	m := map[string]any{}
	m["m"] = m
	return m
}

func many(n int) []any {
	tags := make([]any, n)
	for i := range tags {
		tags[i] = i
	}
	return tags
}

func TestObject_ZeroValuesAreHarmless(t *testing.T) {
	var object hakuban.Object
	var tag hakuban.Tag
	if object.JSON() != "" || len(object.Tags()) != 0 || object.String() != "" || tag.JSON() != "" || object.HasTag(tag) {
		t.Error("zero values say something")
	}
	if object.Decode(new(int)) == nil || tag.Decode(new(int)) == nil {
		t.Error("zero values decode")
	}
}

func TestObject_DecodesAndReparses(t *testing.T) {
	type filter struct{ Query string }
	object := hakuban.MustObject(filter{"shoes"}, "b", 1, "a")
	var got filter
	if err := object.Decode(&got); err != nil || got.Query != "shoes" {
		t.Errorf("%+v, %v", got, err)
	}
	texts := []string{}
	for _, tag := range object.Tags() {
		texts = append(texts, tag.JSON())
	}
	again, err := hakuban.ParseObject(object.JSON(), texts...)
	if err != nil || again != object {
		t.Errorf("%v, %v; want %v", again, err, object)
	}
}

func TestState_Encodings(t *testing.T) {
	bytes := []byte("abc")
	raw := hakuban.NewState(bytes)
	bytes[0] = 'X'
	if string(raw.Data()) != "abc" {
		t.Error("a state changed with the slice it was made of")
	}
	for name, c := range map[string]struct {
		state  hakuban.State
		data   string
		format int
	}{
		"bytes":      {raw, "abc", 0},
		"text":       {hakuban.NewState("x"), "x", 0},
		"JSON text":  {hakuban.NewState("x").EncodeJSON(), `"x"`, 1},
		"JSON bytes": {hakuban.NewState([]byte("x")).EncodeJSON(), `"eA=="`, 1},
		"null":       {hakuban.NewState(nil).EncodeJSON(), "null", 1},
		"twice":      {hakuban.NewState(1).EncodeJSON().EncodeJSON(), `"MQ=="`, 2},
		"named":      {hakuban.NewState("x").WithFormat("a", "b"), "x", 2},
		"zero":       {hakuban.State{}, "", 0},
	} {
		if string(c.state.Data()) != c.data || len(c.state.Format()) != c.format {
			t.Errorf("%s: %q %q", name, c.state.Data(), c.state.Format())
		}
	}
	for name, err := range map[string]error{
		"other format":  second(hakuban.DecodeJSON[int](hakuban.NewState("1"))),
		"not encoded":   second(hakuban.DecodeJSON[int](hakuban.NewState(1))),
		"longer format": second(hakuban.Decode[int](hakuban.NewState(1).EncodeJSON(), gzipJSON{})),
	} {
		if !errors.Is(err, hakuban.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := hakuban.DecodeJSON[int](hakuban.NewState(7).EncodeJSON()); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := hakuban.DecodeJSON[int](hakuban.NewState("x").EncodeJSON()); err == nil {
		t.Error("a text was decoded as a number")
	}
	base := hakuban.NewState("x").WithFormat("a").WithVersion(1, 2)
	base.Format()[0], base.Version()[0] = "changed", 9
	one, two := base.Encode(gzipJSON{}), base.Encode(gzipJSON{})
	if base.Format()[0] != "a" || base.Version()[0] != 1 || len(one.Format()) != 3 || len(two.Format()) != 3 {
		t.Error("a state is not immutable")
	}
	x := hakuban.NewExchange(nil)
	defer x.Close()
	x.ObserveObject(room)
	sink := must[*hakuban.Sink](t)(x.ExposeObject(room).Next(ctx))
	if err := sink.Send(hakuban.NewState(func() {}).EncodeJSON().Encode(gzipJSON{})); err == nil || !strings.Contains(err.Error(), "JSON") {
		t.Errorf("an encoding that failed: %v", err)
	}
}
