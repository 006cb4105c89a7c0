package linearizability

import (
	"fmt"
	"strings"
)

// verb is what a call does.
type verb uint8

const (
	openContract verb = iota
	closeContract
	setCapacity
	take        // Next with a context that has ended: what waits, at once
	tryTake     // TryNext
	waitTake    // Next for a while
	waitOffered // TryNext, and again after Offered, for a while
	release
	send
	latest
	next     // Stream.Next with a context that has ended
	waitNext // Stream.Next for a while
	isDone   // whether Done is closed
	cause    // of Context
	snapshot
	closeExchange
)

var verbNames = [...]string{"open", "close", "set capacity", "take", "try take", "wait to take", "wait for an offer", "release", "send", "latest", "next",
	"wait for next", "done", "cause", "snapshot", "close exchange"}

func (v verb) String() string { return verbNames[v] }
func (v verb) waits() bool    { return v == waitTake || v == waitOffered || v == waitNext }

// contractKind is one of the four kinds of contract.
type contractKind uint8

const (
	observeObject contractKind = iota
	exposeObject
	observeTag
	exposeTag
)

var kindNames = [...]string{"observe object", "expose object", "observe tag", "expose tag"}

func (k contractKind) String() string { return kindNames[k] }
func (k contractKind) exposes() bool  { return k == exposeObject || k == exposeTag }
func (k contractKind) ofTag() bool    { return k == observeTag || k == exposeTag }

// operation is a call, as Porcupine's input. Contracts and offers (sinks and streams) have numbers that the driver gives.
type operation struct {
	verb     verb
	objects  []int // those that the call is about: of a tag contract, all that carry the tag
	contract int
	kind     contractKind
	capacity uint32
	offer    int
	version  []int64 // send: none is the default
	data     string
	lastAt   int64 // send: the flag; 0 is now
	clock    int64 // the wall clock, in nanoseconds, when it took effect
}

// outcome is how a call ended without the result that it can have.
type outcome string

const (
	good     outcome = ""
	closed   outcome = "ErrClosed"
	revoked  outcome = "ErrRevoked"
	stale    outcome = "ErrStale"
	nothing  outcome = "nothing" // there was none, or none until the context ended
	yes      outcome = "yes"
	no       outcome = "no"
	badError outcome = "an error that the model does not know: "
)

// result is what a call returned, as Porcupine's output.
type result struct {
	outcome outcome
	object  int // taken: of the offer
	offer   int // taken; 0: none was
	seen    seen
	looks   []look // of a snapshot: by object
}

// seen is a state as a reader sees it.
type seen struct {
	version []int64
	data    string
	lastAt  int64 // 0: now
}

// look is what a snapshot shows of one object.
type look struct {
	live, needed bool
	elected      electedKind
	contracts    [4]int // by kind
	capacity     uint64 // summed over object contracts
	sinks        int    // taken, and not ended
	revoked      int    // sinks and streams taken, ended, and not released
	holds        bool
	version      string
	lastAt       int64
}

// electedKind is who is elected, as far as a snapshot can be compared.
type electedKind uint8

const (
	nobody electedKind = iota
	objectContract
	tagContract
)

// covers returns the objects that a call says something of.
func covers(in *operation, out *result) []int {
	if out.offer != 0 {
		return []int{out.object}
	}
	return in.objects
}

// String describes a call for the picture.
func (in *operation) String() string {
	text := in.verb.String()
	switch in.verb {
	case openContract:
		text += fmt.Sprintf(" c%d (%s %v)", in.contract, in.kind, in.objects)
		if in.kind.exposes() {
			text += fmt.Sprintf(" capacity %d", in.capacity)
		}
	case setCapacity:
		text += fmt.Sprintf(" c%d to %d", in.contract, in.capacity)
	case closeContract, take, tryTake, waitTake, waitOffered:
		text += fmt.Sprintf(" c%d", in.contract)
	case send:
		text += fmt.Sprintf(" on s%d: %q %s", in.offer, in.data, versionText(in.version))
		if in.lastAt != 0 {
			text += " last at " + clockText(in.lastAt)
		}
	case release, latest, next, waitNext, isDone, cause:
		text += fmt.Sprintf(" s%d", in.offer)
	}
	return text + " at " + clockText(in.clock)
}

// String describes a result for the picture.
func (out *result) String() string {
	switch {
	case out.offer != 0:
		return fmt.Sprintf("s%d of object %d", out.offer, out.object)
	case out.looks != nil:
		return fmt.Sprintf("%+v", out.looks)
	case out.seen.version != nil:
		return out.seen.String()
	case out.outcome == good:
		return "ok"
	}
	return string(out.outcome)
}

func (s seen) String() string {
	text := fmt.Sprintf("%q %s", s.data, versionText(s.version))
	if s.lastAt == 0 {
		return text + " now"
	}
	return text + " last at " + clockText(s.lastAt)
}

func versionText(version []int64) string {
	if len(version) == 0 {
		return "default"
	}
	return strings.ReplaceAll(fmt.Sprint(version), " ", ",")
}

// clockText is a time as far as it differs within a run.
func clockText(clock int64) string { return fmt.Sprintf("%dns", clock-bubbleStart) }

// bubbleStart is when the clock of each synctest bubble starts: the beginning of the year 2000, in Unix nanoseconds.
const bubbleStart = 946684800 * 1_000_000_000
