package transport

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"hakuban"
)

// recordedSessions are what a recording says that its links' sessions are known by, in order.
func recordedSessions(t *testing.T, recording []byte) (sessions []string) {
	t.Helper()
	for line := range strings.Lines(string(recording)) {
		var entry struct {
			Input struct {
				Kind    int
				Session string
			}
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry.Input.Kind == 1 {
			sessions = append(sessions, entry.Input.Session)
		}
	}
	return sessions
}

// The recordings of both ends say which links were the two of one session.
func TestRecording_BothEndsKnowTheSession(t *testing.T) {
	var up, down bytes.Buffer
	short := hakuban.DefaultLimits()
	short.Wire.Name = 10 // a limit on names is none on this
	upstream := hakuban.NewExchange(&hakuban.Options{Record: &up, Limits: short})
	downstream := hakuban.NewExchange(&hakuban.Options{Record: &down, Limits: short})
	l := listen(t, upstream, "ws://127.0.0.1:0")
	for n := range 2 {
		c := connect(t, downstream, l.URL())
		newPair(t, upstream, downstream, hakuban.MustObject(n)).pass(t, "a")
		c.Close()
	}
	p, err := Pipe(upstream, downstream, nil)
	if err != nil {
		t.Fatal(err)
	}
	newPair(t, upstream, downstream, hakuban.MustObject("pipe")).pass(t, "a")
	p.Close()
	l.Close()
	upstream.Close()
	downstream.Close()

	above, below := recordedSessions(t, up.Bytes()), recordedSessions(t, down.Bytes())
	if !slices.Equal(above, below) {
		t.Errorf("upstream recorded the sessions %q, downstream %q", above, below)
	}
	slices.Sort(above)
	if above = slices.Compact(above); len(above) != 3 || above[0] == "" {
		t.Errorf("recorded the sessions %q, expected 3 different ones", above)
	}
}
