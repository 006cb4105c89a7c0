package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"hakuban"
	"hakuban/transport"
)

// figures is what a load measured, always the same ones in the same order.
type figures []figure

type figure struct {
	name  string
	value float64
}

// load is something that clients do to a router.
type load struct {
	name, what string
	run        func(ctx context.Context, r *router, duration time.Duration) (figures, error)
}

var loads = []load{
	{"fan-out", "one object of 256 bytes, 200 states a second, to 100 links", propagation{objects: 1, observers: 100, size: 256, rate: 200}.run},
	{"overload", "one object of 256 bytes, 4,000 states a second, to 100 links: more than anything here can carry", propagation{objects: 1, observers: 100, size: 256, rate: 4000}.run},
	{"objects", "1,000 objects of 256 bytes of one tag, 5,000 states a second, to one link", propagation{objects: 1000, observers: 1, size: 256, rate: 5000}.run},
	{"edits", "one object of 64 KiB, one edit in each of 100 states a second, to 10 links", propagation{objects: 1, observers: 10, size: 64 << 10, rate: 100}.run},
	{"idle", "1,000 links that observe an object each, without an exposer", idle},
}

var tag = hakuban.MustTag("bench")

func object(n int) hakuban.Object { return hakuban.MustObject(n, "bench") }

var silent = slog.New(slog.DiscardHandler)

// client is an exchange below the router.
type client struct {
	*hakuban.Exchange
	connector *transport.Connector
}

func connect(r *router) (*client, error) {
	x := hakuban.NewExchange(&hakuban.Options{Logger: silent})
	connector, err := transport.Connect(x, r.url, transport.WithLogger(silent))
	if err != nil {
		x.Close()
		return nil, err
	}
	return &client{x, connector}, nil
}

func (c *client) close() {
	c.connector.Close()
	c.Exchange.Close()
}

// propagation has one exposer send states of some objects in turn to observers with a link each. A state begins with the time at
// which it was sent, in nanoseconds since the load began.
type propagation struct {
	objects, observers, size int
	rate                     int // states a second
}

func (p propagation) run(ctx context.Context, r *router, duration time.Duration) (figures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begin := time.Now()
	var mu sync.Mutex
	var ages []time.Duration // of the states seen while measured
	measuring := false
	seen := func(state hakuban.State) {
		age := time.Since(begin) - time.Duration(binary.BigEndian.Uint64(state.Data()))
		mu.Lock()
		defer mu.Unlock()
		if measuring {
			ages = append(ages, age)
		}
	}
	var ready sync.WaitGroup // every observer has a first state of every object
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for range p.observers {
		c, err := connect(r)
		if err != nil {
			return nil, err
		}
		defer c.close()
		ready.Add(p.objects)
		for n := range p.objects {
			observe := c.ObserveObject(object(n))
			running.Go(func() {
				observe.Each(ctx, func(ctx context.Context, stream *hakuban.Stream) {
					first := sync.OnceFunc(ready.Done)
					for state := range stream.States(ctx) {
						first()
						seen(state)
					}
				})
			})
		}
	}
	exposer, err := connect(r)
	if err != nil {
		return nil, err
	}
	defer exposer.close()
	sinks := make([]*hakuban.Sink, p.objects)
	random := rand.NewChaCha8([32]byte{})
	datas := make([][]byte, p.objects)
	send := func(n int) error {
		data := datas[n]
		binary.BigEndian.PutUint64(data, uint64(time.Since(begin)))
		return sinks[n].Send(ctx, hakuban.NewState(data))
	}
	expose := exposer.ExposeTag(tag, hakuban.Capacity(uint32(p.objects)))
	for n := range sinks {
		if sinks[n], err = expose.Next(ctx); err != nil {
			return nil, err
		}
		datas[n] = make([]byte, p.size)
		random.Read(datas[n])
		if err := send(n); err != nil {
			return nil, err
		}
	}
	ready.Wait()

	before, err := r.processor()
	if err != nil {
		return nil, err
	}
	mu.Lock()
	measuring = true
	mu.Unlock()
	started := time.Now()
	sent := 0
	for elapsed := time.Duration(0); elapsed < duration; elapsed = time.Since(started) {
		for due := int(elapsed.Seconds() * float64(p.rate)); sent < due; sent++ {
			if err := send(sent % p.objects); err != nil {
				return nil, err
			}
		}
		time.Sleep(time.Millisecond)
	}
	mu.Lock()
	measuring = false
	mu.Unlock()
	took := time.Since(started)
	after, err := r.processor()
	if err != nil {
		return nil, err
	}
	memory, err := r.resident()
	if err != nil {
		return nil, err
	}
	if len(ages) == 0 {
		return nil, fmt.Errorf("%d states were sent, none was seen", sent)
	}
	slices.Sort(ages)
	return figures{
		{"states seen a second", float64(len(ages)) / took.Seconds()},
		{"router's processor µs for each", float64((after - before).Microseconds()) / float64(len(ages))},
		{"age when seen, median ms", milliseconds(ages[len(ages)/2])},
		{"age when seen, 99 % ms", milliseconds(ages[len(ages)*99/100])},
		{"router's memory MiB", float64(memory) / (1 << 20)},
	}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// idle has links that observe and wait.
func idle(ctx context.Context, r *router, _ time.Duration) (figures, error) {
	const links = 1000
	before, err := r.resident()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	watcher, err := connect(r)
	if err != nil {
		return nil, err
	}
	defer watcher.close()
	told := watcher.ExposeTag(tag, hakuban.Capacity(links))
	for n := range links {
		c, err := connect(r)
		if err != nil {
			return nil, err
		}
		defer c.close()
		c.ObserveObject(object(n))
	}
	for range links { // the router knows of every observer
		if _, err := told.Next(ctx); err != nil {
			return nil, err
		}
	}
	took := time.Since(begin)
	after, err := r.resident()
	if err != nil {
		return nil, err
	}
	return figures{
		{"router's memory KiB for each", float64(after-before) / links / (1 << 10)},
		{"links a second", links / took.Seconds()},
	}, nil
}
