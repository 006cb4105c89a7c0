package typescript

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"hakuban/wire"
)

// texts makes JSON texts, and what is almost one.
type texts struct{ *rand.Rand }

func (r texts) value(depth int) string {
	switch choice := r.IntN(8); {
	case choice == 0 && depth > 0:
		return "[" + r.list(func() string { return r.value(depth - 1) }) + "]"
	case choice == 1 && depth > 0:
		return "{" + r.list(func() string { return r.text() + r.space() + ":" + r.value(depth-1) }) + "}"
	case choice == 2:
		return []string{"null", "true", "false"}[r.IntN(3)]
	case choice < 5:
		return r.text()
	}
	return r.number()
}

func (r texts) list(element func() string) string {
	parts := make([]string, r.IntN(4))
	for i := range parts {
		parts[i] = r.space() + element() + r.space()
	}
	return strings.Join(parts, ",")
}

func (r texts) space() string { return []string{"", "", "", " ", "\n\t"}[r.IntN(5)] }

func (r texts) text() string {
	parts := []string{"a", "b", "é", "\uffff", "😀", "\u2028", `\n`, `\u0001`, `\u00E9`, `\ud83d\ude00`, `\ud83d`, `\/`, `\"`, `\\`, `\x`, "\x7f", "\x01", "\ufeff"}
	text := ""
	for range r.IntN(3) {
		at := r.IntN(len(parts))
		if r.IntN(6) > 0 {
			at %= 6
		}
		text += parts[at]
	}
	return `"` + text + `"`
}

func (r texts) number() string {
	digits := func(most int) string {
		text := ""
		for range 1 + r.IntN(most) {
			text += strconv.Itoa(r.IntN(10))
		}
		return text
	}
	number := []string{"", "", "-"}[r.IntN(3)] + []string{"0", digits(3), digits(25), "18446744073709551615", "9223372036854775808"}[r.IntN(5)]
	if r.IntN(2) == 0 {
		number += "." + digits(20)
	}
	if r.IntN(3) == 0 {
		number += []string{"e", "E", "e+", "e-"}[r.IntN(4)] + digits(3)
	}
	return number
}

// The client spells ids, tells which are the same, and refuses them as the Go implementation does, and so as the reference.
func TestCanonical_IsThatOfGo(t *testing.T) {
	client := startNode(t, bundleOrSkip(t, "tools/core.ts"))
	r := texts{rand.New(rand.NewPCG(1, 1))}
	var steps []step
	taken, strictly := 0, 0
	for range 30_000 {
		text := []byte(r.value(3))
		if r.IntN(10) == 0 {
			text[r.IntN(len(text))] = " []{},:\"0-.e1n"[r.IntN(14)]
		}
		text = []byte(strings.ToValidUTF8(string(text), "?"))
		s := step{Do: "canonical", Micros: "0", Wall: "0", Data: text}
		for i, canonical := range []func(string, *wire.Limits) (string, string, error){wire.Canonical, wire.CanonicalStrict} {
			spelling, identity, err := canonical(string(text), nil)
			if err != nil {
				s.effects = append(s.effects, "refused DecodeError")
				break
			}
			s.effects = append(s.effects, fmt.Sprintf("canonical %s %s", spelling, identity))
			if i == 0 {
				taken++
			} else {
				strictly++
			}
		}
		steps = append(steps, s)
	}
	for i, effects := range client.run(steps) {
		if fmt.Sprint(effects) != fmt.Sprint(steps[i].effects) {
			t.Errorf("%s: the client's is %q, Go's is %q", steps[i].Data, effects, steps[i].effects)
		}
	}
	if taken < len(steps)/2 || strictly > taken-100 || strictly < taken/2 {
		t.Errorf("of %d texts %d were taken, %d strictly: they test too little", len(steps), taken, strictly)
	}
}
