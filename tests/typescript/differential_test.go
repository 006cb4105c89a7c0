package typescript

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"hakuban/internal/race"
	"hakuban/wire"
	"hakuban/wire/diff"
)

const runLength = 400 // things that happen

// runs is how many runs both cores are stepped through: fewer under the race detector, which has nothing to find in one goroutine.
func runs(whole uint64) uint64 {
	if testing.Short() || race.Enabled {
		return whole / 20
	}
	return whole
}

// node is a core of the client in a process of its own.
type node struct {
	t     *testing.T
	stdin io.Writer
	lines *bufio.Reader
}

// requireVariable turns every reason to skip into a failure, so that CI cannot pass by running nothing.
const requireVariable = "HAKUBAN_REQUIRE_INTEROP"

// bundleOrSkip skips the test where Node or the client's packages are not there.
func bundleOrSkip(t *testing.T, entry string) string {
	t.Helper()
	path, err := Bundle(t.TempDir(), "../..", entry)
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv(requireVariable) != "1":
		t.Skipf("%v (%s=1 makes this a failure)", err, requireVariable)
	default:
		t.Fatal(err)
	}
	return path
}

func startNode(t *testing.T, program string) *node {
	command := exec.Command("node", program)
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := command.Wait(); err != nil {
			t.Errorf("the client's core: %v, expected exit status 0 once its stdin closed", err)
		}
	})
	return &node{t, stdin, bufio.NewReader(stdout)}
}

// run gives the client's core the inputs of a run, and returns the effects of each.
func (n *node) run(steps []step) [][]string {
	n.t.Helper()
	line, err := json.Marshal(steps)
	if err != nil {
		n.t.Fatal(err)
	}
	if _, err := n.stdin.Write(append(line, '\n')); err != nil {
		n.t.Fatal(err)
	}
	answer, err := n.lines.ReadBytes('\n')
	if err != nil {
		n.t.Fatalf("the client's core gave no answer: %v", err)
	}
	var effects [][]string
	if err := json.Unmarshal(answer, &effects); err != nil {
		n.t.Fatal(err)
	}
	return effects
}

// Both cores take the same inputs, those of a leaf below a real upstream. Every effect is equal, and in the same order; every message is,
// but for the diffs in it: an encoder may choose, so what they make of the state before is compared.
func TestCore_DoesWhatTheGoCoreDoes(t *testing.T) {
	compareCores(t, startNode(t, bundleOrSkip(t, "tools/core.ts")), runs(2_000))
}

// The same with the client's classes over the core in wasm: what crosses between JavaScript and Go is the same at both ends.
func TestWasmCore_DoesWhatTheGoCoreDoes(t *testing.T) {
	program := filepath.Join("..", "..", "clients", "typescript", "dist", "wasm", "tools", "core.js")
	if _, err := os.Stat(program); err != nil {
		if os.Getenv(requireVariable) == "1" {
			t.Fatal(err)
		}
		t.Skipf("%v: make wasm builds it (%s=1 makes this a failure)", err, requireVariable)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatalf("the core in wasm was built, and now there is no node: %v", err)
	}
	compareCores(t, startNode(t, program), runs(200))
}

func compareCores(t *testing.T, client *node, runs uint64) {
	t.Helper()
	seen := map[string]int{}
	for seed := range runs {
		w := newWorld(seed)
		w.run(runLength)
		effects := client.run(w.steps)
		if len(effects) != len(w.steps) {
			t.Fatalf("seed %d: %d answers to %d inputs", seed, len(effects), len(w.steps))
		}
		states := newStates()
		for i, s := range w.steps {
			if s.Do == "attach" {
				states = newStates()
			}
			if difference := states.compare(s.effects, effects[i]); difference != "" {
				t.Fatalf("seed %d, step %d of %d, %s %d: %s\nthe Go core: %q\nthe client's: %q", seed, i, len(w.steps), s.Do, s.Number, difference, s.effects, effects[i])
			}
			for _, effect := range s.effects {
				kind, _, _ := strings.Cut(effect, " ")
				seen[kind]++
			}
		}
	}
	t.Logf("%d runs: %v", runs, seen)
	for _, kind := range []string{"ready", "write", "drained", "ended", "offered", "taken", "revoked", "changed", "state", "refused"} {
		if uint64(seen[kind]) < runs/4 {
			t.Errorf("%s was seen %d times in %d runs: they test too little", kind, seen[kind], runs)
		}
	}
}

// states are the last states of the channels that the leaf sends on.
type states map[wire.ChannelID][]byte

func newStates() states { return states{} }

// compare says what is different; "": nothing.
func (s states) compare(ours, theirs []string) string {
	if len(ours) != len(theirs) {
		return fmt.Sprintf("%d effects, and %d", len(ours), len(theirs))
	}
	for i := range ours {
		a, isWrite := strings.CutPrefix(ours[i], "write ")
		b, isWriteToo := strings.CutPrefix(theirs[i], "write ")
		switch {
		case isWrite && isWriteToo:
			if difference := s.compareMessages(a, b); difference != "" {
				return difference
			}
		case ours[i] != theirs[i]:
			return fmt.Sprintf("effect %d", i)
		}
	}
	return ""
}

func (s states) compareMessages(ours, theirs string) string {
	a, b := decode(ours), decode(theirs)
	if a.err != nil || b.err != nil {
		return fmt.Sprintf("messages that do not decode: %v, %v", a.err, b.err)
	}
	if a.event.Kind == wire.EventMessage && a.event.Message.Kind == wire.MessageStateStream && b.event.Message.Kind == a.event.Message.Kind {
		old := s[a.event.Channel]
		for i := range min(len(a.event.Message.States), len(b.event.Message.States)) {
			one, other := &a.event.Message.States[i], &b.event.Message.States[i]
			if one.Kind != wire.StatePatch || other.Kind != wire.StatePatch {
				continue
			}
			made, err := diff.Patch(old, one.Diff, 1<<26)
			if err != nil {
				return err.Error()
			}
			if madeToo, err := diff.Patch(old, other.Diff, 1<<26); err != nil || !bytes.Equal(made, madeToo) {
				return fmt.Sprintf("a diff makes %x, %v, where %x was expected", madeToo, err, made)
			}
			one.Diff, other.Diff, old = nil, nil, made
		}
		s[a.event.Channel] = old
	}
	if !reflect.DeepEqual(a.event, b.event) {
		return fmt.Sprintf("%+v, and %+v", a.event, b.event)
	}
	return ""
}

type decoded struct {
	event wire.Event
	err   error
}

func decode(text string) decoded {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return decoded{err: err}
	}
	event, err := wire.DecodeEvent(data, nil)
	return decoded{event, err}
}
