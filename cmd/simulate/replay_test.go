package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hakuban/impl"
	"hakuban/sim"
	"hakuban/wire"
)

// recorder is an exchange that writes down what it is given.
type recorder struct {
	core *impl.Exchange
	file bytes.Buffer
	now  *int64 // of all
}

func newRecorder(now *int64) *recorder {
	r := &recorder{core: impl.New(impl.Config{}), now: now}
	r.file.WriteString(fmt.Sprintf(`{"hakuban-recording":%d,"config":{}}`+"\n", impl.RecordingVersion))
	return r
}

func (r *recorder) step(input impl.Input) []impl.Effect {
	*r.now++
	now := impl.Now{Mono: *r.now, Wall: *r.now}
	line, err := json.Marshal(map[string]any{"now": now, "input": input})
	if err != nil {
		panic(err)
	}
	r.file.Write(append(line, '\n'))
	return slices.Clone(r.core.Step(now, input))
}

// carry has an end of the link send what it has to, and the other receive it.
func (r *recorder) carry(to *recorder) {
	for _, effect := range r.step(impl.Input{Kind: impl.InputPull, Link: 1, Budget: 1 << 16}) {
		if effect.Kind == impl.EffectWrite {
			to.step(impl.Input{Kind: impl.InputReceive, Link: 1, Data: effect.Message.Bytes()})
		}
	}
}

// recordPair has a parent observe what its child exposes, in a session that both know.
func recordPair(t *testing.T, session string) (parent, child *recorder) {
	t.Helper()
	descriptor, err := wire.NewDescriptorStrict(nil, `"room"`, nil)
	if err != nil {
		t.Fatal(err)
	}
	var now int64
	parent, child = newRecorder(&now), newRecorder(&now)
	parent.step(impl.Input{Kind: impl.InputOpen, Contract: 1, ContractKind: impl.ObserveObject, Descriptor: descriptor})
	child.step(impl.Input{Kind: impl.InputOpen, Contract: 1, ContractKind: impl.ExposeObject, Descriptor: descriptor, Capacity: 1})
	parent.step(impl.Input{Kind: impl.InputAttach, Link: 1, Role: impl.ToDownstream, Name: "parent", Session: session})
	child.step(impl.Input{Kind: impl.InputAttach, Link: 1, Role: impl.ToUpstream, Name: "child", Session: session})
	child.carry(parent)
	parent.carry(child)
	for _, effect := range child.step(impl.Input{Kind: impl.InputTake, Contract: 1}) {
		state := &impl.State{Data: []byte("warm")}
		child.step(impl.Input{Kind: impl.InputPublish, Offer: effect.Offer, State: state, Synchronized: impl.Synchronized{Now: true}})
	}
	child.carry(parent)
	return parent, child
}

func TestReplay_RecordingsOfATree(t *testing.T) {
	directory := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	parent, child := recordPair(t, "a")
	other, _ := recordPair(t, "b")
	up, down := write("up", parent.file.Bytes()), write("down", child.file.Bytes())
	cold := bytes.Replace(child.file.Bytes(), []byte(`"data":"d2FybQ=="`), []byte(`"data":"Y29sZA=="`), 1)

	var one bytes.Buffer
	sequencer := sim.NewSequencer(&one)
	for n, r := range []*recorder{parent, child} {
		for line := range bytes.Lines(r.file.Bytes()) {
			if _, err := sequencer.Exchange(n).Write(line); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"two files", []string{up, down}, exitOK, "2 exchanges, 1 sessions of links, 0 of them with messages lost"},
		{"what was refined", []string{up, down}, exitOK, "ReceiveStateUp 1"},
		{"in any order", []string{down, up}, exitOK, "steps refined"},
		{"another state", []string{up, write("cold", cold)}, exitViolated, "VIOLATED property \"every step is a step of the specification\""},
		{"where", []string{up, write("cold", cold)}, exitViolated, fmt.Sprintf("%s line %d, receive on link 1: message upstream/2, patch", up, bytes.Count(parent.file.Bytes(), []byte("\n")))},
		{"not refined", []string{"--no-refinement", up, write("cold", cold)}, exitOK, "2 exchanges"},
		{"a stranger", []string{up, write("other", other.file.Bytes())}, exitUnknown, "was not recorded"},
		{"a tape and more", []string{write("tape", []byte(`{"hakuban-tape":1,"slots":1}`+"\n")), up}, exitUsage, "expected one tape"},
		{"a recording and a tape", []string{up, write("tape", []byte(`{"hakuban-tape":1,"slots":1}`+"\n"))}, exitUsage, "tape"},
		{"a file is missing", []string{up, filepath.Join(directory, "missing")}, exitUsage, "missing"},
		{"not in the order of time", []string{write("one", one.Bytes())}, exitViolated, "what is not the oldest message in flight"},
		{"cut", []string{up, write("cut", child.file.Bytes()[:child.file.Len()-5])}, exitViolated, "incomplete"},
	} {
		code, stdout, stderr := simulate(t, append([]string{"replay"}, c.args...)...)
		if code != c.code || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%s: exit %d, expected %d and %q\n%s%s", c.name, code, c.code, c.says, stdout, stderr)
		}
	}
}
