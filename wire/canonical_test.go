package wire

import (
	"encoding/json"
	"os"
	"path/filepath"
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
