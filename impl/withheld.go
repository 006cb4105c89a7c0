package impl

import "slices"

// A state goes upstream only if there is room for it. Until then its outlet is withheld.

// lift charges for the state that an outlet owes, if it may go upstream. Otherwise
// the outlet is withheld until it may.
func (x *Exchange) lift(c *channel) bool {
	o := c.object
	state, _ := o.shown(c.last, c.flag)
	if c.last != nil && slices.Equal(c.last.Version, state.Version) {
		return true // the flag alone
	}
	if size := state.size(); size > c.up.bytes && !x.mayLift(c, size-c.up.bytes) {
		x.withhold(c)
		x.squeezed = append(x.squeezed, c)
		return false
	}
	x.charge(&c.up, &c.link.books, lifted, state.size())
	x.charge(&c.lifter, x.lifter(o), lifted, state.size())
	return true
}

// mayLift reports whether upstream may hold more bytes of an outlet. Our own states
// go up even when there is no room and nobody could leave any: upstream shall say
// that it is too much. What others have left may fill half of the room.
func (x *Exchange) mayLift(c *channel, more int) bool {
	now, _ := x.leftUpstream()
	switch {
	case c.object.isLeftover():
		return now.bytes-more >= x.roomUpstream().bytes/2
	case x.lifter(c.object) != &x.books:
		return now.bytes >= more
	}
	return now.bytes >= more || now.bytes+x.lifts() < more
}

// lifter is whom a state that goes upstream is charged to: the link that brought it,
// or the exchange when our own process or upstream did, or who did has gone.
func (x *Exchange) lifter(o *object) *books {
	if o.bringer == nil || o.bringer.record == nil {
		return &x.books
	}
	return &o.bringer.link.books
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
	now, _ := x.leftUpstream()
	room := now.bytes
	for l.withheld.first != nil {
		c := l.withheld.first.value
		if c.object.isLeftover() { // by now
			c.unwithhold()
			x.withhold(c)
			continue
		}
		if room -= c.grows(); room < 0 {
			break
		}
		x.queueOutlet(c)
	}
	for l.leftover.first != nil {
		c := l.leftover.first.value
		if room -= c.grows(); room < x.roomUpstream().bytes/2 {
			break
		}
		x.queueOutlet(c)
	}
}

// grows is how many bytes more upstream will have when an outlet has sent its state.
func (c *channel) grows() int {
	state, _ := c.object.shown(c.last, c.flag)
	return state.size() - c.up.bytes
}
