package diff

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"sync"
	"testing"
)

// vector is one diff that the reference sent, see testdata/diffs.json. Big
// cases hold recipes and a hash in place of the data.
type vector struct {
	Name      string  `json:"name"`
	Old       *string `json:"old"`
	New       *string `json:"new"`
	Diff      string  `json:"diff"`
	OldRecipe []part  `json:"old_recipe"`
	NewRecipe []part  `json:"new_recipe"`
	OldLen    int     `json:"old_len"`
	NewLen    int     `json:"new_len"`
	OldHash   string  `json:"old_sha256"`
	NewHash   string  `json:"new_sha256"`
}

// part is one part of a recipe; which fields are set says what it is.
type part struct {
	LCG    *int64  `json:"lcg"`
	Len    int     `json:"len"`
	Text   *string `json:"text"`
	Hex    *string `json:"hex"`
	Repeat *int    `json:"repeat"`
	Of     []part  `json:"of"`
	Old    []int   `json:"old"`
	Count  []int   `json:"count"`
	Prefix string  `json:"prefix"`
	Suffix string  `json:"suffix"`
}

// cook makes the data a recipe describes.
func cook(t testing.TB, recipe []part, old []byte) []byte {
	t.Helper()
	data := []byte{}
	for _, p := range recipe {
		switch {
		case p.LCG != nil:
			x := *p.LCG
			for range p.Len {
				x = (x*1103515245 + 12345) % (1 << 31)
				data = append(data, byte(x>>16))
			}
		case p.Text != nil:
			data = append(data, *p.Text...)
		case p.Hex != nil:
			raw, err := hex.DecodeString(*p.Hex)
			if err != nil {
				t.Fatal(err)
			}
			data = append(data, raw...)
		case p.Repeat != nil:
			data = append(data, bytes.Repeat(cook(t, p.Of, old), *p.Repeat)...)
		case p.Old != nil:
			data = append(data, old[p.Old[0]:p.Old[1]]...)
		case p.Count != nil:
			for number := p.Count[0]; number < p.Count[1]; number++ {
				data = append(data, p.Prefix...)
				data = strconv.AppendInt(data, int64(number), 10)
				data = append(data, p.Suffix...)
			}
		default:
			t.Fatalf("recipe part %+v is of no known kind", p)
		}
	}
	return data
}

// change is a vector with its data made.
type change struct {
	name           string
	old, new, diff []byte
}

// vectors reads testdata/diffs.json once, and checks lengths and hashes of what
// its recipes make.
func vectors(t testing.TB) []change {
	t.Helper()
	captured.Do(func() {
		file, err := os.ReadFile("testdata/diffs.json")
		if err != nil {
			t.Fatal(err)
		}
		var raw []vector
		if err := json.Unmarshal(file, &raw); err != nil {
			t.Fatal(err)
		}
		for _, v := range raw {
			old := material(t, v.Name, v.Old, v.OldRecipe, nil, v.OldLen, v.OldHash)
			new := material(t, v.Name, v.New, v.NewRecipe, old, v.NewLen, v.NewHash)
			capturedChanges = append(capturedChanges, change{v.Name, old, new, decode64(t, v.Diff)})
		}
	})
	if len(capturedChanges) == 0 {
		t.Fatal("no captured diffs")
	}
	return capturedChanges
}

var (
	captured        sync.Once
	capturedChanges []change
)

// material returns data given literally or as a recipe.
func material(t testing.TB, name string, literal *string, recipe []part, old []byte, length int, hash string) []byte {
	t.Helper()
	if literal != nil {
		return decode64(t, *literal)
	}
	data := cook(t, recipe, old)
	sum := sha256.Sum256(data)
	if len(data) != length || hex.EncodeToString(sum[:]) != hash {
		t.Fatalf("%s: recipe gave %d bytes of sha256 %x, expected %d of %s", name, len(data), sum, length, hash)
	}
	return data
}

func decode64(t testing.TB, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPatch_AcceptsWhatTheReferenceSent(t *testing.T) {
	for _, c := range vectors(t) {
		got, err := Patch(c.old, c.diff, len(c.new))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if !bytes.Equal(got, c.new) {
			t.Errorf("%s: got %d bytes that differ from the %d expected", c.name, len(got), len(c.new))
		}
		if _, err := Patch(c.old, c.diff, len(c.new)-1); err == nil && len(c.new) > 0 {
			t.Errorf("%s: accepted under a limit one byte too small", c.name)
		}
	}
}

func TestAppend_RoundTripsWhatTheReferenceSent(t *testing.T) {
	for _, c := range vectors(t) {
		diff := encoded(c.old, c.new)
		got, err := Patch(c.old, diff, len(c.new))
		if err != nil || !bytes.Equal(got, c.new) {
			t.Errorf("%s: round trip failed: %v", c.name, err)
		}
		if len(diff) > MaxSize(len(c.new)) {
			t.Errorf("%s: diff of %d bytes, at most %d allowed", c.name, len(diff), MaxSize(len(c.new)))
		}
	}
}
