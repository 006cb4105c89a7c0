package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// figures is what a load measured, always the same ones in the same order.
type figures []figure

type figure struct {
	name  string
	value float64
}

// load is something that peers do to a server.
type load struct {
	name, what string
	run        func(ctx context.Context, s *server, duration time.Duration) (figures, error)
}

var loads = []load{
	{"fan-out", "one object of 256 bytes, 200 states a second, to 100 links", propagation{objects: 1, observers: 100, size: 256, rate: 200}.run},
	{"overload", "one object of 256 bytes, 4,000 states a second, to 100 links: more than can be carried by what keeps the newest state", propagation{objects: 1, observers: 100, size: 256, rate: 4000}.run},
	{"objects", "1,000 objects of 256 bytes of one tag, 5,000 states a second, to one link", propagation{objects: 1000, observers: 1, size: 256, rate: 5000}.run},
	{"edits", "one object of 64 KiB, one edit in each of 100 states a second, to 10 links", propagation{objects: 1, observers: 10, size: 64 << 10, rate: 100}.run},
	{"idle", "1,000 links that observe an object each, which is sent once", idle},
}

// propagation has one peer send states of some objects in turn to observers with a link each. A state begins with the time at
// which it was sent, in nanoseconds since the load began.
type propagation struct {
	objects, observers, size int
	rate                     int // states a second
}

func (p propagation) run(ctx context.Context, s *server, duration time.Duration) (figures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begin := time.Now()
	var mu sync.Mutex
	var ages []time.Duration // of the states seen while measured
	measuring := false
	see := func(data []byte) {
		age := time.Since(begin) - time.Duration(binary.BigEndian.Uint64(data))
		mu.Lock()
		defer mu.Unlock()
		if measuring {
			ages = append(ages, age)
		}
	}
	measure := func(on bool) {
		mu.Lock()
		defer mu.Unlock()
		measuring = on
	}
	var first sync.WaitGroup // state of every object at every observer
	all := make([]int, p.objects)
	for object := range all {
		all[object] = object
	}
	for range p.observers {
		observer, err := observe(ctx, s, &first, see, all...)
		if err != nil {
			return nil, err
		}
		defer observer.close()
	}
	exposer, err := s.peer(ctx)
	if err != nil {
		return nil, err
	}
	defer exposer.close()
	sendData, err := exposer.expose(ctx, p.objects)
	if err != nil {
		return nil, err
	}
	random := rand.NewChaCha8([32]byte{})
	datas := make([][]byte, p.objects)
	send := func(object int) error {
		binary.BigEndian.PutUint64(datas[object], uint64(time.Since(begin)))
		return sendData(object, datas[object])
	}
	for object := range datas {
		datas[object] = make([]byte, p.size)
		random.Read(datas[object])
		if err := send(object); err != nil {
			return nil, err
		}
	}
	first.Wait()

	before, err := s.processor()
	if err != nil {
		return nil, err
	}
	measure(true)
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
	measure(false)
	took := time.Since(started)
	after, err := s.processor()
	if err != nil {
		return nil, err
	}
	memory, err := s.resident()
	if err != nil {
		return nil, err
	}
	if len(ages) == 0 {
		return nil, fmt.Errorf("%d states were sent, none was seen", sent)
	}
	slices.Sort(ages)
	return figures{
		{"states seen a second", float64(len(ages)) / took.Seconds()},
		{"server's processor µs for each", float64((after - before).Microseconds()) / float64(len(ages))},
		{"age when seen, median ms", milliseconds(ages[len(ages)/2])},
		{"age when seen, 99 % ms", milliseconds(ages[len(ages)*99/100])},
		{"server's memory MiB", float64(memory) / (1 << 20)},
	}, nil
}

// observe makes a peer that sees objects, and has first wait for a state of each.
func observe(ctx context.Context, s *server, first *sync.WaitGroup, see func(data []byte), objects ...int) (peer, error) {
	observer, err := s.peer(ctx)
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		first.Add(1)
		seen := sync.OnceFunc(first.Done)
		if err := observer.observe(ctx, object, func(data []byte) { seen(); see(data) }); err != nil {
			observer.close()
			return nil, err
		}
	}
	return observer, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// idle has links that observe, see one state, and wait.
func idle(ctx context.Context, s *server, _ time.Duration) (figures, error) {
	const links = 1000
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	before, err := s.resident()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	var first sync.WaitGroup
	for object := range links {
		observer, err := observe(ctx, s, &first, func([]byte) {}, object)
		if err != nil {
			return nil, err
		}
		defer observer.close()
	}
	exposer, err := s.peer(ctx)
	if err != nil {
		return nil, err
	}
	defer exposer.close()
	send, err := exposer.expose(ctx, links)
	if err != nil {
		return nil, err
	}
	for object := range links {
		if err := send(object, []byte("here")); err != nil {
			return nil, err
		}
	}
	first.Wait()
	took := time.Since(begin)
	after, err := s.resident()
	if err != nil {
		return nil, err
	}
	return figures{
		{"server's memory KiB for each", float64(after-before) / links / (1 << 10)},
		{"links a second", links / took.Seconds()},
	}, nil
}
