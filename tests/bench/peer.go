package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"

	"hakuban"
	"hakuban/transport"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// peer is a client of a server, with a connection of its own.
type peer interface {
	// observe shows the states of an object until the peer is closed.
	observe(ctx context.Context, object int, see func(data []byte)) error
	// expose returns when the objects can be sent, if somebody observes them: send then sends a state of one.
	expose(ctx context.Context, objects ...int) (send func(object int, data []byte) error, err error)
	close()
}

// benchTag is of all objects.
const benchTag = "bench"

// exchange is a peer of the reference's router and of ours.
type exchange struct {
	*hakuban.Exchange
	connector *transport.Connector
}

func connect(_ context.Context, url string) (peer, error) {
	silent := slog.New(slog.DiscardHandler)
	x := hakuban.NewExchange(&hakuban.Options{Logger: silent})
	connector, err := transport.Connect(x, url, &transport.Options{Logger: silent})
	if err != nil {
		x.Close()
		return nil, err
	}
	return &exchange{x, connector}, nil
}

func (x *exchange) observe(ctx context.Context, object int, see func(data []byte)) error {
	contract := x.ObserveObject(hakuban.MustObject(object, benchTag))
	go contract.Each(ctx, func(ctx context.Context, stream *hakuban.Stream) {
		for state := range stream.States(ctx) {
			see(state.Data())
		}
	})
	return nil
}

func (x *exchange) expose(ctx context.Context, objects ...int) (func(int, []byte) error, error) {
	sinks := map[int]*hakuban.Sink{}
	contracts := make([]*hakuban.ExposeContract, len(objects))
	for i, object := range objects {
		contracts[i] = x.ExposeObject(hakuban.MustObject(object, benchTag))
	}
	for i, object := range objects {
		sink, err := contracts[i].Next(ctx)
		if err != nil {
			return nil, err
		}
		sinks[object] = sink
	}
	return func(object int, data []byte) error { return sinks[object].Send(hakuban.NewState(data)) }, nil
}

func (x *exchange) close() {
	x.connector.Close()
	x.Exchange.Close()
}

// subscriber is a peer of NATS without JetStream: who comes late sees nothing of what was, and all that is sent is delivered.
type subscriber struct{ *nats.Conn }

func connectNATS(_ context.Context, url string) (peer, error) {
	c, err := nats.Connect(url, nats.NoReconnect())
	return subscriber{c}, err
}

func (s subscriber) observe(_ context.Context, object int, see func(data []byte)) error {
	_, err := s.Subscribe("bench."+strconv.Itoa(object), func(m *nats.Msg) { see(m.Data) })
	if err != nil {
		return err
	}
	return s.Flush()
}

func (s subscriber) expose(context.Context, ...int) (func(int, []byte) error, error) {
	return func(object int, data []byte) error { return s.Publish("bench."+strconv.Itoa(object), data) }, nil
}

func (s subscriber) close() { s.Close() }

// watcher is a peer of a JetStream bucket of keys and values in memory, with the newest value of each: NATS's own way to share
// what something is now. It is told of each value after the one that it began with.
type watcher struct {
	subscriber
	bucket jetstream.KeyValue
}

const bucket = "bench"

func connectBucket(ctx context.Context, url string) (peer, error) {
	c, err := connectNATS(ctx, url)
	if err != nil {
		return nil, err
	}
	w := watcher{subscriber: c.(subscriber)}
	js, err := jetstream.New(w.Conn)
	if err == nil {
		w.bucket, err = js.KeyValue(ctx, bucket)
	}
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		w.bucket, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucket, Storage: jetstream.MemoryStorage})
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w watcher) observe(ctx context.Context, object int, see func(data []byte)) error {
	updates, err := w.bucket.Watch(ctx, strconv.Itoa(object))
	if err != nil {
		return err
	}
	go func() {
		for entry := range updates.Updates() {
			if entry != nil { // nil: what was there before is over
				see(entry.Value())
			}
		}
	}()
	return nil
}

// A Put waits until the server has it; this does not, as little as the others do.
func (w watcher) expose(context.Context, ...int) (func(int, []byte) error, error) {
	return func(object int, data []byte) error {
		return w.Publish("$KV."+bucket+"."+strconv.Itoa(object), data)
	}, nil
}
