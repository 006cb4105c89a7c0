package impl

import (
	"fmt"
	"math"
	"slices"

	"hakuban/wire"
)

// The ledger says what each link makes this exchange hold.
//
// A charge is what one thing takes of one link, in bytes. Objects, tags and channels
// hold their charges, links hold the sums, and [Exchange.charge] alone changes
// either. At the end of each step [Exchange.judge] ends the links that take too
// much. Nothing before that ends a link for what it takes, but for a state that
// does not fit, which is not taken.

// account is what a charge is for.
type account uint8

const (
	names   account = iota // an object or tag that is asked for by name: by the link or, on the link to upstream, by us
	held                   // a channel of upstream, the last state that came in on a channel, a state held because of the link
	answers                // an object that upstream has channels on because of the link
	records                // an object that the link has a channel of and does not ask for by name, a channel that we opened
	left                   // a state whose exposer has gone, of an object that the link is the oldest to ask for
	pinned                 // a state that the link was sent last and that is not held any more
	lifted                 // a state that upstream was sent: on the link to upstream, and on the link that brought it
	letIn                  // a channel of upstream that a downstream link answers for, or did
	accounts
)

// charge is what one thing takes of one link. The zero charge is none.
type charge struct {
	books   *books
	account account
	bytes   int
}

// books are the sums of charges. Each link has some; those of the exchange are for
// what should be asked of upstream, and for states that upstream was sent of nobody
// downstream.
type books struct {
	link *link // nil: the exchange's
	sums [accounts]sum
	grew [accounts]bool // since the step began
}

type sum struct{ count, bytes int }

// charge sets, moves or (nil books) takes back a charge.
func (x *Exchange) charge(c *charge, to *books, account account, bytes int) {
	was := *c
	if to == nil {
		*c = charge{}
	} else {
		*c = charge{to, account, bytes}
	}
	if was == *c {
		return
	}
	if was.books != nil {
		s := &was.books.sums[was.account]
		s.count--
		s.bytes -= was.bytes
	}
	if to != nil {
		s := &to.sums[account]
		s.count++
		s.bytes += bytes
		if was.books != to || was.account != account || was.bytes < bytes {
			x.grew(to, account)
		}
	}
}

// grew has the judge look at a link.
func (x *Exchange) grew(b *books, account account) {
	if b.link == nil {
		return
	}
	if b.grew == ([accounts]bool{}) {
		x.grown = append(x.grown, b.link)
	}
	b.grew[account] = true
}

// Sizes in bytes, each an upper bound of the memory that the thing takes, by less
// than half: TestLedger_ChargesAreMemory measures them.
const (
	objectBytes   = 1250 // an object, its record on one link, its place in what upstream is told
	recordBytes   = 240  // one more record of an object
	tagBytes      = 670  // a tag, its record on one link, its place in what upstream is told
	carriedBytes  = 105  // a tag of an object
	channelBytes  = 160  // a channel that we opened
	upstreamBytes = 320  // one that upstream did
	stateBytes    = 120
	nameBytes     = 32 // a string beside its bytes
)

func objectSize(d *wire.Descriptor) int {
	size := objectBytes + len(d.Key) + len(d.JSON)
	for i := range d.Tags {
		size += carriedBytes + len(d.Tags[i]) + len(d.TagIdentities[i])
	}
	return size
}

func tagSize(text, identity string) int { return tagBytes + len(text) + len(identity) }

// size is what a state takes in bytes; of none, 0.
func (s *State) size() int {
	if s == nil {
		return 0
	}
	size := stateBytes + len(s.Data) + len(s.Data)/8 + 8*len(s.Version)
	for _, name := range s.Format {
		size += nameBytes + len(name)
	}
	return size
}

// chargeRecord charges a link for its record of an object.
func (x *Exchange) chargeRecord(ol *objectLink) {
	if ol.asked.any() {
		x.charge(&ol.charge, &ol.link.books, names, objectSize(&ol.object.descriptor))
	} else {
		x.charge(&ol.charge, &ol.link.books, records, recordBytes)
	}
}

// chargeTag charges a link for its contracts on a tag.
func (x *Exchange) chargeTag(tl *tagLink) {
	if tl.asked.any() {
		x.charge(&tl.charge, &tl.link.books, names, tagSize(tl.tag.text, tl.tag.identity))
	} else {
		x.charge(&tl.charge, nil, 0, 0)
	}
}

// chargeWanted charges the exchange for what upstream should be asked for.
func (x *Exchange) chargeWanted(c *charge, is bool, size int) {
	to := &x.books
	if !is {
		to = nil
	}
	x.charge(c, to, names, size)
}

// crossed notes the state that came in or went out on a channel last.
func (x *Exchange) crossed(c *channel, state *State) {
	c.last = state
	x.chargeChannel(c)
	if c.record == nil && !c.outlet {
		x.chargeAnswers(c.object)
	}
}

// pin charges for the states that links were sent last, which are not held any more.
func (x *Exchange) pin(o *object) {
	for _, outlet := range o.outlets {
		x.chargeChannel(outlet)
	}
	for _, ol := range o.links {
		if ol.stream != nil {
			x.chargeChannel(ol.stream)
		}
	}
}

// chargeChannel charges a link for the last state that came in on a channel, or for
// the one that went out on it and is pinned. A link that pins too much is sent the
// next state whole: what it was sent last is forgotten.
func (x *Exchange) chargeChannel(c *channel) {
	out := c.isOut()
	switch {
	case c.last == nil, out && c.last == c.object.held:
		x.charge(&c.kept, nil, 0, 0)
	case !out:
		x.charge(&c.kept, &c.link.books, held, c.last.size())
	case c.kept.books == nil:
		if c.link.sums[pinned].bytes+c.last.size() > x.config.Limits.LinkBytes {
			c.last = &State{Version: c.last.Version}
		}
		x.charge(&c.kept, &c.link.books, pinned, c.last.size())
	}
}

// closed takes back what a channel is charged with.
func (x *Exchange) closed(c *channel) {
	x.charge(&c.charge, nil, 0, 0)
	x.charge(&c.kept, nil, 0, 0)
	if c.upstreamEnd != nil {
		x.charge(&c.letIn, nil, 0, 0)
		x.charge(&c.up, nil, 0, 0)
		x.charge(&c.lifter, nil, 0, 0)
	}
}

// chargeObject charges the links for whose sake the exchange holds what it holds of
// an object, beside their own records and channels.
func (x *Exchange) chargeObject(o *object) {
	x.chargeAnswers(o)
	x.chargeHeld(o)
}

// chargeAnswers charges downstream links for the channels that upstream has open on
// an object: one for the object, and one, the observer, for the states. What they
// are charged with is let in. When nobody is left who answers, what was let in stays
// so until upstream, which has not heard yet, closes.
func (x *Exchange) chargeAnswers(o *object) {
	observer, answerer, size := o.observer(), o.answerer(), 0
	for _, channels := range [...][]*channel{o.sources, o.outlets} {
		for _, c := range channels {
			name, state := upstreamBytes+objectSize(&o.descriptor), c.stateIn().size()
			x.charge(&c.charge, &c.link.books, held, name)
			size += state
			switch before := c.letIn.bytes; {
			case observer != nil:
				x.charge(&c.letIn, &c.link.books, letIn, name+state)
			case answerer != nil:
				x.charge(&c.letIn, &c.link.books, letIn, max(name, min(before, name+state)))
			case before > 0:
				x.charge(&c.letIn, &c.link.books, letIn, min(before, name+state))
			}
		}
	}
	if answerer == nil {
		x.charge(&o.answers, nil, 0, 0)
	} else {
		x.charge(&o.answers, answerer, answers, upstreamBytes+objectSize(&o.descriptor))
	}
	if observer == nil || size == 0 {
		x.charge(&o.streamed, nil, 0, 0)
	} else {
		x.charge(&o.streamed, observer, held, size)
	}
}

// stateIn is the last state that came in on a channel with upstream.
func (c *channel) stateIn() *State {
	if c.outlet {
		return nil
	}
	return c.last
}

// observer is the oldest downstream link that observes an object which our own
// process has no observe contract on.
func (o *object) observer() *books {
	if len(o.observers) > 0 {
		return nil
	}
	for l := range o.observing {
		return &l.books
	}
	return nil
}

// answerer is the downstream link because of which upstream has channels open on an
// object: the oldest that observes it, or else the oldest that exposes it; nil: our
// own process has a contract on it, or nobody has any more.
func (o *object) answerer() *books {
	if len(o.sources)+len(o.outlets) == 0 || len(o.observers)+len(o.exposers) > 0 {
		return nil
	}
	if observer := o.observer(); observer != nil {
		return observer
	}
	for l := range o.exposing {
		return &l.books
	}
	return nil
}

// chargeHeld charges whoever keeps the state held that is not the last one of the
// channel it came on, or else it would be held at nobody's cost. A link ends for
// what it brought itself, but not for what others have left: where that is too much
// the state becomes hollow.
func (x *Exchange) chargeHeld(o *object) {
	if o.bringer != nil && !o.isOpen(o.bringer) {
		o.bringer = nil
	}
	keeper, account := o.keeper()
	if account == left {
		more := o.held.size()
		if o.kept.books == keeper && o.kept.account == left {
			more -= o.kept.bytes
		}
		if more > 0 && keeper.sums[left].bytes+more > x.config.Limits.LinkBytes {
			x.replaceHeld(o)
			keeper, account = o.keeper()
		}
	}
	x.charge(&o.kept, keeper, account, o.held.size())
}

// keeper is whom the state held is charged to when it is not the last one of the
// channel on which it came: the link that brought it, until that channel closes; when
// that is upstream, the observer; then, unless our own process has an observe
// contract on the object, the oldest link that asks for it, has a stream of it, or is
// upstream of it.
func (o *object) keeper() (*books, account) {
	switch {
	case o.held == nil || o.hollow || !o.foreign:
		return nil, 0
	case o.bringer != nil && o.bringer.last == o.held:
		return nil, 0
	case o.bringer != nil:
		if observer := o.observer(); o.bringer.record == nil && observer != nil {
			return observer, held
		}
		return &o.bringer.link.books, held
	case len(o.observers) > 0:
		return nil, 0
	}
	for _, ol := range o.links {
		if ol.observes || ol.exposes {
			return &ol.link.books, left
		}
	}
	for _, ol := range o.links {
		if ol.stream != nil { // it is to close, and the link is slow
			return &ol.link.books, left
		}
	}
	for _, channels := range [...][]*channel{o.outlets, o.sources} {
		if len(channels) > 0 {
			return &channels[0].link.books, left
		}
	}
	return nil, 0
}

// isOpen reports whether a channel on which states came in is open.
func (o *object) isOpen(c *channel) bool {
	if c.record == nil {
		return slices.Contains(o.sources, c)
	}
	at, found := o.findLink(c.link.id)
	return found && o.links[at].sink == c
}

// roomFor is how many bytes the next state on a channel may take.
func (x *Exchange) roomFor(c *channel) int {
	if c.record == nil && c.object.observer() != nil {
		return math.MaxInt // that link is charged, and is judged when the step is over
	}
	return x.allowance(c.link) - c.link.own() + c.kept.bytes
}

// own is all that is charged to a link but for what is judged apart.
func (l *link) own() int {
	if l.role == ToUpstream { // the names are what it is asked for
		return l.sums[held].bytes
	}
	return l.sums[names].bytes + l.sums[held].bytes + l.sums[answers].bytes
}

// allowance is how many bytes may be charged to a link. What downstream links answer
// for is let in besides from upstream, and as much again as any link may take: when a
// downstream link goes, upstream is still to close what it asked for. The same holds
// for channels.
func (x *Exchange) allowance(l *link) int {
	if l.role == ToUpstream {
		return 2*x.config.Limits.LinkBytes + l.sums[letIn].bytes
	}
	return x.config.Limits.LinkBytes
}

// excess says in which way a link takes more than one link may; nil: it does not.
func (x *Exchange) excess(l *link) error {
	limits := &x.config.Limits
	things := l.sums[names].count + len(l.theirs)
	allowed := limits.LinkObjects
	if l.role == ToUpstream {
		things, allowed = len(l.theirs), 2*limits.LinkObjects+l.sums[letIn].count
	}
	switch {
	case things > allowed || l.sums[answers].count > limits.LinkObjects:
		return errLinkObjects
	case l.own() > x.allowance(l) || l.sums[records].bytes > limits.LinkBytes:
		return errLinkBytes
	}
	return nil
}

// Reasons for ending a link.
const (
	errLinkObjects = limitError("the link holds contracts and channels on more objects and tags than the limit")
	errLinkBytes   = limitError("what the link makes this exchange hold takes more bytes than the limit")
	errGreedyAsks  = limitError("the link asks for so many objects and tags that upstream, which is asked for them, leaves too few to others")
	errGreedyNames = limitError("what the link asks for takes so many bytes that upstream, which is asked for it, leaves too few to others")
	errGreedyOpens = limitError("the link asks for so many of upstream's objects that upstream, which opens channels for them, leaves too few to others")
	errGreedyLifts = limitError("the states of the link take so many bytes that upstream, which wants them, leaves too few to others")
)

// judge ends the links that take too much, and queues withheld states for which
// there is room again. It is the last thing that happens in a step.
func (x *Exchange) judge() {
	for len(x.grown)+len(x.squeezed) > 0 {
		if len(x.grown) == 0 {
			c := x.squeezed[0]
			x.squeezed = x.squeezed[1:]
			x.judgeLifting(c)
			continue
		}
		l := x.grown[0]
		grew := l.grew
		x.grown, l.grew = x.grown[1:], [accounts]bool{}
		switch reason := x.excess(l); {
		case l.gone:
		case reason != nil:
			x.end(l, reason)
		case l.role == ToDownstream && x.bounded:
			if grew[names] {
				x.judgeAsking(l)
			}
			if grew[answers] {
				x.judgeOpening(l)
			}
		}
	}
	x.grown, x.squeezed = nil, nil
	if l := x.upstream; l != nil && l.outlets.first == nil { // else those that are queued have a claim to the room
		x.retry(l)
	}
}

// What an exchange makes its upstream hold is charged there to the one link that all
// its downstream links share. It is kept within what one link may take, and as many
// as can be are let in: a link may take more as long as it takes at most greed times
// what is left. Otherwise the link that takes most ends, the newest of equals; ended
// links do not count. So one alone has eight ninths, and those that ask for little
// always find something left.
//
// Upstream is thought to have our limits or wider ones.

const greed = 8

// roomUpstream is how many objects and tags upstream may be asked for, besides the
// control channel, and how many bytes it may be made to hold for us: an eighth less
// than one link may, for upstream may spell a name longer than we do, by a ninth:
// -0.0 for 0.0.
func (x *Exchange) roomUpstream() sum {
	limits := &x.config.Limits
	return sum{limits.LinkObjects - 1, limits.LinkBytes - limits.LinkBytes/8}
}

// leftUpstream is what is left of that: now, and when upstream has heard of all that
// is not asked for any more.
func (x *Exchange) leftUpstream() (now, soon sum) {
	room, lifts, wanted := x.roomUpstream(), 0, x.sums[names]
	told := wanted
	if x.upstream != nil {
		lifts, told = x.upstream.sums[lifted].bytes, x.upstream.sums[names]
	}
	now = sum{room.count - told.count, room.bytes - told.bytes - lifts}
	soon = sum{room.count - wanted.count, room.bytes - wanted.bytes - lifts}
	return now, soon
}

// judgeAsking ends links until one that asks for more leaves enough to others.
func (x *Exchange) judgeAsking(l *link) {
	asks := func(l *link) int { return l.sums[names].count }
	size := func(l *link) int { return l.sums[names].bytes }
	for !l.gone {
		now, soon := x.leftUpstream()
		switch {
		case asks(l)/greed > soon.count:
			x.end(x.greediest(asks), errGreedyAsks)
		case size(l)/greed > soon.bytes:
			x.end(x.greediest(size), errGreedyNames)
		case now.count < 0:
			x.end(l, errGreedyAsks)
		case now.bytes < 0:
			x.end(l, errGreedyNames)
		default:
			return
		}
	}
}

// judgeOpening does the same for the objects that upstream has channels open on
// because of a link: upstream has a record of each, and two channels at times.
func (x *Exchange) judgeOpening(l *link) {
	opened := func(l *link) int { return l.sums[answers].count }
	room := x.roomUpstream().bytes / (recordBytes + 2*channelBytes)
	for !l.gone && x.upstream != nil && opened(l)/greed > room-x.upstream.sums[letIn].count {
		left := room // without those of links that have ended, which are let in until upstream closes them
		for _, id := range sortedKeys(x.links) {
			left -= x.links[id].sums[answers].count
		}
		if opened(l)/greed <= left {
			return
		}
		x.end(x.greediest(opened), errGreedyOpens)
	}
}

// greediest is the downstream link that takes most, the newest of equals; nil: nobody
// takes anything.
func (x *Exchange) greediest(takes func(*link) int) (most *link) {
	for _, id := range sortedKeys(x.links) {
		l := x.links[id]
		if l.role == ToDownstream && takes(l) > 0 && (most == nil || takes(l) >= takes(most)) {
			most = l
		}
	}
	return most
}

// mayAsk checks that our own process may ask for what it does not ask for yet.
func (x *Exchange) mayAsk(size int, known bool) error {
	now, _ := x.leftUpstream()
	room := x.roomUpstream()
	switch {
	case !x.bounded || known:
		return nil
	case now.count < 1:
		return fmt.Errorf("%w: upstream may be asked for %d objects and tags, and is", ErrTooLarge, room.count)
	case now.bytes < size:
		return fmt.Errorf("%w: upstream may be made to hold %d bytes, and would be made to hold more", ErrTooLarge, room.bytes)
	}
	return nil
}

// mayLink says why an upstream cannot be linked to: more is asked for already.
func (x *Exchange) mayLink() error {
	wanted, room := x.sums[names], x.roomUpstream()
	if !x.bounded && (wanted.count > room.count || wanted.bytes > room.bytes) {
		return fmt.Errorf("%w: %d objects and tags of %d bytes are asked for, an upstream may be asked for %d and %d",
			ErrTooLarge, wanted.count, wanted.bytes, room.count, room.bytes)
	}
	x.bounded = true
	return nil
}

// lifts is how many bytes upstream was sent for downstream links, those included
// that have ended.
func (x *Exchange) lifts() int { return x.upstream.sums[lifted].bytes - x.sums[lifted].bytes }

// doomed is how many of these are of links that have ended: upstream is still to
// close what they exposed.
func (x *Exchange) doomed() int {
	bytes := x.lifts()
	for _, id := range sortedKeys(x.links) {
		if l := x.links[id]; l.role == ToDownstream {
			bytes -= l.sums[lifted].bytes
		}
	}
	return bytes
}

// judgeLifting ends links until there will be room for a state that was withheld.
func (x *Exchange) judgeLifting(c *channel) {
	lifts := func(l *link) int { return l.sums[lifted].bytes }
	for c.withheld.queued && !c.leftover && x.upstream == c.link {
		now, _ := x.leftUpstream()
		lifter, grows := x.lifter(c.object), c.grows()
		soon := now.bytes + x.doomed() - grows
		takes := lifts
		if l := lifter.link; l != nil {
			more := grows
			if c.lifter.books != lifter {
				more = c.up.bytes + grows
			}
			takes = func(other *link) int {
				if other == l {
					return lifts(l) + more
				}
				return lifts(other)
			}
			if takes(l)/greed <= soon {
				return
			}
		} else if soon >= 0 {
			return
		}
		most := x.greediest(takes)
		if most == nil {
			return
		}
		x.end(most, errGreedyLifts)
	}
}
