package impl

import (
	"fmt"
	"slices"
)

// What an exchange makes its upstream hold counts there against the one link that
// all below it share. It is kept within what may count against a link, and as many
// as can be are let in: a link below may take more as long as all that it takes is at
// most greed times what is left. Otherwise the link that takes most ends. So one
// alone has eight ninths, and those that ask for little always find something left.
//
// Upstream is thought to have our limits or wider ones.

const greed = 8

const (
	errAskedAbove = limitError("the link asks for so many objects and tags that upstream, which is asked for them, is left too little for others")
	errNamedAbove = limitError("the names of what the link asks for take so many bytes that upstream, which is asked for it, is left too little for others")
	errSentAbove  = limitError("the states of the link take so many bytes that upstream, which wants them, is left too little for others")
)

// above is what upstream is asked for, or should be.
type above struct {
	asks  int // objects and tags
	names int // their descriptors' bytes
}

func (a *above) add(size, sign int) {
	a.asks += sign
	a.names += sign * size
}

// asked is what upstream is asked for, or will be when a control message under way
// is over. What is to be taken back still counts.
func (x *Exchange) asked() above {
	a := x.wanted
	if x.upstream != nil {
		a = x.upstream.asked
	}
	return above{a.asks + x.fresh.asks, a.names + x.fresh.names}
}

// roomAbove is how many objects and tags may be asked of upstream, whose link has a
// control channel besides, and how many bytes may count against us there; an eighth
// less, for upstream may spell a name longer than we do, by a ninth: -0.0 for 0.0.
func (x *Exchange) roomAbove() (asks, bytes int) {
	limits := &x.config.Limits
	return limits.LinkObjects - 1, limits.LinkBytes - limits.LinkBytes/8
}

// raise checks that a link may ask for one more object or tag, whose name has a
// size, and that upstream knows of or does not.
func (x *Exchange) raise(l *link, size int, known bool) error {
	if !x.bounded {
		return nil
	}
	more := above{}
	if !known {
		more.add(size, 1)
	}
	asked, wanted := x.asked(), above{x.wanted.asks + x.fresh.asks, x.wanted.names + x.fresh.names}
	asks, bytes := x.roomAbove()
	// What links that have ended took does not count when it is to be said who takes too much.
	now, soon := asks-asked.asks-more.asks, asks-wanted.asks-more.asks
	if x.share(l, 1, soon, errAskedAbove, func(l *link) int { return l.asks + len(l.tags) }) == l || now < 0 {
		return errAskedAbove
	}
	now, soon = bytes-asked.names-more.names-x.lifted(), bytes-wanted.names-more.names-x.lifted()
	if x.share(l, size, soon, errNamedAbove, func(l *link) int { return l.names }) == l || now < 0 {
		return errNamedAbove
	}
	x.fresh.add(more.names, more.asks)
	return nil
}

// share says who takes too much when a link takes so much more and so much is then
// left, and notes that it is to end: this link, or another that takes more; nil:
// nobody does.
func (x *Exchange) share(l *link, more, left int, reason error, takes func(*link) int) *link {
	taken := takes(l) + more
	for _, g := range x.greedy {
		left += takes(g.link)
	}
	if taken/greed <= left {
		return nil
	}
	most := x.greediest(takes)
	if most == nil || takes(most) <= taken {
		most = l
	}
	x.greedy = append(x.greedy, greedyLink{most, reason})
	return most
}

// greediest is the link below that takes most, the newest of equals; nil: nobody
// takes anything.
func (x *Exchange) greediest(takes func(*link) int) (most *link) {
	for _, id := range sortedKeys(x.links) {
		l := x.links[id]
		if l.role == ToDownstream && takes(l) > 0 && !x.isGreedy(l) && (most == nil || takes(l) >= takes(most)) {
			most = l
		}
	}
	return most
}

// greedyLink is a link that is to end when the step is over.
type greedyLink struct {
	link   *link
	reason error
}

func (x *Exchange) isGreedy(l *link) bool {
	return slices.ContainsFunc(x.greedy, func(g greedyLink) bool { return g.link == l })
}

// raiseOwn checks that a contract of our own process may ask for what it is on.
func (x *Exchange) raiseOwn(size int, known bool) error {
	if !x.bounded || known {
		return nil
	}
	asked := x.asked()
	asks, bytes := x.roomAbove()
	if asked.asks >= asks {
		return fmt.Errorf("%w: upstream may be asked for %d objects and tags, and is", ErrTooLarge, asks)
	}
	if asked.names+size+x.lifted() > bytes {
		return fmt.Errorf("%w: upstream may be made to hold %d bytes, with the name it would be more", ErrTooLarge, bytes)
	}
	return nil
}

// fitsAbove says why an upstream cannot be linked to: more is asked for already.
func (x *Exchange) fitsAbove() error {
	asks, bytes := x.roomAbove()
	if x.wanted.asks > asks || x.wanted.names > bytes {
		return fmt.Errorf("%w: %d objects and tags with names of %d bytes are asked for, an upstream may be asked for %d and %d",
			ErrTooLarge, x.wanted.asks, x.wanted.names, asks, bytes)
	}
	return nil
}

// knowsObject and knowsTag report whether upstream is asked for it, or will be.

func (x *Exchange) knowsObject(key string) bool {
	if x.upstream != nil && x.upstream.told[key] != nil {
		return true
	}
	o := x.objects[key]
	return o != nil && o.wanted
}

func (x *Exchange) knowsTag(identity string) bool {
	if x.upstream != nil && x.upstream.toldTags[identity] != nil {
		return true
	}
	t := x.tags[identity]
	return t != nil && t.wanted
}

// want keeps count of what upstream should be asked for.
func (x *Exchange) want(wanted *bool, is bool, size int) {
	if *wanted == is {
		return
	}
	*wanted = is
	sign := 1
	if !is {
		sign = -1
	}
	x.wanted.add(size, sign)
}

// lifted is how many bytes the last states take that went up on open outlets.
func (x *Exchange) lifted() int {
	if x.upstream == nil {
		return 0
	}
	return x.upstream.lifted
}

// lift checks that the state that an outlet owes may go up, and counts it. One for
// which there is no room is withheld until there is.
func (x *Exchange) lift(c *channel) bool {
	o, l := c.object, c.link
	state, _ := o.shown(c.last, c.flag)
	if c.last != nil && slices.Equal(c.last.Version, state.Version) {
		return true // the flag alone
	}
	lifter, size := o.lifter(), state.size()
	if size > c.lifted && !x.mayLift(c, lifter, size) {
		x.withhold(c)
		return false
	}
	shrinks := size < c.lifted
	c.lower()
	c.lifted, c.lifter = size, lifter
	l.lifted += size
	if lifter != nil {
		lifter.lifted += size
	}
	if shrinks {
		x.retry(l)
	}
	return true
}

// mayLift says whether there is room for a state of a lifter, or of nobody below,
// and who ends if there is too little.
func (x *Exchange) mayLift(c *channel, lifter *link, size int) bool {
	now := x.roomToLift(c.link) + c.lifted - size
	soon := now + c.link.doomed
	lifts := func(l *link) int { return l.lifted }
	switch {
	case lifter != nil:
		more := size
		if c.lifter == lifter {
			more -= c.lifted
		}
		return x.share(lifter, more, soon, errSentAbove, lifts) != lifter && now >= 0
	case c.object.foreign: // nobody answers for it: half of the room is for those who are here
		_, bytes := x.roomAbove()
		return now >= bytes/2
	case now >= 0:
		return true
	}
	// Our own comes first. If there is nobody to end, upstream shall say that it is too much.
	for _, g := range x.greedy {
		soon += lifts(g.link)
	}
	if most := x.greediest(lifts); soon < 0 && most != nil {
		x.greedy = append(x.greedy, greedyLink{most, errSentAbove})
		soon += lifts(most)
	}
	return soon < 0
}

func (x *Exchange) roomToLift(l *link) int {
	_, bytes := x.roomAbove()
	return bytes - l.asked.names - l.lifted
}

// lower takes back what lift counted.
func (c *channel) lower() {
	c.link.lifted -= c.lifted
	if c.lifter != nil {
		c.lifter.lifted -= c.lifted
		if c.lifter.gone {
			c.link.doomed -= c.lifted
		}
	}
	c.lifted, c.lifter = 0, nil
}

// lifter is the link below that a state which goes up counts against: the one that
// brought it; nil: our own process or upstream did, or who did has gone.
func (o *object) lifter() *link {
	if o.bringer == nil || o.bringer.record == nil {
		return nil
	}
	return o.bringer.link
}

// withhold puts an outlet aside until there is room for its state: for what others
// have left, half of the room.
func (x *Exchange) withhold(c *channel) {
	if c.leftover = c.object.isLeftover(); c.leftover {
		c.link.leftover.push(&c.withheld)
	} else {
		c.link.withheld.push(&c.withheld)
	}
}

func (c *channel) unwithhold() {
	if c.leftover {
		c.link.leftover.remove(&c.withheld)
	} else {
		c.link.withheld.remove(&c.withheld)
	}
}

// isLeftover reports whether a link that has gone, or has closed its channel, brought
// the state held.
func (o *object) isLeftover() bool { return o.foreign && o.bringer == nil }

// retry queues the outlets that are withheld, oldest first, as far as there is room.
func (x *Exchange) retry(l *link) {
	left := x.roomToLift(l)
	_, bytes := x.roomAbove()
	for l.withheld.first != nil {
		c := l.withheld.first.value
		if c.object.isLeftover() { // by now
			c.unwithhold()
			x.withhold(c)
			continue
		}
		if left -= c.grows(); left < 0 {
			break
		}
		x.queueOutlet(c)
	}
	for l.leftover.first != nil {
		c := l.leftover.first.value
		if left -= c.grows(); left < bytes/2 {
			break
		}
		x.queueOutlet(c)
	}
}

// grows is how many bytes more upstream will have when an outlet has sent its state.
func (c *channel) grows() int {
	state, _ := c.object.shown(c.last, c.flag)
	return state.size() - c.lifted
}

// endGreedy ends the links that take too much of what upstream allows.
func (x *Exchange) endGreedy() {
	if len(x.greedy) == 0 {
		return
	}
	for _, g := range x.greedy {
		if x.links[g.link.id] == g.link {
			x.end(g.link, g.reason)
		}
	}
	x.greedy = nil
	if x.upstream != nil {
		x.retry(x.upstream)
	}
}
