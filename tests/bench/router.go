package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// program is a router that can be started.
type program struct{ name, path string }

// build builds the reference's router, as it is released, and ours.
func build(ctx context.Context) (programs [2]program, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return programs, err
	}
	folder := filepath.Join(cache, "hakuban-bench")
	target, ours := filepath.Join(folder, "target"), filepath.Join(folder, "hakuban-router")
	for _, command := range [][]string{
		// The manifest of the interop tests has the exact versions.
		{"cargo", "build", "--release", "--manifest-path", "../interop/peer/Cargo.toml", "--target-dir", target, "-p", "hakuban", "--bins"},
		{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", ours, "hakuban/cmd/hakuban-router"},
	} {
		c := exec.CommandContext(ctx, command[0], command[1:]...)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return programs, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return [2]program{{"reference", filepath.Join(target, "release", "hakuban-router")}, {"ours", ours}}, nil
}

// router is a running router.
type router struct {
	url     string
	command *exec.Cmd
}

var listening = regexp.MustCompile(`(?i)listening.*?(ws://[^\s"#]+)`)

// start starts the router and waits until it listens.
func (p program) start(ctx context.Context) (*router, error) {
	c := exec.CommandContext(ctx, p.path, "-b", "ws://127.0.0.1:0")
	stderr, err := c.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	url := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if match := listening.FindStringSubmatch(lines.Text()); match != nil {
				select {
				case url <- match[1]:
				default:
				}
			}
		}
	}()
	r := &router{command: c}
	select {
	case r.url = <-url:
		return r, nil
	case <-time.After(10 * time.Second):
		r.kill()
		return nil, errors.New("it did not listen within 10 s")
	}
}

func (r *router) kill() {
	r.command.Process.Kill()
	r.command.Wait()
}

// ticks is the kernel's unit of processor time: USER_HZ, which is 100 on every Linux that Go runs on.
const ticks = 100

// processor is the processor time that the router has used.
func (r *router) processor() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name may have spaces
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/…/stat: %q", stat)
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err1, err2)
}

// resident is the memory that the router has, in bytes.
func (r *router) resident() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0, fmt.Errorf("/proc/…/status has no VmRSS")
	}
	kilobytes, err := strconv.Atoi(fields[0])
	return kilobytes << 10, err
}
