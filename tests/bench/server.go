package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// program is a server that can be started.
type program struct {
	name    string
	what    string // version and kind, for the page
	command []string
	port    string // the flag for a port, of a server that cannot choose one and does not tell; "": it tells
	connect func(ctx context.Context, url string) (peer, error)
	hakuban bool   // a router of exchanges
	lacks   string // why it cannot be measured; "": it can
}

// build builds the servers that are wanted: the reference's router as it is released, NATS's and centrifuge's as go.mod has them, and ours.
// What is not ours may be missing.
func build(ctx context.Context, wanted func(name string) bool) ([]program, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(cache, "hakuban-bench")
	in := func(names ...string) string { return filepath.Join(append([]string{folder}, names...)...) }
	run := func(command ...string) error {
		c := exec.CommandContext(ctx, command[0], command[1:]...)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
		return nil
	}
	compile := func(name, module, path string) string {
		if err := run("go", "build", "-C", module, "-trimpath", "-ldflags", "-s -w", "-o", in(name), path); err != nil {
			return err.Error()
		}
		return ""
	}
	if lacks := compile("hakuban-router", "../..", "./cmd/hakuban-router"); lacks != "" {
		return nil, errors.New(lacks)
	}
	noRust, noNATS, noCentrifuge := "", "", ""
	if wanted("reference") { // the manifest of the interop tests has the exact versions
		err := run("cargo", "build", "--release", "--manifest-path", "../interop/peer/Cargo.toml", "--target-dir", in("target"), "-p", "hakuban", "--bins")
		if err != nil {
			noRust = "its router could not be built: " + strings.SplitN(err.Error(), "\n", 2)[0]
		}
	}
	if wanted("NATS") || wanted("NATS KV") {
		noNATS = compile("nats-server", ".", "github.com/nats-io/nats-server/v2")
	}
	if wanted("centrifuge") {
		noCentrifuge = compile("centrifuge", ".", "./centrifuge")
	}
	anyPort := []string{"-b", "ws://127.0.0.1:0#nodelay=true"}
	nats := []string{in("nats-server"), "--addr", "127.0.0.1", "--port", "-1"}
	return []program{
		{name: "ours", command: append([]string{in("hakuban-router")}, anyPort...), connect: connect, hakuban: true},
		{name: "reference", what: "the router of the Rust crate 0.8.5", command: append([]string{in("target", "release", "hakuban-router")}, anyPort...),
			connect: connect, hakuban: true, lacks: noRust},
		{name: "NATS", what: "nats-server 2.15.2, core: keeps no state", command: nats, connect: connectNATS, lacks: noNATS},
		{name: "NATS KV", what: "the same, a bucket of keys and values in memory", command: append(slices.Clone(nats), "--jetstream", "--store_dir", in("nats")),
			connect: connectBucket, lacks: noNATS},
		{name: "centrifuge", what: "the library centrifuge 0.40.1, its binary protocol: keeps no state", command: []string{in("centrifuge")},
			connect: connectCentrifuge, lacks: noCentrifuge},
		installed("mosquitto", "MQTT, retained messages", connectMQTT, "-p", "mosquitto"),
		installed("redis", "publish and subscribe: keeps no state", connectRedis, "--port",
			"redis-server", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
	}, nil
}

// installed is a server that the system has, or has not.
func installed(name, what string, connect func(context.Context, string) (peer, error), port string, command ...string) program {
	p := program{name: name, what: what, command: command, port: port, connect: connect}
	for _, path := range []string{command[0], "/usr/sbin/" + command[0]} {
		if found, err := exec.LookPath(path); err == nil {
			p.command = append([]string{found}, command[1:]...)
			return p
		}
	}
	p.lacks = command[0] + " is not installed"
	return p
}

// server is a running server.
type server struct {
	program
	url     string
	process *exec.Cmd
}

var listening = regexp.MustCompile(`(?i)listening.*?((ws://|127\.0\.0\.1:)[^\s"#]+)`)

// startup bounds the time until a server listens.
const startup = 10 * time.Second

// start starts the server and waits until it listens.
func (p program) start(ctx context.Context, arguments ...string) (*server, error) {
	command := append(slices.Clone(p.command), arguments...)
	address := ""
	if p.port != "" {
		socket, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		address = socket.Addr().String()
		_ = socket.Close()
		command = append(command, p.port, strconv.Itoa(socket.Addr().(*net.TCPAddr).Port))
	}
	c := exec.CommandContext(ctx, command[0], command[1:]...)
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
			if match := listening.FindStringSubmatch(lines.Text()); match != nil && p.port == "" {
				select {
				case url <- match[1]:
				default:
				}
			}
		}
	}()
	if p.port != "" {
		go func() {
			for limit := time.Now().Add(startup); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
				if connection, err := net.Dial("tcp", address); err == nil {
					_ = connection.Close()
					url <- address
					return
				}
			}
		}()
	}
	s := &server{program: p, process: c}
	select {
	case s.url = <-url:
		return s, nil
	case <-time.After(startup):
		s.kill()
		return nil, fmt.Errorf("it did not listen within %v", startup)
	}
}

func (s *server) peer(ctx context.Context) (peer, error) { return s.connect(ctx, s.url) }

func (s *server) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// processor is the processor time that the server has used.
func (s *server) processor() (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(int32(^s.process.Process.Pid<<3|2), &t) // as clock_getcpuclockid(3) names the clock of a process
	return time.Duration(t.Nano()), err
}

// resident is the memory that the server has, in bytes.
func (s *server) resident() (int, error) { return s.memory("VmRSS:") }

func (s *server) memory(which string) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), which)
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0, fmt.Errorf("/proc/…/status has no %s", which)
	}
	kilobytes, err := strconv.Atoi(fields[0])
	return kilobytes << 10, err
}
