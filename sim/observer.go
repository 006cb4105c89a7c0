package sim

import "hakuban/impl"

// Observer sees everything that happens in a world, in order. What it is given
// is valid only during the call and must not be changed. A non-nil error of
// AfterStep, Send, Deliver or Lose ends the run as a violation of the property
// that the observer is named after.
type Observer interface {
	// Property names what the observer checks.
	Property() string
	// Begin: an exchange starts, or starts again after a crash; core is fresh.
	Begin(exchange int, core *impl.Exchange)
	// Attach: an exchange is about to be told that a session began. The link of
	// an end that was not told yet is zero.
	Attach(session Session, exchange int)
	// BeforeStep and AfterStep stand around each step of each core.
	BeforeStep(exchange int, core *impl.Exchange, now impl.Now, input *impl.Input)
	AfterStep(exchange int, core *impl.Exchange, now impl.Now, input *impl.Input, effects []impl.Effect) error
	// Send: a core wrote a message into a session that still carries it.
	Send(session Session, from, to int, data []byte) error
	// Respell: the oldest messages of that direction will arrive as these others,
	// which mean the same: another implementation would have written them.
	Respell(session Session, from, to int, was, now [][]byte) error
	// Deliver: the message is about to be received; AfterStep of it follows.
	// Truncated messages are delivered shorter than they were sent.
	Deliver(session Session, from, to int, data []byte) error
	// Lose: the oldest message of that direction, or the newest when last is
	// set, will never be delivered. Messages written into a session that is
	// lost already are lost without having been sent.
	Lose(session Session, from, to int, last bool) error
	// Crash: an exchange is gone with all it held.
	Crash(exchange int)
}

// Session names one session of one link of a world, with its two ends.
type Session struct {
	Number     int
	Child      int         // exchange at the downstream end
	Parent     int         // exchange at the upstream end
	ChildLink  impl.LinkID // the session at each end
	ParentLink impl.LinkID
}
