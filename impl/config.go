package impl

import "hakuban/wire"

// Config is fixed for the life of an exchange. The zero value means the
// defaults.
type Config struct {
	Limits Limits

	// Rebalance moves objects from loaded downstream links to less loaded ones,
	// once per 0.5 to 1.5 s and object. The reference's router does, its
	// library does not.
	Rebalance bool
	// RebalanceThreshold is how much lower (in loads, that is in objects per
	// capacity) another link's expected load must be. Not negative.
	RebalanceThreshold float64

	// Trace collects the spec's actions of each step for [Exchange.Trace].
	Trace bool
}

// Limits bound what a peer or a caller can make an exchange hold. Zero fields
// mean the defaults.
type Limits struct {
	Wire wire.Limits

	// LinkObjects bounds the objects and tags one link may hold contracts or
	// channels on. Default 1,048,576.
	LinkObjects int
	// LinkBytes bounds the bytes of states a link may make this exchange hold.
	// Default 1 GiB.
	LinkBytes int
}

// DefaultRebalanceThreshold is the reference router's.
const DefaultRebalanceThreshold = 0.1

const (
	defaultLinkObjects = 1 << 20
	defaultLinkBytes   = 1 << 30
)

func (c Config) withDefaults() Config {
	if c.Limits.Wire == (wire.Limits{}) {
		c.Limits.Wire = wire.DefaultLimits
	}
	if c.Limits.LinkObjects == 0 {
		c.Limits.LinkObjects = defaultLinkObjects
	}
	if c.Limits.LinkBytes == 0 {
		c.Limits.LinkBytes = defaultLinkBytes
	}
	return c
}
