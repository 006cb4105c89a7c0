package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"hakuban"
)

// What is measured of a healthy pair beside a hostile load.
const (
	worst    = "worst wait ms"
	ninety9  = "99 % ms"
	toQuiet  = "99 % to quiet"
	mostHeld = "server's memory MiB, most"
)

// hostile is a load that some links put on a router, beside a healthy pair that has nothing to do with it.
type hostile struct {
	name, what string
	attack     func(ctx context.Context, s *server, l *lab) error // until ctx ends
}

var hostiles = []hostile{
	{"many objects", "two links expose the same objects of a tag, a third observes the tag, all leave, again", manyObjects},
	{"large states", "two states of random bytes over 8 symbols in turn, to one observer", largeStates},
	{"tag toggled", "a tag of many objects is observed and left, again and again", tagToggled},
	{"observes", "a link observes many objects and is cut, again and again", manyObserves},
	{"exposers and observers", "many links that each expose an object of a tag and observe the tag", everybody},
	{"first states", "a large document to 12 observers, each time another one", documents},
}

// measureHostile has the pair exchange states before the attack and while it goes on. Each router is attacked once in each round.
func (l *lab) measureHostile(ctx context.Context, h hostile) {
	failed := map[string]bool{}
	for round := range min(l.rounds, 2) {
		for turn := range l.programs {
			p := l.programs[(round+turn)%len(l.programs)]
			if !p.hakuban || failed[p.name] {
				continue
			}
			f, err := l.once(ctx, p, func(ctx context.Context, s *server) (figures, error) { return beside(ctx, s, l, h) })
			if err != nil {
				failed[p.name] = true
				l.note("beside %s, %s: %v.", h.name, p.name, err)
				continue
			}
			l.add("hostile", h.name, p.name, round, 0, f)
		}
	}
	fmt.Fprintln(os.Stderr, h.name)
}

// beside measures a healthy pair, quiet and then beside an attack.
func beside(ctx context.Context, s *server, l *lab, h hostile) (figures, error) {
	observer, exposer, err := two(ctx, s)
	if err != nil {
		return nil, err
	}
	defer observer.close()
	defer exposer.close()
	heard := make(chan uint64, 1)
	const healthy = -1 // no object of the attack
	if err := observer.observe(ctx, healthy, func(data []byte) { heard <- binary.BigEndian.Uint64(data) }); err != nil {
		return nil, err
	}
	send, err := exposer.expose(ctx, healthy)
	if err != nil {
		return nil, err
	}
	n := uint64(0)
	waits := func(duration time.Duration) (times []time.Duration, err error) {
		for started := time.Now(); time.Since(started) < duration; time.Sleep(time.Millisecond) {
			begin := time.Now()
			n++
			if err := send(healthy, binary.BigEndian.AppendUint64(nil, n)); err != nil {
				return nil, err
			}
			for got := uint64(0); got < n; {
				select {
				case got = <-heard:
				case <-ctx.Done():
					return nil, fmt.Errorf("the pair waited for more than %v", time.Since(begin).Round(time.Second))
				}
			}
			times = append(times, time.Since(begin))
		}
		slices.Sort(times)
		return times, nil
	}
	quiet, err := waits(l.duration)
	if err != nil {
		return nil, err
	}
	attack, end := context.WithCancel(ctx)
	over := make(chan error, 1)
	go func() { over <- h.attack(attack, s, l) }()
	times, err := waits(3 * l.duration)
	end()
	if attackErr := <-over; err == nil && attackErr != nil && attack.Err() == nil {
		err = attackErr
	}
	if err != nil {
		return nil, err
	}
	most, err := s.memory("VmHWM:")
	p99 := times[len(times)*99/100]
	return figures{
		{worst, milliseconds(times[len(times)-1])},
		{ninety9, milliseconds(p99)},
		{toQuiet, float64(p99) / float64(quiet[len(quiet)*99/100])},
		{mostHeld, float64(most) / (1 << 20)},
	}, err
}

// size is how large an attack is.
func (l *lab) size(quick, whole int) int {
	if l.whole {
		return whole
	}
	return quick
}

// exchanges are n links; they close when ctx ends.
func exchanges(ctx context.Context, s *server, n int) (all []*exchange, err error) {
	for range n {
		p, err := s.peer(ctx)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, p.close)
		all = append(all, p.(*exchange))
	}
	return all, nil
}

// again does something until ctx ends, each time within one that ends with it.
func again(ctx context.Context, do func(ctx context.Context) error) error {
	for ctx.Err() == nil {
		once, cancel := context.WithCancel(ctx)
		err := do(once)
		cancel()
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func attacked(i int) hakuban.Object { return hakuban.MustObject(i, "attacked") }

func manyObjects(ctx context.Context, s *server, l *lab) error {
	n := l.size(5_000, 100_000)
	return again(ctx, func(ctx context.Context) error {
		links, err := exchanges(ctx, s, 3)
		if err != nil {
			return err
		}
		var seen atomic.Int64 // streams: an object that moves may have several
		all := make(chan struct{})
		for _, x := range links[:2] {
			for i := range n {
				x.ExposeObject(attacked(i))
			}
		}
		go links[2].ObserveTag(hakuban.MustTag("attacked")).Each(ctx, func(ctx context.Context, _ *hakuban.Stream) {
			if seen.Add(1) == int64(n) {
				close(all)
			}
			<-ctx.Done()
		})
		return receive(ctx, all)
	})
}

func largeStates(ctx context.Context, s *server, l *lab) error {
	size := l.size(4<<20, 30<<20)
	var states [2][]byte
	for i := range states {
		states[i] = make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(states[i])
		for j := range states[i] {
			states[i][j] &= 7
		}
	}
	links, err := exchanges(ctx, s, 2)
	if err != nil {
		return err
	}
	seen := make(chan struct{}, 1)
	go links[0].ObserveObject(attacked(0)).Each(ctx, func(ctx context.Context, stream *hakuban.Stream) {
		for range stream.States(ctx) {
			seen <- struct{}{}
		}
	})
	sink, err := links[1].ExposeObject(attacked(0)).Next(ctx)
	for i := 0; err == nil; i++ {
		if err = sink.Send(hakuban.NewState(states[i%2])); err == nil {
			err = receive(ctx, seen)
		}
	}
	return err
}

func tagToggled(ctx context.Context, s *server, l *lab) error {
	n := l.size(5_000, 100_000)
	links, err := exchanges(ctx, s, 2)
	if err != nil {
		return err
	}
	for i := range n {
		links[0].ExposeObject(attacked(i))
	}
	return again(ctx, func(ctx context.Context) error {
		contract := links[1].ObserveTag(hakuban.MustTag("attacked"))
		defer contract.Close()
		for range n {
			if _, err := contract.Next(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

func manyObserves(ctx context.Context, s *server, l *lab) error {
	n := l.size(20_000, 300_000)
	return again(ctx, func(ctx context.Context) error {
		links, err := exchanges(ctx, s, 1)
		if err != nil {
			return err
		}
		for i := range n {
			links[0].ObserveObject(attacked(i))
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond): // the router has begun
		}
		return nil
	})
}

func everybody(ctx context.Context, s *server, l *lab) error {
	links, err := exchanges(ctx, s, l.size(60, 500))
	if err != nil {
		return err
	}
	for i, x := range links {
		x.ExposeObject(attacked(i))
		x.ObserveTag(hakuban.MustTag("attacked"))
	}
	<-ctx.Done()
	return nil
}

func documents(ctx context.Context, s *server, l *lab) error {
	const observers = 12
	size := l.size(512<<10, 4<<20)
	links, err := exchanges(ctx, s, observers+1)
	if err != nil {
		return err
	}
	for _, x := range links[1:] {
		go x.ObserveObject(attacked(0)).Each(ctx, func(ctx context.Context, stream *hakuban.Stream) {
			for range stream.States(ctx) {
			}
		})
	}
	sink, err := links[0].ExposeObject(attacked(0)).Next(ctx)
	for i := uint64(0); err == nil && ctx.Err() == nil; i++ {
		if err = sink.Send(hakuban.NewState(document(size, i))); err == nil {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return err
}
