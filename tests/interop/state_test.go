package interop

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"hakuban/internal/race"
)

// pair opens the usual two: an elected exposer's sink and an observer's stream, on an object of their own.
func pair(w *World, options ...Option) (*Sink, *Stream) {
	w.Helper()
	object := NewObject("state", "tag")
	observe := w.Peer("observer", Right).ObserveObject(object, options...)
	sink := w.Peer("exposer", Left).ExposeObject(object).Sink()
	return sink, observe.Stream()
}

// edits is how many states the tests of big states send.
const edits = 6

// megabyte is the size of a big state: an eighth under the race detector, which makes the search for a diff ten times as slow and has
// nothing to find in it.
func megabyte() int {
	if race.Enabled {
		return 1 << 17
	}
	return 1 << 20
}

var stateScenarios = []scenario{
	{name: "State_VersionsAreComparedLexicographically", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w)
		for _, version := range [][]int64{
			{math.MinInt64}, {-1, 5}, {0}, {0, -3}, {0, 0}, {0, 0, 0}, {1}, {1, 200, 70_000}, {1, 5_000_000_000}, {2}, {math.MaxInt64}, {math.MaxInt64, 0},
		} {
			sent := sink.Send(NewState(fmt.Sprint(version), version...))
			stream.WaitFor(sent)
			sink.Send(NewState("too old", version[:len(version)-1]...))
		}
	}},
	{name: "State_DefaultVersionsGrow", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w)
		var last State
		for range 10 {
			sent := sink.Send(NewState("clock"))
			if len(sent.Version) != 3 || slices.Compare(last.Version, sent.Version) >= 0 {
				w.Errorf("default version %v after %v, expected [0 s ns] to grow", sent.Version, last.Version)
			}
			last = stream.WaitFor(sent)
		}
	}},
	{name: "State_FormatsTravelWhole", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w)
		for i, format := range [][]string{{"JSON"}, {"JSON"}, {}, {"MessagePack", "gzip"}, {"gzip", "MessagePack"}, {""}, {"ünïcode 🦀"}, {"JSON"}} {
			sent := sink.Send(State{Data: []byte(`"same data"`), Format: format, Version: []int64{int64(i) + 1}})
			stream.WaitFor(sent)
		}
	}},
	{name: "State_EmptyAndFullInTurn", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w)
		for i, data := range []string{"", "full", "", "f", "", "", "fuller than ever"} {
			stream.WaitFor(sink.Send(NewState(data, int64(i)+1)))
		}
	}},
	{name: "State_EveryByteAndEscape", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w)
		every := make([]byte, 256)
		for i := range every {
			every[i] = byte(i)
		}
		for i, data := range [][]byte{
			every, bytes.Repeat([]byte{0xff}, 1000), bytes.Repeat([]byte{0xff, 0x7f}, 500), bytes.Repeat(every, 20),
			append(bytes.Repeat([]byte{0xff}, 3), every...), bytes.Repeat([]byte{0x7f, 0xff, 0xff}, 300), {0xff}, {0xff, 0xff},
		} {
			stream.WaitFor(sink.Send(State{Data: data, Format: []string{"BYTES"}, Version: []int64{int64(i) + 1}}))
		}
	}},
	{name: "State_FlagAloneTurnsLastAtAndNow", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w)
		state := NewState("still", 1)
		for range 3 {
			stream.WaitFor(sink.Send(state))
			stream.WaitLastAt(sink.Send(state.LastAt(time.Microsecond)))
		}
	}},
	{name: "State_LastAtCountsFromTheSender", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w)
		const age = time.Hour
		seen := stream.WaitFor(sink.Send(NewState("old news", 1).LastAt(age)))
		if got := time.Duration(seen.SynchronizedMicros) * time.Microsecond; got < age || got > age+Deadline {
			w.Errorf("the state was current %v ago, expected %v and little more", got, age)
		}
	}},
	{name: "State_NewerStateMayBeLastAt", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w)
		stream.WaitFor(sink.Send(NewState("current", 1)))
		stream.WaitFor(sink.Send(NewState("found on disk", 2).LastAt(time.Minute)))
		stream.WaitFor(sink.Send(NewState("current again", 3)))
	}},
	{name: "State_SlowReaderGetsTheNewestOnly", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w, ManualRead)
		stream.Allow(1)
		stream.WaitFor(sink.Send(NewState("first", 1)))
		var last State
		for version := range int64(200) {
			last = sink.Send(NewState(fmt.Sprint("update ", version), version+2))
		}
		// How many of them pass before the last is seen depends on timing; that one is, and in order, does not.
		reads := 0
		for got := (State{}); !got.SameData(last); reads++ {
			stream.Allow(1)
			got = stream.Next()
		}
		if reads > 201 {
			w.Errorf("%d reads for 200 updates", reads)
		}
	}},
	{name: "State_MegabyteWithManyEdits", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w)
		random := rand.New(rand.NewPCG(1, 2))
		data := randomBytes(random, megabyte())
		for version := range int64(edits) {
			stream.WaitFor(sink.Send(State{Data: data, Format: []string{"BYTES"}, Version: []int64{version + 1}}))
			data = edit(random, data)
		}
	}},
	{name: "State_MegabytesBothWays", trees: BigTrees, run: func(w *World) {
		left, right := w.Peer("left", Left), w.Peer("right", Right)
		fromLeft, fromRight := NewObject("left's"), NewObject("right's")
		seenByRight, seenByLeft := right.ObserveObject(fromLeft), left.ObserveObject(fromRight)
		leftSink, rightSink := left.ExposeObject(fromLeft).Sink(), right.ExposeObject(fromRight).Sink()
		random := rand.New(rand.NewPCG(3, 4))
		leftData, rightData := randomBytes(random, megabyte()), textBytes(random, megabyte())
		var toRight, toLeft *Stream
		for version := range int64(edits) {
			leftState := leftSink.Send(State{Data: leftData, Format: []string{"BYTES"}, Version: []int64{version + 1}})
			rightState := rightSink.Send(State{Data: rightData, Format: []string{"TEXT"}, Version: []int64{version + 1}})
			if version == 0 {
				toRight, toLeft = seenByRight.Stream(), seenByLeft.Stream()
			}
			toRight.WaitFor(leftState)
			toLeft.WaitFor(rightState)
			leftData, rightData = edit(random, leftData), edit(random, rightData)
		}
	}},
	{name: "State_GrowsAndShrinksALot", trees: BigTrees, run: func(w *World) {
		sink, stream := pair(w)
		random := rand.New(rand.NewPCG(5, 6))
		for i, size := range []int{10, megabyte(), 0, 70_000, 1 << 17, 1, 2 * megabyte(), 252, 253, 254, 65_536} {
			data := textBytes(random, size)
			stream.WaitFor(sink.Send(State{Data: data, Format: []string{"TEXT"}, Version: []int64{int64(i) + 1}}))
		}
	}},
	{name: "State_RandomEditsOfSmallStates", trees: AnyTree, run: func(w *World) {
		sink, stream := pair(w)
		random := rand.New(rand.NewPCG(7, 8))
		data := textBytes(random, 300)
		for version := range int64(100) {
			stream.WaitFor(sink.Send(State{Data: data, Format: []string{"TEXT"}, Version: []int64{version + 1}}))
			data = edit(random, data)
		}
	}},
}

func randomBytes(random *rand.Rand, size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// textBytes repeats itself as documents do.
func textBytes(random *rand.Rand, size int) []byte {
	var data []byte
	for len(data) < size {
		data = fmt.Appendf(data, `{"id":%d,"name":"item %d","done":%v},`, random.IntN(1000), random.IntN(10), random.IntN(2) == 0)
	}
	return data[:size]
}

// edit returns a copy with a few bytes overwritten, and with pieces inserted, removed and moved.
func edit(random *rand.Rand, data []byte) []byte {
	edited := slices.Clone(data)
	for range random.IntN(8) {
		if len(edited) > 0 {
			edited[random.IntN(len(edited))] = byte(random.Uint32())
		}
	}
	at := random.IntN(len(edited) + 1)
	piece := randomBytes(random, random.IntN(len(edited)/50+20))
	switch random.IntN(4) {
	case 0:
		edited = slices.Insert(edited, at, piece...)
	case 1:
		edited = slices.Delete(edited, at, min(len(edited), at+len(piece)))
	case 2:
		edited = append(edited[at:len(edited):len(edited)], edited[:at]...)
	case 3:
		edited = slices.Insert(edited, at, edited[:min(len(edited), len(piece))]...)
	}
	return edited
}
