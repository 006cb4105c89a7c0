package wire

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The reference's own spelling of ids, captured on a link of its router. No entry is excepted: the inexact floats agree too.
func TestCanonical_SpellsWhatTheReferenceSpells(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "vectors", "canonical-ids.json"))
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct {
		Input    string
		Output   *string
		Rejected bool
	}
	if err := json.Unmarshal(raw, &entries); err != nil {
		t.Fatal(err)
	}
	if len(entries) < 60 {
		t.Fatalf("%d entries, the file has more", len(entries))
	}
	for _, entry := range entries {
		spelling, _, err := Canonical(entry.Input, nil)
		switch {
		case entry.Rejected && err == nil:
			t.Errorf("%q: spelled %q, the reference refuses it", entry.Input, spelling)
		case !entry.Rejected && err != nil:
			t.Errorf("%q: refused: %v, the reference spells %q", entry.Input, err, *entry.Output)
		case !entry.Rejected && spelling != *entry.Output:
			t.Errorf("%q: spelled %q, the reference spells %q", entry.Input, spelling, *entry.Output)
		}
	}
}

// The reference scales floats in floating point, and rounds twice. So it names something else than was written, and something
// else again when it reads that: such an id changes at each exchange it passes. Ours must follow, but does not start it.
func TestCanonical_FloatsThatTheReferenceChangesAtEachHop(t *testing.T) {
	for _, hops := range [][]string{
		{`-0.0000000008860020948012125`, `-8.860020948012124e-10`, `-8.860020948012123e-10`},
		{`6.068122777924286e+167`, `6.068122777924287e+167`, `6.068122777924288e+167`},
		{`1.7404329748619824e+187`, `1.7404329748619822e+187`, `1.740432974861982e+187`},
	} {
		for i := 1; i < len(hops); i++ {
			if got, _, err := Canonical(hops[i-1], nil); got != hops[i] || err != nil {
				t.Errorf("%s: spelled %s, %v, the reference spells %s", hops[i-1], got, err, hops[i])
			}
		}
		want := "byte 1: number: the reference changes this float each time it reads it; fewer digits wanted"
		if _, _, err := CanonicalStrict("["+hops[0]+"]", nil); err == nil || err.Error() != want {
			t.Errorf("%s: %v, expected %s", hops[0], err, want)
		}
	}
	for _, stable := range []string{`0.1`, `0.30000000000000004`, `9007199254740993.0`, `12345678901234567.0`, `1.7976931348623157e308`, `5e-324`} {
		if _, _, err := CanonicalStrict(stable, nil); err != nil {
			t.Errorf("%s: %v", stable, err)
		}
	}
}

func TestCanonicalStrict_DuplicateKeysAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"a":1}`:                   "byte 7: object: duplicate key",
		`{"b":1,"a":1, "\u0062":1,"c":2}`: "byte 14: object: duplicate key",
		`[1,{"x":{"a":1,"b":2,"a":3}}]`:   "byte 21: object: duplicate key",
		`{"a":1,`:                         "byte 7: object: a key wanted",
	} {
		if spelling, _, err := CanonicalStrict(text, nil); err == nil || err.Error() != want {
			t.Errorf("%s: %s, %v, expected %s", text, spelling, err, want)
		}
	}
	if spelling, _, err := CanonicalStrict(`{"b":{"a":1},"a":{"a":1}}`, nil); spelling != `{"a":{"a":1},"b":{"a":1}}` || err != nil {
		t.Errorf("%s, %v: the same key in different objects is no duplicate", spelling, err)
	}
	if _, err := NewDescriptorStrict([]string{`{"a":1,"a":1}`}, `1`, nil); err == nil || err.Error() != "byte 7: tag 0: object: duplicate key" {
		t.Error(err)
	}
}

func TestCanonical_DepthOf127IsTakenAnd128Refused(t *testing.T) {
	for _, nest := range []struct{ open, inner, end string }{{"[", "", "]"}, {`{"":`, "[]", "}"}, {`[{"a":`, `""`, "}]"}} {
		each := strings.Count(nest.open, "[") + strings.Count(nest.open, "{")
		levels := (127 - strings.Count(nest.inner, "[")) / each
		text := strings.Repeat(nest.open, levels) + nest.inner + strings.Repeat(nest.end, levels)
		if spelling, _, err := Canonical(text, nil); err != nil || spelling != text {
			t.Errorf("%d levels of %s: %v", levels*each, nest.open, err)
		}
		if _, _, err := Canonical("["+"["+text+"]"+"]", nil); err == nil {
			t.Errorf("%d levels of %s and two more: taken", levels*each, nest.open)
		}
	}
}

// Keys in the worst order at every level around most of the text: each byte is copied a few times, not once a level.
func TestCanonical_KeysInTheWorstOrderCostNoMoreAtEveryLevel(t *testing.T) {
	const most = 1<<20 - 127*len(`{"b":-0.0,"a":}`) - len(`""`)
	long := `"` + strings.Repeat("x", most) + `"`
	nested := func(zero string) (text, spelling string) {
		return strings.Repeat(`{"b":`+zero+`,"a":`, 127) + long + strings.Repeat("}", 127),
			strings.Repeat(`{"a":`, 127) + long + strings.Repeat(`,"b":`+zero+`}`, 127)
	}
	for _, zero := range []string{"0", "-0.0"} {
		text, want := nested(zero)
		_, folded := nested(strings.TrimPrefix(zero, "-"))
		if spelling, identity, err := Canonical(text, nil); err != nil || spelling != want || identity != folded {
			t.Errorf("with %s: %v, or in another order", zero, err)
		}
		if got := bytesAllocated(func() { _, _, _ = Canonical(text, nil) }); got > 4<<20 {
			t.Errorf("with %s: %d bytes allocated for %d", zero, got, len(text))
		}
	}
}

func TestCanonical_IdentityFoldsMinusZeroOnly(t *testing.T) {
	spelling, identity, err := Canonical(`{"-0.0":[-0,-0.0,-0e5,-1e-400,0,"-0.0",-1]}`, nil)
	if want := `{"-0.0":[-0.0,-0.0,-0.0,-0.0,0,"-0.0",-1]}`; spelling != want || err != nil {
		t.Errorf("spelled %s, %v, expected %s", spelling, err, want)
	}
	if want := `{"-0.0":[0.0,0.0,0.0,0.0,0,"-0.0",-1]}`; identity != want {
		t.Errorf("identified as %s, expected %s", identity, want)
	}
}
