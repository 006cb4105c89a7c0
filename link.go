package hakuban

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"hakuban/impl"
	"hakuban/wire"
	"hakuban/wire/diff"
)

// Link is one session between this exchange and a neighbour in the tree, as a transport sees it: messages that arrived go into
// [Link.Receive], messages to send come to a [Writer], or out of [Link.Pull] when [Link.Ready] says so. Package
// hakuban/transport has transports; this is for writing others.
//
// A transport must deliver messages whole, in order and each once, or end the link. When a connection is lost the link ends with
// it; the next connection is another link.
type Link struct {
	x     *Exchange
	id    impl.LinkID
	ready chan struct{} // capacity 1
	done  chan struct{}
	claim *Upstream // to be released with the link, or nil

	writer   Writer // nil: somebody pulls
	turn     atomic.Int32
	servedAt int64 // in the core's monotonic time; guarded by x.mu

	reserved int // bytes of the message that arrives, of who receives
	unpaid   int // see Unpaid, of who receives

	pulled   []Message // of the last pull, of who pulls
	messages [][]byte  // likewise
	err      error     // guarded by x.mu until done is closed
}

// LinkOptions describe our end of a link to the peer.
type LinkOptions struct {
	// Name is told to the peer and shown by its monitor. Valid UTF-8.
	Name string
	// LoadLimit bounds what upstream's elections give to this exchange, as a function of the time since the link was made: linear
	// between points, from (0, 0) to the first one, constant after the last. None: unlimited. Ignored on links to downstream.
	LoadLimit []LoadPoint
	// Session is what both ends, and no other session, know this one by: a recording of each then says which two are the ends of one.
	// Valid UTF-8, at most 256 bytes. Nothing else uses it; may be empty.
	Session string
	// Rights are what the peer may do. Nil: everything. Only for links to downstream; see [Link.SetRights].
	Rights *Rights
	// Identity is that of the peer of a link to downstream: the first of its [Exchange.Route]. "": not known.
	Identity string
	// Route is the peer's [Exchange.Route], of a link to upstream. Nil: not known; see [Link.SetRoute].
	Route []string
}

const maxSession = 256 // bytes

// LoadPoint is a corner of a load limit. A link's load is the sum, over the objects it is elected for, of 1/capacity.
type LoadPoint struct {
	After time.Duration // not negative
	Load  uint32
}

// Upstream is the claim to be the one who links an exchange to its upstream.
type Upstream struct {
	x *Exchange
}

// ClaimUpstream takes the exchange's only place for an upstream, for a transport that makes one link after another. It returns
// [ErrUpstream] while somebody else has it.
func (x *Exchange) ClaimUpstream() (*Upstream, error) {
	x.mu.Lock()
	defer x.unlock()
	switch {
	case x.closed:
		return nil, ErrClosed
	case x.upstream != nil:
		return nil, ErrUpstream
	}
	x.upstream = &Upstream{x}
	return x.upstream, nil
}

// Attach begins a link to upstream. One at a time: it returns [ErrUpstream] while the last one lives.
func (u *Upstream) Attach(options LinkOptions) (*Link, error) {
	return u.x.attach(impl.ToUpstream, u, options)
}

// Release gives the place up. A link that was attached lives on until it ends.
func (u *Upstream) Release() {
	u.x.mu.Lock()
	defer u.x.unlock()
	u.release()
}

func (u *Upstream) release() {
	if u.x.upstream == u {
		u.x.upstream = nil
	}
}

// AttachUpstream begins a link to a peer that is upstream of this exchange. An exchange has one upstream at most: [ErrUpstream].
func (x *Exchange) AttachUpstream(options LinkOptions) (*Link, error) {
	claim, err := x.ClaimUpstream()
	if err != nil {
		return nil, err
	}
	link, err := claim.Attach(options)
	if err != nil {
		claim.Release()
		return nil, err
	}
	x.mu.Lock()
	defer x.unlock()
	select {
	case <-link.done:
		claim.release()
	default:
		link.claim = claim
	}
	return link, nil
}

// AttachDownstream begins a link to a peer that is downstream of this exchange.
func (x *Exchange) AttachDownstream(options LinkOptions) (*Link, error) {
	options.LoadLimit = nil
	return x.attach(impl.ToDownstream, nil, options)
}

// CheckLink says whether links can be attached with the options, for a transport that attaches later.
func (x *Exchange) CheckLink(options LinkOptions) error {
	if err := checkLinkText("name", options.Name, x.limits.Wire.Name); err != nil {
		return err
	}
	if err := checkLinkText("session", options.Session, maxSession); err != nil {
		return err
	}
	if len(options.LoadLimit) > x.limits.Wire.LoadPoints {
		return fmt.Errorf("%w: %d points of a load limit, at most %d were expected", ErrTooLarge, len(options.LoadLimit), x.limits.Wire.LoadPoints)
	}
	for _, point := range options.LoadLimit {
		if point.After < 0 {
			return fmt.Errorf("hakuban: a load limit's point at %v: must not be negative", point.After)
		}
	}
	return nil
}

func checkLinkText(what, text string, limit int) error {
	switch n := len(text); {
	case n > limit:
		return fmt.Errorf("%w: a link's %s of %d bytes, at most %d were expected", ErrTooLarge, what, n, limit)
	case !utf8.ValidString(text):
		return fmt.Errorf("hakuban: a link's %s %q: UTF-8 was expected", what, text)
	}
	return nil
}

func (x *Exchange) attach(role impl.Role, claim *Upstream, options LinkOptions) (link *Link, err error) {
	if err := x.CheckLink(options); err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.unlock()
	switch {
	case x.closed:
		return nil, ErrClosed
	case claim != nil && x.upstream != claim:
		return nil, ErrUpstream
	}
	x.lastID++
	l := &Link{
		x:     x,
		id:    impl.LinkID(x.lastID),
		ready: make(chan struct{}, 1),
		done:  make(chan struct{}),
	}
	if role == impl.ToUpstream {
		err = x.route.follow(l, options.Route)
	} else {
		err = x.route.admit(l, options.Identity)
	}
	if err != nil {
		return nil, err
	}
	x.links[l.id] = l
	a := x.apply(&impl.Input{Kind: impl.InputAttach, Link: l.id, Role: role, Name: options.Name, Session: options.Session, LoadLimit: loadLimit(options.LoadLimit), Rights: options.Rights.core()})
	if a.err != nil {
		delete(x.links, l.id)
		x.route.leave(l)
		return nil, a.err
	}
	return l, nil
}

func loadLimit(points []LoadPoint) (limit []wire.LoadPoint) {
	for _, point := range points {
		limit = append(limit, wire.LoadPoint{Seconds: float32(point.After.Seconds()), Load: point.Load})
	}
	return limit
}

// ID is unique in the exchange's life. Never zero.
func (l *Link) ID() uint64 { return uint64(l.id) }

// Ready receives, unless a [Writer] serves the link, when there is something to pull: at least once between the moment there is and the next Pull.
func (l *Link) Ready() <-chan struct{} { return l.ready }

// Done is closed when the link has ended: by [Link.Detach], by the peer's breach of the protocol, or with the exchange.
func (l *Link) Done() <-chan struct{} { return l.done }

// Err returns why the link ended, nil while it lives: the reason given to Detach, a [*ProtocolError], or [ErrClosed].
func (l *Link) Err() error {
	l.x.mu.Lock()
	defer l.x.unlock()
	return l.err
}

// Receive takes one message of the peer. It keeps no reference to data. An error means that the link has ended; a [*ProtocolError]
// that this message ended it.
func (l *Link) Receive(data []byte) error {
	return l.receive(data, (*Exchange).unlock)
}

// receive leaves the exchange's lock as it is told.
func (l *Link) receive(data []byte, leave func(*Exchange)) (err error) {
	arrival := arrivals.Get().(*impl.Arrival)
	defer arrivals.Put(arrival)
	defer arrival.Release()
	if len(data) > 0 {
		arrival.Decode(data, &l.x.limits.Wire)
	}
	if arrival.Heavy() {
		patchers.enter()
		defer patchers.leave()
		arrival.Patch(l.base(arrival))
		l.unpaid += max(0, arrival.Made()-fair*len(data))
	}
	input := &impl.Input{Kind: impl.InputReceive, Link: l.id, Data: data, Arrival: arrival}
	if !arrival.Long() {
		l.x.mu.Lock()
		defer leave(l.x)
		_, err = l.take(input)
		return err
	}
	for more := true; more; {
		l.x.patient(func() { more, err = l.take(input) })
		input = &impl.Input{Kind: impl.InputContinue, Link: l.id}
	}
	return err
}

// take steps the core with a message, or with more of one, and reports whether there is more. The caller holds the lock.
func (l *Link) take(input *impl.Input) (more bool, err error) {
	if l.err != nil {
		return false, l.err
	}
	l.x.apply(input)
	return l.err == nil && l.x.core.Taking(l.id), l.err
}

// fair is how many bytes of states a byte of a message may make and be paid for.
const fair = 16

// Unpaid is how many bytes of states the peer's messages have made beyond a fair measure, 16 bytes for each byte that it sent, since the
// last [Link.Forgive]. A few bytes can make many, so a peer can leave work for minutes in a socket's buffer and go. A transport that
// sees much unpaid work looks whether the peer is still there. Unpaid and Forgive are for the goroutine that receives.
func (l *Link) Unpaid() int { return l.unpaid }

// Forgive has [Link.Unpaid] count from zero.
func (l *Link) Forgive() { l.unpaid = 0 }

// base is what a message that arrived is about to change.
func (l *Link) base(arrival *impl.Arrival) impl.Base {
	l.x.mu.Lock()
	defer l.x.unlock()
	if l.err != nil {
		return impl.NoBase
	}
	return l.x.core.Base(l.id, arrival)
}

// Pull returns messages for the peer, each to be sent as it is, in order; more says whether to pull again. They are made here and
// now from the newest states, so pull no more than can be sent soon. Messages are appended to buffer, of any length and possibly
// nil, and no message begins beyond budget bytes, where each state counts as if it were sent whole. The slice and its messages are
// good until the next Pull or until buffer is used otherwise; clear the slice when done, or the link keeps buffer alive. An error
// means that the link has ended. One goroutine pulls.
func (l *Link) Pull(buffer []byte, budget int) (messages [][]byte, more bool, err error) {
	heads := headBuffers.Get().(*[]byte)
	defer headBuffers.Put(heads)
	more, err = l.pull(*heads, budget)
	if err != nil {
		return nil, false, err
	}
	encoder := encoders.Get().(*diff.Encoder)
	defer encoders.Put(encoder)
	if cap(l.messages) > maxMessagesKept {
		l.messages = nil
	}
	clear(l.messages)
	l.messages = l.messages[:0]
	for i := range l.pulled {
		start := len(buffer)
		made(&l.pulled[i].message)
		buffer = l.pulled[i].message.Append(buffer, encoder)
		l.messages = append(l.messages, buffer[start:len(buffer):len(buffer)])
	}
	clear(l.pulled)
	return l.messages, more, nil
}

// pull steps the core; heads is memory for what it says of the messages.
func (l *Link) pull(heads []byte, budget int) (more bool, err error) {
	l.x.mu.Lock()
	defer l.x.unlock()
	if l.err != nil {
		return false, l.err
	}
	if cap(l.pulled) > maxMessagesKept {
		l.pulled = nil
	}
	l.x.pulled = l.pulled[:0]
	a := l.x.apply(&impl.Input{Kind: impl.InputPull, Link: l.id, Buffer: heads, Budget: budget})
	l.pulled, l.x.pulled = l.x.pulled, nil
	return !a.drained, l.err
}

// headBuffers are memory for what the core says of the messages of one pull.
var headBuffers = sync.Pool{New: func() any { buffer := make([]byte, 0, 4<<10); return &buffer }}

// maxMessagesKept bounds what an idle link keeps for its next pull.
const maxMessagesKept = 64

// SetRights changes what the peer of a link to downstream may do: nil is everything. Contracts that are not allowed any more end the
// link with a [*ForbiddenError], or are left out, as the new rights say; contracts that were left out count again where they are allowed
// now. It returns an error when the link has ended, by this or before.
func (l *Link) SetRights(rights *Rights) error {
	l.x.mu.Lock()
	defer l.x.unlock()
	if l.err != nil {
		return l.err
	}
	if a := l.x.apply(&impl.Input{Kind: impl.InputSetRights, Link: l.id, Rights: rights.core()}); a.err != nil {
		return a.err
	}
	return l.err
}

// Detach ends the link, for the reason given; nil means [ErrClosed]. Detaching again does nothing.
func (l *Link) Detach(reason error) {
	if reason == nil {
		reason = ErrClosed
	}
	l.x.mu.Lock()
	defer l.x.unlock()
	if l.err != nil {
		return
	}
	l.x.apply(&impl.Input{Kind: impl.InputDetach, Link: l.id})
	l.end(reason)
}

// end notes that the core has forgotten the link, or will never be stepped again. The caller holds x.mu.
func (l *Link) end(reason error) {
	if l.err != nil {
		return
	}
	l.err = reason
	close(l.done)
	l.x.route.leave(l)
	delete(l.x.links, l.id)
	if l.claim != nil {
		l.claim.release()
	}
}
