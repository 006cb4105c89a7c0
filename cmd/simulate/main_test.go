package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hakuban/sim"
	"hakuban/sim/mark"
)

// simulate runs a command line.
func simulate(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = command(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestCommand_WrongUsageIsOneLine(t *testing.T) {
	directory := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, args := range map[string][]string{
		"no command":        {},
		"unknown command":   {"walk"},
		"unknown flag":      {"run", "--sead", "1"},
		"no number":         {"run", "--seed", "x"},
		"negative seed":     {"run", "--seed", "-1"},
		"an argument more":  {"run", "--seed", "1", "2"},
		"no events":         {"run", "--events", "0"},
		"no seeds":          {"sweep", "--seeds", "0"},
		"no workers":        {"sweep", "--workers", "0"},
		"nothing to check":  {"sweep", "--no-refinement", "--no-checkers"},
		"no file":           {"replay"},
		"missing file":      {"replay", filepath.Join(directory, "missing")},
		"missing tape":      {"shrink", filepath.Join(directory, "missing")},
		"foreign file":      {"replay", write("foreign", "hello\n")},
		"unknown tape":      {"replay", write("tape", `{"hakuban-tape":9}`+"\n")},
		"unknown recording": {"replay", write("recording", `{"hakuban-recording":9}`+"\n")},
		"bad duration":      {"shrink", "--for", "x", "tape"},
	} {
		code, stdout, stderr := simulate(t, args...)
		if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "simulate: ") {
			t.Errorf("%s: exit %d, stdout %q, stderr %q; expected exit 2 and one line", name, code, stdout, stderr)
		}
	}
}

func TestCommand_HelpTeaches(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"help"}, {"run", "--help"}, {"sweep", "-h"}, {"replay", "--help"}, {"shrink", "--help"}} {
		code, stdout, stderr := simulate(t, args...)
		if code != exitOK || !strings.Contains(stdout, "simulate") || stderr != "" {
			t.Errorf("%v: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
	// As TestCommand_WrongUsageIsOneLine has it.
	if !strings.Contains(help, "2 wrong usage, or a file that is not there or holds something else") {
		t.Error("--help does not say what exit status 2 is for")
	}
}

func TestRunAndReplay_SameHash(t *testing.T) {
	tape := filepath.Join(t.TempDir(), "seven.tape")
	code, ran, _ := simulate(t, "run", "--seed", "7", "--events", "500", "--tape", tape)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, ran)
	}
	code, replayed, _ := simulate(t, "replay", tape)
	hash := func(text string) string {
		_, rest, _ := strings.Cut(text, "hash ")
		return strings.SplitN(rest, "\n", 2)[0]
	}
	if code != exitOK || hash(ran) == "" || hash(ran) != hash(replayed) {
		t.Errorf("exit %d; ran:\n%sreplayed:\n%s", code, ran, replayed)
	}
	if code, stdout, _ := simulate(t, "run", "--seed", "7", "--events", "100", "--trace"); code != exitOK || strings.Count(stdout, "\n") < 100 {
		t.Errorf("exit %d, %d lines of trace", code, strings.Count(stdout, "\n"))
	}
	if code, _, stderr := simulate(t, "shrink", tape); code != exitUnknown || !strings.Contains(stderr, "violates nothing") {
		t.Errorf("shrinking a tape that holds: exit %d, %q", code, stderr)
	}
}

func TestReplay_TapeThatFailsNoMoreIsUnknown(t *testing.T) {
	tape := filepath.Join(t.TempDir(), "fixed.tape")
	if err := os.WriteFile(tape, []byte(`{"hakuban-tape":1,"slots":5,"property":"convergence"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := simulate(t, "replay", tape); code != exitUnknown || !strings.Contains(stderr, "convergence") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}

func TestSweep_PrintsCoverage(t *testing.T) {
	code, stdout, stderr := simulate(t, "sweep", "--seeds", "20", "--events", "300", "--workers", "2")
	if code != exitOK || !strings.Contains(stdout, "fault classes") || !strings.Contains(stdout, "seeds a minute") || !strings.Contains(stderr, "20/20 seeds") {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	if !strings.Contains(stdout, "steps refined") || !strings.Contains(stdout, " PullDown ") {
		t.Errorf("it does not say what was refined:\n%s", stdout)
	}
	if code, stdout, _ := simulate(t, "sweep", "--seeds", "2", "--events", "300", "--no-refinement"); code != exitOK || strings.Contains(stdout, "refined") {
		t.Errorf("without refinement: exit %d\n%s", code, stdout)
	}
	if !strings.Contains(stdout, "the whole exchange after ") {
		t.Errorf("it does not say how much was looked at:\n%s", stdout)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs strings.Builder
	if code := command(ctx, []string{"sweep", "--seeds", "20"}, &out, &errs); code != exitUnknown {
		t.Errorf("an interrupted sweep: exit %d, %q", code, errs.String())
	}
}

func TestCampaign_AMarkNeverHitIsAViolation(t *testing.T) {
	c := sim.Coverage{Seeds: campaignSeeds, Marks: map[mark.Mark]int{}}
	for class := range c.Faults {
		c.Faults[class] = 1
	}
	for _, m := range mark.All() {
		c.Marks[m] = 1
	}
	var out strings.Builder
	if err := campaign(&out, &c); err != nil || out.Len() > 0 {
		t.Errorf("everything hit: %v, %q", err, out.String())
	}
	delete(c.Marks, mark.RebalanceMoved)
	if err := campaign(&out, &c); !errors.Is(err, errViolated) || !strings.Contains(out.String(), mark.RebalanceMoved.String()) {
		t.Errorf("a mark never hit: %v, %q", err, out.String())
	}
	c.Seeds--
	if err := campaign(&out, &c); err != nil {
		t.Errorf("a shorter sweep: %v", err)
	}
	c.Seeds, c.Marks[mark.RebalanceMoved], c.Faults[0] = campaignSeeds, 1, 0
	if err := campaign(&out, &c); !errors.Is(err, errViolated) {
		t.Errorf("a fault never injected: %v", err)
	}
}
