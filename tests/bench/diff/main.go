// Command diff compares the diffs of states with those of the reference's own routine, in one run: both make the same
// diffs in turn, round by round, and what is printed are medians of the ratios of a round, with their range. Each side also
// applies what the other made.
//
//	cd tests/bench && go run ./diff [-rounds N]
//
// It needs Rust, and builds the reference's routine the first time.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hakuban/wire/diff"
)

func main() {
	rounds := flag.Int("rounds", 15, "make each diff `N` times")
	flag.Parse()
	if err := compare(*rounds); err != nil {
		fmt.Fprintln(os.Stderr, "diff:", err)
		os.Exit(1)
	}
}

func compare(rounds int) error {
	if rounds < 1 {
		return errors.New("expected at least one round")
	}
	folder, err := os.MkdirTemp("", "hakuban-diff-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	r, err := start()
	if err != nil {
		return err
	}
	defer r.stop()
	fmt.Println("| change | ours, ns a byte | time to the reference's | bytes, ours | to the reference's | patch to the reference's |")
	fmt.Println("| --- | ---: | ---: | ---: | ---: | ---: |")
	for _, size := range []int{64 << 10, 1 << 20} {
		for _, c := range changes(size) {
			if err := r.measure(c, folder, rounds); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return nil
}

// reference is a process that makes diffs with the reference's routine.
type reference struct {
	process *exec.Cmd
	stdin   io.WriteCloser
	answers *bufio.Scanner
}

// start builds the process and starts it.
func start() (*reference, error) {
	source, err := source()
	if err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	target := filepath.Join(cache, "hakuban-bench", "diff")
	build := exec.Command("cargo", "build", "--release", "--manifest-path", manifest, "--target-dir", target)
	build.Env = append(os.Environ(), "DIFF_SOURCE="+source)
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", build, err, out)
	}
	r := &reference{process: exec.Command(filepath.Join(target, "release", "reference-diff"))}
	r.process.Stderr = os.Stderr
	if r.stdin, err = r.process.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := r.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.answers = bufio.NewScanner(stdout)
	return r, r.process.Start()
}

const manifest = "diff/reference/Cargo.toml"

// source returns the path of the reference's file with the routine, in the crate that cargo fetched.
func source() (string, error) {
	out, err := exec.Command("cargo", "metadata", "--format-version", "1", "--manifest-path", manifest).Output()
	if err != nil {
		return "", fmt.Errorf("cargo metadata: %w", err)
	}
	var metadata struct {
		Packages []struct {
			Name string
			Path string `json:"manifest_path"`
		}
	}
	if err := json.Unmarshal(out, &metadata); err != nil {
		return "", err
	}
	for _, p := range metadata.Packages {
		if p.Name == "hakuban" {
			return filepath.Join(filepath.Dir(p.Path), "src", "connection", "diff.rs"), nil
		}
	}
	return "", errors.New("cargo has no package hakuban")
}

func (r *reference) stop() {
	r.stdin.Close()
	r.process.Wait()
}

// ask sends a line and returns the answer.
func (r *reference) ask(words ...string) (string, error) {
	fmt.Fprintln(r.stdin, strings.Join(words, " "))
	if !r.answers.Scan() {
		return "", errors.New("the reference's routine ended")
	}
	return r.answers.Text(), nil
}

// measure makes and applies the diff of a change on both sides and prints a line.
func (r *reference) measure(c change, folder string, rounds int) error {
	old, new := "-", filepath.Join(folder, "new")
	ours, theirs := filepath.Join(folder, "ours"), filepath.Join(folder, "theirs")
	if c.old != nil {
		old = filepath.Join(folder, "old")
		if err := os.WriteFile(old, c.old, 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(new, c.new, 0o600); err != nil {
		return err
	}
	var encoder diff.Encoder
	made := encoder.Append(nil, c.old, c.new)
	if err := os.WriteFile(ours, made, 0o600); err != nil {
		return err
	}
	if answer, err := r.ask("patch", old, ours, new); err != nil || answer != "ok" {
		return fmt.Errorf("the reference applied our diff: %q %w", answer, err)
	}
	var least time.Duration
	var times, patches []float64
	var theirSize int
	for round := range rounds {
		answer, err := r.ask(old, new, theirs)
		if err != nil {
			return err
		}
		var theirTime, theirPatch float64
		if _, err := fmt.Sscan(answer, &theirTime, &theirSize, &theirPatch); err != nil {
			return err
		}
		begin := time.Now()
		made = encoder.Append(made[:0], c.old, c.new)
		took := time.Since(begin)
		begin = time.Now()
		patched, err := diff.Patch(c.old, made, len(c.new))
		patching := time.Since(begin)
		if err != nil || !bytes.Equal(patched, c.new) {
			return fmt.Errorf("our diff gave other data: %w", err)
		}
		if round == 0 || took < least {
			least = took
		}
		times = append(times, float64(took)/theirTime)
		patches = append(patches, float64(patching)/theirPatch)
	}
	made, err := os.ReadFile(theirs)
	if err != nil {
		return err
	}
	if patched, err := diff.Patch(c.old, made, len(c.new)); err != nil || !bytes.Equal(patched, c.new) {
		return fmt.Errorf("the reference's diff gave other data: %w", err)
	}
	fmt.Printf("| %s | %.2f | %s | %d | %.2f | %s |\n", c.name, float64(least)/float64(len(c.new)), spread(times), c.size(&encoder),
		float64(c.size(&encoder))/float64(theirSize), spread(patches))
	return nil
}

// spread formats a median with the range it is from.
func spread(ratios []float64) string {
	slices.Sort(ratios)
	return fmt.Sprintf("%.3f (%.3f–%.3f)", ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
}
