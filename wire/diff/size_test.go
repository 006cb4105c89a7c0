package diff

import "testing"

// TestAppend_IsNoLargerThanTheReference compares sizes where both sides have at
// least 256 bytes: none above 1.1 times the reference's, and no more in sum.
// Run with -v for the table.
func TestAppend_IsNoLargerThanTheReference(t *testing.T) {
	ours, theirs := 0, 0
	t.Logf("%-36s %9s %9s %9s %9s %6s", "name", "old", "new", "reference", "ours", "ratio")
	for _, c := range vectors(t) {
		size := len(encoded(c.old, c.new))
		ratio := float64(size) / float64(max(len(c.diff), 1))
		t.Logf("%-36s %9d %9d %9d %9d %6.2f", c.name, len(c.old), len(c.new), len(c.diff), size, ratio)
		if 10*size > 11*len(c.diff) {
			t.Errorf("%s: %d bytes, reference %d", c.name, size, len(c.diff))
		}
		if len(c.old) >= 256 && len(c.new) >= 256 {
			ours, theirs = ours+size, theirs+len(c.diff)
		}
	}
	t.Logf("sum of those with 256 bytes and more on both sides: ours %d, reference %d", ours, theirs)
	if ours > theirs {
		t.Errorf("sum of sizes %d, reference %d", ours, theirs)
	}
}

// TestAppend_NeedsOneReferenceForARepeatAndTheTail repeats a part of old: what
// follows the copy is what follows the part, so that one reference says both.
func TestAppend_NeedsOneReferenceForARepeatAndTheTail(t *testing.T) {
	old := random(7, 250)
	new := spliced(old, 150, 150, old[100:150])
	diff := encoded(old, new)
	if want := 3 + 3; len(diff) != want {
		t.Errorf("%d bytes, expected two references of 3: %x", len(diff), diff)
	}
	checkRoundTrip(t, &Encoder{}, old, new)
}
