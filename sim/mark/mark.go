// Package mark counts the interesting situations that runs came through, so
// that a sweep can tell what it never saw.
package mark

// Mark names one situation.
type Mark uint8

// The situations.
const (
	TreeChain Mark = iota
	TreeStar
	TreeBig
	SessionsOverlap
	Reconnect
	LostWhileOwed
	LinkEnded
	HalfOpen
	MessageLost
	WrittenIntoTheVoid
	DeliveredAfterLoss
	WindowFull
	CutTimedOut
	LongPause
	CrashWithOffers
	InnerRouterReplaced
	PartitionSubtree
	PartitionAlone
	PartitionHalf
	PartitionDepth
	PartitionAll
	PartitionChildren
	NothingToTake
	ReleasedWhileLive
	Reopened
	PublishedRevoked
	PublishedLastAt
	ExplicitVersion
	NegativeVersion
	LargeState
	CapacityZero
	CapacityHuge
	LoadLimit
	RebalancedInCalm

	StaleRefused
	RevokedRefused
	EqualVersionPublished
	VersionTie
	TakenTwice
	RevokedTaken
	ReadNothing
	ReadNow
	ReadLastAt
	ReadFlagOnly
	ReadSkipped
	ReadOfCrashed
	SuccessorOfMaximum

	ElectedUpstream
	ElectedObjectContract
	ElectedTagContract
	ElectedLink
	ElectedNobody
	ElectionMovedLink
	ElectionMovedLocal
	ElectionMovedUpstream
	ElectionLost
	RebalanceMoved
	RebalanceElected
	HandOverOverlap
	StreamKeptAtHandOver
	ExposerOverlap
	ObservedAndExposed
	StreamNotToElected
	OverLoadLimit
	NobodyForLoadLimit
	CapacityChangedWhileElected
	TieOfContracts
	TieOfLinks
	HeldWithoutExposer
	NotNeeded
	TagOnlyObject

	SettledWithExposer
	SettledWithoutExposer
	SettledStale
	FreshEverywhere
	ExcusedByCapacityZero
	ExcusedByLoadLimit

	LimitsGenerous
	LimitsTight
	LimitRefusedContract
	LimitRefusedLink
	LimitHeeded
	ExcusedByLimit
	LimitHollow
	LimitFilledByLink
	LimitFilledLocally
	LimitWithheld
	LimitToldLater
	LimitGreedyEnded
	LimitOverdrawnEnded
	LimitUpstreamEnded
	LimitRecovered

	MessageInSlices
	SliceAfterLoss

	MessageCut
	ActionsReordered
	LoadLimitTwice
	StatesInOneMessage

	count
)

var names = [count]string{
	"tree is a chain", "tree is a star", "tree of ten or more",
	"new session before the old one ended", "reconnected", "lost while something was owed", "core ended a link", "one end learned late",
	"message lost", "written into a lost session", "delivered after the loss", "window full", "cut until timeout", "paused beyond the timeout",
	"crash with offers taken", "inner router replaced",
	"partition: subtree", "partition: exchange alone", "partition: half", "partition: depth", "partition: all links", "partition: one parent's links",
	"offered, but nothing left to take", "released while elected or live", "closed and reopened at once", "published on a revoked sink",
	"published as last-at", "explicit version", "negative version", "large state", "capacity zero", "capacity huge", "load limit", "rebalanced in calm",
	"stale publication refused", "revoked publication refused", "equal version published", "version tie", "taken again after release", "taken offer revoked",
	"read of nothing", "read now", "read last-at", "flag changed alone", "observer skipped a state", "read a state of a crashed exposer", "successor of the maximum",
	"elected: upstream", "elected: object contract", "elected: tag contract", "elected: link", "elected: nobody",
	"election: link to link", "election: local to other", "election: upstream took over", "election: lost",
	"rebalance moved", "tick elected", "hand-over: two sinks open", "stream kept over a hand-over", "two exposers at once", "link observes and exposes",
	"no stream to the elected link", "link over its load limit", "nobody for the load limit", "capacity changed while elected", "tie of local contracts", "tie of links",
	"state held without exposer", "data not needed", "object live for a tag-only client",
	"at rest with an exposer", "at rest without an exposer", "at rest above the exposer's version", "fresh state reached everyone",
	"starved by a capacity of zero", "starved by a load limit",
	"generous limits", "tight limits", "contract refused for a limit", "link refused for a limit", "asked for less after a limit", "kept from an observer by a limit",
	"hollow state", "hollow state filled by a link", "hollow state filled locally", "state withheld", "withheld state told later",
	"greedy link ended, its neighbour not", "overdrawn link ended, its neighbour not", "limit met on the link to upstream", "at rest after a limit ended a link",
	"message taken in slices", "slice taken after the loss",
	"control message cut by its writer", "actions in another order", "load limit said twice", "several states in one message",
}

// String returns the mark in words.
func (m Mark) String() string { return names[m] }

// All returns every mark.
func All() []Mark {
	all := make([]Mark, count)
	for i := range all {
		all[i] = Mark(i)
	}
	return all
}

// Set counts marks. A nil set counts nothing.
type Set [count]uint32

// Hit counts one.
func (s *Set) Hit(m Mark) {
	if s != nil {
		s[m]++
	}
}

// Count returns how often a mark was hit.
func (s *Set) Count(m Mark) uint32 { return s[m] }
