//go:build linux

package faults

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hakuban"
	"hakuban/internal/race"
	"hakuban/tests/interop"
	"hakuban/transport"
)

const (
	stormPatience = 10 * time.Minute // only a failing run waits that long
	stormBegin    = "<!-- the storm, written by make faults -->\n"
	stormEnd      = "<!-- end of the storm -->\n"
)

// A router is killed and comes again: all its clients link again, see the newest state, and see no version go back.
func TestStorm_AllClientsComeBack(t *testing.T) {
	clients, whole := 200, os.Getenv(wholeVariable) == "1"
	if whole {
		clients = 5_000
	}
	if testing.Short() || race.Enabled {
		t.Skip("hundreds of clients: the plain run has them")
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < uint64(clients)+100 {
		t.Skipf("%v: %d file descriptors are too few for %d clients", err, limit.Cur, clients)
	}
	program, quiet := interop.GoRouter(t), &transport.Options{Logger: slog.New(slog.DiscardHandler)}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "ws://" + socket.Addr().String()
	_ = socket.Close() // the router takes the port
	router := startRouter(t, program, address)

	object := hakuban.MustObject("storm")
	exposer := hakuban.NewExchange(nil)
	defer exposer.Close()
	if _, err := transport.Connect(exposer, address, quiet); err != nil {
		t.Fatal(err)
	}
	expose := exposer.ExposeObject(object)
	defer expose.Close()
	seen := make(chan int64, clients) // the version that a client has seen at last, whenever that is what it should see
	wanted := newWanted()
	ctx, cancel := context.WithTimeout(t.Context(), 3*stormPatience)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for range clients {
		x := hakuban.NewExchange(nil)
		running.Go(func() {
			defer x.Close()
			if _, err := transport.Connect(x, address, quiet); err != nil {
				t.Error(err)
				return
			}
			observe(ctx, t, x, object, wanted, seen)
		})
	}
	sink, err := expose.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	send := func(version int64) {
		t.Helper()
		wanted.set(version)
		for {
			if err := sink.Send(hakuban.NewState("x").WithVersion(version)); err == nil {
				return
			} else if sink.Context().Err() == nil {
				t.Fatal(err)
			}
			sink.Release() // the router's death took it
			if sink, err = expose.Next(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := func() {
		t.Helper()
		late := time.After(stormPatience)
		for n := range clients {
			select {
			case <-seen:
			case <-late:
				t.Fatalf("%d of %d clients have seen version %d", n, clients, wanted.get())
			}
		}
	}
	send(1)
	all()
	if err := router.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = router.Wait() // killed
	router = startRouter(t, program, address)
	begin := time.Now()
	send(2)
	all()
	took := time.Since(begin)
	t.Logf("%d clients had the newest state %v after the restart; the router has %s", clients, took.Round(time.Millisecond), memory(router.Process.Pid))
	if whole {
		text := fmt.Sprintf("%d clients had the newest state %d ms after the router was there again; it then had %s.\n", clients, took.Milliseconds(), memory(router.Process.Pid))
		if err := report(stormBegin, stormEnd, text); err != nil {
			t.Fatal(err)
		}
	}
}

// wanted is the version that clients should see.
type wanted struct {
	mu      sync.Mutex
	version int64
}

func newWanted() *wanted { return &wanted{} }

func (w *wanted) set(version int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.version = version
}

func (w *wanted) get() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version
}

// observe tells when a client sees what it should, once of each version, and that no version goes back.
func observe(ctx context.Context, t *testing.T, x *hakuban.Exchange, object hakuban.Object, wanted *wanted, seen chan<- int64) {
	contract := x.ObserveObject(object)
	defer contract.Close()
	last, told := int64(0), int64(0)
	for stream := range contract.Streams(ctx) {
		for state := range stream.States(ctx) {
			version := state.Version()[0]
			if version < last {
				t.Errorf("version %d after %d", version, last)
			}
			if last = version; version == wanted.get() && version != told {
				told = version
				seen <- version
			}
		}
	}
}

func startRouter(t *testing.T, program, address string) *exec.Cmd {
	t.Helper()
	command := exec.Command(program, "--bind", address, "--max-connections", "10000")
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // gone already, when it was killed
		_ = command.Wait()
	})
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "listening") {
			go func() {
				for lines.Scan() { // until the router has gone
					continue
				}
			}()
			return command
		}
	}
	t.Fatalf("the router does not listen on %s", address)
	return nil
}

// memory is what a process has in memory, in words; Linux says.
func memory(pid int) string {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return "an unknown amount of memory"
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes, _ := strconv.Atoi(strings.Fields(after + " 0")[0])
	return fmt.Sprintf("%d MiB of memory", kilobytes>>10)
}
