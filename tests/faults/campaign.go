//go:build unix

package faults

import (
	"fmt"
	"os"
	"time"
)

// campaign breaks things, tells of each, and returns the first that was not as it must be, when all are over.
func campaign(short bool, rust string, kills int, tell func(format string, arguments ...any)) error {
	folder, err := os.MkdirTemp("", "hakuban-faults-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	programs, err := build(folder, rust)
	if err != nil {
		return err
	}
	t, err := grow(programs)
	defer t.end()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, t.logs())
	}
	var first error
	note := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	descriptors := []int{t.root.descriptors(), t.middle.descriptors()}
	var table []result
	for i, f := range faults {
		for j, p := range parts {
			if short && (f.long || j != i%len(parts)) {
				continue
			}
			r := t.do(p, f)
			table = append(table, r)
			verdict := "ok"
			if err := r.hold(!short); err != nil {
				verdict = "FAILED: " + err.Error()
				note(fmt.Errorf("%s, %s: %w", p.name, f.name, err))
			}
			tell("%-14s %-20s healed after %6d ms, bystanders waited %6d ms  %s", p.name, f.name, r.healed.Milliseconds(), r.bystanders.Milliseconds(), verdict)
			if r.err != nil {
				return fmt.Errorf("%s, %s: %w\n%s", p.name, f.name, r.err, t.logs())
			}
		}
	}
	worst, err := t.kills(kills, !short)
	note(err)
	tell("%d kills in a row: each healed within %d ms, %v", kills, worst.Milliseconds(), err)
	if err == nil {
		for i, router := range []*process{t.root, t.middle} {
			for deadline := time.Now().Add(20 * time.Second); router.descriptors() > descriptors[i]+2; time.Sleep(100 * time.Millisecond) {
				if time.Now().After(deadline) {
					note(fmt.Errorf("the %s has %d descriptors, before it had %d", router.host.name, router.descriptors(), descriptors[i]))
					break
				}
			}
		}
		if left := t.leftovers(); left != "" {
			note(fmt.Errorf("%s", left))
		}
	}
	if !short && first == nil {
		note(writeTable(table, kills, worst))
	}
	if first != nil {
		return fmt.Errorf("%w\n%s", first, t.logs())
	}
	return nil
}
