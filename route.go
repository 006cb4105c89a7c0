package hakuban

import (
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
)

// route is what an exchange knows of its way to the root, by the identities of exchanges, so that no tree is closed to a ring: capacities
// would go round and grow, and objects live for ever.
type route struct {
	own string

	mu         sync.Mutex // guards what follows; nothing else is locked while it is held
	link       *Link      // to upstream; nil: none
	upstream   []string   // from the peer of that link to the root, as far as they are known
	downstream map[*Link]string
	changed    chan struct{} // closed, and replaced, when upstream changes
}

// identityBytes of randomness: enough that no two exchanges of a tree have the same identity.
const identityBytes = 6

func newRoute() *route {
	bytes := binary.LittleEndian.AppendUint64(nil, rand.Uint64()) // the system has seeded it; crypto/rand would cost wasm 60 kB
	return &route{own: base64.RawURLEncoding.EncodeToString(bytes[:identityBytes]), downstream: map[*Link]string{}, changed: make(chan struct{})}
}

// Route returns the identities of the exchanges from this one to the root, as far as transports know them, and a channel that is closed
// when they change. An identity is eight letters of base64url, and random for each Exchange. Not every peer tells its own.
func (x *Exchange) Route() (identities []string, changed <-chan struct{}) {
	x.route.mu.Lock()
	defer x.route.mu.Unlock()
	return append([]string{x.route.own}, x.route.upstream...), x.route.changed
}

// SetRoute tells the exchange what the peer of a link to upstream says of its own way to the root: its own identity first. It ends the link,
// and returns [ErrLoop], when that way leads through this exchange.
func (l *Link) SetRoute(identities []string) error {
	err := l.x.route.follow(l, identities)
	if err != nil {
		l.Detach(err)
	}
	return err
}

// follow notes the way to the root behind a link to upstream.
func (r *route) follow(l *Link, identities []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closes(identities) {
		return ErrLoop
	}
	r.link = l
	r.set(identities)
	return nil
}

// closes reports whether a way to the root leads through this exchange or one that is linked to it from downstream. The caller holds mu.
func (r *route) closes(identities []string) bool {
	if slices.Contains(identities, r.own) {
		return true
	}
	for _, peer := range r.downstream {
		if peer != "" && slices.Contains(identities, peer) {
			return true
		}
	}
	return false
}

func (r *route) set(identities []string) {
	if !slices.Equal(r.upstream, identities) {
		r.upstream = slices.Clone(identities)
		close(r.changed)
		r.changed = make(chan struct{})
	}
}

// admit notes the identity of a peer that links from downstream.
func (r *route) admit(l *Link, peer string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if peer != "" && (peer == r.own || slices.Contains(r.upstream, peer)) {
		return ErrLoop
	}
	r.downstream[l] = peer
	return nil
}

// leave forgets a link.
func (r *route) leave(l *Link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.downstream, l)
	if r.link == l {
		r.link = nil
		r.set(nil)
	}
}
