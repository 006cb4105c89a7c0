package reference

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hakuban/tests/interop"
)

const (
	// suiteVariable says that the suite is to run: it takes a minute, and fixed ports, so it does not run among others.
	suiteVariable = "HAKUBAN_REFERENCE_SUITE"

	// testCount is how many tests the suite has, orderedCount how many of them have several orders.
	testCount, orderedCount = 37, 15

	// The suite's ports: each test begins at the first, and has no more routers than this.
	firstPort, portCount = 10_000, 64

	// deadline is how long a test may take. The slowest takes six seconds.
	deadline = 90 * time.Second

	// tail is how much of a failed test's output is shown, in bytes.
	tail = 6000
)

var (
	router    = flag.String("router", "go", "whose router: go or rust")
	histories = flag.String("histories", "0,10,21", "values of the suite's HISTORY: each is an order in which the clients of a test act")
)

func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	if err := interop.RemoveBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func TestSuite(t *testing.T) {
	if os.Getenv(suiteVariable) != "1" {
		t.Skipf("make reference-suite runs it (%s=1)", suiteVariable)
	}
	suite := interop.ReferenceSuite(t)
	installRouter(t, suite.Folder)
	count := 0
	for _, program := range suite.Programs {
		list, err := exec.Command(program, "--list", "--format", "terse").Output()
		if err != nil {
			t.Fatalf("%s --list: %v", program, err)
		}
		for line := range strings.Lines(string(list)) {
			name, is := strings.CutSuffix(strings.TrimSpace(line), ": test")
			if !is {
				continue
			}
			count++
			for i, history := range strings.Split(*histories, ",") {
				if i == 0 || suite.Ordered[name] {
					t.Run(name+"/"+history, func(t *testing.T) { runTest(t, suite.Folder, program, name, history) })
				}
			}
		}
	}
	if count != testCount || len(suite.Ordered) != orderedCount {
		t.Errorf("the suite has %d tests, %d of them ordered, expected %d and %d", count, len(suite.Ordered), testCount, orderedCount)
	}
}

// installRouter puts the router where the tests look for it.
func installRouter(t *testing.T, folder string) {
	t.Helper()
	var path string
	switch *router {
	case "go":
		path = interop.GoRouter(t)
	case "rust":
		path = interop.RustReference(t).Router
	default:
		t.Fatalf("-router %s: go or rust was expected", *router)
	}
	place := filepath.Join(folder, "target", "debug", "hakuban-router")
	if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(place); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.Symlink(path, place); err != nil {
		t.Fatal(err)
	}
}

// runTest runs one test of the suite alone, and ends what it leaves behind. Of several histories at once, the tests of leaders fail with
// the reference's own router too on a busy machine.
func runTest(t *testing.T, folder, program, name, history string) {
	waitForPorts(t)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	command := exec.CommandContext(ctx, program, "--exact", name, "--nocapture")
	command.Dir = folder
	command.Env = append(os.Environ(), "HISTORY="+history)
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	command.Stdout, command.Stderr = output, output
	grouped(command)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := command.Wait()
	endGroup(command)
	text, err := os.ReadFile(output.Name())
	if err != nil {
		t.Fatal(err)
	}
	if ended == nil && !bytes.Contains(text, []byte("1 passed; 0 failed")) {
		ended = errors.New("it did not say that it passed")
	}
	if ended != nil {
		t.Errorf("%v\n%s", ended, text[max(0, len(text)-tail):])
	}
}

// waitForPorts waits until nobody listens where the suite's routers will: those of a test that failed are on their way out.
func waitForPorts(t *testing.T) {
	t.Helper()
	end := time.Now().Add(interop.Deadline)
	for port := firstPort; port < firstPort+portCount; {
		socket, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		switch {
		case err == nil:
			_ = socket.Close()
			port++
		case time.Now().After(end):
			t.Fatalf("the suite's routers need the ports from %d to %d: %v", firstPort, firstPort+portCount-1, err)
		default:
			time.Sleep(10 * time.Millisecond)
		}
	}
}
