package hakuban_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"hakuban"
	"hakuban/transport"
)

// A contract on an object that others observe.
func ExampleExchange_ExposeObject() {
	ctx := context.Background()
	x := hakuban.NewExchange(nil)
	defer x.Close()
	clock := hakuban.MustObject("clock")
	observe, expose := x.ObserveObject(clock), x.ExposeObject(clock)
	defer observe.Close()
	defer expose.Close()

	go func() {
		for sink := range expose.Sinks(ctx) {
			for hour := range 3 {
				_ = sink.Send(hakuban.NewState(hour).EncodeJSON())
			}
			<-sink.Done()
		}
	}()

	// Observers see the newest state; those before it may be skipped.
	stream, err := observe.Next(ctx)
	if err != nil {
		panic(err)
	}
	defer stream.Release()
	for state := range stream.States(ctx) {
		if hour, _ := hakuban.DecodeJSON[int](state); hour == 2 {
			fmt.Println("hour", hour)
			break
		}
	}
	// Output: hour 2
}

// A contract on a tag produces whatever objects are wanted, without knowing them beforehand.
func ExampleExchange_ExposeTag() {
	ctx := context.Background()
	x := hakuban.NewExchange(nil)
	defer x.Close()
	squares := x.ExposeTag(hakuban.MustTag("squares"))
	defer squares.Close()
	go squares.Each(ctx, func(ctx context.Context, sink *hakuban.Sink) {
		var n int
		if err := sink.Object().Decode(&n); err != nil {
			return
		}
		_ = sink.Send(hakuban.NewState(n * n).EncodeJSON())
		<-ctx.Done()
	})

	for n := range 4 {
		observe := x.ObserveObject(hakuban.MustObject(n, "squares"))
		stream, err := observe.Next(ctx)
		if err != nil {
			panic(err)
		}
		state, err := stream.Next(ctx)
		fmt.Println(n, string(state.Data()), err)
		observe.Close()
	}
	// Output:
	// 0 0 <nil>
	// 1 1 <nil>
	// 2 4 <nil>
	// 3 9 <nil>
}

// A contract on a tag shows every live object that carries it.
func ExampleExchange_ObserveTag() {
	ctx := context.Background()
	x := hakuban.NewExchange(nil)
	defer x.Close()
	for _, host := range []string{"ada", "bob"} {
		expose := x.ExposeObject(hakuban.MustObject(host, "load"))
		defer expose.Close()
		go func() {
			for sink := range expose.Sinks(ctx) {
				_ = sink.Send(hakuban.NewState(len(host)).EncodeJSON())
				<-sink.Done()
			}
		}()
	}

	observe := x.ObserveTag(hakuban.MustTag("load"))
	defer observe.Close()
	loads := map[string]string{}
	for len(loads) < 2 {
		stream, err := observe.Next(ctx)
		if err != nil {
			panic(err)
		}
		state, err := stream.Next(ctx)
		if err != nil {
			panic(err)
		}
		loads[stream.Object().JSON()] = string(state.Data())
	}
	fmt.Println(loads)
	// Output: map["ada":3 "bob":3]
}

// Each runs a goroutine per object, as long as the object is there.
func ExampleObserveContract_Each() {
	ctx := context.Background()
	x := hakuban.NewExchange(nil)
	defer x.Close()
	observe := x.ObserveTag(hakuban.MustTag("files"))
	defer observe.Close()
	var open []*hakuban.ObserveContract
	for _, name := range []string{"a", "b", "c"} {
		open = append(open, x.ObserveObject(hakuban.MustObject(name, "files")))
	}

	var seen, gone sync.WaitGroup
	seen.Add(3)
	gone.Add(3)
	go observe.Each(ctx, func(ctx context.Context, stream *hakuban.Stream) {
		seen.Done()
		<-ctx.Done() // ends with the stream
		gone.Done()
	})
	seen.Wait()
	fmt.Println("three are live")
	for _, contract := range open {
		contract.Close()
	}
	gone.Wait()
	fmt.Println("none is")
	// Output:
	// three are live
	// none is
}

// Objects go to the worker who has the least load after taking one; each object adds 1/capacity.
func ExampleCapacity() {
	ctx := context.Background()
	router := hakuban.NewExchange(nil)
	defer router.Close()
	given := make(chan string)
	for name, capacity := range map[string]uint32{"small": 1, "large": 3} {
		worker := hakuban.NewExchange(nil)
		defer worker.Close()
		if _, err := transport.Pipe(router, worker, &transport.Options{Name: name}); err != nil {
			panic(err)
		}
		expose := worker.ExposeTag(hakuban.MustTag("jobs"), hakuban.Capacity(capacity))
		defer expose.Close()
		go expose.Each(ctx, func(ctx context.Context, sink *hakuban.Sink) {
			select {
			case given <- name:
			case <-ctx.Done(): // taken back before anybody asked
			}
			<-ctx.Done()
		})
	}
	waitFor(func() bool { // both workers have told what they can do
		tags := router.Snapshot().Tags
		return len(tags) == 1 && tags[0].Capacity == 4
	})

	for n := range 8 {
		router.ObserveObject(hakuban.MustObject(n, "jobs"))
	}
	objects := map[string]int{}
	for range 8 {
		objects[<-given]++
	}
	fmt.Println(objects)
	// Output: map[large:6 small:2]
}

// A load limit keeps a worker from taking more than it can bear.
func ExampleLoadPoint() {
	ctx := context.Background()
	router, worker := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
	defer router.Close()
	defer worker.Close()
	// Over a websocket: ws://host:port/#load-limit=2
	if _, err := transport.Pipe(router, worker, &transport.Options{LoadLimit: []hakuban.LoadPoint{{Load: 2}}}); err != nil {
		panic(err)
	}
	expose := worker.ExposeTag(hakuban.MustTag("jobs"))
	waitFor(func() bool { return len(router.Snapshot().Tags) == 1 })

	for n := range 3 {
		router.ObserveObject(hakuban.MustObject(n, "jobs"))
	}
	for range 2 {
		if _, err := expose.Next(ctx); err != nil {
			panic(err)
		}
	}
	elected := 0
	for _, object := range router.Snapshot().Objects {
		if object.Elected.Kind == hakuban.ElectedLink {
			elected++
		}
	}
	fmt.Println(elected, "of 3 objects have an exposer")
	// Output: 2 of 3 objects have an exposer
}

// When the elected exposer leaves, another takes over. Observers keep their stream.
func Example_handOver() {
	ctx := context.Background()
	x := hakuban.NewExchange(nil)
	defer x.Close()
	room := hakuban.MustObject("room")
	stream, err := x.ObserveObject(room).Next(ctx)
	if err != nil {
		panic(err)
	}
	first, second := x.ExposeObject(room), x.ExposeObject(room)

	for name, contract := range map[string]*hakuban.ExposeContract{"first": first, "second": second} {
		go func() {
			for sink := range contract.Sinks(ctx) {
				_ = sink.Send(hakuban.NewState("produced by the " + name))
				<-sink.Done()
			}
		}()
	}
	for state := range stream.States(ctx) {
		if !state.Synchronized().Now() {
			continue // the first has left, the second has not sent yet
		}
		fmt.Println(string(state.Data()))
		if string(state.Data()) == "produced by the second" {
			break
		}
		first.Close()
	}
	// Output:
	// produced by the first
	// produced by the second
}

// Each candidate observes and exposes one object; the one that is given the sink leads, and all see who it is. The first one leads for as
// long as it stays, whoever comes later. An exchange elects its own candidate until it hears that another leads, so who comes later
// waits for the leader's word before it exposes.
func Example_leaderElection() {
	ctx := context.Background()
	router := hakuban.NewExchange(nil)
	defer router.Close()
	leadership := hakuban.MustObject("leader of the pack")

	leads := make(chan string)
	join := func() (*hakuban.Exchange, *hakuban.Stream) {
		x := hakuban.NewExchange(nil)
		if _, err := transport.Pipe(router, x, nil); err != nil {
			panic(err)
		}
		stream, err := x.ObserveObject(leadership).Next(ctx)
		if err != nil {
			panic(err)
		}
		return x, stream
	}
	stand := func(name string, x *hakuban.Exchange) {
		expose := x.ExposeObject(leadership)
		go func() {
			for sink := range expose.Sinks(ctx) {
				_ = sink.Send(hakuban.NewState(name))
				leads <- name
				<-sink.Done() // as long as it lasts
			}
		}()
	}

	ada, _ := join()
	stand("ada", ada)
	fmt.Println(<-leads, "leads")

	bob, stream := join()
	defer bob.Close()
	for state := range stream.States(ctx) {
		fmt.Println("bob follows", string(state.Data()))
		break
	}
	stand("bob", bob)

	ada.Close() // it crashes
	fmt.Println(<-leads, "leads")
	// Output:
	// ada leads
	// bob follows ada
	// bob leads
}

// A revoked sink takes no more states, and says why.
func ExampleSink_Context() {
	ctx := context.Background()
	x := hakuban.NewExchange(nil)
	defer x.Close()
	room := hakuban.MustObject("room")
	observe, expose := x.ObserveObject(room), x.ExposeObject(room)
	sink, err := expose.Next(ctx)
	if err != nil {
		panic(err)
	}
	defer sink.Release()

	observe.Close() // nobody wants the object now
	<-sink.Context().Done()
	fmt.Println(errors.Is(context.Cause(sink.Context()), hakuban.ErrRevoked))
	fmt.Println(errors.Is(sink.Send(hakuban.NewState("x")), hakuban.ErrRevoked))
	// Output:
	// true
	// true
}
