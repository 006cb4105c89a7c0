package impl

import (
	"errors"
	"fmt"
	"slices"
)

// What an exchange makes its upstream hold counts there against the one link that
// all below it share. It is kept within what may count against a link, at the cost
// of whoever takes the most of it: a link below may take more as long as all that
// it takes is at most greed times what is left. So one link alone has eight ninths,
// and those that come later, and ask for little, always find something left.
//
// Upstream is thought to have our limits or wider ones. Our own process is never
// refused a state; it may not ask for more than there is.

const greed = 8

var (
	errAskedAbove = errors.New("the link asks for so many objects and tags that upstream, which is asked for them, is left too little for others")
	errNamedAbove = errors.New("the names of what the link asks for take so many bytes that upstream, which is asked for it, is left too little for others")
	errSentAbove  = errors.New("the states of the link take so many bytes that upstream, which wants them, is left too little for others")
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
// control channel besides, and how many bytes may count against us there; a
// sixteenth less, for upstream may spell names longer than we do.
func (x *Exchange) roomAbove() (asks, bytes int) {
	limits := &x.config.Limits
	return limits.LinkObjects - 1, limits.LinkBytes - limits.LinkBytes/16
}

// fair reports whether a link below may take so much where so much is left.
func fair(taken, left int) bool { return left > 0 && taken/greed <= left }

// raise checks that a link may ask for one more object or tag, whose name has a
// size, and that upstream knows of or does not.
func (x *Exchange) raise(l *link, size int, known bool) error {
	if !x.bounded {
		return nil
	}
	asked, more := x.asked(), above{}
	if !known {
		more.add(size, 1)
	}
	asks, bytes := x.roomAbove()
	if !fair(l.asks+len(l.tags)+1, asks-asked.asks-more.asks) {
		return errAskedAbove
	}
	if !fair(l.names+size, bytes-asked.names-more.names-x.lifted()) {
		return errNamedAbove
	}
	x.fresh.add(more.names, more.asks)
	return nil
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

// lift checks that the state that an outlet owes may go up, and counts it. One that
// may not is withheld until there is more room; the link that brought it ends.
func (x *Exchange) lift(c *channel) bool {
	o, l := c.object, c.link
	state, _ := o.shown(c.last, c.flag)
	if c.last != nil && slices.Equal(c.last.Version, state.Version) {
		return true // the flag alone
	}
	lifter, size := o.lifter(), state.size()
	_, bytes := x.roomAbove()
	if o.foreign && size > c.lifted {
		taken := size
		if lifter != nil {
			taken += lifter.lifted
		}
		if lifter != nil && lifter == c.lifter {
			taken -= c.lifted
		}
		if !fair(taken, bytes-l.asked.names-l.lifted+c.lifted-size) {
			l.withheld.push(&c.withheld)
			if lifter != nil && o.bringer != nil {
				x.greedy = append(x.greedy, lifter)
			}
			return false
		}
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

// lower takes back what lift counted.
func (c *channel) lower() {
	c.link.lifted -= c.lifted
	if c.lifter != nil {
		c.lifter.lifted -= c.lifted
	}
	c.lifted, c.lifter = 0, nil
}

// lifter is the link below that a state which goes up counts against; nil: it is of
// our own process, or upstream's, or upstream alone keeps it.
func (o *object) lifter() *link {
	lifter := o.keeper
	if o.bringer != nil {
		lifter = o.bringer.link
	}
	if lifter == nil || lifter.role == RoleDownstream {
		return nil
	}
	return lifter
}

// retry queues the outlets whose states were withheld: there is more room.
func (x *Exchange) retry(l *link) {
	for l.withheld.first != nil {
		x.queueOutlet(l.withheld.first.value)
	}
}

// endGreedy ends the links whose states do not fit.
func (x *Exchange) endGreedy() {
	for _, l := range x.greedy {
		if x.links[l.id] == l {
			x.end(l, errSentAbove)
		}
	}
	x.greedy = emptied(x.greedy)
}
