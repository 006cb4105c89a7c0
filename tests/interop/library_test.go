package interop

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"hakuban"
)

// LibraryTrees are those that our library is tried in: below either router, and in trees of three with itself at both depths.
var LibraryTrees = []Tree{
	{Single, []Kind{Rust}}, {Single, []Kind{Go}},
	{Star, []Kind{Rust, Go, Go}}, {Chain, []Kind{Rust, Go, Rust}}, {Chain, []Kind{Go, Rust, Go}},
}

// inProcess is why the peers in the scenarios of our library are all of the reference.
const inProcess = "our library is in the test's own process"

// zipped is a format of the user's own.
type zipped struct{}

func (zipped) Names() []string { return []string{"gzip"} }

func (zipped) Encode(value any) ([]byte, error) {
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, err := w.Write(value.([]byte))
	err = errors.Join(err, w.Close())
	return compressed.Bytes(), err
}

func (zipped) Decode(data []byte, into any) (err error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	*into.(*[]byte), err = io.ReadAll(r)
	return err
}

var libraryScenarios = []scenario{
	{name: "Library_ExposesToTheReference", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Peer("observer", Right).ObserveObject(object)
		sink := w.Library("exposer", Left).ExposeObject(object).Sink()
		sent := sink.Send(NewState("one", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		stream.WaitFor(sink.Send(NewState("two", 1, 0)))
	}},
	{name: "Library_ObservesTheReference", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Library("observer", Right).ObserveObject(object)
		sink := w.Peer("exposer", Left).ExposeObject(object).Sink()
		sent := sink.Send(NewState("one", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		stream.WaitFor(sink.Send(NewState("two", 1, 0)))
	}},
	{name: "Library_ExposesATag", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		const count = 20
		expose := w.Library("exposer", Left).ExposeTag(Text("many"))
		observer := w.Peer("observer", Right)
		contracts := make(map[string]*Contract)
		for i := range count {
			object := NewObject(fmt.Sprint("object ", i), "many")
			contracts[object.JSON] = observer.ObserveObject(object)
		}
		observer.ObserveObject(NewObject("untagged"))
		for range count {
			sink := expose.Sink()
			contract := contracts[sink.Object().JSON()]
			if contract == nil {
				w.Fatalf("sink of %v, expected one of a tagged object", sink.Object())
			}
			contract.Stream().WaitFor(sink.Send(NewState(sink.Object().JSON(), 1)))
		}
		expose.NoSink(quiet)
	}},
	{name: "Library_ObservesATag", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "blue", "tag")
		observe := w.Library("observer", Right).ObserveTag(Text("tag"))
		exposer := w.Peer("exposer", Left)
		for version := range int64(3) {
			expose := exposer.ExposeObject(object)
			stream := observe.Follow(expose, NewState("alive", version+1))
			expose.Drop()
			stream.WaitEnd(hakuban.ErrRevoked) // a tag alone keeps nothing alive
			stream.Release()
		}
	}},
	{name: "Library_TagsMeetOverALiveObject", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		watch := w.Library("watcher", Right).ObserveTag(Text("tag"))
		expose := w.Library("exposer", Left).ExposeTag(Text("tag"))
		expose.NoSink(quiet)
		watch.NoStream(0)
		observe := w.Peer("observer", Middle).ObserveObject(object)
		sent := expose.Sink().Send(NewState("live", 1))
		observe.Stream().WaitFor(sent)
		watch.Stream().WaitFor(sent)
	}},
	{name: "Library_LateObservers", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		ours, theirs := NewObject("ours", "tag"), NewObject("theirs", "tag")
		first := w.Library("first", Right)
		seesOurs, seesTheirs := first.ObserveObject(ours), first.ObserveObject(theirs)
		ourState := w.Library("exposer", Left).ExposeObject(ours).Sink().Send(NewState("held", 7))
		theirState := w.Peer("exposer", Left).ExposeObject(theirs).Sink().Send(NewState("held as well", 8))
		seesOurs.Stream().WaitFor(ourState)
		seesTheirs.Stream().WaitFor(theirState)
		for _, place := range []Place{Top, Left, Right} {
			late, later := w.Peer("late", place), w.Library("later", place)
			late.ObserveObject(ours).Stream().WaitFor(ourState)
			late.ObserveObject(theirs).Stream().WaitFor(theirState)
			later.ObserveObject(ours).Stream().WaitFor(ourState)
			byTag := later.ObserveTag(Text("tag"))
			for range 2 {
				stream := byTag.Stream()
				stream.WaitFor(map[string]State{ours.JSON: ourState, theirs.JSON: theirState}[stream.Object().JSON()])
			}
		}
	}},
	{name: "Library_ObserverLeavesAndTheSinkGoes", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		fromUs, fromThem := NewObject("from us", "tag"), NewObject("from them", "tag")
		us, them := w.Library("us", Left), w.Peer("them", Right)
		ourExpose, theirExpose := us.ExposeObject(fromUs), them.ExposeObject(fromThem)
		for version := range int64(3) {
			state := NewState("wanted", version+1)
			theirObserve, ourObserve := them.ObserveObject(fromUs), us.ObserveTag(Text("tag"))
			ourSink, theirSink := ourExpose.Sink(), theirExpose.Sink()
			ourSink.Send(state)
			theirSink.Send(state)
			theirObserve.Stream().WaitFor(state)
			theirObserve.Drop()
			ourStream := ourObserve.Stream()
			if ourStream.Object().JSON() != fromThem.JSON {
				ourStream = ourObserve.Stream() // the first was of our own
			}
			ourStream.WaitFor(state)
			ourObserve.Close()
			ourStream.WaitEnd(hakuban.ErrClosed)
			ourSink.WaitRevoked()
			ourSink.Release()
			theirSink.WaitRevoked()
		}
	}},
	{name: "Library_UntakenSinkIsWithdrawn", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		observer := w.Peer("observer", Right)
		expose := w.Library("exposer", Left).ExposeObject(object)
		observe := observer.ObserveObject(object)
		<-expose.Offered()
		observe.Drop()
		eventually(w, func() string { return "the sink is still offered" }, func() bool {
			sink, offered := expose.TryNext()
			if offered {
				sink.Release() // and is offered again while it is wanted
			}
			return !offered
		})
		expose.NoSink(quiet)
		again := observer.ObserveObject(object)
		again.Stream().WaitFor(expose.Sink().Send(NewState("wanted again", 1)))
	}},
	{name: "Library_ReleasedStreamIsGivenAgain", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room", "tag")
		observe := w.Library("observer", Right).ObserveTag(Text("tag"))
		sink := w.Peer("exposer", Left).ExposeObject(object).Sink()
		sent := sink.Send(NewState("held", 1))
		for version := range int64(3) {
			stream := observe.Stream()
			stream.WaitFor(sent)
			stream.Release()
			stream.WaitEnd(hakuban.ErrRevoked)
			sent = sink.Send(NewState("newer", version+2))
		}
		sink.NotRevoked(0)
	}},
	{name: "Library_EachAndRange", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		const count = 10
		exposer, observer := w.Library("exposer", Left), w.Library("observer", Right)
		ctx, cancel := context.WithCancel(context.Background())
		exposed, observed := make(chan struct{}), make(chan string)
		go func() {
			defer close(exposed)
			exposer.ExposeTag(Text("tag")).Each(ctx, func(ctx context.Context, sink *hakuban.Sink) {
				if err := sink.Send(hakuban.NewState(sink.Object().JSON())); err != nil {
					w.Errorf("send: %v", err)
				}
				<-ctx.Done()
			})
		}()
		go func() {
			defer close(observed)
			for stream := range observer.ObserveTag(Text("tag")).Streams(ctx) {
				for state := range stream.States(ctx) {
					observed <- string(state.Data())
					break
				}
				if ctx.Err() != nil {
					return
				}
			}
		}()
		keepsAlive := w.Peer("keeper", Middle)
		missing := make(map[string]bool)
		for i := range count {
			object := NewObject(fmt.Sprint(i), "tag")
			keepsAlive.ObserveObject(object)
			missing[object.JSON] = true
		}
		for timeout := time.After(Deadline); len(missing) > 0; {
			select {
			case id := <-observed: // one that was released comes again, behind the others
				delete(missing, id)
			case <-timeout:
				w.Fatalf("no state of %v within %v", missing, Deadline)
			}
		}
		cancel()
		for range observed {
		}
		<-exposed
	}},
	{name: "Library_PeerThatObservesAndExposes", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		both, other := w.Library("both", Left), w.Peer("other", Right)
		own, observe := both.ObserveObject(object), other.ObserveObject(object)
		sink := both.ExposeObject(object).Sink()
		sent := sink.Send(NewState("mine", 1))
		own.Stream().WaitFor(sent)
		observe.Stream().WaitFor(sent)
		observe.Drop()
		both.never("a sink", quiet, sink.Done()) // it still observes itself
	}},
	{name: "Library_ClosesAndIsGone", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		exposer := w.Library("exposer", Left)
		expose := exposer.ExposeObject(object)
		sink := expose.Sink()
		sent := sink.Send(NewState("last words", 1))
		stream := observe.Stream()
		stream.WaitFor(sent)
		exposer.Close()
		stream.WaitLastAt(sent)
		sink.refuses(hakuban.ErrClosed)
		if _, err := expose.Next(context.Background()); !errors.Is(err, hakuban.ErrClosed) {
			w.Errorf("next of a closed exchange: %v, expected %v", err, hakuban.ErrClosed)
		}
	}},
	{name: "Library_NestedFormats", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		type room struct{ Seats int }
		object, back := NewObject("room"), NewObject("back")
		us, them := w.Library("us", Left), w.Peer("them", Right)
		observe, ourObserve := them.ObserveObject(object), us.ObserveObject(back)
		sink := us.ExposeObject(object).Sink()
		if err := sink.Sink.Send(hakuban.NewState(room{42}).EncodeJSON().Encode(zipped{})); err != nil {
			w.Fatal(err)
		}
		seen := observe.Stream().Next()
		if !slices.Equal(seen.Format, []string{"JSON", "gzip"}) {
			w.Errorf("the reference has format %v, expected [JSON gzip]", seen.Format)
		}
		them.ExposeObject(back).Sink().Send(State{Data: seen.Data, Format: seen.Format, Version: []int64{1}})
		stream, err := ourObserve.Next(within(w))
		if err != nil {
			w.Fatal(err)
		}
		state, err := stream.Next(within(w))
		if err != nil {
			w.Fatal(err)
		}
		text, err := hakuban.Decode[[]byte](state, zipped{})
		var got room
		if err := errors.Join(err, json.Unmarshal(text, &got)); err != nil || got.Seats != 42 {
			w.Errorf("came back as %+v, %v, expected 42 seats", got, err)
		}
		if _, err := hakuban.DecodeJSON[room](state); !errors.Is(err, hakuban.ErrFormat) {
			w.Errorf("JSON of a zipped state: %v, expected %v", err, hakuban.ErrFormat)
		}
	}},
	{name: "Library_FormatChangesUnderTheSameData", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		ours, theirs := NewObject("ours"), NewObject("theirs")
		us, them := w.Library("us", Left), w.Peer("them", Right)
		theirObserve, ourObserve := them.ObserveObject(ours), us.ObserveObject(theirs)
		ourSink, theirSink := us.ExposeObject(ours).Sink(), them.ExposeObject(theirs).Sink()
		var seesOurs *Stream
		var seesTheirs *LibraryStream
		for i, format := range [][]string{{"JSON"}, {"JSON", "gzip"}, {"gzip", "JSON"}, {}, {"", "ünïcode 🦀"}, {"JSON"}} {
			state := State{Data: []byte(`"same data"`), Format: format, Version: []int64{int64(i) + 1}}
			ourSink.Send(state)
			theirSink.Send(state)
			if i == 0 {
				seesOurs, seesTheirs = theirObserve.Stream(), ourObserve.Stream()
			}
			seesOurs.WaitFor(state)
			seesTheirs.WaitFor(state)
		}
	}},
	{name: "Library_ExplicitVersions", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		sink := w.Library("exposer", Left).ExposeObject(object).Sink()
		var stream *Stream
		for _, version := range [][]int64{{-1, 5}, {0}, {0, -3}, {0, 0}, {1}, {1, 200, 70_000}, {5_000_000_000}} {
			sent := sink.Send(NewState(fmt.Sprint(version), version...))
			if stream == nil {
				stream = observe.Stream()
			}
			stream.WaitFor(sent)
			sink.Send(sent) // the same again is no error
			if err := sink.Sink.Send(libraryState(NewState("other data", version...))); !errors.Is(err, hakuban.ErrStale) {
				w.Errorf("other data under version %v: %v, expected %v", version, err, hakuban.ErrStale)
			}
			if err := sink.Sink.Send(libraryState(NewState("older", version[0]-1))); !errors.Is(err, hakuban.ErrStale) {
				w.Errorf("version %d after %v: %v, expected %v", version[0]-1, version, err, hakuban.ErrStale)
			}
		}
	}},
	{name: "Library_DefaultVersionPassesTheOneItSees", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("room")
		observe := w.Peer("observer", Right).ObserveObject(object)
		them := w.Peer("them", Left)
		theirs := them.ExposeObject(object)
		ahead := theirs.Sink().Send(NewState("from the future", 0, 9_000_000_000, 1))
		stream := observe.Stream()
		stream.WaitFor(ahead)
		us := w.Library("us", Left)
		us.ObserveObject(object).Stream().WaitFor(ahead)
		us.ExposeObject(object).Produce(State{Data: []byte("now"), Format: []string{"TEXT"}})
		theirs.Drop()
		seen := stream.Wait("the library's state", func(state State) bool { return string(state.Data) == "now" })
		if !slices.Equal(seen.Version, []int64{0, 9_000_000_000, 2}) {
			w.Errorf("version %v, expected the successor of %v", seen.Version, ahead.Version)
		}
	}},
	{name: "Library_FlagAloneTurnsLastAtAndNow", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		ours, theirs := NewObject("ours"), NewObject("theirs")
		us, them := w.Library("us", Left), w.Peer("them", Right)
		theirObserve, ourObserve := them.ObserveObject(ours), us.ObserveObject(theirs)
		ourSink, theirSink := us.ExposeObject(ours).Sink(), them.ExposeObject(theirs).Sink()
		state := NewState("still", 1)
		ourSink.Send(state)
		theirSink.Send(state)
		seesOurs, seesTheirs := theirObserve.Stream(), ourObserve.Stream()
		const age = time.Hour
		for range 3 {
			seesOurs.WaitFor(state)
			seesTheirs.WaitFor(state)
			ourSink.Send(state.LastAt(time.Microsecond))
			theirSink.Send(state.LastAt(time.Microsecond))
			seesOurs.WaitLastAt(state)
			seesTheirs.WaitLastAt(state)
			ourSink.Send(state)
			theirSink.Send(state)
		}
		old := NewState("old news", 2).LastAt(age)
		ourSink.Send(old)
		theirSink.Send(old)
		for _, seen := range []State{seesOurs.WaitFor(old), seesTheirs.WaitFor(old)} {
			if ago := time.Duration(seen.SynchronizedMicros) * time.Microsecond; ago > age+Deadline {
				w.Errorf("the state was current %v ago, expected %v and little more", ago, age)
			}
		}
	}},
	{name: "Library_MegabytesBothWays", trees: OneRouter, referenceOnly: inProcess, run: func(w *World) {
		ours, theirs := NewObject("ours"), NewObject("theirs")
		us, them := w.Library("us", Left), w.Peer("them", Right)
		theirObserve, ourObserve := them.ObserveObject(ours), us.ObserveObject(theirs)
		ourSink, theirSink := us.ExposeObject(ours).Sink(), them.ExposeObject(theirs).Sink()
		random := rand.New(rand.NewPCG(9, 10))
		ourData, theirData := randomBytes(random, megabyte()), textBytes(random, megabyte())
		var seesOurs *Stream
		var seesTheirs *LibraryStream
		for version := range int64(20) {
			ourState := ourSink.Send(State{Data: ourData, Format: []string{"BYTES"}, Version: []int64{version + 1}})
			theirState := theirSink.Send(State{Data: theirData, Format: []string{"TEXT"}, Version: []int64{version + 1}})
			if version == 0 {
				seesOurs, seesTheirs = theirObserve.Stream(), ourObserve.Stream()
			}
			seesOurs.WaitFor(ourState)
			seesTheirs.WaitFor(theirState)
			ourData, theirData = edit(random, ourData), edit(random, theirData)
		}
	}},
	{name: "Library_SlowReaderGetsTheNewestOnly", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		object := NewObject("counter")
		observe := w.Library("slow", Right).ObserveObject(object)
		sink := w.Peer("exposer", Left).ExposeObject(object).Sink()
		const count = 300
		var last State
		for version := range int64(count) {
			last = sink.Send(NewState(fmt.Sprint("update ", version), version+1))
		}
		stream, err := observe.Next(within(w))
		if err != nil {
			w.Fatal(err)
		}
		for reads, version := 0, []int64(nil); ; reads++ {
			state, err := stream.Next(within(w))
			if err != nil {
				w.Fatal(err)
			}
			if slices.Compare(state.Version(), version) <= 0 || reads > count {
				w.Fatalf("read %d has version %v after %v", reads, state.Version(), version)
			}
			if version = state.Version(); slices.Equal(version, last.Version) {
				break
			}
		}
		if state, ok := stream.Latest(); !ok || string(state.Data()) != string(last.Data) {
			w.Errorf("the latest state is %q, %v, expected %v", state.Data(), ok, last)
		}
	}},
	{name: "Library_IdsInUnicodeAndFloats", trees: LibraryTrees, referenceOnly: inProcess, run: func(w *World) {
		us, them := w.Library("us", Left), w.Peer("them", Right)
		ids := []string{`1`, `1.0`, `-0`, `0`, `1.5e300`, `"é"`, `"e\u0301"`, `"🦀 日本語"`, `{"ключ":["значение",null]}`, `18446744073709551615`}
		for i, json := range ids {
			ours, theirs := Object{Tags: []string{`"ours"`}, JSON: json}, Object{Tags: []string{`"theirs"`, `1.0`}, JSON: json}
			theirObserve, ourObserve := them.ObserveObject(ours), us.ObserveObject(theirs)
			ourSink, theirSink := us.ExposeObject(ours).Sink(), them.ExposeObject(theirs).Sink()
			sent := NewState("only "+json, int64(i)+1)
			ourSink.Send(sent)
			theirSink.Send(sent)
			theirObserve.Stream().WaitFor(sent)
			stream := ourObserve.Stream()
			stream.WaitFor(sent)
			if want := us.object(theirs); stream.Object() != want || !stream.Object().HasTag(us.tag(`1.0`)) || stream.Object().HasTag(us.tag(`1`)) {
				w.Errorf("stream of %v, expected %v", stream.Object(), want)
			}
		}
		them.never("a second sink", quiet, func(e event) bool { return e.Event == "sink-offered" })
	}},
}
