package race

import (
	"fmt"
	"os"
)

// Main is for a TestMain whose package has nothing that the race detector could see: with the detector it runs no test and prints the
// reason, for the run without it runs them all.
func Main(run func() int, reason string) {
	if Enabled {
		fmt.Println("no test is run with the race detector:", reason)
		os.Exit(0)
	}
	os.Exit(run())
}
