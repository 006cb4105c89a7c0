package wire

import (
	"strings"
	"testing"
)

// FuzzDecodeEvent: go test -fuzz FuzzDecodeEvent ./wire. The seeds are every form of event and every hostile input.
func FuzzDecodeEvent(f *testing.F) {
	for i := range everyAction {
		f.Add(AppendEvent(nil, &everyAction[i]))
	}
	for _, hostile := range hostileEvents {
		f.Add(unhex(hostile.hex))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkDecode(t, data) })
}

// FuzzCanonical: go test -fuzz FuzzCanonical ./wire.
func FuzzCanonical(f *testing.F) {
	for _, pair := range pairs {
		f.Add(pair.a.json)
		f.Add(pair.b.json)
	}
	f.Add(strings.Repeat("[", 128))
	f.Add(`"\ud800\u0041"`)
	f.Add(`1844674407370955161699.5e-3`)
	f.Fuzz(func(t *testing.T, text string) { checkCanonical(t, text) })
}
