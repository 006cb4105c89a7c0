package hakuban

import (
	"hakuban/impl"
	"hakuban/wire"
)

// Limits bound what a peer or a caller can make an exchange hold. Fields that are zero or below mean those of [DefaultLimits].
type Limits struct {
	// Wire bounds each message, and what it says.
	Wire WireLimits

	// LinkObjects bounds, for each link, the objects and tags it has contracts or channels on. By default 1,048,576. A downstream
	// link that exceeds it ends. As many objects again may come from upstream because the link asks for them.
	LinkObjects int

	// LinkBytes bounds, for each link, the bytes of memory it makes this exchange hold: what it asks for, the last states that came in
	// on its channels, and what upstream sends because the link asks for it. By default 1 GiB. A link that exceeds it ends. As many
	// bytes again may be channels that this exchange opens to it. As many again may be states whose exposers have gone: beyond
	// that, observers who come later do not get them. As many again may be the bases of differences to send: beyond that, states are
	// sent whole.
	LinkBytes int
}

// WireLimits bound the parts of a message. The defaults are in parentheses. A peer that exceeds one loses its link; a caller gets
// [ErrTooLarge].
type WireLimits struct {
	Message      int // bytes of one event (64 MiB)
	State        int // bytes of one state's data (64 MiB)
	Diff         int // bytes of one difference between states (64 MiB)
	Descriptor   int // bytes of an object's value and tags together, as JSON (1 MiB)
	Tags         int // tags of one object (1024)
	Version      int // elements of a version (1024)
	Formats      int // names of a state's formats (256)
	Format       int // bytes of one of them (64 KiB)
	Name         int // bytes of a link's name (64 KiB)
	LoadPoints   int // points of a load limit (4096)
	Actions      int // changes of contracts and channels that one message makes (1,048,576)
	States       int // states that one message brings (1024)
	Initializers int // first messages of a link that one message holds, of which the protocol wants one (16)
	Elements     int // elements of all lists of one message together (4,194,304)
}

// DefaultLimits returns the limits in force where [Options] say nothing else.
func DefaultLimits() Limits {
	d := impl.DefaultLimits
	return Limits{Wire: WireLimits(d.Wire), LinkObjects: d.LinkObjects, LinkBytes: d.LinkBytes}
}

// core returns the limits as the core takes them.
func (l Limits) core() impl.Limits {
	return impl.Limits{Wire: wire.Limits(l.Wire), LinkObjects: l.LinkObjects, LinkBytes: l.LinkBytes}
}
