package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"hakuban"
	"hakuban/transport"
)

// peer is the exchange with its links and contracts.
type peer struct {
	exchange  *hakuban.Exchange
	connector *transport.Connector
	unwatch   context.CancelFunc
	listener  *listener
	handles   map[string]*handle

	mutex   sync.Mutex // guards what follows
	output  *json.Encoder
	lastID  uint64
	sinks   map[uint64]*heldSink
	streams map[uint64]*heldStream
}

func (p *peer) print(line map[string]any) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	_ = p.output.Encode(line) // the test is gone when this fails; stdin's end is about to tell so
}

// event is an event line about an object.
func (p *peer) event(name, contract, noun string, id uint64, object hakuban.Object) {
	tags := []string{}
	for _, tag := range object.Tags() {
		tags = append(tags, tag.JSON())
	}
	slices.Sort(tags)
	p.print(map[string]any{"event": name, "contract": contract, noun: id, "tags": tags, "json": object.JSON()})
}

func (p *peer) run(r *request) (answer map[string]any, err error) {
	switch r.Do {
	case "connect":
		return nil, p.connect(r.URL)
	case "disconnect":
		if p.connector == nil {
			return nil, errors.New("not connected")
		}
		p.unwatch()
		p.connector.Close()
		p.connector = nil
		return nil, nil
	case "listen":
		if p.listener, err = listen(p.exchange, r.URL); err != nil {
			return nil, err
		}
		return map[string]any{"url": p.listener.URL()}, nil
	case "unlisten":
		return nil, errors.New("not by this library: its listener's links end with it")
	case "open":
		return nil, p.open(r)
	case "take":
		h := p.handles[r.Contract]
		if h == nil {
			return nil, fmt.Errorf("no contract named %q is open", r.Contract)
		}
		h.permit(r.Count)
		return nil, nil
	case "drop-contract":
		h := p.handles[r.Contract]
		if h == nil {
			return nil, fmt.Errorf("no contract named %q is open", r.Contract)
		}
		delete(p.handles, r.Contract)
		h.drop()
		return nil, nil
	case "send", "drop-sink":
		sink, err := find(p, p.sinks, r.Sink)
		if err != nil {
			return nil, err
		}
		if r.Do == "send" {
			return sink.send(r)
		}
		sink.drop()
		return nil, nil
	case "read", "drop-stream":
		stream, err := find(p, p.streams, r.Stream)
		if err != nil {
			return nil, err
		}
		if r.Do == "read" {
			stream.allowed <- r.Count
			return nil, nil
		}
		stream.drop()
		return nil, nil
	case "snapshot":
		return p.snapshot(r.Type)
	}
	return nil, fmt.Errorf("no command %q", r.Do)
}

func (p *peer) connect(url string) error {
	connector, err := transport.Connect(p.exchange, url, nil)
	if err != nil {
		return err
	}
	p.connector = connector
	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan struct{})
	p.unwatch = func() {
		cancel()
		<-watched
	}
	go func() {
		defer close(watched)
		p.watch(ctx, connector)
	}()
	return nil
}

// watch tells when the link to the parent comes and goes.
func (p *peer) watch(ctx context.Context, connector *transport.Connector) {
	var last uint64
	for ctx.Err() == nil {
		var current uint64
		if connection := connector.Snapshot().Connection; connection != nil {
			current = connection.Link
		}
		if current != last {
			if last != 0 {
				p.print(map[string]any{"event": "upstream-lost", "link": last})
			}
			if current != 0 {
				p.print(map[string]any{"event": "upstream-connected", "link": current})
			}
			last = current
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (p *peer) open(r *request) error {
	if p.handles[r.Contract] != nil {
		return fmt.Errorf("a contract named %q is open", r.Contract)
	}
	h := &handle{permits: make(chan struct{}, 1<<16)}
	var ctx context.Context
	ctx, h.cancel = context.WithCancel(context.Background())
	switch {
	case r.Object != nil && r.Kind == "observe", r.Tag != nil && r.Kind == "observe":
		contract, err := p.observe(r)
		if err != nil {
			return err
		}
		h.close = contract.Close
		h.hand(ctx, r.Take == "manual", func() error {
			stream, err := contract.Next(ctx)
			if err == nil {
				p.serveStream(r, stream)
			}
			return err
		})
	case r.Object != nil && r.Kind == "expose", r.Tag != nil && r.Kind == "expose":
		contract, err := p.expose(r)
		if err != nil {
			return err
		}
		h.close = contract.Close
		h.hand(ctx, r.Take == "manual", func() error {
			sink, err := contract.Next(ctx)
			if err == nil {
				p.serveSink(r, sink)
			}
			return err
		})
	default:
		return fmt.Errorf("cannot open a contract to %q", r.Kind)
	}
	p.handles[r.Contract] = h
	return nil
}

func (p *peer) observe(r *request) (*hakuban.ObserveContract, error) {
	if r.Tag != nil {
		tag, err := hakuban.ParseTag(*r.Tag)
		return p.exchange.ObserveTag(tag), err
	}
	object, err := hakuban.ParseObject(r.Object.JSON, r.Object.Tags...)
	return p.exchange.ObserveObject(object), err
}

func (p *peer) expose(r *request) (*hakuban.ExposeContract, error) {
	var options []hakuban.ExposeOption
	if r.Capacity != nil {
		options = append(options, hakuban.Capacity(*r.Capacity))
	}
	if r.Tag != nil {
		tag, err := hakuban.ParseTag(*r.Tag)
		return p.exchange.ExposeTag(tag, options...), err
	}
	object, err := hakuban.ParseObject(r.Object.JSON, r.Object.Tags...)
	return p.exchange.ExposeObject(object, options...), err
}

// handle is a contract in a goroutine of its own, which hands out what the contract gives at the pace the test asked for.
type handle struct {
	permits chan struct{}
	cancel  context.CancelFunc
	close   func()
	done    sync.WaitGroup
}

func (h *handle) hand(ctx context.Context, manual bool, next func() error) {
	h.done.Go(func() {
		for {
			if manual {
				select {
				case <-h.permits:
				case <-ctx.Done():
					return
				}
			}
			if next() != nil {
				return
			}
		}
	})
}

func (h *handle) permit(count int) {
	for range count {
		h.permits <- struct{}{}
	}
}

func (h *handle) drop() {
	h.cancel()
	h.done.Wait()
	h.close()
}
