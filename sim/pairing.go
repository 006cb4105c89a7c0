package sim

import (
	"bytes"
	"maps"
	"slices"

	"hakuban/impl"
)

// recordedLink is a link of a recorded exchange: one end of a session.
type recordedLink struct {
	exchange int
	id       impl.LinkID
	known    string // what both ends know the session by; empty: nothing
	up       bool   // the peer is upstream
	sent     []recordedMessage
	received []recordedMessage

	skew    int64 // how much earlier the peer may seem to act than it does
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

// sentBefore reports whether a message that was received is message i of those
// that a link sent, and was sent before.
func (l *recordedLink) sentBefore(i int, received *recordedMessage) bool {
	return i < len(l.sent) && l.sent[i].at < received.at+l.skew && bytes.Equal(l.sent[i].data, received.data)
}

// pair makes sessions of the links: both ends know theirs by the same text.
func (t *timeline) pair() {
	var children, parents []*recordedLink
	for _, links := range t.links {
		for _, id := range slices.Sorted(maps.Keys(links)) {
			if l := links[id]; l.up {
				children = append(children, l)
			} else {
				parents = append(parents, l)
			}
		}
	}
	for _, child := range children {
		at := slices.IndexFunc(parents, child.isPeer)
		if at < 0 {
			t.join(child, nil)
			continue
		}
		t.join(child, parents[at])
		parents = slices.Delete(parents, at, at+1)
	}
	for _, parent := range parents {
		t.join(nil, parent)
	}
}

func (l *recordedLink) isPeer(other *recordedLink) bool {
	return l.known != "" && l.known == other.known && l.exchange != other.exchange
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
