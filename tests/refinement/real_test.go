package refinement

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"hakuban"
	"hakuban/sim"
	"hakuban/transport"
)

// patience bounds what a run waits for; only one that fails waits that long.
const patience = 30 * time.Second

// realRun is a run of a tree of exchanges in this process, with goroutines, real time and websockets. A seed decides what the
// applications do; when they do it, and what is under way meanwhile, it does not.
type realRun struct {
	ctx     context.Context
	random  *rand.Rand
	objects []hakuban.Object
	tags    []hakuban.Tag
	sites   []*site
	narrow  bool // one object and tag, few contracts, given states, exchanges that stay: for a model that is given
	actions int

	sequencer *sim.Sequencer
	mu        sync.Mutex
	file      bytes.Buffer // the recording
	exchanges int
	looks     []look
	published int // of the narrow run's states
}

// narrowStates is how many states there are in a narrow run.
const narrowStates = 8

// look is what an exchange said of itself.
type look struct {
	exchange int
	snapshot hakuban.Snapshot
}

// site is a place in the tree, with the exchange that is there now.
type site struct {
	run    *realRun
	number int
	parent *site
	relay  *relay // to the parent; nil: the root

	// The first application looks after these.
	listener  *transport.Listener
	connector *transport.Connector // nil: the root's

	mu       sync.Mutex // guards what follows
	x        *hakuban.Exchange
	exchange int    // its number in the recording
	address  string // of the listener
}

var silent = slog.New(slog.DiscardHandler)

// runReal runs a seed and returns the run with its recording.
func runReal(seed uint64) (*realRun, error) {
	random := rand.New(rand.NewPCG(seed, 11))
	run := &realRun{random: random, tags: []hakuban.Tag{hakuban.MustTag("red"), hakuban.MustTag("blue")}}
	for o := range 1 + random.IntN(3) {
		run.objects = append(run.objects, hakuban.MustObject(o, []any{"red", "blue"}[:random.IntN(3)]...))
	}
	parents := []int{-1}
	for n := range 1 + random.IntN(4) {
		parents = append(parents, random.IntN(n+1))
	}
	return run, run.run(parents, run.applications)
}

// runNarrow runs a chain of three.
func runNarrow(seed uint64) (*realRun, error) {
	run := &realRun{random: rand.New(rand.NewPCG(seed, 13)), narrow: true,
		tags: []hakuban.Tag{hakuban.MustTag("t")}, objects: []hakuban.Object{hakuban.MustObject("o", "t")}}
	return run, run.run([]int{-1, 0, 1}, run.applications)
}

// runRebalance has an object move from a loaded exchange to one that came later.
func runRebalance() (*realRun, error) {
	run := &realRun{}
	return run, run.run([]int{-1, 0, 0}, func() error {
		tag := hakuban.MustTag("work")
		early := run.sites[1].x.ExposeTag(tag)
		for n := range 2 {
			run.sites[0].x.ObserveObject(hakuban.MustObject(n, "work"))
			if _, err := early.Next(run.ctx); err != nil {
				return fmt.Errorf("nobody exposes: %w", err)
			}
		}
		sink, err := run.sites[2].x.ExposeTag(tag).Next(run.ctx)
		if err != nil {
			return fmt.Errorf("nothing moves: %w", err)
		}
		return sink.Send(hakuban.NewState("moved"))
	})
}

// run has something happen in a tree, and ends when the root's last word is known everywhere.
func (run *realRun) run(parents []int, happen func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	run.ctx, run.sequencer = ctx, sim.NewSequencer(&run.file)
	defer run.close()
	if err := run.grow(parents); err != nil {
		return err
	}
	if err := happen(); err != nil {
		return err
	}
	return run.converge()
}

// applications has all applications act at once.
func (run *realRun) applications() error {
	run.actions = 60 + run.random.IntN(100)
	var acting sync.WaitGroup
	for _, p := range run.sites {
		for first := true; first || !run.narrow && run.random.IntN(3) == 0; first = false {
			a := &application{site: p, first: first, random: rand.New(rand.NewPCG(run.random.Uint64(), 17))}
			acting.Go(a.live)
		}
	}
	acting.Wait()
	return nil
}

// grow makes the tree.
func (run *realRun) grow(parents []int) error {
	for n, parent := range parents {
		p := &site{run: run, number: n}
		run.sites = append(run.sites, p)
		if parent >= 0 {
			var err error
			if p.relay, err = newRelay(); err != nil {
				return err
			}
			p.parent = run.sites[parent]
		}
		p.begin()
	}
	return nil
}

// begin makes the exchange of a site.
func (p *site) begin() {
	run := p.run
	run.mu.Lock()
	n := run.exchanges
	run.exchanges++
	run.mu.Unlock()
	x := hakuban.NewExchange(&hakuban.Options{Record: run.sequencer.Exchange(n), Rebalance: p.number == 0})
	listener, err := transport.Listen(x, "ws://127.0.0.1:0", &transport.Options{Logger: silent, Name: fmt.Sprintf("parent %d", n)})
	if err != nil {
		panic(err)
	}
	_, address, _ := strings.Cut(listener.URL(), "//")
	address, _, _ = strings.Cut(address, "/")
	p.listener = listener
	p.mu.Lock()
	p.x, p.exchange, p.address = x, n, address
	p.mu.Unlock()
	for _, child := range run.sites {
		if child.parent == p {
			child.relay.aim(address)
		}
	}
	p.connect()
}

func (p *site) connect() {
	if p.parent == nil {
		return
	}
	p.parent.mu.Lock()
	p.relay.aim(p.parent.address)
	p.parent.mu.Unlock()
	var err error
	if p.connector, err = transport.Connect(p.x, p.relay.url(), &transport.Options{Logger: silent, Name: fmt.Sprintf("child %d", p.exchange)}); err != nil {
		panic(err)
	}
}

// reconnect has the exchange leave its parent and come back with another connector, unless it is just coming.
func (p *site) reconnect() {
	if p.relay.leave(p.connector.Close) {
		p.connect()
	}
}

func (p *site) look() {
	p.mu.Lock()
	x, n := p.x, p.exchange
	p.mu.Unlock()
	snapshot := x.Snapshot()
	p.run.mu.Lock()
	defer p.run.mu.Unlock()
	p.run.looks = append(p.run.looks, look{n, snapshot})
}

// converge waits until the root's last word is known everywhere, as the newest.
func (run *realRun) converge() error {
	end := hakuban.MustObject("the end")
	expose := run.sites[0].x.ExposeObject(end)
	go func() {
		for sink := range expose.Sinks(run.ctx) {
			_ = sink.Send(hakuban.NewState("the end"))
			<-sink.Done()
		}
	}()
	for _, p := range run.sites {
		if p.connector != nil && p.connector.Snapshot().Connection == nil {
			p.reconnect() // at once, if it is not at it
		}
		observe := p.x.ObserveObject(end)
		stream, err := observe.Next(run.ctx)
		if err != nil {
			return fmt.Errorf("site %d: %w", p.number, err)
		}
		for {
			state, err := stream.Next(run.ctx)
			if err != nil {
				return fmt.Errorf("site %d has not seen the end: %w", p.number, err)
			}
			if state.Synchronized().Now() {
				break
			}
		}
		p.look()
	}
	return nil
}

func (run *realRun) close() {
	for _, p := range run.sites {
		if p.x != nil {
			p.x.Close()
		}
	}
	for _, p := range run.sites {
		if p.relay != nil {
			p.relay.close() // or the ends of connections that it broke would wait for each other
		}
	}
	for _, p := range run.sites {
		if p.listener != nil {
			p.listener.Close()
		}
		if p.connector != nil {
			p.connector.Close()
		}
	}
}

// application is one user of an exchange.
type application struct {
	site   *site
	first  bool // it looks after the site's exchange and its link as well
	random *rand.Rand

	x       *hakuban.Exchange
	observe []*hakuban.ObserveContract
	expose  []*hakuban.ExposeContract
	streams []*hakuban.Stream
	sinks   []*hakuban.Sink
	sent    int
}

func (a *application) live() {
	for range a.site.run.actions {
		a.site.mu.Lock()
		if x := a.site.x; x != a.x {
			*a = application{site: a.site, first: a.first, random: a.random, sent: a.sent, x: x}
		}
		a.site.mu.Unlock()
		a.act()
	}
}

// pick is one of a list, and where; false: it is empty.
func pick[T any](random *rand.Rand, list []T) (one T, at int, ok bool) {
	if len(list) == 0 {
		return one, 0, false
	}
	at = random.IntN(len(list))
	return list[at], at, true
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func remove[T any](list []T, at int) []T {
	list[at] = list[len(list)-1]
	return list[:len(list)-1]
}

func (a *application) act() {
	switch n := a.random.IntN(100); {
	case n < 14:
		a.open()
	case n < 19:
		a.close()
	case n < 22:
		if c, _, ok := pick(a.random, a.expose); ok {
			_ = c.SetCapacity(uint32(a.random.IntN(3)))
		}
	case n < 37:
		a.publish()
	case n < 44:
		a.read()
	case n < 48:
		a.release()
	case n < 96:
		a.await()
	case n < 98:
		a.site.look()
	case a.first:
		a.trouble()
	}
}

func (a *application) open() {
	run := a.site.run
	object, _, _ := pick(a.random, run.objects)
	tag, _, _ := pick(a.random, run.tags)
	onTag, capacity := a.random.IntN(3) == 0, hakuban.Capacity(uint32(a.random.IntN(3)))
	if observes := [...]int{6, 4}[min(a.site.number, 1)]; a.random.IntN(10) < observes { // states go up mostly
		switch {
		case run.narrow && len(a.observe) > 0:
		case onTag:
			a.observe = append(a.observe, a.x.ObserveTag(tag))
		default:
			a.observe = append(a.observe, a.x.ObserveObject(object))
		}
		return
	}
	switch {
	case run.narrow && len(a.expose) > 0:
	case onTag:
		a.expose = append(a.expose, a.x.ExposeTag(tag, capacity))
	default:
		a.expose = append(a.expose, a.x.ExposeObject(object, capacity))
	}
}

func (a *application) close() {
	if c, at, ok := pick(a.random, a.observe); ok && a.random.IntN(2) == 0 {
		c.Close()
		a.observe = remove(a.observe, at)
	} else if c, at, ok := pick(a.random, a.expose); ok {
		c.Close()
		a.expose = remove(a.expose, at)
	}
}

// take takes a sink or a stream, which it waits for until ctx ends.
func (a *application) take(ctx context.Context) {
	if c, _, ok := pick(a.random, a.expose); ok && a.random.IntN(2) == 0 {
		if sink, err := c.Next(ctx); err == nil {
			a.sinks = append(a.sinks, sink)
		}
	} else if c, _, ok := pick(a.random, a.observe); ok {
		if stream, err := c.Next(ctx); err == nil {
			a.streams = append(a.streams, stream)
		}
	}
}

func (a *application) publish() {
	if sink, at, ok := pick(a.random, a.sinks); ok {
		switch err := sink.Send(a.state()); {
		case errors.Is(err, hakuban.ErrRevoked), errors.Is(err, hakuban.ErrClosed):
			sink.Release()
			a.sinks = remove(a.sinks, at)
		}
	}
}

// state is one to publish. In a narrow run it is one of a few, mostly the next.
func (a *application) state() hakuban.State {
	run := a.site.run
	if run.narrow {
		number := a.random.IntN(narrowStates)
		if a.random.IntN(4) > 0 {
			run.mu.Lock()
			number = run.published
			run.published = min(run.published+1, narrowStates-1)
			run.mu.Unlock()
		}
		return hakuban.NewState(fmt.Sprint(number)).WithVersion(int64(number + 1))
	}
	a.sent++
	state := hakuban.NewState(strings.Repeat(fmt.Sprintf("%d of %d. ", a.sent, a.site.number), a.random.IntN(20)))
	switch a.random.IntN(8) {
	case 0: // which others may have published
		state = state.WithVersion(1, int64(a.random.IntN(6)))
	case 1:
		state = state.WithSynchronized(hakuban.LastAt(time.Now()))
	case 2:
		state = state.WithFormat("a", "b")
	}
	return state
}

func (a *application) read() {
	if s, at, ok := pick(a.random, a.streams); ok {
		if _, ok := s.Latest(); !ok && isClosed(s.Done()) {
			s.Release()
			a.streams = remove(a.streams, at)
		}
	}
}

func (a *application) release() {
	if s, at, ok := pick(a.random, a.sinks); ok && a.random.IntN(2) == 0 {
		s.Release()
		a.sinks = remove(a.sinks, at)
	} else if s, at, ok := pick(a.random, a.streams); ok {
		s.Release()
		a.streams = remove(a.streams, at)
	}
}

// await waits for something new, as an application does that has nothing else to do for up to a millisecond.
func (a *application) await() {
	ctx, cancel := context.WithTimeout(a.site.run.ctx, time.Duration(a.random.IntN(1000))*time.Microsecond)
	defer cancel()
	if s, _, ok := pick(a.random, a.streams); ok && a.random.IntN(2) == 0 {
		_, _ = s.Next(ctx)
	} else {
		a.take(ctx)
	}
}

// trouble is what befalls a link or an exchange.
func (a *application) trouble() {
	p := a.site
	switch kind := a.random.IntN(8); {
	case kind == 0 && !p.run.narrow:
		p.x.Close()
		p.begin()
	case p.connector == nil:
	case kind < 3:
		p.reconnect()
	case p.relay.breakOff(a.random) && kind > 3: // with 3 it is for the connector to make another link
		p.reconnect()
	}
}
