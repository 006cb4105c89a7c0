//go:build unix

package faults

import (
	"os"
	"testing"

	"hakuban/internal/race"
	"hakuban/tests/interop"
)

const (
	// requireVariable turns a reason to skip into a failure, and has the Rust crate take part.
	requireVariable = "HAKUBAN_REQUIRE_FAULTS"
	// wholeVariable asks for every fault of every part.
	wholeVariable = "HAKUBAN_FAULTS_WHOLE"
)

func TestFaults(t *testing.T) {
	required, whole := os.Getenv(requireVariable) == "1", os.Getenv(wholeVariable) == "1"
	if testing.Short() || race.Enabled {
		t.Skip("processes in namespaces: the plain run has them")
	}
	if missing := available(); missing != "" {
		if required {
			t.Fatal(missing)
		}
		t.Skipf("%s (%s=1 makes this a failure)", missing, requireVariable)
	}
	rust, kills := "", 8
	if required {
		rust = interop.RustReference(t).Peer
	}
	if whole {
		kills = 200
	}
	if err := campaign(!whole, rust, kills, t.Logf); err != nil {
		t.Fatal(err)
	}
}
