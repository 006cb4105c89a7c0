// Command waits measures how long a healthy pair of peers waits at most, while another link gives an exchange much to do. All are in
// one process: the pair has a pipe each, and the link that makes the work says by hand what its peer would send.
//
//	cd tests/bench && go run ./waits [-objects N] [-only LOAD]
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"time"

	"hakuban"
	"hakuban/transport"
	"hakuban/wire"
)

func main() {
	objects := flag.Int("objects", 100_000, "how many `OBJECTS` the work is about")
	only := flag.String("only", "", "the `LOAD` to measure; all if empty")
	flag.Parse()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	for _, l := range loads {
		if *only == "" || *only == l.name {
			if err := measure(l, *objects); err != nil {
				fmt.Fprintf(os.Stderr, "waits: %s: %v\n", l.name, err)
				os.Exit(1)
			}
		}
	}
}

// load is something that takes an exchange long. It prepares, and returns what is done while the pair is measured.
type load struct {
	name string
	run  func(x *hakuban.Exchange, objects int) (func() error, error)
}

var loads = []load{
	{"quiet", func(*hakuban.Exchange, int) (func() error, error) {
		return func() error { time.Sleep(2 * time.Second); return nil }, nil
	}},
	{"one message that observes all", func(x *hakuban.Exchange, objects int) (func() error, error) {
		link, err := join(x)
		if err != nil {
			return nil, err
		}
		message := asking(wire.ActionObserveObject, objects)
		return func() error { return link.Receive(message) }, nil
	}},
	{"who observes all leaves", func(x *hakuban.Exchange, objects int) (func() error, error) {
		link, err := join(x)
		if err != nil {
			return nil, err
		}
		return func() error { link.Detach(nil); return nil }, link.Receive(asking(wire.ActionObserveObject, objects))
	}},
	{"a tag of all is exposed and not, ten times", func(x *hakuban.Exchange, objects int) (func() error, error) {
		link, err := join(x)
		if err != nil {
			return nil, err
		}
		other, err := join(x)
		if err != nil {
			return nil, err
		}
		return func() error {
			for i := range 10 {
				kind := []wire.ActionKind{wire.ActionExposeTag, wire.ActionUnexposeTag}[i%2]
				if err := other.Receive(control(wire.ControlAction{Kind: kind, JSON: `"all"`, Capacity: 1})); err != nil {
					return err
				}
			}
			return nil
		}, link.Receive(asking(wire.ActionObserveObject, objects))
	}},
	{"two expose all, a third observes the tag: 3 s", func(x *hakuban.Exchange, objects int) (func() error, error) {
		for range 2 {
			link, err := join(x)
			if err != nil {
				return nil, err
			}
			if err := link.Receive(asking(wire.ActionExposeObject, objects)); err != nil {
				return nil, err
			}
		}
		observer, err := join(x)
		if err != nil {
			return nil, err
		}
		if err := observer.Receive(control(wire.ControlAction{Kind: wire.ActionObserveTag, JSON: `"all"`})); err != nil {
			return nil, err
		}
		return func() error { time.Sleep(3 * time.Second); return nil }, nil
	}},
	{"three snapshots", func(x *hakuban.Exchange, objects int) (func() error, error) {
		link, err := join(x)
		if err != nil {
			return nil, err
		}
		return func() error {
			for range 3 {
				x.Snapshot()
			}
			return nil
		}, link.Receive(asking(wire.ActionObserveObject, objects))
	}},
}

var controlChannel = wire.ChannelID{Origin: wire.DownstreamOriginated, Number: 1}

func control(actions ...wire.ControlAction) []byte {
	return wire.AppendEvent(nil, &wire.Event{Kind: wire.EventMessage, Channel: controlChannel,
		Message: wire.Message{Kind: wire.MessageUpstreamControl, Control: actions}})
}

func asking(kind wire.ActionKind, objects int) []byte {
	actions := make([]wire.ControlAction, objects)
	for i := range actions {
		actions[i] = wire.ControlAction{Kind: kind, JSON: strconv.Itoa(i), Tags: []string{`"all"`}, Capacity: 1}
	}
	return control(actions...)
}

// join attaches a link, whose peer has said who it is. What the exchange sends is dropped.
func join(x *hakuban.Exchange) (*hakuban.Link, error) {
	link, err := x.AttachDownstream(hakuban.LinkOptions{})
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			select {
			case <-link.Ready():
				for more := true; more; {
					_, more, err = link.Pull(nil, 64<<10)
					more = more && err == nil
				}
			case <-link.Done():
				return
			}
		}
	}()
	for _, e := range []wire.Event{
		{Kind: wire.EventOpen, Channel: controlChannel},
		{Kind: wire.EventMessage, Channel: controlChannel, Message: wire.Message{Kind: wire.MessageUninitialized,
			Initialize: []wire.ChannelType{{Kind: wire.ChannelUpstreamControl}}}},
	} {
		if err := link.Receive(wire.AppendEvent(nil, &e)); err != nil {
			return nil, err
		}
	}
	return link, nil
}

// measure has a pair exchange states while the load runs, and prints how old they were when they were seen.
func measure(l load, objects int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	x := hakuban.NewExchange(&hakuban.Options{Rebalance: true, RebalanceThreshold: hakuban.DefaultRebalanceThreshold})
	defer x.Close()
	var pair [2]*hakuban.Exchange
	for i := range pair {
		pair[i] = hakuban.NewExchange(nil)
		defer pair[i].Close()
		pipe, err := transport.Pipe(x, pair[i], nil)
		if err != nil {
			return err
		}
		defer pipe.Close()
	}
	object := hakuban.MustObject("healthy")
	stream, err := pair[0].ObserveObject(object).Next(ctx)
	if err != nil {
		return err
	}
	sink, err := pair[1].ExposeObject(object).Next(ctx)
	if err != nil {
		return err
	}
	work, err := l.run(x, objects)
	if err != nil {
		return err
	}
	time.Sleep(500 * time.Millisecond)
	begin := time.Now()
	done := make(chan error, 1)
	go func() { done <- work() }()
	var ages []time.Duration
	for over := false; !over; {
		select {
		case err := <-done:
			if err != nil {
				return err
			}
			over = true
		default:
		}
		data := binary.BigEndian.AppendUint64(nil, uint64(time.Since(begin)))
		if err := sink.Send(hakuban.NewState(data)); err != nil {
			return err
		}
		for seen := false; !seen; {
			state, err := stream.Next(ctx)
			if err != nil {
				return err
			}
			seen = string(state.Data()) == string(data)
		}
		ages = append(ages, time.Since(begin)-time.Duration(binary.BigEndian.Uint64(data)))
		time.Sleep(time.Millisecond)
	}
	took := time.Since(begin)
	slices.Sort(ages)
	at := func(part int) time.Duration {
		return ages[min(len(ages)-1, len(ages)*part/1000)].Round(10 * time.Microsecond)
	}
	fmt.Printf("%-46s took %8v  pair: %5d states, p50 %8v  p99 %8v  max %8v\n", l.name, took.Round(time.Millisecond), len(ages), at(500), at(990), ages[len(ages)-1].Round(10*time.Microsecond))
	return nil
}
