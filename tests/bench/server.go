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
	"slices"
	"strconv"
	"strings"
	"time"
)

// program is a server that can be started.
type program struct {
	name    string
	command []string
	connect func(ctx context.Context, url string) (peer, error)
}

// build builds the servers: the reference's router as it is released, NATS's as go.mod has it, and ours.
func build(ctx context.Context) ([]program, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(cache, "hakuban-bench")
	in := func(names ...string) string { return filepath.Join(append([]string{folder}, names...)...) }
	for _, command := range [][]string{
		// The manifest of the interop tests has the exact versions.
		{"cargo", "build", "--release", "--manifest-path", "../interop/peer/Cargo.toml", "--target-dir", in("target"), "-p", "hakuban", "--bins"},
		{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", in("hakuban-router"), "hakuban/cmd/hakuban-router"},
		{"go", "build", "-trimpath", "-ldflags", "-s -w", "-o", in("nats-server"), "github.com/nats-io/nats-server/v2"},
	} {
		c := exec.CommandContext(ctx, command[0], command[1:]...)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	anyPort := []string{"-b", "ws://127.0.0.1:0"}
	nats := []string{in("nats-server"), "--addr", "127.0.0.1", "--port", "-1"}
	return []program{
		{"ours", append([]string{in("hakuban-router")}, anyPort...), connect},
		{"reference", append([]string{in("target", "release", "hakuban-router")}, anyPort...), connect},
		{"NATS", nats, connectNATS},
		{"NATS KV", append(slices.Clone(nats), "--jetstream", "--store_dir", in("nats")), connectBucket},
	}, nil
}

// server is a running server.
type server struct {
	program
	url     string
	process *exec.Cmd
}

var listening = regexp.MustCompile(`(?i)listening.*?((ws://|127\.0\.0\.1:)[^\s"#]+)`)

// start starts the server and waits until it listens.
func (p program) start(ctx context.Context) (*server, error) {
	c := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
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
	s := &server{program: p, process: c}
	select {
	case s.url = <-url:
		return s, nil
	case <-time.After(10 * time.Second):
		s.kill()
		return nil, errors.New("it did not listen within 10 s")
	}
}

func (s *server) peer(ctx context.Context) (peer, error) { return s.connect(ctx, s.url) }

func (s *server) kill() {
	s.process.Process.Kill()
	s.process.Wait()
}

// ticks is the kernel's unit of processor time: USER_HZ, which is 100 on every Linux that Go runs on.
const ticks = 100

// processor is the processor time that the server has used.
func (s *server) processor() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
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

// resident is the memory that the server has, in bytes.
func (s *server) resident() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
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
