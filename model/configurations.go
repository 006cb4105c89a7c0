package model

// Configurations are those of spec/ that CI checks.
func Configurations() []*Configuration {
	return []*Configuration{S(), SL(), Tie(), TS(), R3(), BM(), Rules(), Sliced(), H(), R(), M3(), MS(), T(), T2(), B(), L()}
}

func pairOf(contracts []Contract, links ...Link) *Model {
	return &Model{
		Exchanges:  []string{"a", "r"},
		Links:      links,
		Objects:    []Object{{Name: "x"}},
		Contracts:  contracts,
		Capacities: []int{1},
		Version:    []int{0, 1, 2},
	}
}

func fourContracts() []Contract {
	return []Contract{{"ea", 0, Expose, 0}, {"er", 1, Expose, 0}, {"oa", 0, Observe, 0}, {"or", 1, Observe, 0}}
}

// S is two exchanges, one object, an observer and an exposer at each.
func S() *Configuration {
	return &Configuration{
		Name:            "S",
		Model:           pairOf(fourContracts(), Link{"ra", 1, 0, true, 0}).Prepare(),
		OpenAtStart:     []int{0, 3},
		AttachedAtStart: []int{0},
		Budget:          Budget{Toggles: 2, Publishes: 2, Losses: 1},
		Room:            2,
	}
}

// SL is S where a load limit may refuse at any election, and the timer elects later.
func SL() *Configuration {
	m := pairOf(fourContracts(), Link{"ra", 1, 0, true, 0})
	m.Version = []int{0, 1}
	m.Limited = true
	return &Configuration{
		Name:            "SL",
		Model:           m.Prepare(),
		OpenAtStart:     []int{0, 3},
		AttachedAtStart: []int{0},
		Budget:          Budget{Toggles: 2, Publishes: 1, Rebalances: 1},
		Room:            2,
		Fresh:           true,
	}
}

// Tie is S, but the two states that can be published have the same version.
func Tie() *Configuration {
	m := pairOf(fourContracts(), Link{"ra", 1, 0, true, 0})
	m.Version = []int{0, 1, 1}
	return &Configuration{
		Name:        "Tie",
		Model:       m.Prepare(),
		OpenAtStart: []int{0, 1, 2, 3},
		Budget:      Budget{Publishes: 2},
		Room:        2,
	}
}

// TS is a tag in a star of three, whose root has no contract.
func TS() *Configuration {
	m := &Model{
		Exchanges:  []string{"a", "b", "r"},
		Links:      []Link{{"ra", 2, 0, true, 0}, {"rb", 2, 1, true, 0}},
		Objects:    []Object{{"x", []int{0}}},
		Tags:       []string{"t"},
		Contracts:  []Contract{{"ea", 0, Expose, 1}, {"eb", 1, Expose, 0}, {"oa", 0, Observe, 1}, {"ob", 1, Observe, 0}},
		Capacities: []int{1},
		Version:    []int{0, 1},
	}
	return &Configuration{
		Name:            "TS",
		Model:           m.Prepare(),
		OpenAtStart:     []int{1, 2, 3},
		AttachedAtStart: []int{0, 1},
		Budget:          Budget{Toggles: 1, Publishes: 1, Losses: 1},
		Room:            2,
		Fresh:           true,
	}
}

// R3 is a chain of three with the reference at the bottom.
func R3() *Configuration {
	m := &Model{
		Exchanges:  []string{"a", "b", "r"},
		Links:      []Link{{"ab", 0, 1, false, 0}, {"ra", 2, 0, true, 0}},
		Objects:    []Object{{Name: "x"}},
		Contracts:  []Contract{{"eb", 1, Expose, 0}, {"er", 2, Expose, 0}, {"ob", 1, Observe, 0}, {"or", 2, Observe, 0}},
		Capacities: []int{1},
		Version:    []int{0, 1},
	}
	return &Configuration{
		Name:            "R3",
		Model:           m.Prepare(),
		OpenAtStart:     []int{0, 2, 3},
		AttachedAtStart: []int{0, 1},
		Budget:          Budget{Toggles: 2, Publishes: 1},
		Room:            2,
		Fresh:           true,
	}
}

// BM is loads that move an object while its states are under way.
func BM() *Configuration {
	m := &Model{
		Exchanges: []string{"a", "b", "r"},
		Links:     []Link{{"ra", 2, 0, true, 12}, {"rb", 2, 1, true, 12}},
		Objects:   []Object{{Name: "x"}, {Name: "y"}},
		Contracts: []Contract{
			{"ax", 0, Expose, 0}, {"ay", 0, Expose, 1}, {"bx", 1, Expose, 0}, {"ox", 2, Observe, 0}, {"oy", 2, Observe, 1},
		},
		Capacities: []int{1},
		Version:    []int{0, 1},
		Loads:      true,
		Threshold:  2,
	}
	return &Configuration{
		Name:            "BM",
		Model:           m.Prepare(),
		OpenAtStart:     []int{0, 1, 2, 3, 4},
		AttachedAtStart: []int{0, 1},
		Budget:          Budget{Publishes: 1, Rebalances: 1},
		Room:            2,
		Fresh:           true,
	}
}

// Rules is configuration Rights: the peer of a link gets other rights.
func Rules() *Configuration {
	m := pairOf([]Contract{{"ea", 0, Expose, 1}, {"er", 1, Expose, 0}, {"oa", 0, Observe, 0}, {"or", 1, Observe, 0}},
		Link{"ra", 1, 0, true, 0})
	m.Objects, m.Tags = []Object{{"x", []int{0}}}, []string{"t"}
	m.Capacities = []int{1, 2}
	m.Version = []int{0, 1}
	m.Chunked = true
	m.Prepare()
	all := m.Everything()
	m.Rights = []Rights{{}, {Observe: all.Observe}, {Expose: all.Expose, Capacity: 1}}
	return &Configuration{
		Name:            "Rights",
		Model:           m,
		OpenAtStart:     []int{0, 2, 3},
		AttachedAtStart: []int{0},
		Budget:          Budget{Toggles: 2, Publishes: 1},
		Room:            2,
		Fresh:           true,
	}
}

// Sliced is long work that is done in slices.
func Sliced() *Configuration {
	m := pairOf([]Contract{{"et", 0, Expose, 2}, {"ox", 1, Observe, 0}, {"oy", 1, Observe, 1}}, Link{"ra", 1, 0, true, 0})
	m.Objects, m.Tags = []Object{{"x", []int{0}}, {"y", []int{0}}}, []string{"t"}
	m.Version = []int{0, 1}
	m.Sliced = true
	return &Configuration{
		Name:            "Sliced",
		Model:           m.Prepare(),
		OpenAtStart:     []int{0, 1, 2},
		AttachedAtStart: []int{0},
		Budget:          Budget{Publishes: 1, Losses: 1},
		Room:            2,
		Fresh:           true,
	}
}

// H is half-open links: exchange a may be back while r still holds the
// dead session.
func H() *Configuration {
	m := pairOf([]Contract{{"ea", 0, Expose, 0}, {"oa", 0, Observe, 0}, {"or", 1, Observe, 0}},
		Link{"ra1", 1, 0, true, 0}, Link{"ra2", 1, 0, true, 0})
	m.Version = []int{0, 1}
	return &Configuration{
		Name:            "H",
		Model:           m.Prepare(),
		OpenAtStart:     []int{0, 1, 2},
		AttachedAtStart: []int{0},
		Budget:          Budget{Toggles: 1, Publishes: 1, Losses: 2},
		Room:            2,
	}
}

// R is S with the reference at the other end of the link.
func R() *Configuration {
	return &Configuration{
		Name:            "R",
		Model:           pairOf(fourContracts(), Link{"ra", 1, 0, false, 0}).Prepare(),
		OpenAtStart:     []int{0, 3},
		AttachedAtStart: []int{0},
		Budget:          Budget{Toggles: 2, Publishes: 2, Losses: 1},
		Room:            2,
		Fresh:           true,
	}
}

// M3 is a chain of three.
func M3() *Configuration {
	m := &Model{
		Exchanges:  []string{"a", "b", "r"},
		Links:      []Link{{"ab", 0, 1, true, 0}, {"ra", 2, 0, true, 0}},
		Objects:    []Object{{Name: "x"}},
		Contracts:  []Contract{{"ea", 0, Expose, 0}, {"eb", 1, Expose, 0}, {"ob", 1, Observe, 0}, {"or", 2, Observe, 0}},
		Capacities: []int{1},
		Version:    []int{0, 1, 2},
	}
	return &Configuration{
		Name:            "M3",
		Model:           m.Prepare(),
		OpenAtStart:     []int{1, 3},
		AttachedAtStart: []int{0, 1},
		Budget:          Budget{Toggles: 1, Publishes: 1, Losses: 1},
		Room:            2,
		Fresh:           true,
	}
}

// MS is a star of three.
func MS() *Configuration {
	m := &Model{
		Exchanges:  []string{"a", "b", "r"},
		Links:      []Link{{"ra", 2, 0, true, 0}, {"rb", 2, 1, true, 0}},
		Objects:    []Object{{Name: "x"}},
		Contracts:  []Contract{{"ea", 0, Expose, 0}, {"eb", 1, Expose, 0}, {"oa", 0, Observe, 0}, {"or", 2, Observe, 0}},
		Capacities: []int{1},
		Version:    []int{0, 1, 2},
	}
	return &Configuration{
		Name:            "MS",
		Model:           m.Prepare(),
		OpenAtStart:     []int{0, 1, 2, 3},
		AttachedAtStart: []int{0, 1},
		Budget:          Budget{Toggles: 1, Publishes: 1, Rebalances: 1},
		Room:            2,
		Fresh:           true,
	}
}

// T is a tag with two objects, and a load limit.
func T() *Configuration {
	m := &Model{
		Exchanges:  []string{"a", "r"},
		Links:      []Link{{"ra", 1, 0, true, 8}},
		Objects:    []Object{{"x", []int{0}}, {"y", []int{0}}},
		Tags:       []string{"t"},
		Contracts:  []Contract{{"et", 0, Expose, 2}, {"ey", 0, Expose, 1}, {"ot", 1, Observe, 2}, {"ox", 1, Observe, 0}},
		Capacities: []int{1, 2},
		Version:    []int{0, 1, 2},
		Loads:      true,
	}
	return &Configuration{
		Name:            "T",
		Model:           m.Prepare(),
		OpenAtStart:     []int{0, 1, 2, 3},
		AttachedAtStart: []int{0},
		Budget:          Budget{Toggles: 2, Publishes: 1, Rebalances: 1},
		Room:            2,
		Fresh:           true,
	}
}

// T2 is an object with two tags, control messages in portions, and a reader.
func T2() *Configuration {
	m := &Model{
		Exchanges:  []string{"a", "r"},
		Links:      []Link{{"ra", 1, 0, true, 0}},
		Objects:    []Object{{"x", []int{0, 1}}},
		Tags:       []string{"t", "u"},
		Contracts:  []Contract{{"et", 0, Expose, 1}, {"eu", 0, Expose, 2}, {"ou", 0, Observe, 2}, {"ox", 1, Observe, 0}},
		Capacities: []int{0, 1},
		Version:    []int{0, 1, 2},
		Chunked:    true,
	}
	return &Configuration{
		Name:            "T2",
		Model:           m.Prepare(),
		OpenAtStart:     []int{0, 1, 2, 3},
		AttachedAtStart: []int{0},
		Budget:          Budget{Toggles: 1, Publishes: 1, Losses: 1},
		Room:            2,
		Readers:         []int{3},
		Fresh:           true,
	}
}

// B is balance: two objects that two downstream exchanges expose.
func B() *Configuration {
	m := &Model{
		Exchanges: []string{"a", "b", "r"},
		Links:     []Link{{"ra", 2, 0, true, 12}, {"rb", 2, 1, true, 6}},
		Objects:   []Object{{Name: "x"}, {Name: "y"}},
		Contracts: []Contract{
			{"ax", 0, Expose, 0}, {"ay", 0, Expose, 1}, {"bx", 1, Expose, 0}, {"by", 1, Expose, 1},
			{"ox", 2, Observe, 0}, {"oy", 2, Observe, 1},
		},
		Capacities: []int{1, 2},
		Version:    []int{0},
		Loads:      true,
	}
	return &Configuration{
		Name:            "B",
		Model:           m.Prepare(),
		OpenAtStart:     []int{0, 1, 2, 3, 4, 5},
		AttachedAtStart: []int{0, 1},
		Budget:          Budget{Toggles: 1, Losses: 1},
		Room:            2,
	}
}

// L is four exchanges, in two branches of different depth.
func L() *Configuration {
	m := &Model{
		Exchanges:  []string{"a", "b", "c", "r"},
		Links:      []Link{{"ac", 0, 2, true, 0}, {"ra", 3, 0, true, 0}, {"rb", 3, 1, true, 0}},
		Objects:    []Object{{Name: "x"}},
		Contracts:  []Contract{{"eb", 1, Expose, 0}, {"ec", 2, Expose, 0}, {"oa", 0, Observe, 0}, {"or", 3, Observe, 0}},
		Capacities: []int{1},
		Version:    []int{0, 1, 2},
	}
	return &Configuration{
		Name:            "L",
		Model:           m.Prepare(),
		OpenAtStart:     []int{0, 1, 2, 3},
		AttachedAtStart: []int{0, 1, 2},
		Budget:          Budget{Publishes: 1, Losses: 1},
		Room:            2,
		Fresh:           true,
	}
}
