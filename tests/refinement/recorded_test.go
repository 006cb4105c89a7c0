package refinement

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"hakuban"
	"hakuban/impl"
	"hakuban/internal/backdoor"
	"hakuban/model"
	"hakuban/sim"
	"hakuban/sim/refinement"
)

var realRuns = flag.Int("real", 200, "runs over real websockets")

// recorded is what came of runs whose recordings were replayed.
type recorded struct {
	mu    sync.Mutex
	runs  int
	looks int
	tree  sim.ReplayedTree
	refinement.Counts
}

// check replays a run.
func (r *recorded) check(t *testing.T, name string, run *realRun, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	w := newWitness(run.looks)
	tree := replay(t, run.file.Bytes(), w)
	if tree.Violation != nil {
		t.Errorf("%s: %v\n%s", name, tree.Violation, keep(run))
	} else if err := w.end(); err != nil {
		t.Errorf("%s: %v\n%s", name, err, keep(run))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.runs++
	r.looks += len(run.looks)
	r.tree.Exchanges += tree.Exchanges
	r.tree.Sessions += tree.Sessions
	r.tree.Lost += tree.Lost
	r.Add(w.Counts())
}

// keep writes the recording of a run, which no seed brings back, to a file, and says how it is replayed.
func keep(run *realRun) string {
	file, err := os.CreateTemp("", "hakuban-recording-")
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if _, err := file.Write(run.file.Bytes()); err != nil {
		return err.Error()
	}
	return "again: simulate replay " + file.Name()
}

// The applications' exchanges, links, goroutines and clock are real, and what they did is a run of the specification.
func TestReal_EveryStepIsAStepOfTheSpecification(t *testing.T) {
	count := *realRuns
	if testing.Short() {
		count = min(count, 20)
	}
	var total recorded
	var running errgroup.Group
	running.SetLimit(3)
	start := time.Now()
	running.Go(func() error {
		run, err := runRebalance()
		total.check(t, "rebalance", run, err)
		return nil
	})
	for seed := range uint64(count) {
		if t.Failed() {
			break
		}
		running.Go(func() error {
			run, err := runReal(seed)
			total.check(t, fmt.Sprintf("seed %d", seed), run, err)
			return nil
		})
	}
	_ = running.Wait()
	t.Logf("%d runs in %.1f s: %d exchanges, %d sessions of links, %d of them with messages lost, %d snapshots compared; %v", total.runs,
		time.Since(start).Seconds(), total.tree.Exchanges, total.tree.Sessions, total.tree.Lost, total.looks, &total.Counts)
	if count < 100 || t.Failed() {
		return
	}
	for action := model.Open; action < model.SetRights; action++ {
		if total.Actions[action] == 0 {
			t.Errorf("no run took %v", action)
		}
	}
	if total.looks == 0 || total.tree.Lost == 0 {
		t.Error("no snapshot was compared, or no message was lost")
	}
}

func replay(t *testing.T, recording []byte, observer sim.Observer) sim.ReplayedTree {
	t.Helper()
	recordings, err := sim.ReadRecordings("recording", bytes.NewReader(recording))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := sim.ReplayRecordings(recordings, observer)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// witness is a refinement that also holds what exchanges said of themselves while they ran to the cores that are stepped again: a core
// that was given the same does the same, and nothing that it was given is not on the recording.
type witness struct {
	*refinement.Refinement
	cores   map[int]*impl.Exchange
	looks   map[int][]hakuban.Snapshot // by exchange, in order
	failure error
}

func newWitness(looks []look) *witness {
	w := &witness{Refinement: refinement.New(), cores: make(map[int]*impl.Exchange), looks: make(map[int][]hakuban.Snapshot)}
	for _, l := range looks {
		if l.snapshot.Uptime != 0 { // else it was closed
			w.looks[l.exchange] = append(w.looks[l.exchange], l.snapshot)
		}
	}
	for _, looks := range w.looks {
		slices.SortFunc(looks, func(a, b hakuban.Snapshot) int { return cmp.Compare(a.Uptime, b.Uptime) })
	}
	return w
}

func (w *witness) Begin(n int, core *impl.Exchange) {
	w.cores[n] = core
	w.Refinement.Begin(n, core)
}

func (w *witness) BeforeStep(n int, core *impl.Exchange, now impl.Now, input *impl.Input) {
	w.compare(n, now.Mono)
	w.Refinement.BeforeStep(n, core, now, input)
}

// compare compares all looks before a time.
func (w *witness) compare(n int, mono int64) {
	for len(w.looks[n]) > 0 && int64(w.looks[n][0].Uptime) < mono {
		was := w.looks[n][0]
		w.looks[n] = w.looks[n][1:]
		core := w.cores[n].Snapshot(impl.Now{Mono: int64(was.Uptime)})
		again := backdoor.Snapshot(&core, was.Time.Add(-was.Uptime), was.Uptime)
		if w.failure == nil && !reflect.DeepEqual(was, again) {
			w.failure = fmt.Errorf("exchange %d after %v was\n%+v\nand is, stepped again,\n%+v", n, was.Uptime, was, again)
		}
	}
}

// end compares what is left.
func (w *witness) end() error {
	for n := range w.looks {
		w.compare(n, math.MaxInt64)
	}
	return w.failure
}

// The recordings of the exchanges, each in a file of its own as routers write them, are as good: their order is that of the clock.
func TestReal_RecordingsInFilesOfTheirOwn(t *testing.T) {
	for seed := uint64(5000); seed < 5010; seed++ {
		run, err := runReal(seed)
		if err != nil {
			t.Fatal(err)
		}
		var recordings []*sim.Recording
		for n := range run.exchanges {
			var file bytes.Buffer
			for line := range bytes.Lines(run.file.Bytes()) {
				if rest, of := bytes.CutPrefix(line, fmt.Appendf(nil, `{"exchange":%d,`, n)); of {
					file.WriteByte('{')
					file.Write(rest)
				}
			}
			more, err := sim.ReadRecordings(fmt.Sprintf("exchange %d", n), &file)
			if err != nil {
				t.Fatal(err)
			}
			recordings = append(recordings, more...)
		}
		together := replay(t, run.file.Bytes(), refinement.New())
		r := refinement.New()
		tree, err := sim.ReplayRecordings(recordings, r)
		if err != nil || tree.Violation != nil || tree.Steps != together.Steps || tree.Sessions != together.Sessions || r.Counts().Steps != tree.Steps {
			t.Errorf("seed %d: %+v, %v; in one file %+v\n%s", seed, tree, err, together, keep(run))
		}
	}
}
