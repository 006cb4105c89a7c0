// Command bench compares hakuban-router with the reference's and with NATS, in one run: the same load is put on each in turn,
// round by round, and what is printed are medians and ratios. It is a module of its own, so that what it compares with weighs on
// nobody else.
//
//	cd tests/bench && go run . [-rounds N] [-for DURATION] [-only LOAD] [-against SERVER]
//
// It needs Rust for the reference's router, which the first run builds (a few minutes), and Linux for /proc. The peers of both
// routers are this project's library; those of NATS are its own. They share the machine with the servers, so absolute figures say
// little; ratios of one run do.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 5, "measure each server `N` times")
	duration := flag.Duration("for", 5*time.Second, "how long a load is kept up")
	only := flag.String("only", "", "the `LOAD` to measure; all if empty")
	against := flag.String("against", "", "the `SERVER` to compare with; all if empty")
	flag.Parse()
	if err := bench(*rounds, *duration, *only, *against); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(rounds int, duration time.Duration, only, against string) error {
	if rounds < 1 || duration <= 0 {
		return errors.New("expected at least one round, and a duration above 0")
	}
	chosen, err := choose("load", loads, only, func(l load) string { return l.name })
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	programs, err := build(ctx)
	if err != nil {
		return err
	}
	others, err := choose("server", programs[1:], against, func(p program) string { return p.name })
	if err != nil {
		return err
	}
	programs = append(programs[:1:1], others...)
	for _, l := range chosen {
		measured := make([][]figures, len(programs)) // by program and round
		for round := range rounds {
			for turn := range programs {
				which := (round + turn) % len(programs) // each comes after each of the others
				f, err := measure(ctx, programs[which], l, duration)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", l.name, programs[which].name, err)
				}
				measured[which] = append(measured[which], f)
			}
		}
		fmt.Printf("%s: %s\n", l.name, l.what)
		table(programs, measured)
	}
	return nil
}

// choose leaves what has a name; all if that is empty.
func choose[T any](what string, all []T, name string, of func(T) string) ([]T, error) {
	var names []string
	for _, one := range all {
		if of(one) == name {
			return []T{one}, nil
		}
		names = append(names, of(one))
	}
	if name != "" {
		return nil, fmt.Errorf("%s %q, expected one of: %s", what, name, strings.Join(names, ", "))
	}
	return all, nil
}

// measure puts a load on a server that is started for it.
func measure(ctx context.Context, p program, l load, duration time.Duration) (figures, error) {
	s, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	return l.run(ctx, s, duration)
}

// table prints the median of each figure for each program, and for all but the first the median of the ratios of each round, with
// the least and the greatest one: the first's to its.
func table(programs []program, measured [][]figures) {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for which, p := range programs {
		fmt.Fprintf(out, "\t%s", p.name)
		if which > 0 {
			fmt.Fprint(out, "\tratio\tfrom\tto")
		}
	}
	fmt.Fprintln(out, "\t")
	for k, figure := range measured[0][0] {
		fmt.Fprint(out, figure.name)
		for which := range programs {
			var values, ratios []float64
			for round, f := range measured[which] {
				values = append(values, f[k].value)
				ratios = append(ratios, measured[0][round][k].value/f[k].value)
			}
			fmt.Fprintf(out, "\t%.4g", median(values))
			if which > 0 {
				fmt.Fprintf(out, "\t%.2f\t%.2f\t%.2f", median(ratios), slices.Min(ratios), slices.Max(ratios))
			}
		}
		fmt.Fprintln(out, "\t")
	}
	out.Flush()
	fmt.Println()
}

func median[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
