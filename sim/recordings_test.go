package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"hakuban/impl"
)

// recordAll is an observer that records each life of each exchange, as exchanges
// of one process do with a [Sequencer], and knows the sessions.
type recordAll struct {
	counting
	configs   []impl.Config
	sequencer *Sequencer
	lives     map[int]io.Writer // by exchange: what its present life records to
	numbers   map[int]int       // by exchange: the number of its present life in the recording
	count     int
	sessions  map[int]*[2]linkOf // by number, child's end and parent's
}

// linkOf is a link of a recorded exchange.
type linkOf struct {
	exchange int
	link     impl.LinkID
}

func newRecordAll(seed Seed, out io.Writer) *recordAll {
	return &recordAll{configs: configsOf(seed), sequencer: NewSequencer(out), lives: make(map[int]io.Writer), numbers: make(map[int]int), sessions: make(map[int]*[2]linkOf)}
}

func (r *recordAll) line(exchange int, text []byte) {
	if _, err := r.lives[exchange].Write(append(text, '\n')); err != nil {
		panic(err)
	}
}

func (r *recordAll) Begin(exchange int, _ *impl.Exchange) {
	r.lives[exchange], r.numbers[exchange] = r.sequencer.Exchange(r.count), r.count
	r.count++
	header, err := json.Marshal(impl.RecordingHeader{Version: impl.RecordingVersion, Config: r.configs[exchange]})
	if err != nil {
		panic(err)
	}
	r.line(exchange, header)
}

func (r *recordAll) Attach(s Session, exchange int) {
	if r.sessions[s.Number] == nil {
		r.sessions[s.Number] = new([2]linkOf)
	}
	ends := r.sessions[s.Number]
	if exchange == s.Child {
		ends[childEnd] = linkOf{r.numbers[exchange], s.ChildLink}
	} else {
		ends[parentEnd] = linkOf{r.numbers[exchange], s.ParentLink}
	}
}

func (r *recordAll) BeforeStep(exchange int, _ *impl.Exchange, now impl.Now, input *impl.Input) {
	text, err := json.Marshal(impl.RecordedInput{Now: now, Input: *input})
	if err != nil {
		panic(err)
	}
	r.line(exchange, text)
}

// Links are paired as they were in the world, however links and exchanges came and went.
func TestReplayRecordings_FindsTheSessionsOfTheWorld(t *testing.T) {
	count := 60
	if testing.Short() {
		count = 15
	}
	pairs, alone := 0, 0
	for seed := range Seed(count) {
		var file bytes.Buffer
		r := newRecordAll(seed, &file)
		if v := Run(Config{Source: seed, Observer: r, Steps: 1000}).Violation; v != nil {
			t.Fatal(v)
		}
		recordings, err := ReadRecordings("world", &file)
		if err != nil {
			t.Fatal(err)
		}
		line := &timeline{recordings: recordings, tree: new(ReplayedTree)}
		for n := range recordings {
			line.alone(n)
		}
		line.pair()
		for number, ends := range r.sessions {
			for end, of := range ends {
				if of.link == 0 {
					continue // it was never attached
				}
				var found linkOf
				if peer := line.links[of.exchange][of.link].session.ends[1-end]; peer != nil {
					found = linkOf{peer.exchange, peer.id}
					pairs++
				} else {
					alone++
				}
				if found != ends[1-end] {
					t.Errorf("seed %d, session %d: the peer of %+v is %+v; found %+v", seed, number, of, ends[1-end], found)
				}
			}
		}
	}
	t.Logf("%d ends with a peer, %d alone", pairs, alone)
}

// Only what both ends know a session by makes a pair of them, and each has one peer.
func TestReplayRecordings_StrangersStayAlone(t *testing.T) {
	text := `{"exchange":0,"hakuban-recording":3,"config":{}}
{"exchange":1,"hakuban-recording":3,"config":{}}
{"exchange":0,"now":{"mono":1},"input":{"kind":1,"link":1,"role":2,"name":"parent"}}
{"exchange":0,"now":{"mono":1},"input":{"kind":1,"link":2,"role":2,"name":"parent","session":"a"}}
{"exchange":0,"now":{"mono":1},"input":{"kind":1,"link":3,"role":2,"name":"parent","session":"b"}}
{"exchange":0,"now":{"mono":1},"input":{"kind":1,"link":4,"role":2,"name":"parent","session":"b"}}
{"exchange":0,"now":{"mono":1},"input":{"kind":1,"link":5,"role":1,"name":"child","session":"c"}}
{"exchange":0,"now":{"mono":1},"input":{"kind":1,"link":6,"role":2,"name":"parent","session":"c"}}
{"exchange":1,"now":{"mono":1},"input":{"kind":1,"link":1,"role":1,"name":"child"}}
{"exchange":1,"now":{"mono":2},"input":{"kind":2,"link":1}}
{"exchange":1,"now":{"mono":3},"input":{"kind":1,"link":2,"role":1,"name":"child","session":"b"}}
`
	recordings, err := ReadRecordings("strangers", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := ReplayRecordings(recordings, nil)
	if err != nil || tree.Violation != nil || tree.Sessions != 7 { // of eight links two are a pair
		t.Errorf("%+v, %v; expected 7 sessions", tree, err)
	}
}

func TestReadRecordings_Refuses(t *testing.T) {
	header := `{"exchange":0,"hakuban-recording":3,"config":{}}` + "\n"
	for name, text := range map[string]string{
		"nothing":         "",
		"no JSON":         "recording\n",
		"unknown version": `{"exchange":0,"hakuban-recording":4,"config":{}}` + "\n",
		"no header":       header + `{"exchange":1,"now":{},"input":{"kind":12}}` + "\n",
		"bad line":        header + "line\n",
	} {
		if _, err := ReadRecordings(name, strings.NewReader(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error %v, expected %v", name, err, ErrFormat)
		}
	}
}

// A link whose peer was not recorded cannot be observed.
func TestReplayRecordings_UnrecordedPeer(t *testing.T) {
	text := `{"hakuban-recording":3,"config":{}}
{"now":{"mono":1},"input":{"kind":1,"link":1,"role":2,"name":"x"}}
{"now":{"mono":2},"input":{"kind":3,"link":1,"data":"AAAA"}}
`
	recordings, err := ReadRecordings("alone", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReplayRecordings(recordings, &counting{t: t}); !errors.Is(err, ErrUnrecorded) {
		t.Errorf("error %v, expected %v", err, ErrUnrecorded)
	}
	tree, err := ReplayRecordings(recordings, nil)
	if err != nil || tree.Violation != nil || tree.Steps != 2 || tree.Sessions != 1 {
		t.Errorf("%+v, %v; expected two steps and a session", tree, err)
	}
}
