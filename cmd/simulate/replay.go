package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"hakuban/sim"
	"hakuban/sim/refinement"
)

// replay is simulate replay.
func replay(args []string, stdout io.Writer) error {
	set := flags("replay", " FILE...", "Runs a tape of a run again, or steps a fresh core through a recording that\nhakuban-router --record made and prints what came of each input. The recordings\nof all exchanges of a tree are stepped together and held to the specification.", stdout)
	trace := set.Bool("trace", false, "of a tape: print every step of every exchange")
	unrefined := unrefinedFlag(set)
	rest, err := parse(set, args, atLeastOne, "one tape, or recordings")
	if err != nil {
		return err
	}
	file, err := os.Open(rest[0])
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer file.Close()
	in := bufio.NewReader(file)
	start, _ := in.Peek(256)
	first, _, _ := strings.Cut(string(start), "\n")
	recording := strings.Contains(first, `"hakuban-recording"`)
	switch {
	case recording && len(rest) == 1 && !strings.HasPrefix(first, `{"exchange"`):
		return replayRecording(rest[0], in, stdout)
	case recording:
		return replayRecordings(rest, *unrefined, stdout)
	case strings.Contains(first, `"hakuban-tape"`) && len(rest) == 1:
		return replayTape(rest[0], configuration(*unrefined), *trace, stdout)
	case strings.Contains(first, `"hakuban-tape"`):
		return fmt.Errorf("%w: replay: %d files given, expected one tape", errUsage, len(rest))
	default:
		return fmt.Errorf("%w: %s: the first line is neither a tape's nor a recording's header", errUsage, rest[0])
	}
}

// replayRecordings replays those of all exchanges of a tree.
func replayRecordings(paths []string, unrefined bool, stdout io.Writer) error {
	var recordings []*sim.Recording
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		more, err := sim.ReadRecordings(path, file)
		file.Close()
		if errors.Is(err, sim.ErrFormat) {
			return fmt.Errorf("%w: %s: %w", errUsage, path, err)
		} else if err != nil {
			return fmt.Errorf("%w: %s: %w", errUnknown, path, err)
		}
		recordings = append(recordings, more...)
	}
	refined := refinement.New()
	var observer sim.Observer = refined
	if unrefined {
		observer = nil
	}
	tree, err := sim.ReplayRecordings(recordings, observer)
	if err != nil {
		return fmt.Errorf("%w: %w; try --no-refinement", errUnknown, err)
	}
	if tree.Cut {
		fmt.Fprintf(stdout, "a last line is incomplete and was left out\n")
	}
	fmt.Fprintf(stdout, "%d exchanges, %d sessions of links, %d of them with messages lost, %d steps, hash of all effects %016x\n",
		tree.Exchanges, tree.Sessions, tree.Lost, tree.Steps, uint64(tree.Hash))
	if !unrefined {
		fmt.Fprintf(stdout, "refinement: %v\n", refined.Counts())
	}
	if tree.Violation != nil {
		fmt.Fprintf(stdout, "\nVIOLATED %v\n", tree.Violation)
		return errViolated
	}
	return nil
}

func replayTape(path string, config sim.Config, trace bool, stdout io.Writer) error {
	tape, err := readTape(path)
	if err != nil {
		return err
	}
	config.Source, config.Slots = tape, max(1, tape.Slots)
	_, result, err := play(config, trace, stdout)
	if err != nil {
		return err
	}
	if err := report(stdout, path, &result, "", path); err != nil {
		return err
	}
	if tape.Property != "" {
		return fmt.Errorf("%w: %s says that it violates %q, but it does not any more", errUnknown, path, tape.Property)
	}
	return nil
}

func replayRecording(path string, in io.Reader, stdout io.Writer) error {
	out := bufio.NewWriter(stdout)
	replayed, err := sim.ReplayRecording(in, out)
	if replayed.Cut {
		fmt.Fprintf(out, "the last line is incomplete and was left out\n")
	}
	if err == nil {
		fmt.Fprintf(out, "%d steps, hash of all effects %016x\n", replayed.Steps, uint64(replayed.Hash))
	}
	if replayed.Violation != nil {
		fmt.Fprintf(out, "\nVIOLATED %v\n", replayed.Violation)
	}
	if flushErr := out.Flush(); flushErr != nil {
		return fmt.Errorf("%w: %w", errUnknown, flushErr)
	}
	switch {
	case errors.Is(err, sim.ErrFormat):
		return fmt.Errorf("%w: %s: %w", errUsage, path, err)
	case err != nil:
		return fmt.Errorf("%w: %s: %w", errUnknown, path, err)
	case replayed.Violation != nil:
		return errViolated
	}
	return nil
}
