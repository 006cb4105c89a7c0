package plant

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Plant is a bug with a name, for a package's own tests.
type Plant struct {
	Name    string
	Tests   string // those that fail with it, as go test -run takes them
	CI      bool   // CI plants it; the others are for make plants
	Changes []Change
}

// Placed fails the test unless each change of each plant has its one place in its file: a plant must follow the code that it spoils.
func Placed(t *testing.T, plants []Plant) {
	t.Helper()
	names := make(map[string]bool)
	for _, p := range plants {
		if names[p.Name] {
			t.Errorf("two plants are called %q", p.Name)
		}
		names[p.Name] = true
		for _, c := range p.Changes {
			text, err := os.ReadFile(c.File)
			if err != nil {
				t.Errorf("%s: %v", p.Name, err)
			} else if n := strings.Count(string(text), c.Old); n != 1 || c.Old == c.New {
				t.Errorf("%s: %s contains %q %d times, once was expected", p.Name, c.File, c.Old, n)
			}
		}
	}
}

// hang bounds the tests of one plant: a bug may have them wait for ever.
const hang = 2 * time.Minute

// Caught plants each bug, and fails the test unless the bug's own tests fail with it, by themselves and not by the time they take. With
// -short it plants those of CI.
func Caught(t *testing.T, plants []Plant) {
	for _, p := range plants {
		t.Run(p.Name, func(t *testing.T) {
			if testing.Short() && !p.CI {
				t.Skip("not among those that CI plants")
			}
			ctx, cancel := context.WithTimeout(t.Context(), hang)
			defer cancel()
			out, err := exec.CommandContext(ctx, "go", "test", "-vet=off", "-overlay", Overlay(t, p.Changes...), "-run", p.Tests, ".").CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("not caught by %s", p.Tests)
			case ctx.Err() != nil:
				t.Errorf("%s hang with it: they need a deadline\n%.2000s", p.Tests, out)
			case bytes.Contains(out, []byte("[build failed]")) || !bytes.Contains(out, []byte("--- FAIL")) && !bytes.Contains(out, []byte("panic:")):
				t.Errorf("it was not planted: %v\n%.2000s", err, out)
			}
		})
	}
}
