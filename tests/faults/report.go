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
	text, err := os.ReadFile(reportFile)
	if err != nil {
		return err
	}
	head, rest, begins := strings.Cut(string(text), reportBegin)
	_, foot, ends := strings.Cut(rest, reportEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the table", reportFile)
	}
	var b strings.Builder
	b.WriteString(head + reportBegin + "\n| fault | of the | newest state after, ms | bystanders waited, ms |\n| --- | --- | ---: | ---: |\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %d | %d |\n", r.fault, r.part, r.healed.Milliseconds(), r.bystanders.Milliseconds())
	}
	fmt.Fprintf(&b, "\n%d kills in a row: the newest state was everywhere at most %d ms after each restart.\n\n", kills, worst.Milliseconds())
	b.WriteString(reportEnd + foot)
	return os.WriteFile(reportFile, []byte(b.String()), 0o644)
}
