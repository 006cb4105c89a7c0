package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"hakuban/impl"
)

// recordOf is an observer that writes one exchange's inputs as hakuban-router
// --record does, until its first crash.
type recordOf struct {
	counting
	exchange int
	out      *json.Encoder
	ended    bool
	hash     Hash
	steps    int
}

func (r *recordOf) BeforeStep(exchange int, _ *impl.Exchange, now impl.Now, input *impl.Input) {
	if exchange == r.exchange && !r.ended {
		if err := r.out.Encode(impl.RecordedInput{Now: now, Input: *input}); err != nil {
			panic(err)
		}
	}
}

func (r *recordOf) AfterStep(exchange int, _ *impl.Exchange, _ impl.Now, _ *impl.Input, effects []impl.Effect) error {
	if exchange == r.exchange && !r.ended {
		r.hash.Effects(effects)
		r.steps++
	}
	return nil
}

func (r *recordOf) Crash(exchange int)  { r.ended = r.ended || exchange == r.exchange }
func (r *recordOf) Attach(Session, int) {}

// configsOf are those of a world's exchanges.
func configsOf(seed Seed) (configs []impl.Config) {
	for _, n := range NewWorld(seed, nil, nil, nil).nodes {
		configs = append(configs, n.config)
	}
	return configs
}

// What one exchange of a world was given, recorded, gives the same effects in a
// fresh core.
func TestReplayRecording_SameEffectsAsTheWorld(t *testing.T) {
	for seed := range Seed(20) {
		var file bytes.Buffer
		r := &recordOf{out: json.NewEncoder(&file)}
		header := impl.RecordingHeader{Version: impl.RecordingVersion, Config: configsOf(seed)[r.exchange]}
		if err := r.out.Encode(header); err != nil {
			t.Fatal(err)
		}
		if v := Run(Config{Source: seed, Observer: r}).Violation; v != nil {
			t.Fatal(v)
		}
		var out strings.Builder
		replay, err := ReplayRecording(&file, &out)
		if err != nil || replay.Violation != nil || replay.Cut {
			t.Fatalf("seed %d: %v, %v, cut %t", seed, err, replay.Violation, replay.Cut)
		}
		if replay.Hash != r.hash || replay.Steps != r.steps {
			t.Errorf("seed %d: %d steps, hash %x; in the world %d, %x", seed, replay.Steps, replay.Hash, r.steps, r.hash)
		}
		for _, what := range []string{"attach link", "+ object", "→ write on link", "message"} {
			if r.steps > 100 && !strings.Contains(out.String(), what) {
				t.Errorf("seed %d: %q is not printed", seed, what)
			}
		}
	}
}

func TestReplayRecording_Refuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":         "",
		"old version":     `{"hakuban-recording":2,"config":{}}` + "\n",
		"no JSON":         "recording\n",
		"unknown version": `{"hakuban-recording":4,"config":{}}` + "\n",
		"bad line":        `{"hakuban-recording":3,"config":{}}` + "\nline\n" + `{"now":{},"input":{"kind":12}}` + "\n",
	} {
		if _, err := ReplayRecording(strings.NewReader(text), &strings.Builder{}); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v, expected %v", name, err, ErrFormat)
		}
	}
}

// A process that was killed leaves half a line.
func TestReplayRecording_LeavesOutAHalfLine(t *testing.T) {
	text := `{"hakuban-recording":3,"config":{}}` + "\n" + `{"now":{"mono":5,"wall":6},"input":{"kind":12}}` + "\n" + `{"now":{"mo`
	replay, err := ReplayRecording(strings.NewReader(text), &strings.Builder{})
	if err != nil || replay.Steps != 1 || !replay.Cut {
		t.Errorf("%d steps, cut %t, %v; expected 1 step and a line left out", replay.Steps, replay.Cut, err)
	}
}
