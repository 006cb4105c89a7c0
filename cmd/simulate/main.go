// Command simulate runs trees of Hakuban exchanges in virtual time, checks
// them, replays what happened, and shrinks what went wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// Exit codes.
const (
	exitOK       = 0
	exitViolated = 1
	exitUsage    = 2
	exitUnknown  = 3
)

const help = `simulate runs trees of Hakuban exchanges in virtual time and checks them.

  simulate run --seed N         one run: a tree, chaos with faults, then calm
  simulate sweep --seeds N      many runs, and what they came through
  simulate replay FILE...       a tape of a run, a recording of a router, or the
                                recordings of all exchanges of a tree
  simulate shrink TAPE          a smaller tape that fails in the same way

Every step is held to spec/hakuban.tla as well, unless a command is given
--no-refinement.

Every run is decided by its seed: the same seed, the same run. Whatever a run
chose can be kept in a tape, a text file with a line per choice that was not the
dull one (no action, no fault, no delay). Delete lines, or change their values,
and replay it: a choice that is not in the tape is dull.

A first walk:

  simulate run --seed 1                     what one run looks like
  simulate run --seed 1 --trace | less      every step of every exchange
  simulate sweep --seeds 1000               a thousand runs
  simulate run --seed 7 --tape seven.tape   keep the choices of a run
  simulate replay --trace seven.tape        the same run again
  simulate shrink seven.tape                when it fails: make it small

  hakuban-router --record router.log        on a router, then
  simulate replay router.log                every input and what came of it
  simulate replay a.log b.log c.log         of all exchanges of a tree: every step
                                            is held to the specification

Each command has its own --help. Exit status: 0 everything holds, 1 a property is
violated, 2 wrong usage, or a file that is not there or holds something else,
3 not known (interrupted, or reading or writing failed, or a tape that no longer
fails).
`

// gcPercent is for many short runs that each keep little and make much garbage.
const gcPercent = 400

// errUsage marks wrong usage.
var errUsage = errors.New("usage")

// errHelp says that help was asked for and printed.
var errHelp = errors.New("help was printed")

// errUnknown marks an outcome that says nothing about the properties.
var errUnknown = errors.New("unknown")

// errViolated says that a property is violated; all was printed.
var errViolated = errors.New("violated")

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(command(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// command runs a command line and returns its exit code.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdout, stderr)
	switch {
	case err == nil, errors.Is(err, errHelp):
		return exitOK
	case errors.Is(err, errViolated):
		return exitViolated
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "simulate: %s; try: simulate --help\n", oneLine(err, errUsage))
		return exitUsage
	default:
		fmt.Fprintf(stderr, "simulate: %s\n", oneLine(err, errUnknown))
		return exitUnknown
	}
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: no command given, expected run, sweep, replay or shrink", errUsage)
	}
	switch args[0] {
	case "run":
		return run(args[1:], stdout)
	case "sweep":
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
		defer stop()
		context.AfterFunc(ctx, stop) // a second interrupt ends it at once, as the first one does with other commands
		return sweep(ctx, args[1:], stdout, stderr)
	case "replay":
		return replay(args[1:], stdout)
	case "shrink":
		return shrink(args[1:], stdout)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, help)
		return nil
	default:
		return fmt.Errorf("%w: unknown command %q, expected run, sweep, replay or shrink", errUsage, args[0])
	}
}

// oneLine is an error's text without the mark and without line breaks.
func oneLine(err, mark error) string {
	text := strings.TrimPrefix(err.Error(), mark.Error()+": ")
	return strings.Join(strings.Fields(text), " ")
}

// flags is a flag set whose errors are for [command] to print.
func flags(name, arguments, about string, stdout io.Writer) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {} // of wrong usage one line is said
	set.BoolFunc("help", "print this", func(string) error {
		fmt.Fprintf(stdout, "simulate %s [flags]%s\n\n%s\n\n", name, arguments, about)
		set.VisitAll(func(f *flag.Flag) {
			value, usage := flag.UnquoteUsage(f)
			if value != "" {
				value = " " + strings.ToUpper(value)
			}
			if f.Name != "help" {
				fmt.Fprintf(stdout, "  --%s%s\n        %s (default %s)\n", f.Name, value, usage, defaultOf(f))
			}
		})
		return errHelp
	})
	return set
}

func defaultOf(f *flag.Flag) string {
	if f.DefValue == "" {
		return "none"
	}
	return f.DefValue
}

// atLeastOne is a number of arguments for [parse].
const atLeastOne = -1

// parse parses flags, which may stand before and after the arguments, and
// returns as many arguments as expected.
func parse(set *flag.FlagSet, args []string, expected int, what string) ([]string, error) {
	var rest []string
	for {
		if slices.Contains(args, "-h") {
			args = []string{"--help"}
		}
		err := set.Parse(args)
		if err != nil && strings.Contains(err.Error(), errHelp.Error()) {
			return nil, errHelp
		} else if err != nil {
			return nil, fmt.Errorf("%w: %s: %s", errUsage, set.Name(), strings.ReplaceAll(err.Error(), " -", " --"))
		}
		if set.NArg() == 0 {
			break
		}
		rest = append(rest, set.Arg(0))
		args = set.Args()[1:]
	}
	if len(rest) != expected && (expected != atLeastOne || len(rest) == 0) {
		return nil, fmt.Errorf("%w: %s: %d arguments given, expected %s", errUsage, set.Name(), len(rest), what)
	}
	return rest, nil
}

func defaultWorkers() int { return runtime.GOMAXPROCS(0) }
