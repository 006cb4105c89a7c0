package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hakuban"
	"hakuban/wire"
	"hakuban/wire/diff"
)

// captured returns the states of the reference's monitor objects, by their names, as a client of its router received them.
func captured(t *testing.T) map[string][][]byte {
	t.Helper()
	text, err := os.ReadFile("../../wire/testdata/vectors/monitor.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Frames []struct{ Link, Direction, Hex string }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	names, states := map[wire.ChannelID]string{}, map[string][][]byte{}
	for _, frame := range file.Frames {
		data, err := hex.DecodeString(frame.Hex)
		if err != nil {
			t.Fatal(err)
		}
		event, err := wire.DecodeEvent(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		if frame.Link != "client" || frame.Direction != "to_downstream" || event.Kind != wire.EventMessage {
			continue
		}
		for _, channel := range event.Message.Initialize {
			names[event.Channel] = strings.Trim(channel.JSON, `"`)
		}
		for _, action := range event.Message.States {
			name := names[event.Channel]
			var old []byte
			if n := len(states[name]); n > 0 {
				old = states[name][n-1]
			}
			state, err := diff.Patch(old, action.Diff, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			states[name] = append(states[name], state)
		}
	}
	return states
}

// What the reference wrote, read into our shapes and written again, is the same to the byte: no field is missing, misspelt, misplaced,
// or of another type.
func TestMonitor_ReferencesDocumentsPassUnchanged(t *testing.T) {
	states := captured(t)
	for name, shape := range map[string]func() any{
		"exchange":            func() any { return new(exchangeMonitor) },
		"websocket-listener":  func() any { return new(listenerMonitor) },
		"websocket-connector": func() any { return new(connectorMonitor) },
	} {
		if len(states[name]) < 2 {
			t.Fatalf("%d captured states of %s, expected some", len(states[name]), name)
		}
		for _, state := range states[name] {
			document := shape()
			decoder := json.NewDecoder(bytes.NewReader(state))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(document); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			again, err := monitorFormat{}.Encode(document)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again, state) {
				t.Errorf("%s: the reference wrote\n%s\nwhich became\n%s", name, state, again)
			}
		}
	}
}

// Every field and every kind of elected exposer, as text to compare by eye with the wire document.
func TestMonitor_Golden(t *testing.T) {
	descriptor := func(json string, tags ...string) wire.Descriptor {
		d, err := wire.NewDescriptorStrict(tags, json, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	object := func(number uint64, d wire.Descriptor, elected hakuban.Elected) hakuban.ObjectSnapshot {
		return hakuban.ObjectSnapshot{Number: number, JSON: d.JSON, Tags: d.Tags, Elected: elected}
	}
	busy := object(1, descriptor(`{"a":"<&>"}`, `"T"`, `7`), hakuban.Elected{Kind: hakuban.ElectedLink, Link: 4})
	busy.ShouldExist, busy.DataNeeded = true, true
	busy.ObjectObserveContracts, busy.ObjectExposeContracts, busy.TagObserveContracts, busy.TagExposeContracts = 1, 2, 3, 4
	busy.Capacity = 1 << 33
	busy.Sources = make([]hakuban.ChannelSnapshot, 2)
	busy.Outlets = make([]hakuban.ChannelSnapshot, 1)
	busy.Links = []hakuban.ObjectLinkSnapshot{
		{Link: 4, Exposes: true, Capacity: 5, TagExposes: 2, Sink: hakuban.ChannelSnapshot{Number: 9}},
		{Link: 5, Exposes: true, Sink: hakuban.ChannelSnapshot{Number: 3}, Revoked: true},
		{Link: 6, Observes: true, TagObserves: 1, Stream: hakuban.ChannelSnapshot{Number: 8}},
	}
	moment := time.Unix(1, 0)
	five := hakuban.NewState("12345").WithFormat("JSON").WithVersion(0, -1).WithSynchronized(hakuban.LastAt(moment.Add(-5 * time.Millisecond)))
	busy.State = &five
	empty := object(2, descriptor(`null`), hakuban.Elected{})
	empty.State = &hakuban.State{}
	s := hakuban.Snapshot{
		Time:     moment,
		Upstream: 3,
		Objects: []hakuban.ObjectSnapshot{
			busy, empty,
			object(3, descriptor(`1.5`), hakuban.Elected{Kind: hakuban.ElectedUpstream, Link: 3}),
			object(4, descriptor(`18446744073709551615`), hakuban.Elected{Kind: hakuban.ElectedObjectContract, Contract: 11}),
			object(5, descriptor(`5`), hakuban.Elected{Kind: hakuban.ElectedTagContract, Contract: 12}),
		},
		Tags: []hakuban.TagSnapshot{
			{Number: 1, JSON: `"T"`, Objects: []uint64{9, 1}, ObserveContracts: 1, ExposeContracts: 2, Capacity: 6, Links: []hakuban.TagLinkSnapshot{{Link: 4, Observes: true, Exposes: true, Capacity: 6}}},
		},
	}
	golden, err := os.ReadFile("testdata/exchange.txt")
	if err != nil {
		t.Fatal(err)
	}
	got := lines(t, exchangeMonitorOf(s))
	s.Upstream = 0
	if got += lines(t, exchangeMonitorOf(s)); got != string(golden) {
		t.Errorf("the monitor object is\n%s\nexpected testdata/exchange.txt:\n%s", got, golden)
	}
}

// lines is a document with a line for each object and tag.
func lines(t *testing.T, m exchangeMonitor) string {
	t.Helper()
	document, err := monitorFormat{}.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`{"id"`, "\n"+`{"id"`, `],"tags":[`+"\n", "],\n"+`"tags":[`+"\n").Replace(string(document)) + "\n"
}

// An id that is too deep for the reference's parser is left out, and hides nothing else.
func TestMonitor_DeepIDsAreLeftOut(t *testing.T) {
	nested := func(depth int) string {
		return strings.Repeat(`[{"\"[":`, depth/2) + strings.Repeat("[", depth%2) + `"]\\"` + strings.Repeat("]", depth%2) + strings.Repeat("}]", depth/2)
	}
	s := hakuban.Snapshot{}
	for i, d := range []wire.Descriptor{
		{JSON: nested(mostDepth)},
		{JSON: nested(mostDepth + 1)},
		{JSON: "1", Tags: []string{nested(mostDepth)}},
		{JSON: "1", Tags: []string{"1", nested(mostDepth + 1)}},
	} {
		s.Objects = append(s.Objects, hakuban.ObjectSnapshot{Number: uint64(i), JSON: d.JSON, Tags: d.Tags})
		s.Tags = append(s.Tags, hakuban.TagSnapshot{Number: uint64(i), JSON: d.JSON})
	}
	m := exchangeMonitorOf(s)
	if len(m.Objects) != 2 || m.Objects[0].ID != 0 || m.Objects[1].ID != 2 {
		t.Errorf("objects %+v, expected 0 and 2", m.Objects)
	}
	if len(m.Tags) != 3 {
		t.Errorf("tags %+v, expected 0, 2 and 3", m.Tags)
	}
	document, err := monitorFormat{}.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	depth, most := 0, 0
	for decoder := json.NewDecoder(bytes.NewReader(document)); ; {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
			most = max(most, depth)
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
	if most != 127 { // the reference's parser refuses 128
		t.Errorf("the document is nested %d deep, expected 127", most)
	}
}

// Who observes and leaves over and over gets a state each time; the router looks once a second.
func TestMonitor_LooksOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hakuban.NewExchange(nil)
		defer x.Close()
		room := hakuban.MustObject("room")
		looks := 0
		m := monitorObject{look: func() any { looks++; return looks }, logger: slog.New(slog.DiscardHandler)}
		contract := x.ExposeObject(room)
		go func() {
			for sink := range contract.Sinks(t.Context()) {
				m.expose(sink)
			}
		}()
		for second := 1; second <= 3; second++ {
			for range 10 {
				awaitJSON(t, x, room, func(n int) bool { return n == second })
				synctest.Wait()
			}
			if looks != second {
				t.Fatalf("it looked %d times in %d seconds", looks, second)
			}
			time.Sleep(monitorInterval)
		}
	})
}

func TestMonitor_FloatsAreWrittenAsFloats(t *testing.T) {
	for value, expected := range map[float]string{0: "0.0", 3: "3.0", 0.5: "0.5", 0.1: "0.1", 1.0 / 3: "0.33333334", 4294967296: "4294967300.0"} {
		if got, _ := json.Marshal(value); string(got) != expected {
			t.Errorf("%v is written as %s, expected %s", float32(value), got, expected)
		}
	}
}
