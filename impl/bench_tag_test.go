package impl

import (
	"fmt"
	"math"
	"testing"

	"hakuban/wire"
)

// crowd is an exchange with links that one tag brings together.
type crowd struct {
	x      *Exchange
	now    Now
	buffer []byte
}

const crowdTag = `"t"`

// newCrowd attaches workers, links 1 and up, that expose the tag.
func newCrowd(config Config, workers int) *crowd {
	config.Limits = Limits{LinkBytes: math.MaxInt / 4, LinkObjects: 1 << 28}
	c := &crowd{x: New(config), now: Now{Mono: 1}, buffer: make([]byte, 0, 1<<17)}
	for link := LinkID(1); link <= LinkID(workers); link++ {
		c.attach(link)
		c.send(link, act(wire.ActionExposeTag, crowdTag, 1))
	}
	return c
}

func (c *crowd) attach(link LinkID) {
	c.x.Step(c.now, Input{Kind: InputAttach, Link: link, Role: ToDownstream, Name: "worker"})
	for _, event := range greeting() {
		c.x.Step(c.now, Input{Kind: InputReceive, Link: link, Data: wire.AppendEvent(nil, &event)})
	}
	c.pull(link)
}

func (c *crowd) send(link LinkID, actions ...wire.ControlAction) {
	event := contracts(actions...)
	c.x.Step(c.now, Input{Kind: InputReceive, Link: link, Data: wire.AppendEvent(nil, &event)})
	for c.x.Taking(link) {
		c.x.Step(c.now, Input{Kind: InputContinue, Link: link})
	}
}

// on has a link do something with objects of the tag, in messages of a thousand.
func (c *crowd) on(link LinkID, kind wire.ActionKind, objects int) {
	var actions []wire.ControlAction
	for i := range objects {
		actions = append(actions, act(kind, memoryName(i), 1, crowdTag))
		if len(actions) == 1000 || i == objects-1 {
			c.send(link, actions...)
			actions = actions[:0]
		}
	}
}

func (c *crowd) pull(link LinkID) {
	for c.x.links[link].ready {
		c.x.Step(c.now, Input{Kind: InputPull, Link: link, Buffer: c.buffer[:0], Budget: 1 << 16})
	}
}

func (c *crowd) pullAll() {
	for _, id := range sortedKeys(c.x.links) {
		c.pull(id)
	}
}

// BenchmarkStep_Elect is one of a thousand objects that a link asks for and asks for
// no longer, and for which one of many workers is elected.
func BenchmarkStep_Elect(b *testing.B) {
	for _, workers := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			c := newCrowd(Config{Rebalance: true}, workers)
			client := LinkID(workers + 1)
			c.attach(client)
			b.ReportAllocs()
			for b.Loop() {
				c.on(client, wire.ActionObserveObject, 1000)
				c.pullAll()
				c.on(client, wire.ActionUnobserveObject, 1000)
				c.pullAll()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/object")
		})
	}
}

// BenchmarkStep_TagContract is a contract on a tag of many objects, which one link has
// asked for, and which another begins to observe or to expose, and does so no longer.
// In either case nothing is sent.
func BenchmarkStep_TagContract(b *testing.B) {
	const objects = 1_000_000
	for _, row := range []struct {
		name               string
		workers            int
		before, begin, end wire.ActionKind
	}{
		{"observe what nobody exposes", 0, wire.ActionObserveObject, wire.ActionObserveTag, wire.ActionUnobserveTag},
		{"expose what others expose", 2, wire.ActionObserveObject, wire.ActionExposeTag, wire.ActionUnexposeTag},
	} {
		b.Run(row.name, func(b *testing.B) {
			c := newCrowd(Config{Rebalance: true}, row.workers)
			client, other := LinkID(row.workers+1), LinkID(row.workers+2)
			c.attach(client)
			c.attach(other)
			c.on(client, row.before, objects)
			c.pullAll()
			forgetScratch(c.x)
			idle := memoryInUse()
			c.send(other, act(row.begin, crowdTag, 1))
			forgetScratch(c.x)
			taken := memoryInUse() - idle
			c.send(other, act(row.end, crowdTag, 1))
			for b.Loop() {
				c.send(other, act(row.begin, crowdTag, 1))
				c.send(other, act(row.end, crowdTag, 1))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*objects), "ns/object")
			b.ReportMetric(float64(taken)/objects, "bytes/object")
		})
	}
}

// BenchmarkStep_Rebalance is a second of looking at objects that could move and do not.
func BenchmarkStep_Rebalance(b *testing.B) {
	const objects = 100_000
	for _, workers := range []int{2, 1000} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			c := newCrowd(Config{Rebalance: true}, workers)
			client := LinkID(workers + 1)
			c.attach(client)
			c.on(client, wire.ActionObserveObject, objects)
			c.pullAll()
			for b.Loop() {
				for end := c.now.Mono + 1e9; c.now.Mono < end; c.now.Mono += 1e6 {
					c.x.Step(c.now, Input{Kind: InputTick})
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e7, "percent-of-a-core")
		})
	}
}
