//go:build unix

package faults

import (
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	reportFile  = "../../docs/reliability.md"
	reportBegin = "<!-- written by make faults -->\n"
	reportEnd   = "<!-- end of what is written -->\n"
)

// writeTable puts the figures into the document.
func writeTable(results []result, kills int, worst time.Duration) error {
	var b strings.Builder
	b.WriteString("| fault | of the | newest state after, ms | bystanders waited, ms |\n| --- | --- | ---: | ---: |\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %d | %d |\n", r.fault, r.part, r.healed.Milliseconds(), r.bystanders.Milliseconds())
	}
	fmt.Fprintf(&b, "\n%d kills in a row: the newest state was everywhere at most %d ms after each restart.\n", kills, worst.Milliseconds())
	return report(reportBegin, reportEnd, b.String())
}

// report puts text between two lines of the document.
func report(begin, end, text string) error {
	old, err := os.ReadFile(reportFile)
	if err != nil {
		return err
	}
	head, rest, begins := strings.Cut(string(old), begin)
	_, foot, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("%s has no place between %q and %q", reportFile, begin, end)
	}
	return os.WriteFile(reportFile, []byte(head+begin+"\n"+text+"\n"+end+foot), 0o644)
}
