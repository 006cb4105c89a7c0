package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"sync"
	"time"

	"hakuban"
)

// curve is how something grows with a size.
type curve struct {
	name, what string
	x, y       string // axes; y is the name of the figure
	hakuban    bool   // only routers of exchanges
	free       bool   // it may grow as it likes: no bar
	quick      []float64
	whole      []float64
	at         func(ctx context.Context, s *server, x int, l *lab) (float64, error)
}

var curves = []curve{
	{name: "by observers", what: "an object changes: until every observer, each with a link, has the state", x: "observers", y: "server's CPU µs",
		quick: []float64{1, 10, 100, 300, 1000}, whole: []float64{1, 10, 100, 1000, 3000, 10_000}, at: byObservers},
	{name: "by objects", what: "objects of one tag are exposed by one link, until another link, which observes the tag, has a state of each", x: "objects", y: "server's CPU µs",
		hakuban: true, quick: []float64{1, 10, 100, 1000, 5000}, whole: []float64{1, 10, 100, 1000, 10_000, 100_000, 300_000}, at: byObjects},
	{name: "by tag observers and objects", what: "n links observe a tag, another exposes n objects of it, until each has a state of each", x: "n²", y: "server's CPU µs",
		hakuban: true, quick: []float64{1, 9, 100, 900, 2500}, whole: []float64{1, 100, 900, 10_000, 90_000}, at: byTagObservers},
	{name: "by tag exposers and objects", what: "n links expose a tag, another observes n objects of it, until it has a state of each", x: "n²", y: "server's CPU µs",
		hakuban: true, quick: []float64{1, 9, 100, 900, 2500}, whole: []float64{1, 100, 900, 10_000, 90_000}, at: byTagExposers},
	{name: "by depth", what: "a state goes up a chain of routers, one at a time", x: "routers", y: "CPU µs of all",
		hakuban: true, quick: []float64{1, 2, 3, 5}, whole: []float64{1, 2, 3, 4, 5}, at: byDepth},
	{name: "by document", what: "the first state of an object, of JSON, to one observer", x: "bytes", y: "server's CPU µs",
		quick: []float64{1 << 10, 16 << 10, 128 << 10, 900 << 10}, whole: []float64{1 << 10, 16 << 10, 256 << 10, 900 << 10, 4 << 20, 16 << 20}, at: byDocument},
	{name: "by idle links", what: "links that observe an object each and wait", x: "links", y: "server's memory KiB",
		quick: []float64{30, 100, 300, 1000}, whole: []float64{100, 300, 1000, 3000, 10_000}, at: byIdleLinks},
	{name: "until saturation", what: "states of 100 objects of 256 bytes to 10 links", x: "states a second asked for", y: "states seen a second", free: true,
		quick: []float64{300, 1000, 3000, 10_000, 30_000}, whole: []float64{300, 1000, 3000, 10_000, 30_000, 100_000}, at: untilSaturation},
}

// measureCurve measures each size once; a server that takes too long for one is not asked for larger ones.
func (l *lab) measureCurve(ctx context.Context, c curve) {
	sizes := c.quick
	if l.whole {
		sizes = c.whole
	}
	failed := map[string]bool{}
	for i, x := range sizes {
		for turn := range l.programs {
			p := l.programs[(i+turn)%len(l.programs)]
			if failed[p.name] || c.hakuban && !p.hakuban {
				continue
			}
			f, err := l.once(ctx, p, func(ctx context.Context, s *server) (figures, error) {
				y, err := c.at(ctx, s, int(x), l)
				return figures{{c.y, y}}, err
			})
			if err != nil {
				failed[p.name] = true
				l.note("%s, %s: nothing from %g on: %v.", c.name, p.name, x, err)
				continue
			}
			l.add("curve", c.name, p.name, 0, x, f)
		}
	}
	fmt.Fprintln(os.Stderr, c.name)
}

// fit is the exponent p of the power law c·x^p that comes nearest to points, by least squares of logarithms. steeper is whether they
// grow faster than n log n: the exponent of what is left of them, in their upper half, when that is divided out.
func fit(xs, ys []float64) (exponent float64, steeper bool) {
	slope := func(xs, ys []float64) float64 {
		var sx, sy, sxx, sxy float64
		n := float64(len(xs))
		for i := range xs {
			x, y := math.Log(xs[i]), math.Log(ys[i])
			sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
		}
		return (n*sxy - sx*sy) / (n*sxx - sx*sx)
	}
	if len(xs) < 3 {
		return math.NaN(), false
	}
	upper := max(0, min(len(xs)/2, len(xs)-3))
	rest := make([]float64, len(ys))
	for i := range ys {
		rest[i] = ys[i] / (xs[i] * math.Log2(2*xs[i]))
	}
	return slope(xs, ys), slope(xs[upper:], rest[upper:]) > noise
}

// noise is by how much the exponent of single measurements on a busy machine may be wrong.
const noise = 0.25

// states sends states of an object one after the other, each when n peers have seen the one before, and returns what one cost the server.
func states(ctx context.Context, s *server, n, times int, state func(i int) []byte) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard := make(chan struct{}, n)
	var first sync.WaitGroup
	for range n {
		observer, err := observe(ctx, s, &first, func([]byte) {
			select {
			case heard <- struct{}{}:
			case <-ctx.Done():
			}
		}, 0)
		if err != nil {
			return 0, err
		}
		defer observer.close()
	}
	exposer, err := s.peer(ctx)
	if err != nil {
		return 0, err
	}
	defer exposer.close()
	sendState, err := exposer.expose(ctx, 0)
	if err != nil {
		return 0, err
	}
	send := func(i int) error {
		if err := sendState(0, state(i)); err != nil {
			return err
		}
		for range n {
			if err := receive(ctx, heard); err != nil {
				return err
			}
		}
		return nil
	}
	if err := send(0); err != nil {
		return 0, err
	}
	used, _, err := s.used(func() error {
		for i := range times {
			if err := send(i + 1); err != nil {
				return err
			}
		}
		return nil
	})
	return microseconds(used) / float64(times), err
}

func byObservers(ctx context.Context, s *server, x int, _ *lab) (float64, error) {
	return states(ctx, s, x, max(5, 500/x), func(i int) []byte { return fmt.Appendf(nil, "state %d", i) })
}

// byDocument alternates between documents that have nothing in common.
func byDocument(ctx context.Context, s *server, x int, _ *lab) (float64, error) {
	times := min(200, max(1, 4<<20/x))
	documents := make([][]byte, times+1)
	for i := range documents {
		documents[i] = document(x, uint64(i))
	}
	return states(ctx, s, 1, times, func(i int) []byte { return documents[i] })
}

func byObjects(ctx context.Context, s *server, x int, _ *lab) (float64, error) {
	return tagged(ctx, s, 1, x)
}

func byTagObservers(ctx context.Context, s *server, x int, _ *lab) (float64, error) {
	n := int(math.Sqrt(float64(x)))
	return tagged(ctx, s, n, n)
}

// tagged has n links observe a tag of whose objects another one exposes so many.
func tagged(ctx context.Context, s *server, n, objects int) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	used, _, err := s.used(func() error {
		for range n {
			observer, err := s.peer(ctx)
			if err != nil {
				return err
			}
			context.AfterFunc(ctx, observer.close)
			all.Add(objects)
			go observer.(*exchange).ObserveTag(hakuban.MustTag(benchTag)).Each(ctx, func(ctx context.Context, stream *hakuban.Stream) {
				if _, err := stream.Next(ctx); err == nil {
					all.Done()
				}
				<-ctx.Done()
			})
		}
		exposer, err := s.peer(ctx)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, exposer.close)
		send, err := exposer.expose(ctx, numbers(objects)...)
		for object := 0; err == nil && object < objects; object++ {
			err = send(object, fmt.Appendf(nil, "state %d", object))
		}
		if err != nil {
			return err
		}
		return wait(ctx, &all)
	})
	return microseconds(used), err
}

// byTagExposers has n links expose a tag of which another one observes n objects.
func byTagExposers(ctx context.Context, s *server, x int, _ *lab) (float64, error) {
	n := int(math.Sqrt(float64(x)))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	used, _, err := s.used(func() error {
		for range n {
			exposer, err := s.peer(ctx)
			if err != nil {
				return err
			}
			context.AfterFunc(ctx, exposer.close)
			go exposer.(*exchange).ExposeTag(hakuban.MustTag(benchTag)).Each(ctx, func(ctx context.Context, sink *hakuban.Sink) {
				_ = sink.Send(hakuban.NewState("here"))
				<-ctx.Done()
			})
		}
		observer, err := observe(ctx, s, &all, func([]byte) {}, numbers(n)...)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, observer.close)
		return wait(ctx, &all)
	})
	return microseconds(used), err
}

// byDepth has routers below the first one, each linked to the one above.
func byDepth(ctx context.Context, s *server, x int, _ *lab) (float64, error) {
	chain := []*server{s}
	for len(chain) < x {
		next, err := s.start(ctx, "-c", chain[len(chain)-1].url+"#nodelay=true")
		if err != nil {
			return 0, err
		}
		defer next.kill()
		chain = append(chain, next)
	}
	heard := make(chan struct{}, 1)
	observer, err := s.peer(ctx)
	if err != nil {
		return 0, err
	}
	defer observer.close()
	if err := observer.observe(ctx, 0, func([]byte) { heard <- struct{}{} }); err != nil {
		return 0, err
	}
	exposer, err := chain[len(chain)-1].peer(ctx)
	if err != nil {
		return 0, err
	}
	defer exposer.close()
	send, err := exposer.expose(ctx, 0)
	if err != nil {
		return 0, err
	}
	const times = 300
	before := time.Duration(0)
	for i := range times + 1 {
		if err := send(0, fmt.Appendf(nil, "state %d", i)); err != nil {
			return 0, err
		}
		if err := receive(ctx, heard); err != nil {
			return 0, err
		}
		if i == 0 {
			if before, err = usedByAll(chain); err != nil {
				return 0, err
			}
		}
	}
	after, err := usedByAll(chain)
	return microseconds(after-before) / times, err
}

func usedByAll(servers []*server) (sum time.Duration, err error) {
	for _, s := range servers {
		used, err := s.processor()
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

func byIdleLinks(ctx context.Context, s *server, x int, _ *lab) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	warm, err := s.peer(ctx)
	if err != nil {
		return 0, err
	}
	warm.close()
	before, err := s.resident()
	if err != nil {
		return 0, err
	}
	var first sync.WaitGroup
	exposer, err := s.peer(ctx)
	if err != nil {
		return 0, err
	}
	defer exposer.close()
	for object := range x {
		observer, err := observe(ctx, s, &first, func([]byte) {}, object)
		if err != nil {
			return 0, err
		}
		defer observer.close()
	}
	send, err := exposer.expose(ctx, numbers(x)...)
	for object := 0; err == nil && object < x; object++ {
		err = send(object, []byte("state"))
	}
	if err == nil {
		err = wait(ctx, &first)
	}
	if err != nil {
		return 0, err
	}
	time.Sleep(200 * time.Millisecond) // what is idle lets go
	after, err := s.resident()
	return float64(max(after-before, 1<<10)) / (1 << 10), err
}

func untilSaturation(ctx context.Context, s *server, x int, l *lab) (float64, error) {
	f, err := propagation{objects: 100, observers: 10, size: 256, rate: x}.run(ctx, s, l)
	if err != nil {
		return 0, err
	}
	return f[0].value, nil
}
