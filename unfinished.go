package hakuban

import (
	"cmp"
	"sync"
)

// defaultUnfinished is how many bytes of messages that have begun to arrive an exchange holds: [Options.Unfinished].
const defaultUnfinished = 256 << 20

const (
	// uncounted is how much of a message costs nothing: so much each link may hold at any time.
	uncounted = 4 << 10
	// smallMessage is up to which size a message may take what is kept for small ones.
	smallMessage = 64 << 10
)

// budget bounds the bytes of unfinished messages of all links of an exchange. Whoever needs more than there is waits in turn. An eighth
// is kept for small messages. The size of the largest message is kept for one large message at a time, the elder, which therefore can
// always be finished: two that hold half of the budget each, and wait for the other half, cannot stop each other.
//
// Invariant: used is the sum of what all hold; it exceeds total only if total is less than what is kept.
type budget struct {
	total, message int // bytes: of all, and of the largest message

	mu    sync.Mutex
	used  int
	elder *Link
	queue []*reservation
}

// reservation is what a link waits for.
type reservation struct {
	link    *Link
	bytes   int
	held    int // by the link's message so far
	granted chan struct{}
}

func newBudget(total, message int) *budget {
	total = cmp.Or(max(total, 0), defaultUnfinished)
	return &budget{total: max(total, 2*message), message: message}
}

// take grants a reservation if it can be. The caller holds mu.
func (b *budget) take(r *reservation) bool {
	small := b.total / 8
	switch {
	case r.link == b.elder:
	case r.held+r.bytes <= smallMessage && b.used+r.bytes <= b.total:
	case b.used+r.bytes <= b.total-small-b.message:
	case b.elder == nil && r.held+r.bytes > smallMessage:
		b.elder = r.link
	default:
		return false
	}
	b.used += r.bytes
	return true
}

// serve grants what it can to those who wait, the first ones first. The caller holds mu.
func (b *budget) serve() {
	kept := b.queue[:0]
	for _, r := range b.queue {
		if b.take(r) {
			close(r.granted)
		} else {
			kept = append(kept, r)
		}
	}
	clear(b.queue[len(kept):])
	if b.queue = kept; len(kept) == 0 {
		b.queue = nil
	}
}

// free gives back.
func (b *budget) free(l *Link, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= bytes
	if b.elder == l {
		b.elder = nil
	}
	b.serve()
}

// Reserve waits until the exchange may hold a message of the link that has so many bytes, of which not all have arrived. It says so at once
// for a small message, and while few messages are unfinished; otherwise links wait in turn, see [Options]. A reader calls it before it
// reads further, with the size that its buffer will have, and [Link.Unreserve] when the message is taken or given up. It returns an
// error when the link has ended.
func (l *Link) Reserve(bytes int) error {
	bytes -= uncounted
	if bytes <= l.reserved {
		return nil
	}
	b := l.x.unfinished
	r := &reservation{link: l, bytes: bytes - l.reserved, held: l.reserved}
	b.mu.Lock()
	ok := b.take(r)
	if !ok {
		r.granted = make(chan struct{})
		b.queue = append(b.queue, r)
	}
	b.mu.Unlock()
	if !ok {
		select {
		case <-r.granted:
		case <-l.done:
			return l.withdraw(r)
		}
	}
	l.reserved = bytes
	return nil
}

// withdraw gives up waiting.
func (l *Link) withdraw(r *reservation) error {
	b := l.x.unfinished
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.queue {
		if b.queue[i] == r {
			b.queue = append(b.queue[:i], b.queue[i+1:]...)
			return l.Err()
		}
	}
	l.reserved += r.bytes // granted just now
	return l.Err()
}

// Unreserve gives back what was reserved for a message.
func (l *Link) Unreserve() {
	if l.reserved > 0 {
		l.x.unfinished.free(l, l.reserved)
		l.reserved = 0
	}
}
