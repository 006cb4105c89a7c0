package sim

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"hakuban/impl"
)

// recordedLink is a link of a recorded exchange: one end of a session.
type recordedLink struct {
	exchange int
	id       impl.LinkID
	up       bool // the peer is upstream
	attached int64
	parted   int64
	sent     []recordedMessage
	received []recordedMessage

	skew    int64 // how much earlier the peer may seem to act than it does
	peer    *recordedLink
	session *recordedSession
}

// recordedMessage is a message, and when it was sent or received.
type recordedMessage struct {
	data []byte
	at   int64
}

// recordedSession is what the play knows of a session; its ends are nil where
// nobody recorded that one.
type recordedSession struct {
	public         Session
	ends           [2]*recordedLink // childEnd, parentEnd
	on             [2]bool          // attached, now or before
	sent, received [2]int           // messages, by the sending end
}

func (l *recordedLink) end() int {
	if l.up {
		return childEnd
	}
	return parentEnd
}

// match is how well two links fit as the ends of a session.
type match struct {
	child, parent *recordedLink
	score         int
	gap           int64 // for how long neither was there; negative: they were there together
}

// aDoubt is what it counts against a match that a message was not sent, or that
// the ends were never there together, in messages that agree. Neither happens but
// to a recording that is broken, and to an end that is attached late.
const aDoubt = 2

func newMatch(child, parent *recordedLink) match {
	m := match{child: child, parent: parent}
	m.gap = max(child.attached-parent.parted, parent.attached-child.parted) - child.skew
	if m.gap >= 0 {
		m.score -= aDoubt
	}
	up, upWhole := child.agrees(parent)
	down, downWhole := parent.agrees(child)
	if !upWhole || !downWhole {
		m.score -= aDoubt
	}
	m.score += up + down
	return m
}

// agrees counts the messages that another end received before the first that
// this end did not send before, and reports whether they are all.
func (l *recordedLink) agrees(to *recordedLink) (count int, whole bool) {
	for i := range to.received {
		if !l.sentBefore(i, &to.received[i]) {
			return i, false
		}
	}
	return len(to.received), true
}

// sentBefore reports whether a message that was received is message i of those
// that a link sent, and was sent before.
func (l *recordedLink) sentBefore(i int, received *recordedMessage) bool {
	return i < len(l.sent) && l.sent[i].at < received.at+l.skew && bytes.Equal(l.sent[i].data, received.data)
}

func (m *match) compare(other *match) int {
	return cmp.Or(
		cmp.Compare(other.score, m.score),
		cmp.Compare(max(m.gap, 0), max(other.gap, 0)),
		cmp.Compare(m.parent.attached, other.parent.attached),
		cmp.Compare(m.child.attached, other.child.attached))
}

// pair finds out which links are the two ends of a session: those first that
// agree most.
func (t *timeline) pair() {
	var ends [2][]*recordedLink
	for _, links := range t.links {
		for _, id := range slices.Sorted(maps.Keys(links)) {
			end := links[id].end()
			ends[end] = append(ends[end], links[id])
		}
	}
	var matches []match
	for _, child := range ends[childEnd] {
		for _, parent := range ends[parentEnd] {
			if child.exchange != parent.exchange {
				matches = append(matches, newMatch(child, parent))
			}
		}
	}
	slices.SortStableFunc(matches, func(a, b match) int { return a.compare(&b) })
	for i := range matches {
		if m := &matches[i]; m.child.peer == nil && m.parent.peer == nil {
			m.child.peer, m.parent.peer = m.parent, m.child
		}
	}
	for i := range matches {
		matches[i].prefer()
	}
	for _, child := range ends[childEnd] {
		t.join(child, child.peer)
	}
	for _, parent := range ends[parentEnd] {
		if parent.peer == nil {
			t.join(nil, parent)
		}
	}
}

// prefer makes a pair of an end that is alone though it received something, and
// one whose peer received nothing: that one may have been alone.
func (m *match) prefer() {
	for _, ends := range [2][2]*recordedLink{{m.child, m.parent}, {m.parent, m.child}} {
		alone, other := ends[0], ends[1]
		if alone.peer == nil && len(alone.received) > 0 && other.peer != nil && len(other.peer.received) == 0 {
			other.peer.peer = nil
			alone.peer, other.peer = other, alone
		}
	}
}

// join makes a session of two ends. Nobody recorded an end that is nil: it
// belongs to an exchange beyond the last.
func (t *timeline) join(child, parent *recordedLink) {
	s := &recordedSession{ends: [2]*recordedLink{child, parent}}
	s.public = Session{Number: t.tree.Sessions, Child: len(t.recordings), Parent: len(t.recordings)}
	if child != nil {
		s.public.Child, child.session = child.exchange, s
	}
	if parent != nil {
		s.public.Parent, parent.session = parent.exchange, s
	}
	t.strangers = t.strangers || child == nil || parent == nil
	t.tree.Sessions++
}
