//go:build plants

package sim

import (
	"os/exec"
	"strings"
	"testing"

	"hakuban/internal/plant"
)

// simulatorPlant is a bug that is planted into the simulator: in file, old
// becomes new. A test of this package must fail and say so.
type simulatorPlant struct{ name, file, old, new, test, says string }

// A simulator that lies about its network, its time or its faults is caught. Run
// it with: go test -tags plants -run SimulatorPlants -timeout 40m ./sim
func TestSimulatorPlants_AreCaught(t *testing.T) {
	for _, p := range simulatorPlants {
		t.Run(p.name, func(t *testing.T) {
			overlay := plant.Overlay(t, plant.Change{File: p.file, Old: p.old, New: p.new})
			out, err := exec.Command("go", "test", "-count=1", "-short", "-overlay", overlay, "-run", "^"+p.test+"$", ".").CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: "+p.test) || !strings.Contains(string(out), p.says) {
				t.Errorf("%s did not say %q: %v\n%s", p.test, p.says, err, out)
			}
		})
	}
}

const (
	sweepTest    = "TestSweep_EverySeedHoldsAndEveryFaultIsSometimesThere"
	observerTest = "TestObserver_SeesEveryStepAndMessage"
)

var simulatorPlants = []simulatorPlant{
	{"a message overtakes another", "session.go",
		`	parcel := &p.queue[p.head]
`,
		`	if p.head+1 < len(p.queue) {
		p.queue[p.head], p.queue[p.head+1] = p.queue[p.head+1], p.queue[p.head]
	}
	parcel := &p.queue[p.head]
`,
		sweepTest, `property "peers keep the protocol"`},
	{"a message arrives twice", "session.go",
		`	p.bytes += len(data)
	if w.observer`,
		`	p.queue = append(p.queue, parcel{at: p.lastAt, data: append([]byte(nil), data...)})
	p.bytes += 2 * len(data)
	if w.observer`,
		sweepTest, `property "peers keep the protocol"`},
	{"a message is lost and the link goes on", "session.go",
		`	if s.lost || s.ends`,
		`	if s.lost || w.steps%50 == 0 || s.ends`,
		sweepTest, `property "peers keep the protocol"`},
	{"the last message is lost and the link goes on", "session.go",
		`	if s.lost || s.ends`,
		`	if s.lost || w.calm && w.steps%50 == 0 || s.ends`,
		sweepTest, `property "agreement"`},
	{"an end never learns of a loss", "session.go",
		`		if e.state == endGone {
			continue`,
		`		if e.state == endGone || which == parentEnd {
			continue`,
		sweepTest, `property "no ghosts"`},
	{"a full window is never emptied", "session.go",
		`	w.schedulePull(s, from)
	w.arm(s, from)
}`,
		`	w.arm(s, from)
}`,
		sweepTest, `property "no ghosts"`},
	{"what a lost session holds is forgotten silently", "session.go",
		`	for len(p.queue)-p.head > keep {`,
		`	for false {`,
		observerTest, "messages sent"},
	{"a tick never comes", "world.go",
		`		if n.tickAt == e.time {
			n.tickAt = 0`,
		`		if n.tickAt == e.time+1 {
			n.tickAt = 0`,
		sweepTest, `property "election"`},
	{"an event comes too late", "heap.go",
		`		if !s[child].before(&last) {`,
		`		if s[child].before(&last) {`,
		sweepTest, `property "time goes on"`},
	{"a fault is counted and not injected", "fault.go",
		`		return w.loseLink(child, lossNoticed, lossNoticed, true)
	case faultAsymmetric`,
		`		return true
	case faultAsymmetric`,
		sweepTest, `fault "link loss" is in 0 of`},
	{"nobody is told of a step", "world.go",
		`		if v := w.set.Step(s); v != nil {`,
		`		if v := w.set.Step(s); v != nil && w.steps < 0 {`,
		"TestCheckers_CatchTheirMutants", "did not catch it"},
	{"no exchange is shown", "world.go",
		`	if v := w.set.Glance(&l); v != nil {`,
		`	if v := w.set.Glance(&l); v != nil && w.steps < 0 {`,
		"TestCheckers_CatchTheirMutants", "did not catch it"},
}
