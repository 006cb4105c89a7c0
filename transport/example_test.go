package transport_test

import (
	"context"
	"fmt"
	"log/slog"

	"hakuban"
	"hakuban/transport"
)

func Example() {
	ctx := context.Background()
	quiet := &transport.Options{Logger: slog.New(slog.DiscardHandler)}
	router, worker := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
	defer router.Close()
	defer worker.Close()

	listener, err := transport.Listen(router, "ws://127.0.0.1:0#timeout=30s,keep-alive=10s", quiet)
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	connector, err := transport.Connect(worker, listener.URL()+",load-limit=100", quiet)
	if err != nil {
		panic(err)
	}
	defer connector.Close()

	room := hakuban.MustObject("room")
	observe := router.ObserveObject(room)
	sink, err := worker.ExposeObject(room).Next(ctx)
	if err != nil {
		panic(err)
	}
	if err := sink.Send(hakuban.NewState("over the wire")); err != nil {
		panic(err)
	}
	stream, err := observe.Next(ctx)
	if err != nil {
		panic(err)
	}
	state, err := stream.Next(ctx)
	fmt.Println(string(state.Data()), err)
	fmt.Println(listener.Snapshot().Connections[0].RemoteName, listener.Snapshot().Connections[0].Load)
	// Output:
	// over the wire <nil>
	// go-client 1
}

func ExamplePipe() {
	upstream, downstream := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
	defer upstream.Close()
	defer downstream.Close()
	link, err := transport.Pipe(upstream, downstream, &transport.Options{Name: "below"})
	if err != nil {
		panic(err)
	}
	defer link.Close()

	room := hakuban.MustObject("room")
	downstream.ObserveObject(room)
	sink, err := upstream.ExposeObject(room).Next(context.Background())
	fmt.Println(sink.Object(), err)
	fmt.Println(upstream.Snapshot().Links[0].RemoteName)
	// Output:
	// []"room" <nil>
	// below
}
