package diff

import "testing"

// FuzzPatch reads any diff, and compares with the format read byte by byte.
func FuzzPatch(f *testing.F) {
	for _, c := range vectors(f) {
		if len(c.old) < 256 && len(c.diff) < 64 {
			f.Add(c.old, c.diff)
		}
	}
	f.Fuzz(func(t *testing.T, old, diff []byte) {
		checkPatch(t, old, diff, 1<<14)
	})
}

// FuzzRoundTrip makes a diff of any two, and applies it.
func FuzzRoundTrip(f *testing.F) {
	for _, c := range vectors(f) {
		if len(c.old) < 256 && len(c.new) < 256 {
			f.Add(c.old, c.new)
		}
	}
	var encoder Encoder
	f.Fuzz(func(t *testing.T, old, new []byte) {
		checkRoundTrip(t, &encoder, old, new)
	})
}
