package hostile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"hakuban"
	"hakuban/transport"
)

// deadline is within what each state of the healthy pair must arrive, whatever others do to the router.
const deadline = time.Minute

// pulse is how often the pair exchanges a state by itself, so that it does during each input, too.
const pulse = 20 * time.Millisecond

var healthy = hakuban.MustObject("healthy")

// pair is an exposer and an observer that behave, on links of their own.
type pair struct {
	url     string
	t       *testing.T
	watcher *hakuban.Exchange // the observer's
	wanted  chan chan error

	mu    sync.Mutex
	worst time.Duration
}

func startPair(t *testing.T, url string) *pair {
	t.Helper()
	p := &pair{url: url, t: t, wanted: make(chan chan error)}
	limited, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	exposer := p.connect("healthy-exposer")
	p.watcher = p.connect("healthy-observer")
	expose := exposer.ExposeObject(healthy)
	stream, err := p.watcher.ObserveObject(healthy).Next(limited)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := expose.Next(limited)
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		p.run(sink, stream, stop)
	}()
	t.Cleanup(func() { close(stop); <-stopped })
	if err := p.beat(); err != nil {
		t.Fatalf("at first: %v", err)
	}
	return p
}

// connect makes an exchange below the router, one that is heard often enough wherever the router waits for seconds only.
func (p *pair) connect(name string) *hakuban.Exchange {
	x := hakuban.NewExchange(nil)
	p.t.Cleanup(x.Close)
	c, err := transport.Connect(x, p.url+"#keep-alive=100ms,name="+name, &transport.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(c.Close)
	return x
}

// run exchanges one state after another. The first failure is the answer to everybody who asks from then on.
func (p *pair) run(sink *hakuban.Sink, stream *hakuban.Stream, stop <-chan struct{}) {
	ticker := time.NewTicker(pulse)
	defer ticker.Stop()
	var err error
	for number := 1; ; number++ {
		var asked chan error
		select {
		case <-stop:
			return
		case <-ticker.C:
		case asked = <-p.wanted:
		}
		if err == nil {
			err = p.exchange(sink, stream, fmt.Sprint(number))
		}
		if asked != nil {
			asked <- err
		}
	}
}

// exchange sends one state and waits for it.
func (p *pair) exchange(sink *hakuban.Sink, stream *hakuban.Stream, want string) error {
	limited, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	begin := time.Now()
	if err := sink.Send(hakuban.NewState(want)); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	for {
		state, err := stream.Next(limited)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("state %s did not arrive within %v", want, deadline)
		case err != nil:
			return fmt.Errorf("stream: %w", err)
		}
		if string(state.Data()) == want {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.worst = max(p.worst, time.Since(begin))
	return nil
}

// beat has a state of now exchanged, and returns what went wrong with it or with one before.
func (p *pair) beat() error {
	answer := make(chan error, 1)
	p.wanted <- answer
	return <-answer
}

// slowest is how long the slowest state took so far.
func (p *pair) slowest() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.worst.Round(100 * time.Microsecond)
}
