package impl

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"hakuban/wire"
)

// link is one session of a link with another exchange, seen from one of its ends.
type link struct {
	id         LinkID
	place      int // in its roster
	role       Role
	localName  string
	loadPoints []wire.LoadPoint // ToUpstream: told to upstream
	remoteName string
	hasName    bool

	gone    bool // the session is over
	greeted bool // the control channel and the name are sent
	ready   bool // EffectReady was said, and no pull has drained the link since

	ours     map[uint64]*channel     // state channels that we opened and have not closed
	lastOurs uint64                  // number of the last channel that we opened
	theirs   map[uint64]theirChannel // channels that the peer has open
	taking   taking                  // the last message, until all of it is taken
	books                            // of the ledger

	// ToDownstream: the peer is downstream of us.
	rights   *Rights // nil: the peer may do everything
	leftOut  uint64  // contracts that were not allowed and left out
	objects  map[string]*objectLink
	tags     map[string]*tagLink
	exposing []*tagLink // of tags, those that it exposes, in no order
	pending  fifo[*objectLink]
	load     uint64
	limit    loadLimit

	// ToUpstream: the peer is our upstream.
	told           map[string]*told // objects
	toldTags       map[string]*told
	toldRoster     roster[*told] // of both
	pendingObjects fifo[*told]
	pendingTags    fifo[*told]
	outlets        fifo[*channel]
	withheld       fifo[*channel] // outlets whose states have no room
	leftover       fifo[*channel] // likewise, of what others have left
}

// theirChannel is a channel that the peer opened.
type theirChannel struct {
	kind  theirKind
	state *channel // of a source or an outlet
}

type theirKind uint8

const (
	uninitialized theirKind = iota
	control
	source
	outlet
)

// controlNumber is the number of the control channel that each end opens first.
const controlNumber = 1

func newLink(input Input) *link {
	l := &link{
		id:         input.Link,
		role:       input.Role,
		localName:  input.Name,
		loadPoints: slices.Clone(input.LoadLimit),
		ours:       make(map[uint64]*channel),
		theirs:     make(map[uint64]theirChannel),
	}
	if l.role == ToDownstream {
		l.rights = input.Rights
		l.objects = make(map[string]*objectLink)
		l.tags = make(map[string]*tagLink)
	} else {
		l.told = make(map[string]*told)
		l.toldTags = make(map[string]*told)
	}
	return l
}

// origin is of the channels that this end opens.
func (l *link) origin() wire.Origin {
	if l.role == ToDownstream {
		return wire.UpstreamOriginated
	}
	return wire.DownstreamOriginated
}

// spec: Attach
func (x *Exchange) attach(input Input) {
	switch {
	case input.Link == 0 || x.links[input.Link] != nil:
		x.refuse(fmt.Errorf("hakuban: link id %d is zero or in use", input.Link))
		return
	case input.Role != ToDownstream && input.Role != ToUpstream:
		x.refuse(fmt.Errorf("hakuban: unknown role %d", input.Role))
		return
	case len(input.Name) > x.config.Limits.Wire.Name || !utf8.ValidString(input.Name):
		x.refuse(fmt.Errorf("hakuban: the link's name is not UTF-8 of at most %d bytes", x.config.Limits.Wire.Name))
		return
	case !validLoadLimit(input.LoadLimit, x.config.Limits.Wire.LoadPoints):
		x.refuse(fmt.Errorf("hakuban: a load limit has at most %d points, at seconds that are finite and not negative", x.config.Limits.Wire.LoadPoints))
		return
	case input.Role == ToUpstream && x.upstream != nil:
		x.refuse(ErrUpstream)
		return
	case input.Role == ToUpstream && input.Rights != nil:
		x.refuse(fmt.Errorf("hakuban: link %d leads to upstream, which has no rights here", input.Link))
		return
	}
	if input.Role == ToUpstream {
		if err := x.mayLink(); err != nil {
			x.refuse(err)
			return
		}
	}
	l := newLink(input)
	x.links[l.id], l.books.link = l, l
	x.rosters.links.add(l)
	x.wake(l)
	if l.role == ToUpstream {
		x.upstream = l
		for _, key := range sortedKeys(x.objects) {
			x.summarizeObject(x.objects[key])
		}
		for _, identity := range sortedKeys(x.tags) {
			x.summarizeTag(x.tags[identity])
		}
	}
}

// detach ends a session: all that the peer asked for, and all its channels, go.
//
// spec: Detach
func (x *Exchange) detach(l *link) {
	delete(x.links, l.id)
	x.rosters.links.remove(l)
	l.gone, l.taking = true, taking{}
	if l == x.upstream {
		x.detachUpstream(l)
	} else {
		x.detachDownstream(l)
	}
}

func (x *Exchange) detachUpstream(l *link) {
	x.upstream = nil
	for l.outlets.first != nil {
		x.unqueueOutlet(l.outlets.first.value)
	}
	lost := make(map[string]*object)
	for _, number := range sortedKeys(l.theirs) {
		if c := l.theirs[number].state; c != nil {
			lost[c.object.descriptor.Key] = c.object
		}
	}
	for _, key := range sortedKeys(lost) {
		o := lost[key]
		for _, channels := range [...][]*channel{o.sources, o.outlets} {
			for _, c := range channels {
				x.closed(c)
			}
		}
		o.sources, o.outlets = nil, nil
		x.settle(o)
	}
}

func (x *Exchange) detachDownstream(l *link) {
	concerned := make(map[string]*object)
	for _, key := range sortedKeys(l.objects) {
		ol := l.objects[key]
		o := ol.object
		x.unqueueLink(ol)
		x.leave(ol)
		at, _ := o.findLink(l.id)
		o.links = slices.Delete(o.links, at, at+1)
		concerned[key] = o
	}
	tags := make([]*tag, 0, len(l.tags))
	for _, identity := range sortedKeys(l.tags) {
		tl := l.tags[identity]
		tl.asked, tl.asks = asks{}, asks{}
		x.apply(tl)
		tags = append(tags, tl.tag)
	}
	for _, t := range tags {
		for e := t.objects.first; e != nil; e = e.next {
			if x.concerns(e.value, l) {
				concerned[e.value.descriptor.Key] = e.value
			}
		}
		x.forgetTagLink(l.tags[t.identity])
	}
	for _, key := range sortedKeys(concerned) {
		x.settle(concerned[key])
	}
}

// end ends a link for its peer's fault.
func (x *Exchange) end(l *link, reason error) {
	x.detach(l)
	var forbidden *ForbiddenError
	if !errors.As(reason, &forbidden) {
		reason = &ProtocolError{Link: l.id, Reason: reason.Error(), Limited: errors.Is(reason, ErrTooLarge)}
	}
	x.emit(Effect{Kind: EffectEnd, Link: l.id, Err: reason})
}

// protocolf makes the reason for ending a link.
func protocolf(format string, arguments ...any) error { return fmt.Errorf(format, arguments...) }

// brief is a name that a peer chose, or the start of a long one: reasons are
// logged, and a peer must not fill the log.
func brief(name string) string {
	const most = 100 // bytes
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

// wake tells the driver once that a link has something to send.
func (x *Exchange) wake(l *link) {
	if !l.ready {
		l.ready = true
		x.emit(Effect{Kind: EffectReady, Link: l.id})
	}
}

// queueLink, unqueueLink, queueOutlet and unqueueOutlet keep count of an
// object's queued channels: the last one to go takes the object's deltas along.

func (x *Exchange) queueLink(ol *objectLink) {
	if !ol.pending.queued {
		ol.link.pending.push(&ol.pending)
		ol.object.unsent++
		x.wake(ol.link)
	}
}

func (x *Exchange) unqueueLink(ol *objectLink) {
	if ol.pending.queued {
		ol.link.pending.remove(&ol.pending)
		ol.object.sent()
	}
}

func (x *Exchange) queueOutlet(c *channel) {
	c.unwithhold()
	if !c.pending.queued {
		c.link.outlets.push(&c.pending)
		c.object.unsent++
		x.wake(c.link)
	}
}

func (x *Exchange) unqueueOutlet(c *channel) {
	c.unwithhold()
	if c.pending.queued {
		c.link.outlets.remove(&c.pending)
		c.object.sent()
	}
}

func (o *object) sent() {
	o.unsent--
	if o.unsent == 0 {
		o.deltas.clear()
	}
}

// sortedKeys returns a map's keys in order: maps are never walked otherwise.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
