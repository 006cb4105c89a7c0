package impl

import (
	"cmp"

	"hakuban/wire"
)

// Config is fixed for the life of an exchange. The zero value is a library's: the
// default limits, and objects stay where they are.
type Config struct {
	Limits Limits

	// Rebalance moves objects from loaded downstream links to less loaded ones,
	// once per 0.5 to 1.5 s and object. The reference's router does, its
	// library does not. Without it an object that nobody is elected for is
	// looked at as often, for a load limit may have risen.
	Rebalance bool
	// RebalanceThreshold is how much lower (in loads, that is in objects per
	// capacity) another link's expected load must be. Zero: any lower load is low
	// enough. Negative or not a number: [DefaultRebalanceThreshold].
	RebalanceThreshold float64

	// Slice is how many things a step looks at: actions of a control message, and
	// objects that a pull tells of. What is left is for further steps. Zero and below:
	// [DefaultSlice].
	Slice int `json:",omitempty"`

	// Upstream says that there will be an upstream. What downstream links make this
	// exchange ask for is kept within what an upstream allows one link, before the
	// first one is linked to as well as from then on.
	Upstream bool
}

// Limits bound what a peer or a caller can make an exchange hold. Fields that
// are zero or below mean the defaults.
type Limits struct {
	Wire wire.Limits

	// LinkObjects bounds the objects and tags that one link has contracts or channels
	// on, and, apart from those, the objects that upstream has channels on because the
	// link asks for them. Upstream is asked for one less in all. Default 1,048,576.
	LinkObjects int
	// LinkBytes bounds, four times, the bytes of memory that one link may make this
	// exchange hold. Upstream is made to hold seven eighths of it in all. Default 1 GiB.
	//
	//  1. What the link asks for by name, the last states that came in on its
	//     channels, states held that it brought before those, and what upstream has
	//     open and sends because the link asks for it. A link that takes more ends.
	//  2. The channels that we opened, and records of the objects that have one and that
	//     it asks for by a tag alone. A link that takes more ends.
	//  3. States whose exposers have gone, of objects that it is the oldest to ask for.
	//     States beyond become hollow.
	//  4. The last states that went out on its channels, once they are not held any
	//     more. States beyond are forgotten, and the next one is sent whole.
	LinkBytes int
}

// DefaultRebalanceThreshold is the reference router's.
const DefaultRebalanceThreshold = 0.1

// DefaultLimits are the limits in force where nothing else is said.
var DefaultLimits = Limits{Wire: wire.DefaultLimits, LinkObjects: 1 << 20, LinkBytes: 1 << 30}

// WithDefaults returns the limits with [DefaultLimits] in place of each that is zero or below.
func (l Limits) WithDefaults() Limits {
	return Limits{
		Wire:        l.Wire.WithDefaults(),
		LinkObjects: cmp.Or(max(l.LinkObjects, 0), DefaultLimits.LinkObjects),
		LinkBytes:   cmp.Or(max(l.LinkBytes, 0), DefaultLimits.LinkBytes),
	}
}
