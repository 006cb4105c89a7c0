package hakuban_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"hakuban"
	"hakuban/transport"
)

// waitFor waits for another goroutine's work to show.
func waitFor(condition func() bool) {
	for !condition() {
		time.Sleep(time.Millisecond)
	}
}

// An object's name is a JSON value: key order and spelling do not count, kinds of number do.
func ExampleObject() {
	a, err := hakuban.ParseObject(`{"q": "shoes", "page": 1}`, `"search"`)
	if err != nil {
		panic(err)
	}
	b := hakuban.MustObject(map[string]any{"page": 1, "q": "sho\u0065s"}, "search")
	c := hakuban.MustObject(json.RawMessage(`{"page": 1.0, "q": "shoes"}`), "search")
	fmt.Println(a == b, a == c)
	fmt.Println(a.JSON(), a.Tags())
	fmt.Println(a.HasTag(hakuban.MustTag("search")))
	// Output:
	// true false
	// {"page":1,"q":"shoes"} ["search"]
	// true
}

// A stream in a select statement.
func ExampleStream_Changed() {
	ctx := context.Background()
	x := hakuban.NewExchange(nil)
	defer x.Close()
	room := hakuban.MustObject("room")
	observe := x.ObserveObject(room)
	stream, err := observe.Next(ctx)
	if err != nil {
		panic(err)
	}
	go func() {
		sink, err := x.ExposeObject(room).Next(ctx)
		if err == nil {
			_ = sink.Send(hakuban.NewState("hello"))
		}
	}()

	for ended := false; !ended; {
		select {
		case <-stream.Changed():
			if state, ok := stream.Latest(); ok {
				fmt.Println(string(state.Data()))
			}
			observe.Close()
		case <-stream.Done():
			fmt.Println("ended")
			ended = true
		case <-time.After(time.Minute):
			fmt.Println("too late")
			ended = true
		}
	}
	// Output:
	// hello
	// ended
}

// Contracts in a select statement.
func ExampleExposeContract_Offered() {
	ctx := context.Background()
	x := hakuban.NewExchange(nil)
	defer x.Close()
	a, b := x.ExposeObject(hakuban.MustObject("a")), x.ExposeObject(hakuban.MustObject("b"))
	x.ObserveObject(hakuban.MustObject("b"))
	select {
	case <-a.Offered():
		fmt.Println("somebody wants a")
	case <-b.Offered():
		if sink, ok := b.TryNext(); ok {
			fmt.Println("somebody wants", sink.Object())
			sink.Release()
		}
	case <-ctx.Done():
	}
	// Output: somebody wants []"b"
}

// A format of one's own: JSON, compressed.
type gzipJSON struct{}

func (gzipJSON) Names() []string { return []string{"JSON", "gzip"} }

func (gzipJSON) Encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	if err := json.NewEncoder(writer).Encode(value); err != nil {
		return nil, err
	}
	err := writer.Close()
	return buffer.Bytes(), err
}

func (gzipJSON) Decode(data []byte, into any) error {
	reader, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return json.NewDecoder(io.LimitReader(reader, 1<<20)).Decode(into) // a peer's bytes may grow without end
}

func ExampleFormat() {
	state := hakuban.NewState(strings.Repeat("la", 1000)).Encode(gzipJSON{})
	fmt.Println(state.Format(), len(state.Data()) < 100)
	song, err := hakuban.Decode[string](state, gzipJSON{})
	fmt.Println(len(song), err)
	_, err = hakuban.DecodeJSON[string](state)
	fmt.Println(err)
	// Output:
	// [JSON gzip] true
	// 2000 <nil>
	// hakuban: wrong format: the state's is ["JSON" "gzip"], ["JSON"] was expected
}

// Versions that come with the data keep an old state from replacing a new one, wherever they meet.
func ExampleState_WithVersion() {
	ctx := context.Background()
	x := hakuban.NewExchange(nil)
	defer x.Close()
	room := hakuban.MustObject("room")
	x.ObserveObject(room)
	sink, err := x.ExposeObject(room).Next(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println(sink.Send(hakuban.NewState("revision 7").WithVersion(7)))
	fmt.Println(errors.Is(sink.Send(hakuban.NewState("revision 6").WithVersion(6)), hakuban.ErrStale))
	// Output:
	// <nil>
	// true
}

// A cache that knows how old its data is says so.
func ExampleState_WithSynchronized() {
	ctx := context.Background()
	x := hakuban.NewExchange(nil)
	defer x.Close()
	room := hakuban.MustObject("room")
	stream, err := x.ObserveObject(room).Next(ctx)
	if err != nil {
		panic(err)
	}
	sink, err := x.ExposeObject(room).Next(ctx)
	if err != nil {
		panic(err)
	}
	hourAgo := time.Now().Add(-time.Hour)
	if err := sink.Send(hakuban.NewState("cached").WithSynchronized(hakuban.LastAt(hourAgo))); err != nil {
		panic(err)
	}
	state, err := stream.Next(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(state.Data()), state.Synchronized().Now(), state.Synchronized().Ago().Round(time.Minute))
	// Output: cached false 1h0m0s
}

// A connector links again by itself. The observer keeps its stream and the state, which says that nobody vouches for it meanwhile.
func Example_reconnect() {
	ctx := context.Background()
	router, worker := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
	defer router.Close()
	defer worker.Close()
	listener, err := transport.Listen(router, "ws://127.0.0.1:0", quiet)
	if err != nil {
		panic(err)
	}
	connector, err := transport.Connect(worker, listener.URL(), quiet)
	if err != nil {
		panic(err)
	}
	defer connector.Close()

	room := hakuban.MustObject("room")
	expose := worker.ExposeObject(room)
	defer expose.Close()
	go func() {
		for sink := range expose.Sinks(ctx) {
			_ = sink.Send(hakuban.NewState("hello"))
			<-sink.Done()
		}
	}()
	stream, err := router.ObserveObject(room).Next(ctx)
	if err != nil {
		panic(err)
	}
	for step := range 3 {
		state, err := stream.Next(ctx)
		if err != nil {
			panic(err)
		}
		for step == 2 && !state.Synchronized().Now() {
			if state, err = stream.Next(ctx); err != nil {
				panic(err)
			}
		}
		fmt.Println(string(state.Data()), "synchronized:", state.Synchronized().Now())
		switch step {
		case 0:
			listener.Close()
		case 1:
			if listener, err = transport.Listen(router, listener.URL(), quiet); err != nil {
				panic(err)
			}
			defer listener.Close()
		}
	}
	// Output:
	// hello synchronized: true
	// hello synchronized: false
	// hello synchronized: true
}
