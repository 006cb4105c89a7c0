// Command bench compares hakuban-router with the reference's, in one run: the same load, from the same clients, is put on both
// in turn, round by round, and what is printed are medians and ratios. It is a module of its own, so that what it compares with
// weighs on nobody else.
//
//	cd tests/bench && go run . [-rounds N] [-for DURATION] [-only NAME]
//
// It needs Rust for the reference's router, which the first run builds (a few minutes), and Linux for /proc. The clients use this project's library
// and share the machine with the routers, so absolute figures say little; ratios of one run do.
package main

import (
	"cmp"
	"context"
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
	rounds := flag.Int("rounds", 5, "measure each router `N` times")
	duration := flag.Duration("for", 5*time.Second, "how long a load is kept up")
	only := flag.String("only", "", "the load to measure; all if empty")
	flag.Parse()
	if err := bench(*rounds, *duration, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(rounds int, duration time.Duration, only string) error {
	chosen := slices.DeleteFunc(slices.Clone(loads), func(l load) bool { return only != "" && l.name != only })
	if rounds < 1 || duration <= 0 || len(chosen) == 0 {
		var names []string
		for _, l := range loads {
			names = append(names, l.name)
		}
		return fmt.Errorf("expected at least one round, a duration above 0, and a load of: %s", strings.Join(names, ", "))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	programs, err := build(ctx)
	if err != nil {
		return err
	}
	for _, l := range chosen {
		measured := [2][]figures{}
		for round := range rounds {
			for turn := range 2 {
				which := (round + turn) % 2 // neither is always the one that comes after the other
				f, err := measure(ctx, programs[which], l, duration)
				if err != nil {
					return fmt.Errorf("%s, %s router: %w", l.name, programs[which].name, err)
				}
				measured[which] = append(measured[which], f)
			}
		}
		fmt.Printf("%s: %s\n", l.name, l.what)
		table(programs, measured)
	}
	return nil
}

// measure puts a load on a router that is started for it.
func measure(ctx context.Context, p program, l load, duration time.Duration) (figures, error) {
	r, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	defer r.kill()
	return l.run(ctx, r, duration)
}

// table prints the median of each figure for both routers, and that of the ratios of each round.
func table(programs [2]program, measured [2][]figures) {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "\t%s\t%s\tratio\tfrom\tto\t\n", programs[0].name, programs[1].name)
	for k, figure := range measured[0][0] {
		var values [2][]float64
		var ratios []float64
		for round := range measured[0] {
			for which := range 2 {
				values[which] = append(values[which], measured[which][round][k].value)
			}
			ratios = append(ratios, measured[1][round][k].value/measured[0][round][k].value)
		}
		fmt.Fprintf(out, "%s\t%.4g\t%.4g\t%.2f\t%.2f\t%.2f\t\n", figure.name, median(values[0]), median(values[1]),
			median(ratios), slices.Min(ratios), slices.Max(ratios))
	}
	out.Flush()
	fmt.Println()
}

func median[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}
