package model

import "slices"

// Action is one of the specification's actions.
type Action uint8

// The actions, in the order of docs/spec-map.md.
const (
	Open Action = iota
	Close
	SetCapacity
	Take
	Release
	Publish
	Read
	Attach
	Detach
	PullUp
	PullDown
	ReceiveContracts
	ReceiveOpen
	ReceiveClose
	ReceiveStateUp
	ReceiveStateDown
	Rebalance
	SetRights
	Withdraw
	Continue
	Actions // their number
)

var actionNames = [Actions]string{
	"Open", "Close", "SetCapacity", "Take", "Release", "Publish", "Read", "Attach", "Detach", "PullUp", "PullDown",
	"ReceiveContracts", "ReceiveOpen", "ReceiveClose", "ReceiveStateUp", "ReceiveStateDown", "Rebalance",
	"SetRights", "Withdraw", "Continue",
}

func (a Action) String() string { return actionNames[a] }

// Step is one way in which an action can happen. Fields that are not among an
// action's parameters are zero.
type Step struct {
	Action     Action
	Contract   int    // Open, Close, SetCapacity, Take, Release, Publish, Read
	Object     int    // Take, Release, Publish, Read, PullDown, Rebalance, Continue
	Link       int    // Attach, Detach, PullUp, PullDown, Receive..., SetRights, Withdraw
	Exchange   int    // Rebalance, Withdraw, Continue
	Downstream bool   // Attach, Detach: the downstream end
	Capacity   int    // Open, SetCapacity
	Flag              // Publish
	Rights     Rights // SetRights
}

// Do yields the states that a step leads to. When there are none it returns the
// first condition that is false; otherwise "".
func (m *Model) Do(s State, step Step, yield func(State)) string {
	switch step.Action {
	case Open:
		return m.open(s, step.Contract, step.Capacity, yield)
	case Close:
		return m.close(s, step.Contract, yield)
	case SetCapacity:
		return m.setCapacity(s, step.Contract, step.Capacity, yield)
	case Take:
		return m.take(s, step.Contract, step.Object, yield)
	case Release:
		return m.release(s, step.Contract, step.Object, yield)
	case Publish:
		return m.publish(s, step.Contract, step.Object, step.Flag, yield)
	case Read:
		return m.read(s, step.Contract, step.Object, yield)
	case Attach:
		return m.attach(s, step.Link, step.Downstream, yield)
	case Detach:
		return m.detach(s, step.Link, step.Downstream, yield)
	case PullUp:
		return m.pullUp(s, step.Link, yield)
	case PullDown:
		return m.pullDown(s, step.Link, step.Object, yield)
	case ReceiveContracts:
		return m.receiveContracts(s, step.Link, yield)
	case ReceiveOpen:
		return m.receiveOpen(s, step.Link, yield)
	case ReceiveClose:
		return m.receiveClose(s, step.Link, yield)
	case ReceiveStateUp:
		return m.receiveStateUp(s, step.Link, yield)
	case ReceiveStateDown:
		return m.receiveStateDown(s, step.Link, yield)
	case Rebalance:
		return m.rebalance(s, step.Exchange, step.Object, yield)
	case SetRights:
		return m.setRights(s, step.Link, step.Rights, yield)
	case Withdraw:
		return m.withdraw(s, step.Exchange, step.Link, yield)
	default:
		return m.continueWith(s, step.Exchange, step.Object, yield)
	}
}

// Steps yields every step that the parameters of an action allow, enabled or not.
func (m *Model) Steps(action Action, yield func(Step)) {
	switch action {
	case Open, SetCapacity:
		for k, c := range m.Contracts {
			if c.Kind == Observe {
				if action == Open {
					yield(Step{Action: action, Contract: k})
				}
				continue
			}
			for _, capacity := range m.Capacities {
				yield(Step{Action: action, Contract: k, Capacity: capacity})
			}
		}
	case Close:
		for k := range m.Contracts {
			yield(Step{Action: action, Contract: k})
		}
	case Take, Release, Read:
		for k := range m.Contracts {
			for o := range m.Objects {
				yield(Step{Action: action, Contract: k, Object: o})
			}
		}
	case Publish:
		for k := range m.Contracts {
			for o := range m.Objects {
				for state := 1; state < len(m.Version); state++ {
					yield(Step{Action: action, Contract: k, Object: o, Flag: Flag{state, false}})
					yield(Step{Action: action, Contract: k, Object: o, Flag: Flag{state, true}})
				}
			}
		}
	case Attach, Detach:
		for l := range m.Links {
			yield(Step{Action: action, Link: l, Downstream: true})
			yield(Step{Action: action, Link: l})
		}
	case PullDown:
		for l := range m.Links {
			for o := range m.Objects {
				yield(Step{Action: action, Link: l, Object: o})
			}
		}
	case Rebalance, Continue:
		if action == Continue && !m.Sliced {
			return
		}
		for n := range m.Exchanges {
			for o := range m.Objects {
				yield(Step{Action: action, Exchange: n, Object: o})
			}
		}
	case SetRights:
		for l := range m.Links {
			for _, rights := range m.Rights {
				yield(Step{Action: action, Link: l, Rights: rights})
			}
		}
	case Withdraw:
		for n := range m.Exchanges {
			for l, link := range m.Links {
				if m.Sliced && (link.Upstream == n || link.Downstream == n) {
					yield(Step{Action: action, Exchange: n, Link: l})
				}
			}
		}
	default:
		for l := range m.Links {
			yield(Step{Action: action, Link: l})
		}
	}
}

// Successors yields every enabled step with each state it leads to.
func (m *Model) Successors(s State, yield func(Step, State)) {
	for action := Open; action < Actions; action++ {
		m.Steps(action, func(step Step) {
			m.Do(s, step, func(next State) { yield(step, next) })
		})
	}
}

// Explain says of each step of an action why it is not enabled; steps that are
// enabled have "".
func (m *Model) Explain(s State, action Action, yield func(Step, string)) {
	m.Steps(action, func(step Step) { yield(step, m.Do(s, step, func(State) {})) })
}

func only(object int) func(int) bool { return func(o int) bool { return o == object } }

func (m *Model) coveredBy(thing int) func(int) bool {
	return func(o int) bool { return slices.Contains(m.covered[thing], o) }
}

// alone yields a state for each node that exchange n can become.
func (m *Model) alone(s State, n int, N *Node, changed func(int) bool, yield func(State)) string {
	m.afterElections(n, N, changed, func(M *Node) { yield(s.with(n, M)) })
	return ""
}

func (m *Model) open(s State, k, capacity int, yield func(State)) string {
	c := &m.Contracts[k]
	N := s.Nodes[c.At]
	if N.IsOpen(m.spot[k]) {
		return "the contract is not open"
	}
	N = N.copy()
	for _, elected := range N.Elected {
		if elected == (Elected{LocalContract, m.spot[k]}) {
			return "the contract is not elected any more"
		}
	}
	m.withContract(N, k, capacity)
	return m.afterContract(s, c, N, yield)
}

func (m *Model) close(s State, k int, yield func(State)) string {
	c := &m.Contracts[k]
	N := s.Nodes[c.At]
	if !N.IsOpen(m.spot[k]) {
		return "the contract is open"
	}
	N = N.copy()
	m.withoutContract(N, k)
	return m.afterContract(s, c, N, yield)
}

func (m *Model) setCapacity(s State, k, capacity int, yield func(State)) string {
	c := &m.Contracts[k]
	N := s.Nodes[c.At]
	switch {
	case c.Kind != Expose:
		return "the contract exposes"
	case !N.IsOpen(m.spot[k]):
		return "the contract is open"
	case N.Contracts[m.spot[k]] == capacity:
		return "the capacity is another one"
	}
	N = N.copy()
	N.Contracts = set(N.Contracts, m.spot[k], capacity)
	yield(s.with(c.At, N))
	return ""
}

func (m *Model) take(s State, k, o int, yield func(State)) string {
	n := m.Contracts[k].At
	N := s.Nodes[n]
	if N.Offers[m.spot[k]][o].Is != Offered {
		return "an offer waits"
	}
	N = N.copy()
	N.setOffer(m.spot[k], o, Offer{Is: Taken})
	yield(s.with(n, N))
	return ""
}

func (m *Model) release(s State, k, o int, yield func(State)) string {
	n := m.Contracts[k].At
	N := s.Nodes[n]
	if is := N.Offers[m.spot[k]][o].Is; is != Taken && is != Revoked {
		return "the offer is taken or revoked"
	}
	N = N.copy()
	N.setOffer(m.spot[k], o, Offer{})
	return m.alone(s, n, N, only(o), yield)
}

func (m *Model) publish(s State, k, o int, f Flag, yield func(State)) string {
	n := m.Contracts[k].At
	N := s.Nodes[n]
	switch {
	case m.Contracts[k].Kind != Expose:
		return "the contract exposes"
	case N.Offers[m.spot[k]][o].Is != Taken:
		return "the sink is taken"
	case N.isDue(o):
		return "the object is not due"
	case f.State != N.Held[o].State && m.Version[f.State] <= m.Version[N.Held[o].State]:
		return "the state is the one held or newer"
	}
	N = N.copy()
	N.setOffer(m.spot[k], o, Offer{Taken, f})
	m.absorb(N, o, f.State)
	m.settle(n, N)
	yield(s.with(n, N))
	return ""
}

func (m *Model) read(s State, k, o int, yield func(State)) string {
	n := m.Contracts[k].At
	N := s.Nodes[n]
	switch {
	case m.Contracts[k].Kind != Observe:
		return "the contract observes"
	case N.Offers[m.spot[k]][o].Is != Taken:
		return "the stream is taken"
	}
	N = N.copy()
	N.setOffer(m.spot[k], o, Offer{Taken, N.Held[o]})
	yield(s.with(n, N))
	return ""
}

func (m *Model) attach(s State, l int, downstream bool, yield func(State)) string {
	L := s.Links[l]
	switch {
	case downstream && L.Downstream != Off || !downstream && L.Upstream != Off:
		return "the end is off"
	case L.Downstream == Gone || L.Upstream == Gone:
		return "the other end has not left"
	case s.Nodes[m.Links[l].Upstream].Leaving>>l&1 == 1 || s.Nodes[m.Links[l].Downstream].Leaving>>l&1 == 1:
		return "nothing of the last session is left"
	}
	after := *L
	if downstream {
		for other, link := range m.Links {
			if link.Downstream == m.Links[l].Downstream && (s.Links[other].Downstream == On || s.Nodes[link.Downstream].Leaving>>other&1 == 1) {
				return "the exchange has no other link to upstream"
			}
		}
		after.Downstream = On
	} else {
		after.Upstream = On
	}
	yield(s.withLink(l, &after))
	return ""
}

func (m *Model) detach(s State, l int, downstream bool, yield func(State)) string {
	L := s.Links[l]
	if downstream && L.Downstream != On || !downstream && L.Upstream != On {
		return "the end is on"
	}
	n := m.Links[l].Upstream
	if downstream {
		n = m.Links[l].Downstream
	}
	m.forgetting(n, s.Nodes[n], l, func(N *Node) {
		yield(m.Renumbered(s.with(n, N).withLink(l, L.parted(downstream)), l))
	})
	return ""
}

func (m *Model) pullUp(s State, l int, yield func(State)) string {
	L := s.Links[l]
	n := m.Links[l].Downstream
	N := s.Nodes[n]
	if L.Downstream != On {
		return "the downstream end is on"
	}
	summary := m.Summary(n, N)
	var changed []int
	for d := range summary {
		if summary[d] != N.Told[d] {
			changed = append(changed, d)
		}
	}
	if len(changed) > 0 {
		all := 1<<len(changed) - 1
		for portion := 1; portion <= all; portion++ {
			if !m.Chunked && !m.Sliced {
				portion = all
			}
			told := slices.Clone(N.Told)
			for i, d := range changed {
				if portion>>i&1 == 1 {
					told[d] = summary[d]
				}
			}
			M := N.copy()
			M.Told = told
			yield(s.with(n, M).withLink(l, L.sendUp(Message{Kind: ContractsMessage, Told: told})))
		}
		if !m.Sliced {
			return ""
		}
	}
	reason := "contracts or a state is owed"
	for o, held := range N.Held {
		for i, c := range N.Outlets[o] { // two where an Open has overtaken a Close
			if !differs(held, c.Flag) {
				continue
			}
			M := N.copy()
			M.Outlets = set(M.Outlets, o, set(N.Outlets[o], i, Channel{c.Number, held}))
			yield(s.with(n, M).withLink(l, L.sendUp(Message{Kind: StateMessage, Object: o, Channel: c.Number, Flag: held})))
			reason = ""
		}
	}
	if len(changed) > 0 {
		return ""
	}
	return reason
}

func (m *Model) pullDown(s State, l, o int, yield func(State)) string {
	L := s.Links[l]
	n, i := m.Links[l].Upstream, m.place[l]
	N := s.Nodes[n]
	if L.Upstream != On {
		return "the upstream end is on"
	}
	if N.isDue(o) {
		return "the object is not due"
	}
	owes := m.owedDown(N, i, o)
	if owes == (owed{}) {
		return "a channel is to be opened or closed, or a state is owed"
	}
	next := m.inUse(s, l, o).greatest() + 1
	b := &N.Downstream[i]
	M := N.copy()
	var messages []Message
	if owes.closesSink {
		messages = append(messages, Message{Kind: CloseMessage, Object: o, Channel: b.Revoked[o]})
		M.setRevoked(i, o, 0)
	}
	stream := b.Stream[o]
	if owes.closesStream {
		messages = append(messages, Message{Kind: CloseMessage, Object: o, Channel: stream.Number})
		stream = Channel{}
	}
	if owes.opensSink {
		messages = append(messages, Message{Kind: OpenMessage, Object: o, Channel: next, Sink: true})
		M.setSink(i, o, Channel{Number: next})
		next++
	}
	if owes.opensStream {
		messages = append(messages, Message{Kind: OpenMessage, Object: o, Channel: next})
		stream = Channel{Number: next}
	}
	if stream != b.Stream[o] {
		M.setStream(i, o, stream)
	}
	m.settle(n, M) // with its last stream gone a state may be erased
	if held := M.Held[o]; stream.Number != 0 && differs(held, stream.Flag) {
		messages = append(messages, Message{Kind: StateMessage, Object: o, Channel: stream.Number, Flag: held})
		M.setStream(i, o, Channel{stream.Number, held})
	}
	yield(m.Renumbered(s.with(n, M).withLink(l, L.sendDown(messages...)), l))
	return ""
}

func (m *Model) rebalance(s State, n, o int, yield func(State)) string {
	if s.Nodes[n].isDue(o) {
		return "the object is not due"
	}
	moves := m.Moves(n, s.Nodes[n], o)
	for _, e := range moves {
		N := s.Nodes[n].copy()
		m.elect(N, o, e)
		m.settle(n, N)
		yield(s.with(n, N))
	}
	if len(moves) == 0 {
		return "somebody is to be elected, or another link is better"
	}
	return ""
}
