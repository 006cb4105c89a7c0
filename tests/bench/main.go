// Command bench compares hakuban-router with the reference's, NATS, centrifuge, mosquitto and redis in one run: each load is put on
// each server in turn, round by round, and what counts are medians of the ratios of each round. It draws how costs grow, and puts hostile
// loads beside a healthy pair. It writes the section of docs/benchmarks.md between its marks, the plots in docs/bench, and every
// measurement as JSON. It is a module of its own, so that what it compares with weighs on nobody else.
//
//	cd tests/bench && go run . [-whole] [-rounds N] [-for DURATION] [-only NAME] [-against SERVER] [-docs FOLDER]
//
// It needs Linux. It needs Rust for the reference's router, which the first run builds (a few minutes); what is missing is left out, and the
// page says so. The peers of both routers are this project's library; those of the others are theirs. They share the machine with
// the servers, so absolute figures say little; ratios of one run do. A quick run stops by itself after three minutes or so, a whole one
// after half an hour.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// lab is what measurements are made with.
type lab struct {
	whole    bool
	rounds   int
	duration time.Duration // how long a load is kept up
	patience time.Duration // for one measurement
	programs []program     // ours first
	rows     []row
	notes    []string // what could not be measured
}

// row is one measurement.
type row struct {
	Kind    string             `json:"kind"` // load, curve or hostile
	Name    string             `json:"name"`
	Server  string             `json:"server"`
	Round   int                `json:"round"`
	At      float64            `json:"at,omitempty"` // of a curve
	Figures map[string]float64 `json:"figures"`
}

func main() {
	var l lab
	flag.BoolVar(&l.whole, "whole", false, "larger sizes, longer loads")
	flag.IntVar(&l.rounds, "rounds", 0, "measure each server `N` times; 0: 3, or 5 of a whole run")
	flag.DurationVar(&l.duration, "for", 0, "how long a load is kept up; 0: 300 ms, or 2 s in a whole run")
	only := flag.String("only", "", "the load, curve or hostile load to measure, by `NAME`; all if empty")
	against := flag.String("against", "", "the `SERVER` to compare with; all if empty")
	docs := flag.String("docs", "", "the `FOLDER` to write benchmarks.md and bench/ in; nothing is written if empty")
	flag.Parse()
	if err := l.run(*only, *against, *docs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (l *lab) run(only, against, docs string) error {
	if l.rounds < 0 || l.duration < 0 {
		return errors.New("expected at least one round, and a duration above 0")
	}
	if docs != "" && only+against != "" {
		return errors.New("the page is of all loads and servers")
	}
	if l.rounds == 0 {
		l.rounds = map[bool]int{false: 3, true: 5}[l.whole]
	}
	if l.duration == 0 {
		l.duration = map[bool]time.Duration{false: 300 * time.Millisecond, true: 2 * time.Second}[l.whole]
	}
	l.patience = map[bool]time.Duration{false: 6 * time.Second, true: 2 * time.Minute}[l.whole]
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := l.choose(ctx, against); err != nil {
		return err
	}
	begun, machine := time.Now(), describeMachine()
	measured := 0
	for _, one := range loads {
		if only == "" || only == one.name {
			measured++
			l.measureLoad(ctx, one)
		}
	}
	for _, one := range hostiles {
		if only == "" || only == one.name {
			measured++
			l.measureHostile(ctx, one)
		}
	}
	for _, one := range curves {
		if only == "" || only == one.name {
			measured++
			l.measureCurve(ctx, one)
		}
	}
	if measured == 0 {
		return fmt.Errorf("nothing is named %q; there are: %s", only, strings.Join(names(), ", "))
	}
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	machine.took = time.Since(begun)
	page := l.page(machine)
	fmt.Print(page)
	if docs == "" {
		return nil
	}
	return l.write(docs, page)
}

func names() (all []string) {
	for _, one := range loads {
		all = append(all, one.name)
	}
	for _, one := range hostiles {
		all = append(all, one.name)
	}
	for _, one := range curves {
		all = append(all, one.name)
	}
	return all
}

// choose builds the servers and leaves those that can be had.
func (l *lab) choose(ctx context.Context, against string) error {
	wanted := func(name string) bool { return against == "" || name == against }
	programs, err := build(ctx, wanted)
	if err != nil {
		return err
	}
	for i, p := range programs {
		switch {
		case i > 0 && !wanted(p.name):
		case p.lacks != "":
			l.note("%s is left out: %s.", p.name, p.lacks)
		default:
			l.programs = append(l.programs, p)
		}
	}
	if against != "" && len(l.programs) == 1 {
		return fmt.Errorf("server %q, expected one of those that are built, or that are installed", against)
	}
	return nil
}

func (l *lab) note(format string, arguments ...any) {
	text := fmt.Sprintf(format, arguments...)
	if !slices.Contains(l.notes, text) {
		l.notes = append(l.notes, text)
		fmt.Fprintln(os.Stderr, text)
	}
}

// measureLoad puts a load on each server, round by round; each comes after each of the others.
func (l *lab) measureLoad(ctx context.Context, one load) {
	failed := map[string]bool{}
	for round := range l.rounds {
		for turn := range l.programs {
			p := l.programs[(round+turn)%len(l.programs)]
			if one.hakuban && !p.hakuban || failed[p.name] {
				continue
			}
			figures, err := l.once(ctx, p, func(ctx context.Context, s *server) (figures, error) { return one.run(ctx, s, l) })
			if err != nil {
				failed[p.name] = true
				l.note("%s, %s: %v.", one.name, p.name, err)
				continue
			}
			l.add("load", one.name, p.name, round, 0, figures)
		}
	}
	fmt.Fprintln(os.Stderr, one.name)
}

// once measures a server that is started for it.
func (l *lab) once(ctx context.Context, p program, measure func(context.Context, *server) (figures, error)) (figures, error) {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	s, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	type outcome struct {
		figures figures
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		f, err := measure(ctx, s)
		done <- outcome{f, err}
	}()
	select {
	case o := <-done:
		return o.figures, o.err
	case <-ctx.Done():
		return nil, fmt.Errorf("it took more than %v", l.patience)
	}
}

func (l *lab) add(kind, name, server string, round int, at float64, f figures) {
	r := row{Kind: kind, Name: name, Server: server, Round: round, At: at, Figures: map[string]float64{}}
	for _, figure := range f {
		r.Figures[figure.name] = figure.value
	}
	l.rows = append(l.rows, r)
}
