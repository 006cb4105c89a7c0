package sim

import (
	"bytes"
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"hakuban/internal/race"
	"hakuban/sim/checker"
)

var shrinkAll = flag.Bool("shrink-all", false, "shrink runs that refute every false claim, for 10 s each, instead of three claims for one")

// falseClaims are claims that real runs refute, each in a way of its own: what
// the shrinker is measured on.
func falseClaims() []mutantCase {
	claims := append(mutants(), mutantCase{"reads are linearizable", func() checker.Checker { return &checker.Linearizable{} }})
	if *shrinkAll {
		return claims
	}
	return slices.DeleteFunc(claims, func(c mutantCase) bool {
		return !slices.Contains([]string{"reads are linearizable", "another link elected", "an observer left with an old state"}, c.name)
	})
}

func TestShrink_ToFewEvents(t *testing.T) {
	limit := 10 * time.Second // most are done in a part of one
	if race.Enabled {
		limit = time.Second // and how small they get is not looked at
	}
	var sizes []int
	for _, claim := range falseClaims() {
		configure := func() Config { return Config{Checkers: []checker.Checker{claim.make()}} }
		found := 0
		for seed := Seed(100); seed < 160 && found < 3; seed++ {
			config := configure()
			config.Source = seed
			tape, result := Record(config)
			if result.Violation == nil {
				continue
			}
			found++
			small := Shrink(tape, configure, limit)
			if small.Result.Violation == nil || small.Result.Violation.Property != result.Violation.Property {
				t.Fatalf("%s, seed %d: %v became %v", claim.name, seed, result.Violation, small.Result.Violation)
			}
			again := configure()
			again.Source, again.Slots = small.Tape, small.Tape.Slots
			if v := Run(again).Violation; v == nil || v.Property != result.Violation.Property {
				t.Errorf("%s, seed %d: the small tape does not fail again: %v", claim.name, seed, v)
			}
			t.Logf("%s, seed %d: %d steps, %d events, %d choices became %d, %d, %d; %d runs, done: %t", claim.name, seed,
				result.Steps, result.Actions, len(tape.Choices), small.Result.Steps, small.Result.Actions, len(small.Tape.Choices), small.Runs, small.Done)
			sizes = append(sizes, small.Result.Actions)
		}
	}
	slices.Sort(sizes)
	median, high := sizes[len(sizes)/2], sizes[len(sizes)*95/100]
	t.Logf("events of %d shrunk tapes: median %d, 95th percentile %d, most %d", len(sizes), median, high, sizes[len(sizes)-1])
	if len(sizes) < 6 || !race.Enabled && (median > 10 || *shrinkAll && high > 25) {
		t.Errorf("events of the shrunk tapes: %v, expected at least 6, a median of at most 10 and a 95th percentile of at most 25", sizes)
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
