package checker

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/wire"
	"hakuban/wire/diff"
)

// books say what every link of an exchange takes, added up from a snapshot.
type books struct {
	limits   impl.Limits
	bounded  bool
	snapshot *impl.Snapshot
	life     *limitLife
	links    map[impl.LinkID]*linkBooks
	below    []impl.LinkID // in order

	asks, names     int // what upstream should be asked for
	told, toldNames int // what it is asked for, or will be once it is told
	lifted          int // bytes of states that it has

	upstreamBytes, upstreamChannels int
}

// taking is what one link takes.
type taking struct {
	asks    int // objects and tags that it has contracts on
	names   int // bytes of their descriptors
	bytes   int // all that counts against it
	answers int // objects that upstream has channels on because of it
	left    int // bytes of states that others have left
	lifted  int // bytes of its states that upstream has
}

type linkBooks struct {
	taking
	up bool
}

// sizeOfState is what a state takes in bytes; of none, 0.
func sizeOfState(s *impl.State) int {
	if s == nil {
		return 0
	}
	size := len(s.Data) + 8*len(s.Version)
	for _, name := range s.Format {
		size += 16 + len(name)
	}
	return size
}

func sizeOfDescriptor(d *wire.Descriptor) int {
	size := len(d.Key) + len(d.JSON)
	for i := range d.Tags {
		size += len(d.Tags[i]) + len(d.TagIdentities[i])
	}
	return size
}

// sizeOfTag is that of a tag, whose identity is its text where it is spelled as the
// simulator's are.
func sizeOfTag(json string) int { return 2 * len(json) }

// newBooks adds up a snapshot.
func newBooks(config *impl.Config, s *impl.Snapshot, life *limitLife) (*books, error) {
	b := &books{limits: config.Limits, bounded: life.bounded, snapshot: s, life: life, links: make(map[impl.LinkID]*linkBooks, len(s.Links))}
	for i := range s.Links {
		l := &s.Links[i]
		b.links[l.Link] = &linkBooks{up: l.Role == impl.ToUpstream}
		if l.Role == impl.ToDownstream {
			b.below = append(b.below, l.Link)
		}
		for k := range l.Told {
			b.told++
			if l.Told[k].Tag {
				b.toldNames += sizeOfTag(l.Told[k].Descriptor.JSON)
			} else {
				b.toldNames += sizeOfDescriptor(&l.Told[k].Descriptor)
			}
		}
	}
	for i := range s.Objects {
		if err := b.object(&s.Objects[i]); err != nil {
			return nil, err
		}
	}
	for i := range s.Tags {
		t := &s.Tags[i]
		size, asked := sizeOfTag(t.JSON), t.ObserveContracts+t.ExposeContracts > 0
		for k := range t.Links {
			asked = true
			b.asksFor(t.Links[k].Link, size)
		}
		b.want(asked, size)
	}
	return b, nil
}

func (b *books) want(asked bool, size int) {
	if asked {
		b.asks++
		b.names += size
	}
}

func (b *books) asksFor(link impl.LinkID, size int) {
	if l := b.links[link]; l != nil {
		l.asks++
		l.names += size
		l.bytes += size
	}
}

// room is how many objects and tags upstream may be asked for, and how many bytes
// it may be made to hold.
func (b *books) room() (asks, bytes int) {
	return b.limits.LinkObjects - 1, b.limits.LinkBytes - b.limits.LinkBytes/8
}

func (b *books) object(o *impl.ObjectSnapshot) error {
	size, asked := sizeOfDescriptor(&o.Descriptor), o.ObjectObserveContracts+o.ObjectExposeContracts > 0
	for i := range o.Links {
		l := &o.Links[i]
		if l.Observes || l.Exposes {
			asked = true
			b.asksFor(l.Link, size)
		}
		if at := b.links[l.Link]; at != nil {
			at.bytes += sizeOfState(l.Sink.State)
		}
	}
	b.want(asked, size)
	b.upstreamOf(o, size)
	for i := range o.Outlets {
		if up := b.life.lifted[outletID{b.snapshot.Upstream, o.Outlets[i].Number}]; up.size > 0 {
			b.lifted += up.size
			if l := b.links[up.by]; l != nil {
				l.lifted += up.size
			}
		}
	}
	return b.keeper(o)
}

// upstreamOf counts what upstream has open on an object against the link that
// answers for it.
func (b *books) upstreamOf(o *impl.ObjectSnapshot, size int) {
	states := 0
	for i := range o.Sources {
		states += sizeOfState(o.Sources[i].State)
	}
	channels := len(o.Sources) + len(o.Outlets)
	b.upstreamChannels += channels
	b.upstreamBytes += states + channels*size
	if channels == 0 || o.ObjectObserveContracts > 0 {
		return
	}
	observer := oldest(o, observes)
	if observer != 0 {
		b.links[observer].bytes += states
	}
	answerer := observer
	if answerer == 0 {
		answerer = oldest(o, exposes)
	}
	if answerer != 0 && o.ObjectExposeContracts == 0 {
		b.links[answerer].bytes += size
		b.links[answerer].answers++
	}
}

// oldest is the lowest link that asks for something on an object; zero: none.
func oldest(o *impl.ObjectSnapshot, asks func(*impl.ObjectLinkSnapshot) bool) (link impl.LinkID) {
	for i := range o.Links {
		if asks(&o.Links[i]) && (link == 0 || o.Links[i].Link < link) {
			link = o.Links[i].Link
		}
	}
	return link
}

// keeper counts a state that is held, and that is not the last one of the channel
// it came on, against whom it is held for.
func (b *books) keeper(o *impl.ObjectSnapshot) error {
	from := b.life.brought[o.Number]
	if o.State == nil || o.Hollow || !from.foreign {
		return nil
	}
	size := sizeOfState(o.State)
	if from.link != 0 {
		for i := range o.Sources {
			if from.link == b.snapshot.Upstream && o.Sources[i].Number == from.channel && slices.Equal(o.Sources[i].Version, o.State.Version) {
				return nil
			}
		}
		if l := linkOf(o, from.link); l != nil && l.Sink.Number == from.channel && slices.Equal(l.Sink.Version, o.State.Version) {
			return nil
		}
		keeper := from.link
		if observer := oldest(o, observes); keeper == b.snapshot.Upstream && observer != 0 && o.ObjectObserveContracts == 0 {
			keeper = observer
		}
		if b.links[keeper] == nil {
			return fmt.Errorf("object %s was brought by link %d, which is not known", o.Descriptor.Key, keeper)
		}
		b.links[keeper].bytes += size
		return nil
	}
	if o.ObjectObserveContracts > 0 {
		return nil
	}
	keeper := oldest(o, func(l *impl.ObjectLinkSnapshot) bool { return l.Observes || l.Exposes })
	if keeper == 0 {
		keeper = oldest(o, func(l *impl.ObjectLinkSnapshot) bool { return l.Stream.Number != 0 })
	}
	if keeper == 0 && len(o.Sources)+len(o.Outlets) > 0 {
		keeper = b.snapshot.Upstream
	}
	if l := b.links[keeper]; l != nil {
		l.left += size
	}
	return nil
}

// ownAlone reports whether the states of our own process alone are more than
// upstream may be made to hold: that is for upstream to say.
func (b *books) ownAlone(bytes int) bool {
	sum := b.toldNames
	for _, up := range b.life.lifted {
		if b.links[up.by] == nil {
			sum += up.size
		}
	}
	return sum > bytes
}

// sizeOf is that of the name that a contract would be on.
func (b *books) sizeOf(in *impl.Input) int {
	if in.ContractKind == impl.ObserveTag || in.ContractKind == impl.ExposeTag {
		return sizeOfTag(in.Descriptor.JSON)
	}
	return sizeOfDescriptor(&in.Descriptor)
}

// grew reports whether a link asked for something anew in a step.
func (t *linkBooks) grew(l *Look) bool {
	event, err := wire.DecodeEvent(l.Input.Data, &wire.DefaultLimits)
	if err != nil || event.Message.Kind != wire.MessageUpstreamControl {
		return false
	}
	asked := func(s *impl.Snapshot) (n int) {
		for i := range s.Objects {
			if link := linkOf(&s.Objects[i], l.Input.Link); link != nil && (link.Observes || link.Exposes) {
				n++
			}
		}
		for i := range s.Tags {
			for k := range s.Tags[i].Links {
				if s.Tags[i].Links[k].Link == l.Input.Link {
					n++
				}
			}
		}
		return n
	}
	return asked(l.Snapshot) > asked(l.Before)
}

// remember enters which channel brought what is held now, and what upstream has.
func (c *Limits) remember(l *Look, life *limitLife) {
	var number uint64
	if l.Input.Kind == impl.InputReceive {
		if event, err := wire.DecodeEvent(l.Input.Data, &wire.DefaultLimits); err == nil {
			number = event.Channel.Number
		}
	}
	known := make(map[uint64]bool, len(l.Snapshot.Objects))
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		known[o.Number] = true
		c.rememberOutlets(l, life, o)
		if o.State == nil {
			delete(life.brought, o.Number)
			continue
		}
		from, b := life.brought[o.Number], findObject(l.Before, o.Number)
		if b == nil || b.State == nil || !slices.Equal(b.State.Version, o.State.Version) || b.Hollow && !o.Hollow {
			from = c.bringer(l, o, number)
		}
		if from.link != 0 && !opens(l.Snapshot, o, from) {
			from.link = 0
		}
		life.brought[o.Number] = from
	}
	for object := range life.brought {
		if !known[object] {
			delete(life.brought, object)
		}
	}
}

// bringer is the channel on which the state held came in this step: the one that a
// message came on, or, of a hollow state that was filled, any that has it.
func (c *Limits) bringer(l *Look, o *impl.ObjectSnapshot, number uint64) brought {
	var any brought
	consider := func(link impl.LinkID, channel *impl.ChannelSnapshot) bool {
		if channel.Number == 0 || channel.State == nil || !slices.Equal(channel.Version, o.State.Version) {
			return false
		}
		any = brought{true, link, channel.Number}
		return l.Input.Kind == impl.InputReceive && link == l.Input.Link && channel.Number == number
	}
	if l.Input.Kind == impl.InputPublish {
		return any
	}
	for i := range o.Sources {
		if consider(l.Snapshot.Upstream, &o.Sources[i]) {
			return any
		}
	}
	for i := range o.Links {
		if consider(o.Links[i].Link, &o.Links[i].Sink) {
			return any
		}
	}
	if l.Input.Kind == impl.InputReceive {
		any.foreign = true
	}
	return any
}

// opens reports whether the channel that brought a state is open.
func opens(s *impl.Snapshot, o *impl.ObjectSnapshot, from brought) bool {
	if from.link == s.Upstream {
		return slices.ContainsFunc(o.Sources, func(c impl.ChannelSnapshot) bool { return c.Number == from.channel })
	}
	l := linkOf(o, from.link)
	return l != nil && l.Sink.Number == from.channel
}

// rememberOutlets enters what upstream was sent.
func (c *Limits) rememberOutlets(l *Look, life *limitLife, o *impl.ObjectSnapshot) {
	b := findObject(l.Before, o.Number)
	for i := range o.Outlets {
		channel := &o.Outlets[i]
		if l.Input.Kind != impl.InputPull || channel.Version == nil {
			continue
		}
		if b != nil && slices.ContainsFunc(b.Outlets, func(was impl.ChannelSnapshot) bool {
			return was.Number == channel.Number && slices.Equal(was.Version, channel.Version)
		}) {
			continue
		}
		up := lifted{size: sizeOfState(channel.State)}
		if from := life.brought[o.Number]; from.foreign && from.link != l.Snapshot.Upstream {
			up.by = from.link
		}
		life.lifted[outletID{l.Snapshot.Upstream, channel.Number}] = up
	}
}

// keep drops what is over from memory.
func (c *Limits) keep(l *Look, life *limitLife) {
	open := make(map[outletID]bool)
	for i := range l.Snapshot.Objects {
		for k := range l.Snapshot.Objects[i].Outlets {
			open[outletID{l.Snapshot.Upstream, l.Snapshot.Objects[i].Outlets[k].Number}] = true
		}
	}
	for id := range life.lifted {
		if !open[id] {
			delete(life.lifted, id)
		}
	}
	for id := range life.waits {
		if !open[id] {
			delete(life.waits, id)
		}
	}
}

// gain is the most that the input of a step may have added.
type gain struct {
	*books
	look     *Look
	bytes    int             // of a state or a name
	channels int             // of upstream
	objects  map[string]int  // asked for anew, with their sizes, by key
	tags     map[string]bool // by text
	newAsks  int             // of these, those that are new to the link
	newNames int             // and the bytes of their names
}

// newGain takes the input apart.
func newGain(l *Look, was *books) *gain {
	g := &gain{books: was, look: l, objects: map[string]int{}, tags: map[string]bool{}}
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
			g.bytes += sizeOfDescriptor(&d)
			g.channels++
			g.objects[d.Key] = sizeOfDescriptor(&d)
		}
	}
	g.states(event.Channel.Number, event.Message.States)
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

// states adds up the states that a message makes on a channel.
func (g *gain) states(number uint64, actions []wire.StateAction) {
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
			sum += sizeOfDescriptor(&o.Descriptor)
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
	return t.asks+1+g.channels > g.limits.LinkObjects || answers > g.limits.LinkObjects || g.potential(link) > g.limits.LinkBytes
}

func (g *gain) overdrawnUpstream() bool {
	return g.upstreamBytes+g.bytes > 2*g.limits.LinkBytes || g.upstreamChannels+1+g.channels > 2*g.limits.LinkObjects
}

// greedy says why a link should not have been ended for what it takes of what
// upstream allows; nil: it may have taken too much.
func (g *gain) greedy(link impl.LinkID, ended []impl.LinkID) error {
	if !g.bounded {
		return fmt.Errorf("and there never was an upstream")
	}
	asks, bytes := g.room()
	states, lifts := g.lifts()
	by := [...]struct {
		what       string
		takes      func(impl.LinkID) int
		left, soon int
	}{
		{"objects and tags", func(l impl.LinkID) int { return g.takes(l).asks }, asks - max(g.told, g.asks) - g.newAsks, asks - g.asks - g.newAsks},
		{"bytes of names", func(l impl.LinkID) int { return g.takes(l).names }, bytes - max(g.toldNames, g.names) - g.newNames - g.lifted, bytes - g.names - g.newNames - g.lifted},
		{"bytes of states", func(l impl.LinkID) int { return lifts[l] }, bytes - g.toldNames - states, bytes - g.toldNames - states},
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
		wrong = g.more(link, ended, r.what, r.takes)
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
func (g *gain) more(link impl.LinkID, ended []impl.LinkID, what string, takes func(impl.LinkID) int) error {
	for _, other := range g.below {
		if slices.Contains(ended, other) || g.links[other].up {
			continue
		}
		if takes(other) > takes(link) || takes(other) == takes(link) && other > link && takes(link) > 0 {
			return fmt.Errorf("and link %d, which goes on, takes %d %s, it took %d", other, takes(other), what, takes(link))
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
