package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/wire"
	"hakuban/wire/diff"
)

// gain is the most that the input of a step may have added.
type gain struct {
	*books
	look     *Look
	bytes    int             // of a state or a name
	channels int             // of upstream
	objects  map[string]int  // asked for anew, with their sizes, by key
	tags     map[string]bool // by text
	states   int             // bytes that upstream may have been sent
	lifting  map[impl.LinkID]int
	newAsks  int // of these, those that are new to the link
	newNames int // and the bytes of their names
}

// newGain takes the input apart.
func newGain(l *Look, was *books) *gain {
	g := &gain{books: was, look: l, objects: map[string]int{}, tags: map[string]bool{}}
	g.states, g.lifting = g.lifts()
	if l.Input.Kind != impl.InputReceive {
		return g
	}
	event, err := wire.DecodeEvent(l.Input.Data, &wire.DefaultLimits)
	if err != nil || event.Kind != wire.EventMessage {
		g.channels++
		return g
	}
	for i := range event.Message.Control {
		g.asked(&event.Message.Control[i])
	}
	for i := range event.Message.Initialize {
		t := &event.Message.Initialize[i]
		if d, err := wire.NewDescriptor(t.Tags, t.JSON, nil); err == nil {
			g.bytes += chargedUpstream + sizeOfDescriptor(&d)
			g.channels++
			g.objects[d.Key] = sizeOfDescriptor(&d)
		}
	}
	g.brings(event.Channel.Number, event.Message.States)
	return g
}

func (g *gain) asked(action *wire.ControlAction) {
	switch action.Kind {
	case wire.ActionObserveObject, wire.ActionExposeObject:
		d, err := wire.NewDescriptor(action.Tags, action.JSON, nil)
		if _, again := g.objects[d.Key]; err != nil || again {
			return
		}
		o := objectByKey(g.snapshot, d.Key)
		g.objects[d.Key] = sizeOfDescriptor(&d)
		if o != nil {
			if link := linkOf(o, g.look.Input.Link); link != nil && (link.Observes || link.Exposes) {
				return
			}
		}
		g.newAsks++
		g.newNames += sizeOfDescriptor(&d)
	case wire.ActionObserveTag, wire.ActionExposeTag:
		if g.tags[action.JSON] {
			return
		}
		g.tags[action.JSON] = true
		for i := range g.snapshot.Tags {
			t := &g.snapshot.Tags[i]
			if t.JSON == action.JSON && slices.ContainsFunc(t.Links, func(l impl.TagLinkSnapshot) bool { return l.Link == g.look.Input.Link }) {
				return
			}
		}
		g.newAsks++
		g.newNames += sizeOfTag(action.JSON)
	}
}

// brings adds up the states that a message makes on a channel.
func (g *gain) brings(number uint64, actions []wire.StateAction) {
	var last *impl.State
	for i := range g.snapshot.Objects {
		o := &g.snapshot.Objects[i]
		for k := range o.Links {
			if o.Links[k].Link == g.look.Input.Link && o.Links[k].Sink.Number == number {
				last = o.Links[k].Sink.State
			}
		}
		for k := range o.Sources {
			if g.look.Input.Link == g.snapshot.Upstream && o.Sources[k].Number == number {
				last = o.Sources[k].State
			}
		}
	}
	for i := range actions {
		if actions[i].Kind != wire.StatePatch {
			continue
		}
		var old []byte
		format := actions[i].Format
		if last != nil {
			old = last.Data
			if !actions[i].HasFormat {
				format = last.Format
			}
		}
		data, err := diff.Patch(old, actions[i].Diff, wire.DefaultLimits.State)
		if err != nil {
			return
		}
		last = &impl.State{Version: actions[i].Version, Format: format, Data: data}
		g.bytes += sizeOfState(last)
	}
}

// takes is what a link took before the step, and with what the input added.
func (g *gain) takes(link impl.LinkID) taking {
	t := g.links[link].taking
	if link == g.look.Input.Link {
		t.asks += g.newAsks
		t.names += g.newNames
	}
	return t
}

func (g *gain) asksOf(link impl.LinkID) int { return g.takes(link).asks }

// potential is the most that may count against a link.
func (g *gain) potential(link impl.LinkID) int {
	sum := g.takes(link).names + g.bytes
	for i := range g.snapshot.Objects {
		o := &g.snapshot.Objects[i]
		l := linkOf(o, link)
		if l != nil {
			sum += sizeOfState(l.Sink.State)
		}
		_, anew := g.objects[o.Descriptor.Key]
		covered := link == g.look.Input.Link && (anew || slices.ContainsFunc(o.Descriptor.Tags, func(t string) bool { return g.tags[t] }))
		if !covered && (l == nil || !observes(l) && !exposes(l) && l.Sink.Number == 0) {
			continue
		}
		sum += sizeOfState(o.State)
		if len(o.Sources)+len(o.Outlets)+g.channels > 0 {
			sum += chargedUpstream + sizeOfDescriptor(&o.Descriptor)
		}
		for k := range o.Sources {
			sum += sizeOfState(o.Sources[k].State)
		}
	}
	return sum
}

// overdrawn reports whether a link may have taken more than one may.
func (g *gain) overdrawn(link impl.LinkID) bool {
	answers := g.channels
	for i := range g.snapshot.Objects {
		o := &g.snapshot.Objects[i]
		if len(o.Sources)+len(o.Outlets) > 0 {
			answers++
		}
	}
	t := g.takes(link)
	return t.asks+1+g.channels > g.limits.LinkObjects || g.records(link) > g.limits.LinkBytes || answers > g.limits.LinkObjects || g.potential(link) > g.limits.LinkBytes
}

// records is the most that a link may have in records and channels: of all objects.
func (g *gain) records(link impl.LinkID) int {
	return g.links[link].records + (len(g.snapshot.Objects)+len(g.objects))*(chargedRecord+2*chargedChannel)
}

func (g *gain) overdrawnUpstream() bool {
	return g.upstreamBytes+g.bytes > 2*g.limits.LinkBytes || g.upstreamChannels+1+g.channels > 2*g.limits.LinkObjects
}

// greedy says why a link should not have been ended for what it takes of what
// upstream allows; nil: it may have taken too much.
func (g *gain) greedy(is *books, link impl.LinkID) error {
	if !g.bounded {
		return fmt.Errorf("and there never was an upstream")
	}
	asks, bytes := g.room()
	opened := bytes / (chargedRecord + 2*chargedChannel)
	for _, other := range g.below {
		opened -= g.links[other].answers
	}
	opened -= g.channels
	by := [...]struct {
		what       string
		takes      func(impl.LinkID) int // at most
		took       func(*taking) int
		left, soon int
	}{
		{"objects and tags", func(l impl.LinkID) int { return g.takes(l).asks }, func(t *taking) int { return t.asks }, asks - max(g.told, g.asks) - g.newAsks, asks - g.asks - g.newAsks},
		{"bytes of names", func(l impl.LinkID) int { return g.takes(l).names }, func(t *taking) int { return t.names }, bytes - max(g.toldNames, g.names) - g.newNames - g.lifted, bytes - g.names - g.newNames - g.lifted},
		{"bytes of states", func(l impl.LinkID) int { return g.lifting[l] }, func(t *taking) int { return t.lifted }, bytes - g.toldNames - g.states, bytes - g.toldNames - g.states},
		{"of upstream's objects", func(l impl.LinkID) int { return g.links[l].answers + g.channels }, func(t *taking) int { return t.answers }, opened, opened},
	}
	var wrong error
	for _, r := range by {
		squeezed := r.left < 0
		for _, other := range g.below {
			squeezed = squeezed || r.takes(other)/greed > r.soon
		}
		if !squeezed {
			continue
		}
		if link == g.look.Input.Link && g.look.Input.Kind == impl.InputReceive {
			return nil // it asked for more
		}
		wrong = g.more(is, link, r.what, r.takes(link), r.took)
		if wrong == nil {
			return nil
		}
	}
	if wrong == nil {
		wrong = fmt.Errorf("and enough is left for others")
	}
	return wrong
}

// more says which link that goes on takes more than one that was ended; nil: none.
func (g *gain) more(is *books, link impl.LinkID, what string, atMost int, took func(*taking) int) error {
	for _, other := range is.below {
		takes := took(&is.links[other].taking)
		if takes > atMost || takes == atMost && other > link && takes > 0 {
			return fmt.Errorf("and link %d, which goes on, takes %d %s, it took %d at most", other, takes, what, atMost)
		}
	}
	return nil
}

// lifts is the most that upstream may have been sent, of all and of each link:
// what it has or, where that is more, what is held for it. What links brought that
// have ended does not count.
func (g *gain) lifts() (sum int, of map[impl.LinkID]int) {
	of = make(map[impl.LinkID]int)
	for i := range g.snapshot.Objects {
		o := &g.snapshot.Objects[i]
		from := g.life.brought[o.Number]
		for k := range o.Outlets {
			up := g.life.lifted[outletID{g.snapshot.Upstream, o.Outlets[k].Number}]
			size := sizeOfState(o.State)
			if up.by != 0 && g.links[up.by] == nil {
				up.size = 0
			}
			if o.Hollow {
				size = 0
			}
			sum += max(size, up.size)
			if from.link != 0 && from.link != g.snapshot.Upstream {
				of[from.link] += size
				if up.by == from.link {
					of[from.link] += max(0, up.size-size)
					continue
				}
			}
			if up.by != 0 {
				of[up.by] += up.size
			}
		}
	}
	return sum, of
}
