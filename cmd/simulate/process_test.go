//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asSimulate, in the environment of the test binary, makes it the program, for tests that need a process.
const asSimulate = "HAKUBAN_TEST_AS_SIMULATE"

func TestMain(m *testing.M) {
	if os.Getenv(asSimulate) != "" {
		fmt.Println("begun")
		main()
	}
	os.Exit(m.Run())
}

// A person who has seen enough gets rid of every command: of a sweep, which finishes the runs it has begun, with the second interrupt,
// unless the first came before it began one.
func TestProcess_InterruptsEndIt(t *testing.T) {
	const patience, events = 20 * time.Second, "1000000000" // takes hours
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt) // if this process ignored it, as in a script's background, those that it starts would too
	defer signal.Stop(caught)
	for name, arguments := range map[string][]string{
		"run":   {"run", "--seed", "1", "--events", events},
		"sweep": {"sweep", "--seeds", "1", "--events", events},
	} {
		command := exec.Command(os.Args[0], arguments...)
		command.Env = append(os.Environ(), asSimulate+"=1")
		var stderr strings.Builder
		command.Stderr = &stderr
		stdout, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = stdout.Read(make([]byte, 16)) // that it has begun
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = io.Copy(io.Discard, stdout)
			_ = command.Wait() // the status says it all
		}()
		limit := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
		for over := false; !over; {
			select {
			case <-ended:
				over = true
			case <-time.After(10 * time.Millisecond):
				_ = command.Process.Signal(os.Interrupt)
			}
		}
		limit.Stop()
		status := command.ProcessState.Sys().(syscall.WaitStatus)
		tooEarly := name == "sweep" && status.ExitStatus() == exitUnknown && strings.Contains(stderr.String(), "interrupted after 0 of 1 seeds")
		if status.Signal() != syscall.SIGINT && !tooEarly {
			t.Errorf("%s ended with %v, expected: by the interrupt; it said:\n%s", name, command.ProcessState, &stderr)
		}
	}
}
