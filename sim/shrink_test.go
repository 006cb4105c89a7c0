package sim

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"hakuban/sim/checker"
)

// False claims that real runs refute, each in a way of its own; what the
// shrinker is measured on.
func falseClaims() []func() Config {
	return []func() Config{
		func() Config { return Config{Checkers: []checker.Checker{&checker.Linearizable{}}} },
		func() Config { return Config{Checkers: []checker.Checker{named("another link elected")}} },
		func() Config { return Config{Checkers: []checker.Checker{named("an observer left with an old state")}} },
	}
}

// named makes a mutant of [mutants].
func named(name string) checker.Checker {
	all := mutants()
	return all[slices.IndexFunc(all, func(c mutantCase) bool { return c.name == name })].make()
}

func TestShrink_ToFewEvents(t *testing.T) {
	var sizes []int
	for c, claim := range falseClaims() {
		found := 0
		for seed := Seed(100); seed < 160 && found < 3; seed++ {
			config := claim()
			config.Source = seed
			tape, result := Record(config)
			if result.Violation == nil {
				continue
			}
			found++
			small := Shrink(tape, claim, time.Second)
			if small.Result.Violation == nil || small.Result.Violation.Property != result.Violation.Property {
				t.Fatalf("claim %d, seed %d: %v became %v", c, seed, result.Violation, small.Result.Violation)
			}
			again := claim()
			again.Source, again.Slots = small.Tape, small.Tape.Slots
			if v := Run(again).Violation; v == nil || v.Property != result.Violation.Property {
				t.Errorf("claim %d, seed %d: the small tape does not fail again: %v", c, seed, v)
			}
			t.Logf("claim %d, seed %d: %d events, %d choices became %d, %d; %d runs, done: %t", c, seed,
				result.Actions, len(tape.Choices), small.Result.Actions, len(small.Tape.Choices), small.Runs, small.Done)
			sizes = append(sizes, small.Result.Actions)
		}
	}
	slices.Sort(sizes)
	if len(sizes) < 6 || sizes[len(sizes)/2] > 10 {
		t.Errorf("events of the shrunk tapes: %v, expected a median of at most 10", sizes)
	}
}

func TestTape_ReadsWhatItWrote(t *testing.T) {
	tape, _ := Record(Config{Source: Seed(5), Steps: 300})
	tape.Property = "some property"
	var file bytes.Buffer
	if err := tape.Write(&file); err != nil {
		t.Fatal(err)
	}
	again, err := ReadTape(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	if err := again.Write(&second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file.Bytes(), second.Bytes()) || again.Property != tape.Property || len(again.Choices) != len(tape.Choices) {
		t.Error("the tape is another one after writing and reading")
	}
}

func TestReadTape_Refuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":         "",
		"no JSON":         "tape",
		"unknown version": `{"hakuban-tape":2,"seed":1,"slots":3}`,
		"no version":      `{"seed":1,"slots":3}`,
		"too many slots":  `{"hakuban-tape":1,"slots":99999999}`,
		"unknown kind":    `{"hakuban-tape":1,"slots":3}` + "\n" + `{"choice":"nonsense/0/0/0","value":1}`,
		"bad label":       `{"hakuban-tape":1,"slots":3}` + "\n" + `{"choice":"slot/0/0","value":1}`,
		"bad value":       `{"hakuban-tape":1,"slots":3}` + "\n" + `{"choice":"slot/0/0/0","value":-1}`,
	} {
		if _, err := ReadTape(strings.NewReader(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v, expected %v", name, err, ErrFormat)
		}
	}
}
