package hakuban

import (
	"runtime"
	"sync"
	"time"

	"hakuban/impl"
)

// Whoever steps the core serves the links that have something to send because of that: it pulls for them before it leaves the lock, and
// has their writers write after, see [Link.Serve]. So a message that comes in goes out by the goroutine that read it. What one
// visit leaves, helpers serve: goroutines that exist while links wait. See docs/decisions/0006-who-steps-serves.md.

const (
	// pullBudget is how many bytes of messages are pulled at a time: what is pulled can no longer be replaced by newer states.
	pullBudget = 64 << 10
	// ownTurns is how many links a step serves at most, the latest ones; helpers serve the others.
	ownTurns = 16
	// helperTurns is how many links a helper pulls for in one visit to the core.
	helperTurns = 64
	// visitMessages is how many messages are enough for one visit.
	visitMessages = 256
	// rest is how long ago a link must have been served for a step to serve it. A link with something to send more often than that
	// is left to a helper, which sends what gathers meanwhile at once.
	rest = 20 * time.Microsecond
	// headRoom is for what the core says of the messages of a visit. Messages that open channels or tell contracts may take more.
	headRoom = 4 << 10
)

// Writer is a transport's end of a link, for [Link.Serve].
type Writer interface {
	// Write takes messages for the peer, in order, each to be sent as it is. It is called by any goroutine, never by two at once, and
	// must not wait. It reports whether the link may be given more at once; if not, the writer calls [Link.Resume] when it may.
	// What a message's Parts returns as head and tail is good until Write returns.
	Write(messages []Message) (room bool)
	// Ended is called when the link has ended, but by Detach. It must not wait.
	Ended()
}

// Message is one message for a peer.
type Message struct {
	message impl.Message
}

// Parts returns the pieces that make the message, in order. Many messages share the one in the middle, which never changes.
func (m *Message) Parts() (head, middle, tail []byte) { return m.message.Parts() }

// Serve has w take all that the link has to send from now on. It is instead of [Link.Ready] and [Link.Pull].
func (l *Link) Serve(w Writer) {
	l.x.mu.Lock()
	defer l.x.unlock()
	if l.err != nil {
		l.x.parted = append(l.x.parted, w)
		return
	}
	l.writer = w
	select {
	case <-l.ready:
		l.x.queue(l)
	default:
	}
}

// Resume says that the writer has room again.
func (l *Link) Resume() {
	x := l.x
	if l.turn.CompareAndSwap(turn, noTurn) {
		return
	}
	s := servings.Get().(*serving)
	defer servings.Put(s)
	x.mu.Lock()
	x.pullFor(s, x.now(), l)
	x.release()
	x.write(s)
}

// Gather takes a message as [Link.Receive] does, and leaves to [Link.Deliver] to send what follows from it. A reader that has several
// messages at hand so sends what follows from all of them at once.
func (l *Link) Gather(data []byte) error {
	return l.receive(data, (*Exchange).release)
}

// Deliver serves the links that have something to send.
func (l *Link) Deliver() {
	l.x.mu.Lock()
	l.x.unlock()
}

// A link's turn, which changes while the exchange's lock is held, but for the end of a turn that nothing is owed after.
const (
	noTurn   = iota // it is owed nothing, or is not served
	turn            // it is queued or served, or its writer has no room
	turnOwed        // likewise, and was owed more when it was last pulled, or is since
)

// queue has a link served once, also if it is being served now.
func (x *Exchange) queue(l *Link) {
	for {
		switch {
		case l.turn.CompareAndSwap(noTurn, turn):
			x.ready.push(l)
			return
		case l.turn.CompareAndSwap(turn, turnOwed) || l.turn.Load() == turnOwed:
			return
		}
	}
}

// served ends a link's turn. Who is owed more waits for another one.
func (x *Exchange) served(l *Link) {
	if l.turn.CompareAndSwap(turn, noTurn) {
		return
	}
	x.mu.Lock()
	defer x.release()
	if l.err == nil {
		x.ready.push(l)
		x.help()
	}
}

// owes notes that a link has something to send.
func (x *Exchange) owes(l *Link) {
	switch {
	case l == nil:
	case l.writer == nil:
		signal(l.ready)
	default:
		x.queue(l)
	}
}

// part has a link's writer told that the link has ended.
func (x *Exchange) part(l *Link) {
	if l.writer != nil {
		x.parted = append(x.parted, l.writer)
	}
}

// release leaves the lock and serves nobody.
func (x *Exchange) release() {
	parted := x.parted
	x.parted = nil
	x.mu.Unlock()
	for _, w := range parted {
		w.Ended()
	}
}

// unlock leaves the lock and serves the links that the step, or others, have left, the latest first.
func (x *Exchange) unlock() {
	if x.ready.length() == 0 || x.stepping {
		x.release()
		return
	}
	s := servings.Get().(*serving)
	now := x.now()
	for range ownTurns {
		l := x.ready.last()
		if l == nil || len(s.messages) > visitMessages || now.Mono-l.servedAt < int64(rest) {
			break
		}
		x.ready.dropLast()
		x.pullFor(s, now, l)
	}
	x.help()
	x.release()
	x.write(s)
	servings.Put(s)
}

// help has what waits served by somebody else.
func (x *Exchange) help() {
	if x.ready.length() > 0 && x.helpers < runtime.GOMAXPROCS(0) {
		x.helpers++
		go x.helper()
	}
}

func (x *Exchange) helper() {
	s := servings.Get().(*serving)
	defer servings.Put(s)
	for {
		x.mu.Lock()
		now := x.now()
		for len(s.turns) < helperTurns && len(s.messages) <= visitMessages && x.ready.length() > 0 {
			x.pullFor(s, now, x.ready.first())
		}
		if len(s.turns) == 0 { // what there was has ended, or is served apart
			x.helpers--
			x.release()
			return
		}
		x.help()
		x.release()
		x.write(s)
	}
}

// serving is what is pulled in one visit to the core.
type serving struct {
	turns    []taken
	messages []Message
	heads    []byte
	used     int // bytes of heads
}

// taken is what was pulled for one link.
type taken struct {
	link *Link
	end  int // of its messages
}

var servings = sync.Pool{New: func() any { return &serving{heads: make([]byte, headRoom)} }}

// pullFor pulls for a link. When large deltas are to be made for it, it is served apart. The caller holds the lock.
func (x *Exchange) pullFor(s *serving, now impl.Now, l *Link) {
	if l.err != nil {
		return
	}
	l.turn.Store(turn) // before the pull: what comes after it is owed
	l.servedAt = now.Mono
	start := len(s.messages)
	x.pulled = s.messages
	a := x.applyAt(now, &impl.Input{Kind: impl.InputPull, Link: l.id, Buffer: s.heads[s.used:s.used:len(s.heads)], Budget: pullBudget})
	s.messages, x.pulled = x.pulled, nil
	if !a.drained {
		l.turn.Store(turnOwed)
	}
	pulled, heavy := s.messages[start:], false
	for i := range pulled {
		s.used += pulled[i].message.Own()
		heavy = heavy || isHeavy(pulled[i].message.Delta())
	}
	s.used = min(s.used, len(s.heads))
	if !heavy {
		s.turns = append(s.turns, taken{l, len(s.messages)})
		return
	}
	apart := &serving{turns: []taken{{l, len(pulled)}}, messages: append([]Message(nil), pulled...)}
	s.messages = s.messages[:start]
	s.heads, s.used = make([]byte, headRoom), 0 // the others stay with the messages
	go x.write(apart)
}

// write has writers write what was pulled for their links.
func (x *Exchange) write(s *serving) {
	start := 0
	for i, t := range s.turns {
		messages := s.messages[start:t.end]
		start = t.end
		for j := range messages {
			made(&messages[j].message)
		}
		if len(messages) == 0 || t.link.writer.Write(messages) {
			x.served(t.link)
		}
		s.turns[i] = taken{}
	}
	if cap(s.messages) > 4*helperTurns {
		s.messages = nil
	}
	clear(s.messages)
	s.turns, s.messages, s.used = s.turns[:0], s.messages[:0], 0
}
