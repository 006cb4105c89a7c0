package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"hakuban/sim"
	"hakuban/sim/mark"
	"hakuban/sim/refinement"
)

// sweep is simulate sweep.
func sweep(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	set := flags("sweep", "", "Runs many seeds and prints which faults and which situations they came through. From 10,000 seeds on, each must be among them.", stdout)
	seeds := set.Int("seeds", 1000, "run `n` seeds")
	first := set.Uint64("from", 1, "the first seed, `n`")
	workers := set.Int("workers", defaultWorkers(), "run `n` at a time")
	events := set.Int("events", sim.DefaultSteps, "steps of all cores after which the chaos of each run ends, `n`")
	tapePath := set.String("tape", "", "write the tape of the first seed that fails to `file`")
	unrefined := unrefinedFlag(set)
	unchecked := set.Bool("no-checkers", false, "leave out all checkers but the refinement")
	if _, err := parse(set, args, 0, "none"); err != nil {
		return err
	}
	if *seeds < 1 || *workers < 1 || *events < 1 {
		return fmt.Errorf("%w: sweep: --seeds, --workers and --events must be at least 1", errUsage)
	}
	if *unrefined && *unchecked {
		return fmt.Errorf("%w: sweep: --no-refinement and --no-checkers leave nothing to check", errUsage)
	}
	begin := time.Now()
	config := sim.Config{Steps: *events, Unchecked: *unchecked}
	s := sim.Sweep{First: *first, Seeds: *seeds, Workers: *workers, Config: config, Progress: progress(stderr, *seeds, begin)}
	var refined refinement.Counts
	if !*unrefined {
		s.Observe = func() sim.Observer { return refinement.New() }
		s.Done = func(o sim.Observer) { refined.Add(o.(*refinement.Refinement).Counts()) }
	}
	coverage := s.Run(ctx)
	fmt.Fprintln(stderr)
	printCoverage(stdout, coverage, time.Since(begin), *workers)
	if !*unrefined {
		fmt.Fprintf(stdout, "\nrefinement: %v\n", &refined)
	}
	if len(coverage.Failed) > 0 {
		config.Observer = configuration(*unrefined).Observer // of the run that is recorded
		return printFailures(stdout, coverage, config, *tapePath)
	}
	if coverage.Seeds < *seeds {
		return fmt.Errorf("%w: interrupted after %d of %d seeds; those hold", errUnknown, coverage.Seeds, *seeds)
	}
	if *unchecked {
		return nil // most marks are the checkers'
	}
	return campaign(stdout, coverage)
}

// campaignSeeds is how many seeds must come through every fault class and every
// mark.
const campaignSeeds = 10_000

// campaign says what a long sweep never came through: then it shows less than it
// claims.
func campaign(stdout io.Writer, c *sim.Coverage) error {
	never := c.Never()
	if c.Seeds < campaignSeeds || len(never) == 0 {
		return nil
	}
	fmt.Fprintf(stdout, "\nVIOLATED: %d seeds never came through: %s\n", c.Seeds, strings.Join(never, "; "))
	return errViolated
}

// progress prints a line about twice a second, over itself on a terminal.
func progress(stderr io.Writer, seeds int, begin time.Time) func(*sim.Coverage) {
	end, pause := "\n", 10*time.Second
	if file, ok := stderr.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			end, pause = "\r", 500*time.Millisecond
		}
	}
	last := begin
	return func(c *sim.Coverage) {
		if now := time.Now(); now.Sub(last) >= pause || c.Seeds == seeds {
			last = now
			elapsed := now.Sub(begin).Seconds()
			const width = 30
			bar := []byte("..............................")
			for i := range c.Seeds * width / seeds {
				bar[i] = '#'
			}
			fmt.Fprintf(stderr, "[%s] %d/%d seeds, %.0f a minute, %d failed%s", bar, c.Seeds, seeds, float64(c.Seeds)/elapsed*60, len(c.Failed), end)
		}
	}
}

func printCoverage(stdout io.Writer, c *sim.Coverage, elapsed time.Duration, workers int) {
	if c.Seeds == 0 {
		return
	}
	seconds := elapsed.Seconds()
	fmt.Fprintf(stdout, "%d seeds in %.1f s with %d workers: %.0f seeds a minute, %.0f checked steps a second, %d steps and %.1f exchanges a seed\n",
		c.Seeds, seconds, workers, float64(c.Seeds)/seconds*60, float64(c.Steps)/seconds, c.Steps/c.Seeds, float64(c.Exchanges)/float64(c.Seeds))
	if c.Looks > 0 {
		fmt.Fprintf(stdout, "the checkers saw what elects after every step, and the whole exchange after %.1f %% of them\n", 100*float64(c.Looks)/float64(c.Steps))
	}
	fmt.Fprintf(stdout, "at rest after %.2f s at the latest, the bound is %.0f s; %d seeds run twice\n", float64(c.Calm)/1e9, float64(sim.CalmBound)/1e9, c.Repeated)
	fmt.Fprintf(stdout, "\nfault classes, in parts of the seeds:\n")
	for class, name := range sim.FaultClasses() {
		fmt.Fprintf(stdout, "  %5.1f %%  %s\n", 100*float64(c.Faults[class])/float64(c.Seeds), name)
	}
	all, hit := mark.All(), 0
	for _, m := range all {
		if c.Marks[m] > 0 {
			hit++
		}
	}
	fmt.Fprintf(stdout, "\nmarks, in parts of the seeds: %d of %d hit\n", hit, len(all))
	for _, m := range all {
		note := ""
		if c.Marks[m] == 0 {
			note = "  NEVER"
		}
		fmt.Fprintf(stdout, "  %5.1f %%  %s%s\n", 100*float64(c.Marks[m])/float64(c.Seeds), m, note)
	}
}

// maxFailures is how many failures are printed.
const maxFailures = 10

func printFailures(stdout io.Writer, c *sim.Coverage, config sim.Config, tapePath string) error {
	first := c.Failed[0]
	fmt.Fprintf(stdout, "\n%d of %d seeds failed\n", len(c.Failed), c.Seeds)
	for i, f := range c.Failed {
		if f.Seed < first.Seed {
			first = f
		}
		if i < maxFailures {
			fmt.Fprintf(stdout, "VIOLATED seed %d: %v\n", f.Seed, f.Violation)
		}
	}
	again := ""
	if config.Observer == nil {
		again = noRefinement
	}
	fmt.Fprintf(stdout, "\nagain: simulate run --seed %d --events %d%s\n", first.Seed, config.Steps, again)
	if tapePath != "" {
		config.Source = sim.Seed(first.Seed)
		tape, _ := sim.Record(config)
		if err := writeTape(tapePath, tape); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "shrink: simulate shrink %s\n", tapePath)
	}
	return errViolated
}
