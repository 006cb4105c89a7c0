package hakuban_test

import (
	"context"
	"fmt"

	"hakuban"
	"hakuban/transport"
)

// One process produces an object, another shows it. They are two exchanges here, linked by a pipe; transport.Listen and
// transport.Connect link exchanges over the network.
func Example() {
	ctx := context.Background()
	server, client := hakuban.NewExchange(nil), hakuban.NewExchange(nil)
	defer server.Close()
	defer client.Close()
	link, err := transport.Pipe(server, client, nil)
	if err != nil {
		panic(err)
	}
	defer link.Close()
	room := hakuban.MustObject("xxx", "some-tag")

	expose := client.ExposeObject(room)
	defer expose.Close()
	go func() {
		for sink := range expose.Sinks(ctx) { // a sink while somebody wants the object
			if err := sink.Send(hakuban.NewState("my data").EncodeJSON()); err != nil {
				fmt.Println(err)
			}
			<-sink.Context().Done()
		}
	}()

	observe := server.ObserveObject(room)
	defer observe.Close()
	for stream := range observe.Streams(ctx) {
		for state := range stream.States(ctx) {
			data, err := hakuban.DecodeJSON[string](state)
			fmt.Println(data, err)
			return
		}
	}
	// Output: my data <nil>
}
