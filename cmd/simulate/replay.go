package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"hakuban/sim"
)

// replay is simulate replay.
func replay(args []string, stdout io.Writer) error {
	set := flags("replay", " FILE", "Runs a tape of a run again, or steps a fresh core through a recording that\nhakuban-router --record made and prints what came of each input.", stdout)
	trace := set.Bool("trace", false, "of a tape: print every step of every exchange")
	unrefined := unrefinedFlag(set)
	rest, err := parse(set, args, 1, "one tape or recording")
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
	switch {
	case strings.Contains(first, `"hakuban-recording"`):
		return replayRecording(rest[0], in, stdout)
	case strings.Contains(first, `"hakuban-tape"`):
		return replayTape(rest[0], configuration(*unrefined), *trace, stdout)
	default:
		return fmt.Errorf("%w: %s: the first line is neither a tape's nor a recording's header", errUsage, rest[0])
	}
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
