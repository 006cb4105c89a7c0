package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"hakuban/sim"
	"hakuban/sim/refinement"
)

// contextLines is how much of the trace before a violation is printed.
const contextLines = 24

// run is simulate run.
func run(args []string, stdout io.Writer) error {
	set := flags("run", "", "Runs one world and checks every property. When one is violated, the last steps are printed.", stdout)
	seed := set.Uint64("seed", 1, "`n` decides everything about the run")
	events := set.Int("events", sim.DefaultSteps, "steps of all cores after which the chaos ends, `n`")
	trace := set.Bool("trace", false, "print every step of every exchange, its input and its effects")
	tapePath := set.String("tape", "", "write the choices of the run to `file`")
	unrefined := unrefinedFlag(set)
	if _, err := parse(set, args, 0, "none"); err != nil {
		return err
	}
	if *events < 1 {
		return fmt.Errorf("%w: run: --events is %d, expected at least 1", errUsage, *events)
	}
	config := configuration(*unrefined)
	config.Source, config.Steps = sim.Seed(*seed), *events
	again := fmt.Sprintf("simulate run --seed %d --events %d --trace", *seed, *events)
	if *unrefined {
		again += noRefinement
	}
	tape, result, err := play(config, *trace, stdout)
	if err != nil {
		return err
	}
	if *tapePath != "" {
		if err := writeTape(*tapePath, tape); err != nil {
			return err
		}
	}
	return report(stdout, fmt.Sprintf("seed %d", *seed), &result, again, *tapePath)
}

const noRefinement = " --no-refinement"

func unrefinedFlag(set *flag.FlagSet) *bool {
	return set.Bool("no-refinement", false, "do not hold every step to the specification (docs/refinement.md)")
}

// configuration checks everything in one run.
func configuration(unrefined bool) sim.Config {
	if unrefined {
		return sim.Config{}
	}
	return sim.Config{Observer: refinement.New()}
}

// play runs a configuration and records it. Unless everything is traced, the
// last steps before a violation are.
func play(config sim.Config, trace bool, stdout io.Writer) (*sim.Tape, sim.Result, error) {
	out := bufio.NewWriter(stdout)
	var last []string
	config.Trace = func(line string) {
		if trace {
			fmt.Fprintln(out, line)
			return
		}
		if len(last) == contextLines {
			copy(last, last[1:])
			last = last[:contextLines-1]
		}
		last = append(last, line)
	}
	tape, result := sim.Record(config)
	if result.Violation != nil && !trace {
		fmt.Fprintf(out, "the last steps:\n%s\n\n", strings.Join(last, "\n"))
	}
	if refined, ok := config.Observer.(*refinement.Refinement); ok {
		fmt.Fprintf(out, "refinement: %v\n", refined.Counts())
	}
	if err := out.Flush(); err != nil {
		return nil, result, fmt.Errorf("%w: %w", errUnknown, err)
	}
	return tape, result, nil
}

// report prints what came of a run.
func report(stdout io.Writer, what string, r *sim.Result, again, tapePath string) error {
	fmt.Fprintf(stdout, "%s: %d exchanges, %s workload, %d steps, %d actions and faults in %.1f s of chaos, hash %016x\n",
		what, r.Exchanges, r.Workload, r.Steps, r.Actions, float64(r.Chaos)/1e9, uint64(r.Hash))
	var faults []string
	for class, name := range sim.FaultClasses() {
		if r.Faults[class] > 0 {
			faults = append(faults, fmt.Sprintf("%s %d", name, r.Faults[class]))
		}
	}
	if len(faults) == 0 {
		faults = []string{"none"}
	}
	fmt.Fprintf(stdout, "faults: %s\n", strings.Join(faults, ", "))
	if r.Violation == nil {
		fmt.Fprintf(stdout, "all properties hold; at rest %.2f s after the chaos, the bound is %.0f s\n", float64(r.Calm)/1e9, float64(sim.CalmBound)/1e9)
		return nil
	}
	fmt.Fprintf(stdout, "\nVIOLATED %v\n", r.Violation)
	if tapePath != "" {
		fmt.Fprintf(stdout, "\nreplay: simulate replay --trace %s\nshrink: simulate shrink %s\n", tapePath, tapePath)
	} else {
		fmt.Fprintf(stdout, "\nagain: %s\nkeep it: the same with --tape FILE, then simulate shrink FILE\n", again)
	}
	return errViolated
}

// shrink is simulate shrink.
func shrink(args []string, stdout io.Writer) error {
	set := flags("shrink", " TAPE", "Looks for a smaller tape that violates the same property.", stdout)
	limit := set.Duration("for", 10*time.Second, "stop after `duration`")
	out := set.String("out", "", "write the smaller tape to `file`; none: TAPE with .small added")
	unrefined := unrefinedFlag(set)
	rest, err := parse(set, args, 1, "one tape")
	if err != nil {
		return err
	}
	tape, err := readTape(rest[0])
	if err != nil {
		return err
	}
	if *out == "" {
		*out = rest[0] + ".small"
	}
	before := len(tape.Choices)
	small := sim.Shrink(tape, func() sim.Config { return configuration(*unrefined) }, *limit)
	if small.Result.Violation == nil {
		return fmt.Errorf("%w: %s violates nothing", errUnknown, rest[0])
	}
	if err := writeTape(*out, small.Tape); err != nil {
		return err
	}
	how := "nothing more can be left out"
	if !small.Done {
		how = "the time was up"
	}
	fmt.Fprintf(stdout, "%s: %d choices, was %d; %d events; %d runs; %s\n", *out, len(small.Tape.Choices), before, small.Result.Actions, small.Runs, how)
	return report(stdout, *out, &small.Result, "", *out)
}

func readTape(path string) (*sim.Tape, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer file.Close()
	tape, err := sim.ReadTape(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errUsage, path, err)
	}
	return tape, nil
}

func writeTape(path string, tape *sim.Tape) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnknown, err)
	}
	if err := tape.Write(file); err != nil {
		file.Close()
		return fmt.Errorf("%w: %w", errUnknown, err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("%w: %w", errUnknown, err)
	}
	return nil
}
