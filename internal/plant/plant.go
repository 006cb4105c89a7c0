// Package plant plants bugs into sources, for tests of what should notice them.
package plant

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Change is a change of a source: in the file, the first Old becomes New.
type Change struct{ File, Old, New string }

// Unchecked is the change that silences the core's own Check; core is the path of its folder.
func Unchecked(core string) Change {
	const check = "func (x *Exchange) Check() error {\n"
	return Change{filepath.Join(core, "invariant.go"), check, check + "\tif x != nil {\n\t\treturn nil\n\t}\n"}
}

// Overlay makes a file for the flag -overlay of go build and go test, by which sources are as the changes leave them. The test
// fails where a file does not contain what is to be changed.
func Overlay(t testing.TB, changes ...Change) string {
	t.Helper()
	directory := t.TempDir()
	replace := make(map[string]string)
	for _, c := range changes {
		path, err := filepath.Abs(c.File)
		if err != nil {
			t.Fatal(err)
		}
		source := path
		if changed := replace[path]; changed != "" {
			source = changed
		}
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), c.Old) {
			t.Fatalf("%s does not contain %q any more", c.File, c.Old)
		}
		if replace[path] == "" {
			replace[path] = filepath.Join(directory, fmt.Sprintf("%d.go", len(replace)))
		}
		write(t, replace[path], []byte(strings.Replace(string(text), c.Old, c.New, 1)))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(directory, "overlay.json")
	write(t, path, overlay)
	return path
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
