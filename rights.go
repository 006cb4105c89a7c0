package hakuban

import (
	"slices"
	"time"

	"hakuban/impl"
)

// Rights are what the peer of a downstream link may do. Nil Rights allow everything, the zero Rights nothing.
//
// Rights are looked at whenever data could be delivered, not only when a contract comes: from [Link.SetRights] on nothing goes over the
// link that its peer may not see, and nothing is taken that it may not send.
type Rights struct {
	// Observe and Expose say on which tags and objects the peer's contracts count.
	Observe, Expose Reach
	// Capacity bounds the capacity of the link on one object: a greater one counts as this one. Zero: no bound.
	Capacity uint32
	// VersionAhead bounds how far a version that the peer sends may be ahead of this machine's clock, when it is compared with the
	// default version of that time. A version further ahead ends the link: the greatest version would silence every other exposer of
	// the object for ever. Zero: no bound.
	VersionAhead time.Duration
	// LeaveOut says what becomes of a contract that is not allowed. True: it is left out, as if the peer had not asked, and counted
	// in [LinkStatus]. False: the link ends with a [*ForbiddenError] that names the contract.
	LeaveOut bool
}

// Reach is a set of tags. An object is within reach when one of its tags is.
type Reach struct {
	// All: every tag, and every object, with or without tags.
	All bool
	// Tags are within reach.
	Tags []Tag
	// Prefixes are tags whose value is an array. Every tag is within reach whose value is an array that begins with the elements of one
	// of them: the prefix ["site",7] reaches ["site",7] and ["site",7,"door"]. A prefix that is no array reaches nothing.
	Prefixes []Tag
}

func (r *Rights) core() *impl.Rights {
	if r == nil {
		return nil
	}
	return &impl.Rights{Observe: r.Observe.core(), Expose: r.Expose.core(), Capacity: r.Capacity, VersionAhead: int64(max(r.VersionAhead, 0)), LeaveOut: r.LeaveOut}
}

func (r *Reach) core() impl.Reach {
	reach := impl.Reach{All: r.All, Tags: make([]string, len(r.Tags)), Prefixes: make([]string, len(r.Prefixes))}
	for i, tag := range r.Tags {
		reach.Tags[i] = tag.text
	}
	for i, tag := range r.Prefixes {
		reach.Prefixes[i] = tag.text
	}
	slices.Sort(reach.Tags)
	return reach
}
