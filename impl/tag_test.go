package impl

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"hakuban/internal/race"
	"hakuban/wire"
)

// Elections look at one candidate of a tag, however many there are, and steps at what changes: counted, not timed.
func TestTag_AnElectionLooksAtOneCandidateOfMany(t *testing.T) {
	work := func(workers int) (elect, end int) {
		c := newCrowd(Config{}, workers)
		client := LinkID(workers + 1)
		c.attach(client)
		for range 2 * workers { // twice round
			object := memoryName(elect)
			c.send(client, act(wire.ActionObserveObject, object, 0, crowdTag))
			elect = c.x.work
			o := c.x.objects[object1(object, crowdTag).Key]
			expect(t, "elected", o.elected.Kind, ElectedLink)
			expect(t, "records", len(o.links), 2)
			c.send(client, act(wire.ActionUnobserveObject, object, 0, crowdTag))
			end = c.x.work
			c.pullAll()
		}
		return elect, end
	}
	few, fewEnd := work(10)
	many, manyEnd := work(1000)
	t.Logf("things looked at: %d to elect, %d to end it", few, fewEnd)
	expect(t, "things looked at to elect one of 1,000", many, few)
	expect(t, "things looked at to end it", manyEnd, fewEnd)
}

// Of several tags all but the one that most links expose are gone through.
func TestTag_AnElectionBySeveralTagsLooksAtTheSmallerOnes(t *testing.T) {
	c := newCrowd(Config{}, 1000)
	c.send(3, act(wire.ActionExposeTag, `"u"`, 1))
	c.send(5, act(wire.ActionExposeTag, `"u"`, 4))
	c.attach(2000)
	c.send(2000, act(wire.ActionObserveObject, `1`, 0, crowdTag, `"u"`))
	expect(t, "elected: 1/5", c.x.objects[object1(`1`, crowdTag, `"u"`).Key].elected.Link, 5)
	if c.x.work > 12 {
		t.Errorf("the election looks at %d things", c.x.work)
	}
}

// A load limit that refuses a link for good is looked at once.
func TestTag_WhoIsRefusedForGoodIsNotLookedAtAgain(t *testing.T) {
	c := newCrowd(Config{}, 1000)
	for link := LinkID(1); link <= 1000; link++ {
		c.send(link, wire.ControlAction{Kind: wire.ActionSetLoadLimit, LoadLimit: []wire.LoadPoint{{Load: 0}}})
	}
	c.attach(2000)
	observe := func(object string) int {
		c.send(2000, act(wire.ActionObserveObject, object, 0, crowdTag))
		expect(t, "elected", c.x.objects[object1(object, crowdTag).Key].elected.Kind, ElectedNobody)
		return c.x.work
	}
	observe(`1`)
	if work := observe(`2`); work > 8 {
		t.Errorf("with nobody who may take an object, a step looks at %d things", work)
	}
	c.send(7, wire.ControlAction{Kind: wire.ActionSetLoadLimit})
	c.send(2000, act(wire.ActionObserveObject, `3`, 0, crowdTag))
	expect(t, "elected when a limit is gone", c.x.objects[object1(`3`, crowdTag).Key].elected.Link, 7)
}

// What links ask for by a tag is the tag's: objects do not pay for it.
func TestTag_ManyExposersOfManyObjectsTakeTheMemoryOfFew(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector takes memory of its own")
	}
	const objects = 10_000
	taken := func(workers int) int {
		before := memoryInUse()
		c := newCrowd(Config{Rebalance: true}, workers)
		c.attach(LinkID(workers + 1))
		c.on(LinkID(workers+1), wire.ActionObserveObject, objects)
		c.pullAll()
		forgetScratch(c.x)
		after := memoryInUse()
		expect(t, "objects", len(c.x.objects), objects)
		return after - before
	}
	few, many := taken(10), taken(1000)
	t.Logf("%d objects take %d bytes with 10 exposers of their tag, %d with 1,000", objects, few, many)
	if bound := few*6/5 + 990*2048; many > bound {
		t.Errorf("10,000 objects take %d bytes with 1,000 exposers of their tag, at most %d were expected", many, bound)
	}
}

// A tag contract costs an object nothing until a channel is open for it.
func TestTag_AnObjectThatATagCoversTakesNothing(t *testing.T) {
	c := newCrowd(Config{}, 0)
	c.attach(1)
	c.attach(2)
	c.on(1, wire.ActionObserveObject, 10_000)
	c.pullAll()
	before, charges := memoryInUse(), c.x.links[2].sums
	c.send(2, act(wire.ActionObserveTag, crowdTag, 0))
	forgetScratch(c.x)
	if taken := memoryInUse() - before; !race.Enabled && taken > 10_000 {
		t.Errorf("to observe a tag of 10,000 objects takes %d bytes", taken)
	}
	expect(t, "records charged", c.x.links[2].sums[records], charges[records])
	expect(t, "links of the tag", len(c.x.tags[crowdTag].links), 1)
	expect(t, "objects of the link", len(c.x.links[2].objects), 0)
}

// Whatever contracts, capacities and limits there are on several tags of an object, the candidate found is the best of all: Check
// compares it with all links that expose the object.
func TestTag_TheCandidateFoundIsTheBestOfAll(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := newCrowd(Config{Rebalance: true}, 0)
		const links = 6
		for link := LinkID(1); link <= links; link++ {
			c.attach(link)
		}
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			c.now.Mono += rapid.Int64Range(0, 2e9).Draw(r, "pause")
			id := rapid.Uint64Range(1, links).Draw(r, "link")
			l := c.x.links[LinkID(id)]
			capacity := rapid.Uint32Range(0, 3).Draw(r, "capacity")
			number := rapid.IntRange(0, 7).Draw(r, "object")
			var tags []string
			for bit := range 3 {
				if number>>bit&1 > 0 {
					tags = append(tags, fmt.Sprint(bit))
				}
			}
			var asked asks
			var action wire.ControlAction
			switch what := rapid.SampledFrom([]string{"expose a tag", "expose", "observe", "limit", "tick", "pull"}).Draw(r, "what"); what {
			case "expose a tag":
				tag := fmt.Sprint(number % 3)
				if tl := l.tags[tag]; tl != nil {
					asked = tl.asked
				}
				action = act(toggled(asked.exposes, capacity > 0, wire.ActionExposeTag, wire.ActionUnexposeTag, wire.ActionSetTagCapacity), tag, capacity)
			case "expose", "observe":
				if ol := l.objects[object1(memoryName(number), tags...).Key]; ol != nil {
					asked = ol.asked
				}
				kind := toggled(asked.exposes, capacity > 0, wire.ActionExposeObject, wire.ActionUnexposeObject, wire.ActionSetObjectCapacity)
				if what == "observe" {
					kind = toggled(asked.observes, false, wire.ActionObserveObject, wire.ActionUnobserveObject, 0)
				}
				action = act(kind, memoryName(number), capacity, tags...)
			case "limit":
				action = wire.ControlAction{Kind: wire.ActionSetLoadLimit}
				for range rapid.IntRange(0, 2).Draw(r, "points") {
					action.LoadLimit = append(action.LoadLimit, wire.LoadPoint{Seconds: rapid.Float32Range(0, 3).Draw(r, "seconds"), Load: rapid.Uint32Range(0, 3).Draw(r, "load")})
				}
			case "tick":
				c.x.Step(c.now, Input{Kind: InputTick})
			case "pull":
				c.pull(LinkID(id))
			}
			if action.Kind != 0 {
				c.send(LinkID(id), action)
			}
			if err := c.x.Check(); err != nil {
				r.Fatal(err)
			}
			if len(c.x.links) < links {
				r.Fatal("a link ended")
			}
		}
		for id := LinkID(links); id > 0; id-- {
			c.x.Step(c.now, Input{Kind: InputDetach, Link: id})
			if err := c.x.Check(); err != nil {
				r.Fatal(err)
			}
		}
		expect(t, "objects left", len(c.x.objects), 0)
		expect(t, "tags left", len(c.x.tags), 0)
	})
}

// toggled is an action that begins what is not there, and otherwise changes or ends it.
func toggled(is, change bool, begin, end, set wire.ActionKind) wire.ActionKind {
	switch {
	case !is:
		return begin
	case change:
		return set
	}
	return end
}
