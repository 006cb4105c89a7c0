package impl

// Exchange is the core of one exchange.
type Exchange struct{}

// New makes an exchange with nothing in it.
func New(config Config) *Exchange { panic("being written") }

// Step carries out one input and returns its effects, valid until the next step.
func (x *Exchange) Step(now Now, input Input) []Effect { panic("being written") }

// Deadline is the Mono time at which InputTick is due; false: none.
func (x *Exchange) Deadline() (int64, bool) { panic("being written") }

// Clone copies the exchange; the copies share nothing that changes.
func (x *Exchange) Clone() *Exchange { panic("being written") }

// Snapshot copies what there is to see.
func (x *Exchange) Snapshot(now Now) Snapshot { panic("being written") }

// Check verifies every internal invariant; an error is a bug of this package.
func (x *Exchange) Check() error { panic("being written") }

// Trace returns the spec's actions of the last step, when Config.Trace is set.
func (x *Exchange) Trace() []TraceLine { panic("being written") }

// TraceLine is one action of the spec, for one object.
type TraceLine struct {
	Action   string
	Object   string // key; empty where the action is not about one object
	Link     LinkID
	Contract ContractID
}
