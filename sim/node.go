package sim

import (
	"hakuban/impl"
	"hakuban/sim/checker"
	"hakuban/sim/mark"
	"hakuban/wire"
)

// node is one exchange of the world with its driver and its application.
type node struct {
	index    int
	parent   int // -1: the root
	children []int
	core     *impl.Exchange // nil: crashed
	life     int            // counts its crashes
	config   impl.Config

	monoBase    int64
	wallSkew    int64
	pausedUntil int64
	tickAt      int64 // of the tick event that counts; zero: none
	lastLook    *impl.Snapshot
	lastLookAt  impl.Now
	glances     [2]glance // after the last step, and before it

	nextLink     impl.LinkID
	nextContract impl.ContractID
	loadLimit    []wire.LoadPoint
	up           *session // dialled, until it is gone at this end
	links        []attachment

	// The link to the parent, per direction: 0 up, 1 down.
	stallUntil [2]int64 // nothing arrives
	clogUntil  [2]int64 // nothing arrives, and the writer has little room
	slowUntil  [2]int64 // what arrives is taken slowly
	lateUntil  [2]int64 // messages take long
	sent       [2]uint32
	foreign    bool // it speaks another dialect
	respelled  [2]uint32
	dials      uint32
	heeds      uint32
	heeding    bool // a limit ended its link, or refused it

	appSlowUntil int64
	appOrdinal   uint32
	contracts    []*contract
	offers       []*offer
}

// attachment is a session that this exchange's core knows.
type attachment struct {
	link    impl.LinkID
	session *session
	end     int
}

// start begins a life of an exchange.
func (w *World) start(n *node) {
	n.core = impl.New(n.config)
	n.monoBase = int64(1+n.index*7+n.life*13) * second
	n.tickAt, n.pausedUntil = 0, 0
	n.lastLook = nil
	n.glances[0].forget()
	if w.observer != nil {
		w.observer.Begin(n.index, n.core)
	}
	if w.set != nil {
		w.set.Begin(n.index, n.life, &n.config)
	}
	if n.parent >= 0 {
		delay := linkDelay
		if w.rules.limits == limitsTight && !n.config.Upstream { // until then it may ask for anything
			delay += int64(w.choose(chooseLimits, 6, n.index, uint32(n.life), 16)) * 20 * millisecond
		}
		w.scheduleDial(n, delay)
	}
}

// crash ends a life; others says how the other ends of its links learn of it.
func (w *World) crash(n *node, others notice) {
	if w.observer != nil {
		w.observer.Crash(n.index)
	}
	if len(n.offers) > 0 {
		w.marks.Hit(mark.CrashWithOffers)
	}
	n.core = nil
	n.life++
	for _, o := range n.offers {
		w.dropSink(o)
	}
	n.contracts, n.offers = nil, nil
	for _, s := range w.sessions {
		for end := range s.ends {
			if s.ends[end].node == n.index && s.ends[end].state != endGone {
				s.ends[end].state = endGone
				// This end knows; the entry of a gone end is not looked at.
				w.lose(s, others, others, false)
			}
		}
	}
	n.links, n.up = nil, nil
}

func (n *node) session(link impl.LinkID) (*session, int) {
	for i := range n.links {
		if n.links[i].link == link {
			return n.links[i].session, n.links[i].end
		}
	}
	return nil, 0
}

func (n *node) unlink(link impl.LinkID) {
	for i := range n.links {
		if n.links[i].link == link {
			n.links = append(n.links[:i], n.links[i+1:]...)
			return
		}
	}
}

// lookBefore is the exchange as it stands before a step that will be looked at.
func (n *node) lookBefore(now impl.Now) *impl.Snapshot {
	if n.lastLook != nil && n.lastLookAt.Mono == now.Mono {
		return n.lastLook
	}
	snapshot := n.core.Snapshot(now)
	return &snapshot
}

// glance is what there is to see of what elects in an exchange. Its memory is
// used again.
type glance struct {
	snapshot impl.Snapshot // objects, links, and upstream
	views    []impl.ObjectView
}

func (g *glance) forget() {
	g.snapshot = impl.Snapshot{Objects: g.snapshot.Objects[:0], Links: g.snapshot.Links[:0]}
}

// take looks at an exchange.
func (g *glance) take(w *World, n *node, now impl.Now) {
	g.forget()
	if g.views == nil {
		g.views = make([]impl.ObjectView, len(w.objects))
	}
	for i := range w.objects {
		v := &g.views[i]
		if n.core.View(&w.objects[i].descriptor, v); v.Object.Number != 0 {
			g.snapshot.Objects = append(g.snapshot.Objects, v.Object)
		}
	}
	for _, a := range n.links {
		if link, ok := n.core.SnapshotLink(now, a.link); ok {
			g.snapshot.Links = append(g.snapshot.Links, link)
		}
		if a.end == childEnd {
			g.snapshot.Upstream = a.link
		}
	}
}

// attached lists the links of an exchange for the checkers.
func (w *World) attached(n *node) []checker.Attached {
	list := make([]checker.Attached, 0, len(n.links))
	for _, a := range n.links {
		e, other := &a.session.ends[a.end], &a.session.ends[1-a.end]
		entry := checker.Attached{Link: a.link, Upstream: a.end == childEnd, Peer: other.node, Drained: !e.ready, Current: !a.session.lost}
		if other.state == endAttached {
			entry.PeerLink = other.link
		}
		list = append(list, entry)
	}
	return list
}
