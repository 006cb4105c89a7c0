package impl

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hakuban/wire"
)

// Rights are what the peer of a downstream link may do. A link without Rights
// may do everything; the zero Rights allow nothing. Rights are shared and never
// changed.
type Rights struct {
	// Observe and Expose say on which tags, and on which objects, contracts count.
	Observe Reach `json:"observe,omitzero"`
	Expose  Reach `json:"expose,omitzero"`
	// Capacity bounds the capacity of the link on one object: a greater one counts
	// as this one. Zero: no bound.
	Capacity uint32 `json:"capacity,omitempty"`
	// VersionAhead bounds, in nanoseconds, how far a version [0, seconds,
	// nanoseconds] that the link sends may be ahead of the wall clock. A version
	// further ahead ends the link. Zero: no bound.
	VersionAhead int64 `json:"version_ahead,omitempty"`
	// LeaveOut says what becomes of a contract that is not allowed: it is left out
	// as if the peer had not asked for it, and counted. Otherwise the link ends.
	LeaveOut bool `json:"leave_out,omitempty"`
}

// Reach is a set of tags. An object is in reach when one of its tags is.
type Reach struct {
	// All: every tag, and every object, with or without tags.
	All bool `json:"all,omitempty"`
	// Tags are identities of tags, sorted: see [wire.Canonical].
	Tags []string `json:"tags,omitempty"`
	// Prefixes are identities of arrays. A tag is in reach when it is an array that
	// begins with all elements of one of them.
	Prefixes []string `json:"prefixes,omitempty"`
}

// HasTag reports whether the tag with an identity is in reach.
func (r *Reach) HasTag(identity string) bool {
	if r.All {
		return true
	}
	if _, found := slices.BinarySearch(r.Tags, identity); found {
		return true
	}
	return slices.ContainsFunc(r.Prefixes, func(prefix string) bool { return beginsWith(identity, prefix) })
}

// HasObject reports whether an object is in reach.
func (r *Reach) HasObject(d *wire.Descriptor) bool {
	return r.All || slices.ContainsFunc(d.TagIdentities, r.HasTag)
}

// beginsWith reports whether a value is an array that begins with all elements of
// the array prefix. Both are identities, so elements are equal when their texts
// are, and a complete element is followed by ',' or ']'.
func beginsWith(identity, prefix string) bool {
	if prefix == "[]" {
		return strings.HasPrefix(identity, "[")
	}
	elements, isArray := strings.CutSuffix(prefix, "]")
	rest, begins := strings.CutPrefix(identity, elements)
	return isArray && begins && rest != "" && (rest[0] == ',' || rest[0] == ']')
}

// allowed is what counts of what a peer asks for on an object or tag, given
// whether that is in reach of its rights to observe and to expose.
func (r *Rights) allowed(asked asks, observe, expose bool) asks {
	asked.observes = asked.observes && observe
	if !expose {
		asked.exposes, asked.capacity = false, 0
	}
	asked.capacity = uint32(min(uint64(asked.capacity), r.capacityBound()))
	return asked
}

func (r *Rights) mayObserve(d *wire.Descriptor) bool { return r == nil || r.Observe.HasObject(d) }
func (r *Rights) mayExpose(d *wire.Descriptor) bool  { return r == nil || r.Expose.HasObject(d) }

func (l *link) allowedOnObject(asked asks, d *wire.Descriptor) asks {
	if l.rights == nil {
		return asked
	}
	return l.rights.allowed(asked, l.rights.mayObserve(d), l.rights.mayExpose(d))
}

func (l *link) allowedOnTag(asked asks, identity string) asks {
	if l.rights == nil {
		return asked
	}
	return l.rights.allowed(asked, l.rights.Observe.HasTag(identity), l.rights.Expose.HasTag(identity))
}

// capacityBound is the greatest capacity of a link on one object.
func (r *Rights) capacityBound() uint64 {
	if r == nil || r.Capacity == 0 {
		return math.MaxUint64
	}
	return uint64(r.Capacity)
}

// refusal says which of the contracts that a peer had not asked for before is not
// allowed; nil: all are.
func (l *link) refusal(before, asked, allowed asks, what, name string) error {
	verb := ""
	switch {
	case asked.observes && !before.observes && !allowed.observes:
		verb = "observe"
	case asked.exposes && !before.exposes && !allowed.exposes:
		verb = "expose"
	default:
		return nil
	}
	return &ForbiddenError{Link: l.id, Reason: fmt.Sprintf("%s of %s %s, which the link's rights do not allow", verb, what, brief(name))}
}

// forbid refuses a contract: an error ends the link; otherwise the contract is
// left out, and counted.
func (l *link) forbid(refusal error) error {
	if refusal == nil {
		return nil
	}
	l.leftOut++
	if l.rights.LeaveOut {
		return nil
	}
	return refusal
}

// checkVersion refuses a version of an exposer that is too far ahead of the wall
// clock.
func (x *Exchange) checkVersion(l *link, version []int64) error {
	if l.rights == nil || l.rights.VersionAhead == 0 {
		return nil
	}
	latest := x.now.Wall + l.rights.VersionAhead
	if latest < x.now.Wall {
		return nil // beyond the end of time
	}
	bound := []int64{0, latest / 1e9, latest % 1e9, math.MaxInt64}
	if slices.Compare(version, bound) <= 0 {
		return nil
	}
	return &ForbiddenError{Link: l.id, Reason: fmt.Sprintf("version %s, which is more than %d ms ahead of the clock", brief(fmt.Sprint(version)), l.rights.VersionAhead/1e6)}
}

// setRights changes the rights of a downstream link. Contracts that are not
// allowed any more end the link or are left out; those that are allowed now count
// again.
//
// spec: SetRights
func (x *Exchange) setRights(l *link, rights *Rights) {
	if l.role != ToDownstream {
		x.refuse(fmt.Errorf("hakuban: link %d leads to upstream, which has no rights here", l.id))
		return
	}
	l.rights = rights
	x.balance.stir(x.now.Mono, 0)
	var refused error
	for _, identity := range sortedKeys(l.tags) {
		tl := l.tags[identity]
		allowed := l.allowedOnTag(tl.asked, identity)
		refused = firstError(refused, l.forbid(l.refusal(asks{}, tl.asked, allowed, "tag", identity)))
		if allowed != tl.asks {
			x.acquireTagLink(tl.tag, l).asks = allowed
		}
	}
	for _, key := range sortedKeys(l.objects) {
		ol := l.objects[key]
		if !ol.asked.any() {
			continue // here for its channels
		}
		allowed := l.allowedOnObject(ol.asked, &ol.object.descriptor)
		refused = firstError(refused, l.forbid(l.refusal(asks{}, ol.asked, allowed, "object", key)))
		x.ask(ol, ol.asked, allowed)
		x.touch(ol.object, l)
	}
	x.settleTouched()
	if refused != nil {
		x.end(l, refused)
	}
}

func firstError(first, next error) error {
	if first != nil {
		return first
	}
	return next
}
