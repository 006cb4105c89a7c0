package sim

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"hakuban/sim/checker"
	"hakuban/sim/mark"
)

// Sweep is many runs, one per seed.
type Sweep struct {
	First   uint64
	Seeds   int
	Workers int
	Config  Config // but for the source
	// Observe makes an observer for each seed's run; nil: none. Done is told
	// when that run is over, from one goroutine at a time.
	Observe func() Observer
	Done    func(Observer)
	// Progress is told after every seed, from one goroutine at a time.
	Progress func(*Coverage)
}

// Coverage is what a sweep came through.
type Coverage struct {
	Seeds     int
	Failed    []Failure // in order of seeds
	Steps     int
	Looks     int // steps after which the whole exchange was looked at
	Exchanges int
	Repeated  int             // seeds run twice to compare hashes
	Calm      int64           // longest
	Faults    [faultCount]int // seeds with each
	Marks     map[mark.Mark]int
	Workloads map[string]int
}

// Failure is one seed that violates a property.
type Failure struct {
	Seed      uint64
	Violation *checker.Violation
}

// repeatEvery is how many seeds of a sweep are run twice.
const repeatEvery = 50

// Run runs the sweep until it is done or the context is.
func (s *Sweep) Run(ctx context.Context) *Coverage {
	coverage := &Coverage{Marks: map[mark.Mark]int{}, Workloads: map[string]int{}}
	var mutex sync.Mutex
	var workers errgroup.Group
	workers.SetLimit(max(1, s.Workers))
	for i := 0; i < s.Seeds && ctx.Err() == nil; i++ {
		seed := s.First + uint64(i)
		workers.Go(func() error {
			var observer Observer
			if s.Observe != nil {
				observer = s.Observe()
			}
			result := s.one(seed, observer)
			mutex.Lock()
			defer mutex.Unlock()
			if s.Done != nil {
				s.Done(observer)
			}
			coverage.add(seed, &result)
			if s.Progress != nil {
				s.Progress(coverage)
			}
			return nil
		})
	}
	_ = workers.Wait() // a seed that fails is no error of the sweep
	return coverage
}

// one runs a seed, and now and then a second time.
func (s *Sweep) one(seed uint64, observer Observer) Result {
	config := s.Config
	config.Source = Seed(seed)
	config.Observer = observer
	result := Run(config)
	config.Observer = nil
	if seed%repeatEvery == 0 && result.Violation == nil {
		if again := Run(config); again.Hash != result.Hash {
			result.Violation = &checker.Violation{Property: "determinism", Step: result.Steps,
				Text: "two runs of this seed have different hashes of all effects"}
		}
	}
	return result
}

func (c *Coverage) add(seed uint64, r *Result) {
	c.Seeds++
	c.Steps += r.Steps
	c.Looks += r.Looks
	c.Exchanges += r.Exchanges
	c.Calm = max(c.Calm, r.Calm)
	c.Workloads[r.Workload]++
	if seed%repeatEvery == 0 {
		c.Repeated++
	}
	if r.Violation != nil {
		c.Failed = append(c.Failed, Failure{seed, r.Violation})
	}
	for f, count := range r.Faults {
		if count > 0 {
			c.Faults[f]++
		}
	}
	for _, m := range mark.All() {
		if r.Marks.Count(m) > 0 {
			c.Marks[m]++
		}
	}
}

// Never lists what no seed came through: fault classes and marks.
func (c *Coverage) Never() (never []string) {
	for class, count := range c.Faults {
		if count == 0 {
			never = append(never, faultNames[class])
		}
	}
	for _, m := range mark.All() {
		if c.Marks[m] == 0 {
			never = append(never, m.String())
		}
	}
	return never
}
