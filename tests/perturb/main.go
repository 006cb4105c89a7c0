//go:build linux

// Command perturb runs tests while some statements, another choice each time, take up to 300 ms longer than they do. What only holds
// while everything is quick fails: in drivers, transports, programs, examples and tests. (The core has no goroutines; the simulator
// is for that.)
//
//	go run ./tests/perturb . ./transport
//
// It changes no file: go test is given an overlay with a call before each statement. A choice is a number, which it prints when a test
// fails; the same number makes the same statements slow again, which finds most of what it found, but the scheduler has a say too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"hakuban/tests/perturb/delay"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	failed, err := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "perturb:", err)
		os.Exit(2)
	case failed > 0:
		os.Exit(1)
	}
}

// campaign runs the tests of some packages under many choices.
type campaign struct {
	directory string // for the overlay and the tests' programs
	overlay   string
	flags     []string // for the tests' programs
	parallel  int
	race      bool
	out, err  io.Writer

	mu     sync.Mutex // guards out and failed
	failed int
}

func command(ctx context.Context, arguments []string, stdout, stderr io.Writer) (failed int, err error) {
	set := flag.NewFlagSet("perturb", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprintln(stderr, "usage: go run ./tests/perturb [flags] packages")
		set.PrintDefaults()
	}
	first := set.Uint64("from", 1, "the first choice, `n`")
	choices := set.Uint64("choices", 10, "how many choices, `n`")
	parallel := set.Int("parallel", 4, "run `n` at a time: they sleep most of the time")
	race := set.Bool("race", true, "under the race detector, which needs a C compiler")
	run := set.String("run", "", "only tests that match the `pattern`")
	skip := set.String("skip", "", "but those that match the `pattern`")
	if err := set.Parse(arguments); err != nil {
		return 0, err
	}
	if *choices < 1 || *parallel < 1 {
		return 0, errors.New("-choices and -parallel must be at least 1")
	}
	if set.NArg() == 0 {
		return 0, errors.New("no packages given, expected . or ./transport, for example")
	}
	c := &campaign{parallel: *parallel, race: *race, out: stdout, err: stderr, flags: []string{"-test.shuffle=on", "-test.timeout=15m", "-test.run=" + *run, "-test.skip=" + *skip}}
	if c.directory, err = os.MkdirTemp("", "hakuban-perturb-"); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.directory)) }()
	root, err := moduleRoot(ctx)
	if err != nil {
		return 0, err
	}
	if c.overlay, err = writeOverlay(root, c.directory); err != nil {
		return 0, err
	}
	for _, name := range set.Args() {
		if err := c.testPackage(ctx, name, *first, *choices); err != nil {
			return c.failed, err
		}
	}
	return c.failed, nil
}

func moduleRoot(ctx context.Context) (string, error) {
	file, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(file))), nil
}

// testPackage runs a package's tests under each choice.
func (c *campaign) testPackage(ctx context.Context, name string, first, choices uint64) error {
	list := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", name)
	list.Stderr = c.err
	directory, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list %s: %w", name, err)
	}
	if strings.Count(string(directory), "\n") != 1 {
		return fmt.Errorf("%s: one package was expected", name)
	}
	program := filepath.Join(c.directory, "tests")
	build := exec.CommandContext(ctx, "go", "test", "-c", fmt.Sprintf("-race=%t", c.race), "-vet=off", "-overlay="+c.overlay, "-o", program, name)
	build.Stderr = c.err
	if err := build.Run(); err != nil {
		return fmt.Errorf("go test -c %s: %w", name, err)
	}
	before := c.failed
	var running errgroup.Group
	running.SetLimit(c.parallel)
	for choice := first; choice-first < choices && ctx.Err() == nil; choice++ {
		running.Go(func() error {
			c.testChoice(ctx, program, strings.TrimSpace(string(directory)), name, choice)
			return nil
		})
	}
	_ = running.Wait()
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	fmt.Fprintf(c.out, "%s: %d of %d choices failed\n", name, c.failed-before, choices)
	return nil
}

// testChoice runs a package's tests under one choice.
func (c *campaign) testChoice(ctx context.Context, program, directory, name string, choice uint64) {
	command := exec.CommandContext(ctx, program, c.flags...)
	command.Dir = directory
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%d", delay.Variable, choice),
		strings.TrimSpace("GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+c.overlay)) // for programs that the tests build
	output, err := command.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed++
	fmt.Fprintf(c.out, "== %s, choice %d: %v\n%s\nagain: go run ./tests/perturb -from %d -choices 1 %s\n", name, choice, err, output, choice, name)
}
