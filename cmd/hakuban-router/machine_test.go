//go:build linux

package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hakuban"
)

// A router whose descriptors are used up takes no newcomers, says so, harms nobody who is there, and takes newcomers when it can again.
func TestProcess_OutOfDescriptorsItTakesNoNewcomers(t *testing.T) {
	const limit = "48"
	p := startCommand(t, exec.Command("sh", "-c", `ulimit -n `+limit+` && exec "$0" --bind ws://127.0.0.1:0`, os.Args[0]))
	room := hakuban.MustObject("room")
	observe, contract := client(t, p.url).ObserveObject(room), client(t, p.url).ExposeObject(room)
	defer observe.Close()
	defer contract.Close()
	stream, err := observe.Next(withPatience(t))
	if err != nil {
		t.Fatal(err)
	}
	sink, err := contract.Next(withPatience(t))
	if err != nil {
		t.Fatal(err)
	}
	passes := func(data string) {
		t.Helper()
		if err := sink.Send(hakuban.NewState(data)); err != nil {
			t.Fatal(err)
		}
		if state, err := stream.Next(withPatience(t)); err != nil || string(state.Data()) != data {
			t.Fatalf("%v, %v was seen, %q was expected", state, err, data)
		}
	}
	passes("before")
	var idle []net.Conn
	defer func() {
		for _, connection := range idle {
			_ = connection.Close() // nothing was said over it
		}
	}()
	address := strings.TrimSuffix(strings.TrimPrefix(p.url, "ws://"), "/")
	for range 64 { // more than there are descriptors; the kernel takes them all
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		idle = append(idle, connection)
	}
	p.log.wait(t, "connections cannot be taken for now.*too many open files", 1)
	passes("meanwhile")
	newcomer := client(t, p.url)
	for _, connection := range idle {
		_ = connection.Close() // nothing was said over it
	}
	idle = nil
	expose(t, newcomer, hakuban.MustObject("new"), 1)
	awaitJSON(t, client(t, p.url), hakuban.MustObject("new"), func(n int) bool { return n == 1 })
	passes("after")
}

// A recording ends when its disk is full; the router goes on, and what was recorded stays.
func TestProcess_GoesOnWhenTheDiskIsFull(t *testing.T) {
	folder := t.TempDir()
	const mounted = `mount -t tmpfs -o size=64k hakuban "$1"` // in a namespace, which ends with the process
	if output, err := exec.Command("unshare", "--mount", "sh", "-c", mounted, "sh", folder).CombinedOutput(); err != nil {
		reason := "no disk can be made here: " + err.Error() + ": " + string(output)
		if os.Getenv("HAKUBAN_REQUIRE_FAULTS") == "1" {
			t.Fatal(reason)
		}
		t.Skip(reason, "(HAKUBAN_REQUIRE_FAULTS=1 makes this a failure)")
	}
	tape := filepath.Join(folder, "tape")
	p := startCommand(t, exec.Command("unshare", "--mount", "sh", "-c", mounted+` && exec "$0" --bind ws://127.0.0.1:0 --record "$2"`, os.Args[0], folder, tape))
	awaitService(t, p.url)
	observe := client(t, p.url).ObserveObject(hakuban.MustObject("big"))
	defer observe.Close()
	expose(t, client(t, p.url), hakuban.MustObject("big"), noise(200<<10))
	p.log.wait(t, "recording ended.*no space left on device", 1)
	awaitService(t, p.url)
}
