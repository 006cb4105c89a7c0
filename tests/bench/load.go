package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"hakuban"
)

// figures is what a load measured.
type figures []figure

type figure struct {
	name  string
	value float64
}

// What is measured of most loads. Less is better of all but seen.
const (
	seen      = "seen a second"
	processor = "server's CPU µs each"
	median50  = "median ms"
	median99  = "99 % ms"
	resident  = "server's memory MiB"
)

// load is something that peers do to a server.
type load struct {
	name, what string
	hakuban    bool // only routers of exchanges can carry it
	run        func(ctx context.Context, s *server, l *lab) (figures, error)
}

var loads = []load{
	{"fan-out", "one object of 256 bytes, 200 states a second, to 100 links", false, propagation{objects: 1, observers: 100, size: 256, rate: 200}.run},
	{"overload", "one object of 256 bytes, 4,000 states a second, to 100 links: more than can be carried by what keeps the newest state", false,
		propagation{objects: 1, observers: 100, size: 256, rate: 4000}.run},
	{"objects", "1,000 objects of 256 bytes, 5,000 states a second, to one link", false, propagation{objects: 1000, observers: 1, size: 256, rate: 5000}.run},
	{"edits", "one object of 64 KiB, one edit in each of 100 states a second, to 10 links", false, propagation{objects: 1, observers: 10, size: 64 << 10, rate: 100}.run},
	{"ping", "a state to a peer, which answers by one of its own; one at a time", false, ping},
	{"links", "links that observe an object each, one made after the other; each is sent a state; memory is for each", false, makeLinks},
	{"contracts", "an object is observed, seen and left, until its exposer has been told; one after the other", true, contracts},
	{"hand-over", "of two links that expose an object the elected one closes its contract; the time is until a state of the other one is seen", true, handOver},
}

// propagation has one peer send states of some objects in turn to observers with a link each. A state begins with the time at
// which it was sent, in nanoseconds since the load began.
type propagation struct {
	objects, observers, size int
	rate                     int // states a second
}

// watch is what observers of a load have seen.
type watch struct {
	begin time.Time
	mu    sync.Mutex
	on    bool
	ages  []time.Duration // of the states seen while on
}

func (w *watch) see(data []byte) {
	age := time.Since(w.begin) - time.Duration(binary.BigEndian.Uint64(data))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.on {
		w.ages = append(w.ages, age)
	}
}

func (w *watch) turn(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on = on
}

func (p propagation) run(ctx context.Context, s *server, l *lab) (figures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &watch{begin: time.Now()}
	var first sync.WaitGroup // state of every object at every observer
	all := numbers(p.objects)
	for range p.observers {
		observer, err := observe(ctx, s, &first, w.see, all...)
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
	sendData, err := exposer.expose(ctx, all...)
	if err != nil {
		return nil, err
	}
	random := rand.NewChaCha8([32]byte{})
	datas := make([][]byte, p.objects)
	send := func(object int) error {
		binary.BigEndian.PutUint64(datas[object], uint64(time.Since(w.begin)))
		return sendData(object, datas[object])
	}
	for object := range datas {
		datas[object] = make([]byte, p.size)
		_, _ = random.Read(datas[object])
		if err := send(object); err != nil {
			return nil, err
		}
	}
	if err := wait(ctx, &first); err != nil {
		return nil, err
	}
	sent := 0
	used, took, err := s.used(func() error {
		w.turn(true)
		defer w.turn(false)
		started := time.Now()
		for elapsed := time.Duration(0); elapsed < l.duration; elapsed = time.Since(started) {
			for due := int(elapsed.Seconds() * float64(p.rate)); sent < due && time.Since(started) < l.duration; sent++ {
				if err := send(sent % p.objects); err != nil {
					return err
				}
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	memory, err := s.resident()
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ages) == 0 {
		return nil, fmt.Errorf("%d states were sent, none was seen", sent)
	}
	n := float64(len(w.ages))
	return append(figures{{seen, n / took.Seconds()}, {processor, microseconds(used) / n}, {resident, float64(memory) / (1 << 20)}}, ageFigures(w.ages)...), nil
}

// used measures a server while something is done to it.
func (s *server) used(do func() error) (processor, took time.Duration, err error) {
	before, err := s.processor()
	if err != nil {
		return 0, 0, err
	}
	started := time.Now()
	if err := do(); err != nil {
		return 0, 0, err
	}
	took = time.Since(started)
	after, err := s.processor()
	return after - before, took, err
}

// ageFigures sorts ages.
func ageFigures(ages []time.Duration) figures {
	slices.Sort(ages)
	return figures{{median50, milliseconds(ages[len(ages)/2])}, {median99, milliseconds(ages[len(ages)*99/100])}}
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// wait waits until a group is done, as long as ctx allows.
func wait(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	return receive(ctx, done)
}

func receive(ctx context.Context, channel <-chan struct{}) error {
	select {
	case <-channel:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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
		if err := observer.observe(ctx, object, func(data []byte) { see(data); seen() }); err != nil {
			observer.close()
			return nil, err
		}
	}
	return observer, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// ping has two peers that expose an object each and observe the other's.
func ping(ctx context.Context, s *server, l *lab) (figures, error) {
	var sends [2]func(int, []byte) error
	var peers [2]peer
	heard := make(chan struct{}, 1)
	for i := range peers {
		var err error
		if peers[i], err = s.peer(ctx); err != nil {
			return nil, err
		}
		defer peers[i].close()
	}
	ready := make(chan struct{})
	err := peers[0].observe(ctx, 1, func([]byte) { heard <- struct{}{} })
	if err == nil {
		err = peers[1].observe(ctx, 0, func(data []byte) {
			select {
			case <-ready:
				go func() { _ = sends[1](1, data) }() // some clients wait for the server's answer, which they cannot hear meanwhile
			case <-ctx.Done():
			}
		})
	}
	for i := range sends {
		if err == nil {
			sends[i], err = peers[i].expose(ctx, i)
		}
	}
	if err != nil {
		return nil, err
	}
	close(ready)
	state := make([]byte, 16)
	round := func(n uint64) error {
		binary.BigEndian.PutUint64(state, n)
		if err := sends[0](0, state); err != nil {
			return err
		}
		return receive(ctx, heard)
	}
	if err := round(0); err != nil {
		return nil, err
	}
	return repeated(s, l, func(i int) error { return round(uint64(i) + 1) })
}

// repeated measures rounds, one after the other: the processor time of each, and how long it takes.
func repeated(s *server, l *lab, round func(i int) error) (figures, error) {
	var times []time.Duration
	used, _, err := s.used(func() error {
		for started := time.Now(); time.Since(started) < l.duration; {
			begin := time.Now()
			if err := round(len(times)); err != nil {
				return err
			}
			times = append(times, time.Since(begin))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return append(figures{{processor, microseconds(used) / float64(len(times))}}, ageFigures(times)...), nil
}

// makeLinks has links that observe, see one state, and wait.
func makeLinks(ctx context.Context, s *server, l *lab) (figures, error) {
	links := map[bool]int{false: 300, true: 1000}[l.whole]
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	before, err := s.resident()
	if err != nil {
		return nil, err
	}
	var first sync.WaitGroup
	used, took, err := s.used(func() error {
		for object := range links {
			observer, err := observe(ctx, s, &first, func([]byte) {}, object)
			if err != nil {
				return err
			}
			context.AfterFunc(ctx, observer.close)
		}
		exposer, err := s.peer(ctx)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, exposer.close)
		send, err := exposer.expose(ctx, numbers(links)...)
		if err != nil {
			return err
		}
		for object := range links {
			if err := send(object, []byte("a state of the object")); err != nil {
				return err
			}
		}
		return wait(ctx, &first)
	})
	if err != nil {
		return nil, err
	}
	time.Sleep(200 * time.Millisecond) // what is idle lets go
	after, err := s.resident()
	return figures{{processor, microseconds(used) / float64(links)}, {seen, float64(links) / took.Seconds()}, {resident, float64(after-before) / float64(links) / (1 << 20)}}, err
}

// contracts has a link that observes an object, sees it and leaves it, until its exposer is told; another object each time. The same one
// could be seen before its exposer is told anything: a router has its state until the exposer lets its old sink go.
func contracts(ctx context.Context, s *server, l *lab) (figures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	exposer, observer, err := two(ctx, s)
	if err != nil {
		return nil, err
	}
	defer exposer.close()
	defer observer.close()
	gone := make(chan struct{}, 1)
	go exposer.ExposeTag(hakuban.MustTag(benchTag)).Each(ctx, func(sinkCtx context.Context, sink *hakuban.Sink) {
		_ = sink.Send(hakuban.NewState("here"))
		<-sinkCtx.Done()
		select {
		case gone <- struct{}{}:
		case <-ctx.Done():
		}
	})
	return repeated(s, l, func(i int) error {
		contract := observer.ObserveObject(hakuban.MustObject(i, benchTag))
		stream, err := contract.Next(ctx)
		if err == nil {
			_, err = stream.Next(ctx)
		}
		if err != nil {
			return err
		}
		contract.Close()
		return receive(ctx, gone)
	})
}

// two are links of exchanges.
func two(ctx context.Context, s *server) (a, b *exchange, err error) {
	first, err := s.peer(ctx)
	if err != nil {
		return nil, nil, err
	}
	second, err := s.peer(ctx)
	if err != nil {
		first.close()
		return nil, nil, err
	}
	return first.(*exchange), second.(*exchange), nil
}

// handOver has two exposers of an object. The one that leads closes its contract, and exposes again when a state of the other is seen.
// Each lets its sink go when it is told to.
func handOver(ctx context.Context, s *server, l *lab) (figures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a, b, err := two(ctx, s)
	if err != nil {
		return nil, err
	}
	defer a.close()
	defer b.close()
	watcher, err := s.peer(ctx)
	if err != nil {
		return nil, err
	}
	defer watcher.close()
	object := hakuban.MustObject(0, benchTag)
	shown := make(chan byte, 100)
	if err := watcher.observe(ctx, 0, func(data []byte) { shown <- data[0] }); err != nil {
		return nil, err
	}
	offer := func(x *exchange, name byte) *hakuban.ExposeContract {
		contract := x.ExposeObject(object)
		go contract.Each(ctx, func(ctx context.Context, sink *hakuban.Sink) {
			_ = sink.Send(hakuban.NewState([]byte{name}))
			<-ctx.Done()
		})
		return contract
	}
	exchanges, held := [2]*exchange{a, b}, [2]*hakuban.ExposeContract{}
	await := func(name byte) error {
		for {
			select {
			case got := <-shown:
				if got == name {
					return nil
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	held[0] = offer(a, 0)
	if err := await(0); err != nil {
		return nil, err
	}
	held[1] = offer(b, 1)
	var times []time.Duration
	used, _, err := s.used(func() error {
		leads := 0
		for started := time.Now(); time.Since(started) < l.duration; leads = 1 - leads {
			begin := time.Now()
			held[leads].Close()
			if err := await(byte(1 - leads)); err != nil {
				return fmt.Errorf("hand-over %d: %w", len(times), err)
			}
			times = append(times, time.Since(begin))
			held[leads] = offer(exchanges[leads], byte(leads))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return append(figures{{processor, microseconds(used) / float64(len(times))}}, ageFigures(times)...), nil
}
