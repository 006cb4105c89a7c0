//go:build unix

package faults

import (
	"fmt"
	"slices"
	"syscall"
	"time"
)

// resolver is how long Go's resolver goes by what it last read of a hosts file.
const resolver = 5 * time.Second

// bound is within what time of its healing a fault must be over.
const bound = 5 * time.Second

// part is one of the processes that faults happen to.
type part struct {
	name    string
	process func(*tree) *process
}

var parts = []part{
	{"root", func(t *tree) *process { return t.root }},
	{"middle", func(t *tree) *process { return t.middle }},
	{"leaf exposer", func(t *tree) *process { return t.exposer.process }},
	{"leaf observer", func(t *tree) *process { return t.observer.process }},
}

// bystanders are killed too, but nothing else happens to them.
var bystanders = []part{
	{"other exposer", func(t *tree) *process { return t.otherExposer.process }},
	{"other observer", func(t *tree) *process { return t.otherObserver.process }},
}

// fault is something that happens to a part, and is over when end returns.
type fault struct {
	name  string
	lasts time.Duration
	long  bool // too long for the short form
	begin func(*process) error
	end   func(*process) error
}

func run(p *process) error { return p.run() }

func stopWith(s syscall.Signal) func(*process) error {
	return func(p *process) error { p.kill(s); return nil }
}

func signalled(s syscall.Signal) func(*process) error {
	return func(p *process) error { return p.signal(s) }
}

func lose(percent int, directions ...direction) func(*process) error {
	return func(p *process) error {
		for _, d := range directions {
			if err := p.host.lose(d, percent); err != nil {
				return err
			}
		}
		return nil
	}
}

func heal(p *process) error { return p.host.heal() }

// outage is how long a cable is cut and a process is gone: longer than the timeout of the links, so that they end.
const outage = 6 * time.Second

var faults = []fault{
	{"kill −9", time.Second, false, stopWith(syscall.SIGKILL), run},
	{"stop 5 s", 5 * time.Second, false, signalled(syscall.SIGSTOP), signalled(syscall.SIGCONT)},
	{"stop 130 s", 130 * time.Second, true, signalled(syscall.SIGSTOP), signalled(syscall.SIGCONT)},
	{"restart", 0, false, stopWith(syscall.SIGTERM), run},
	{"cable cut", outage, false, lose(100, inwards, outwards), heal},
	{"cable cut, inwards", outage, false, lose(100, inwards), heal},
	{"cable cut, outwards", outage, false, lose(100, outwards), heal},
	{"30 % loss", outage, false, lose(30, inwards, outwards), heal},
	{"64 kbit/s", outage, false, func(p *process) error { return p.host.slow("64kbit") }, heal},
	{"address change", outage, false, func(p *process) error { return p.host.move() }, func(p *process) error { return p.host.network.tellNames() }},
}

// bound is within what time of its healing the fault must be over.
func (f *fault) bound() time.Duration {
	if f.name == "address change" {
		return bound + resolver
	}
	return bound
}

// result is what came of one fault.
type result struct {
	part, fault string
	healed      time.Duration // from the healing to the first state that was sent after it
	held        bool          // within the bound
	bystanders  time.Duration // the longest time between two states that the bystanders saw
	err         error
}

// do has a fault happen to a part.
func (t *tree) do(p part, f fault) (r result) {
	r = result{part: p.name, fault: f.name}
	process := p.process(t)
	bystander := t.otherObserver
	bystander.mu.Lock()
	bystander.gap, bystander.last = 0, time.Now()
	bystander.mu.Unlock()
	if r.err = f.begin(process); r.err != nil {
		return r
	}
	time.Sleep(f.lasts) // that is how long the fault lasts
	if r.err = f.end(process); r.err != nil {
		return r
	}
	healed := time.Now()
	r.healed, r.held = await(t.observer, t.exposer, healed, 60*time.Second)
	r.held = r.held && r.healed <= f.bound()
	if r.err = t.settled(healed, 60*time.Second); r.err == nil {
		r.err = t.fell()
	}
	bystander.mu.Lock()
	r.bystanders = bystander.gap
	bystander.mu.Unlock()
	return r
}

// hold says why a result is not as it must be; nil: it is. How long things took is judged, or not.
func (r *result) hold(judged bool) error {
	switch {
	case r.err != nil || !judged:
		return r.err
	case !r.held:
		return fmt.Errorf("the newest state came %v after the healing, at most %v was expected", r.healed.Round(time.Millisecond), bound)
	case r.part != "root" && r.bystanders > bound:
		return fmt.Errorf("bystanders saw nothing for %v", r.bystanders.Round(time.Millisecond))
	}
	return nil
}

// kills kills one part after the other, each as soon as the one before is back.
func (t *tree) kills(n int, judged bool) (worst time.Duration, err error) {
	kill := slices.IndexFunc(faults, func(f fault) bool { return f.name == "kill −9" })
	victims := slices.Concat(parts, bystanders)
	for i := range n {
		f := faults[kill]
		f.lasts = 0
		r := t.do(victims[i*5%len(victims)], f)
		worst = max(worst, r.healed)
		if err := r.hold(judged); err != nil {
			return worst, fmt.Errorf("kill %d, of the %s: %w", i+1, r.part, err)
		}
	}
	return worst, nil
}
