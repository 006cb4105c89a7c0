package interop

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// doubt is a place where the reference's rules may break a property: what led to it, told of the reference and of ours alike.
type doubt struct {
	name string
	run  func(*World, Kind)
}

// doubts is the whole table; spec/findings.md has a row for each.
var doubts = [][]doubt{flagDoubts, electionDoubts, loadDoubts, linkDoubts}

// TestDoubts runs each with both kinds of exchange, whose behaviour it spells out where they differ.
func TestDoubts(t *testing.T) {
	RustReference(t)
	for _, group := range doubts {
		for _, d := range group {
			for _, kind := range []Kind{Rust, Go} {
				t.Run(d.name+"/"+string(kind), func(t *testing.T) {
					t.Parallel()
					d.run(StartWorld(t, Tree{Shape: Direct}, RouterOptions{}, []Kind{kind}), kind)
				})
			}
		}
	}
}

// subject is the exchange that a doubt is about. Its children are spoken by the test.
type subject struct {
	*Peer
	url    string
	probes int
}

// probe is the tag of objects that the subject observes whenever somebody exposes them.
const probe = "probe"

// startParent starts an exchange that moves objects every second, as a router does, or never.
func startParent(w *World, rebalances bool) *subject {
	w.Helper()
	s := &subject{Peer: StartPeer(w, "subject")}
	interval := time.Duration(0)
	if rebalances {
		interval = time.Second
	}
	s.url = s.Listen(interval, 0.1)
	s.ObserveTag(Text(probe))
	return s
}

func (s *subject) child(name string, limit ...uint32) *Raw {
	s.t.Helper()
	return DialRaw(s.t, s.url, name, limit...)
}

// answers waits until all is done that a child has told before: what it tells last is answered.
func (s *subject) answers(child *Raw) {
	s.t.Helper()
	s.probes++
	object := NewObject(fmt.Sprint(s.probes), probe)
	child.Tell(exposing(object, math.MaxUint32)) // which is next to no load
	sink := child.Sink(object)
	child.Tell(unexposing(object))
	sink.WaitClosed()
}

// seen is the object as the exchange sees it, or as nobody needs it.
func (p *Peer) seen(object Object) objectMonitor {
	p.t.Helper()
	var m exchangeMonitor
	p.Snapshot(MonitorExchange, &m)
	if found := m.object(object); found != nil {
		return *found
	}
	return objectMonitor{}
}

// elected is the name of the child that is elected for the object, or "nobody", "upstream" or "itself".
func (p *Peer) elected(object Object) string {
	p.t.Helper()
	for kind, id := range p.seen(object).AssignedExposer {
		switch kind {
		case "UpstreamConnection":
			return "upstream"
		case "DownstreamConnection":
			for _, link := range p.links().DownstreamConnections {
				if link.ID == id && link.RemoteName != nil {
					return *link.RemoteName
				}
			}
			return "a link that is gone"
		}
		return "itself"
	}
	return "nobody"
}

func (p *Peer) links() (m listenerMonitor) {
	p.t.Helper()
	p.Snapshot(MonitorListener, &m)
	return m
}

func (p *Peer) isElected(object Object, want string) {
	p.t.Helper()
	if got := p.elected(object); got != want {
		p.t.Fatalf("%s is elected for %s, expected %s", got, object.JSON, want)
	}
}

func (p *Peer) waitElected(object Object, want string) {
	p.t.Helper()
	var got string
	eventually(p.t, func() string { return fmt.Sprintf("%s is elected for %s, expected %s", got, object.JSON, want) }, func() bool {
		got = p.elected(object)
		return got == want
	})
}

// staysElected fails if another is elected before every object has had its turn in a rebalance.
func (p *Peer) staysElected(object Object, want string) {
	p.t.Helper()
	for end := time.Now().Add(passes); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		p.isElected(object, want)
	}
}

// hasLoad checks the load of a child.
func (p *Peer) hasLoad(child string, want float64) {
	p.t.Helper()
	if link := p.links().named(child); link == nil || math.Abs(link.Load-want) > 1e-6 {
		p.t.Fatalf("%s has the link %+v, expected a load of %v", child, link, want)
	}
}
