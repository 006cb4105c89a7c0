package model

import (
	"math/bits"
	"slices"
)

// IsOpen reports whether a contract, by its index in the node, is open.
func (N *Node) IsOpen(k int) bool { return N.Contracts[k] != Closed }

// Observes reports whether a downstream link, by its index in the node, observes the
// object or one of its tags.
func (m *Model) Observes(N *Node, i, o int) bool {
	for _, d := range m.covering[o] {
		if N.Downstream[i].counts(d).Observes {
			return true
		}
	}
	return false
}

// Exposes is like Observes.
func (m *Model) Exposes(N *Node, i, o int) bool {
	for _, d := range m.covering[o] {
		if N.Downstream[i].counts(d).Exposes {
			return true
		}
	}
	return false
}

// Capacity is the capacity of an object on a downstream link.
func (m *Model) Capacity(N *Node, i, o int) int {
	sum := 0
	for _, d := range m.covering[o] {
		sum += N.Downstream[i].counts(d).Capacity
	}
	return N.Downstream[i].Rights.bounded(sum)
}

func (N *Node) hasUpstreamChannel(o int) bool { return len(N.Sources[o]) > 0 || len(N.Outlets[o]) > 0 }

// ShouldExist reports whether an object is live.
func (m *Model) ShouldExist(n int, N *Node, o int) bool {
	if N.hasUpstreamChannel(o) {
		return true
	}
	for _, k := range m.onObject[n][o] {
		if N.IsOpen(k) {
			return true
		}
	}
	for i := range N.Downstream {
		if asks := N.Downstream[i].counts(o); asks.Observes || asks.Exposes {
			return true
		}
	}
	return false
}

// DataNeeded reports whether an object's states are wanted.
func (m *Model) DataNeeded(n int, N *Node, o int) bool {
	if !m.ShouldExist(n, N, o) {
		return false
	}
	if N.hasUpstreamChannel(o) {
		return true
	}
	for _, k := range m.observers[n][o] {
		if N.IsOpen(k) {
			return true
		}
	}
	observing := 0
	for i := range N.Downstream {
		if m.Observes(N, i, o) {
			observing++
			if observing == 2 || !m.Exposes(N, i, o) {
				return true
			}
		}
	}
	return false
}

func (m *Model) share(capacity int) int {
	if !m.Loads {
		return 0
	}
	return 6 / capacity
}

func load(N *Node, i int) int {
	sum := 0
	for _, share := range N.Downstream[i].Share {
		sum += share
	}
	return sum
}

func (m *Model) loadWith(N *Node, i, o int) int { return load(N, i) + m.share(m.Capacity(N, i, o)) }

// serves reports whether a downstream link may be elected, or stay elected.
func (m *Model) serves(n int, N *Node, i, o int) bool {
	return N.Leaving>>m.downstream[n][i]&1 == 0 && m.Exposes(N, i, o)
}

// best is the links that rule 6 may choose.
func (m *Model) best(n int, N *Node, o int) []int {
	var best []int
	least := 0
	for i, l := range m.downstream[n] {
		if !m.serves(n, N, i, o) || m.Capacity(N, i, o) == 0 {
			continue
		}
		if m.Loads {
			sum := m.loadWith(N, i, o)
			if sum > m.Links[l].Limit {
				continue
			}
			if len(best) > 0 && sum > least {
				continue
			}
			if len(best) > 0 && sum < least {
				best = best[:0]
			}
			least = sum
		}
		best = append(best, i)
	}
	if m.Loads {
		return m.oldestLinks(N, best, o)
	}
	return best
}

// greatest is the contracts of greatest capacity, of equals those opened first.
func greatest(N *Node, contracts []int) []Elected {
	var best []int
	most := Closed
	for _, k := range contracts {
		if !N.IsOpen(k) || N.Contracts[k] < most {
			continue
		}
		if N.Contracts[k] > most {
			best, most = best[:0], N.Contracts[k]
		}
		best = append(best, k)
	}
	var choices []Elected
	for _, k := range oldestContracts(N, best) {
		choices = append(choices, Elected{LocalContract, k})
	}
	return choices
}

// Choices is whom an election may choose.
func (m *Model) Choices(n int, N *Node, o int) []Elected {
	now := N.Elected[o]
	if !m.DataNeeded(n, N, o) {
		return []Elected{{}}
	}
	if len(N.Sources[o]) > 0 {
		return []Elected{{Who: Upstream}}
	}
	if now.Who == LocalContract && N.IsOpen(now.Index) {
		return []Elected{now}
	}
	if choices := greatest(N, m.exposers[n][o]); choices != nil {
		return choices
	}
	if choices := greatest(N, m.taggers[n][o]); choices != nil {
		return choices
	}
	if now.Who == DownstreamLink && m.serves(n, N, now.Index, o) {
		return []Elected{now}
	}
	best := m.best(n, N, o)
	if len(best) == 0 {
		return []Elected{{}}
	}
	var choices []Elected
	for _, i := range best {
		choices = append(choices, Elected{DownstreamLink, i})
	}
	if m.Limited {
		choices = append(choices, Elected{})
	}
	return choices
}

// elect makes e the elected one, in a fresh copy of a node: loads follow, and the
// sink of whoever is not elected is revoked.
func (m *Model) elect(N *Node, o int, e Elected) {
	before := N.Elected[o]
	for i := range N.Downstream {
		b := &N.Downstream[i]
		is := e == Elected{DownstreamLink, i}
		switch share := b.Share[o]; {
		case !is && share != 0:
			N.setShare(i, o, 0)
		case is && before != e && share != m.share(m.Capacity(N, i, o)):
			N.setShare(i, o, m.share(m.Capacity(N, i, o)))
		}
		if sink := N.Downstream[i].Sink[o]; !is && sink.Number != 0 {
			N.setRevoked(i, o, sink.Number)
			N.setSink(i, o, Channel{})
		}
	}
	if before != e {
		N.Elected = set(N.Elected, o, e)
	}
}

// wantsOffer reports whether a local contract should have a sink or stream.
func (m *Model) wantsOffer(n int, N *Node, k, o int) bool {
	if m.Contracts[m.contracts[n][k]].Kind == Expose {
		return N.Elected[o] == Elected{LocalContract, k}
	}
	return N.IsOpen(k) && m.ShouldExist(n, N, o)
}

func (m *Model) offer(n int, N *Node, k, o int) Offer {
	f := N.Offers[k][o]
	switch {
	case !m.covers[n][k][o] || !N.IsOpen(k):
		return Offer{}
	case N.isDue(o):
		return f
	case m.wantsOffer(n, N, k, o):
		if f.Is == None {
			return Offer{Is: Offered}
		}
		return f
	case f.Is == Offered:
		return Offer{}
	case f.Is == Taken:
		return Offer{Is: Revoked}
	}
	return f
}

func (m *Model) hasNowSource(n int, N *Node, o int) bool {
	version := m.Version[N.Held[o].State]
	says := func(f Flag) bool { return f.Now && m.Version[f.State] >= version }
	for _, c := range N.Sources[o] {
		if says(c.Flag) {
			return true
		}
	}
	for i := range N.Downstream {
		if c := N.Downstream[i].Sink[o]; c.Number != 0 && says(c.Flag) {
			return true
		}
	}
	if e := N.Elected[o]; e.Who == LocalContract {
		if f := N.Offers[e.Index][o]; f.Is == Taken && says(f.Flag) {
			return true
		}
	}
	return false
}

func (m *Model) mayErase(n int, N *Node, o int) bool {
	for i := range N.Downstream {
		if N.Downstream[i].Stream[o].Number != 0 {
			return false
		}
	}
	return !m.DataNeeded(n, N, o)
}

// settle brings offers, then flags, in line with the rest of a fresh copy. Of an
// object that is due, only the offers of closed contracts change.
func (m *Model) settle(n int, N *Node) {
	for k := range N.Offers {
		for o := range m.Objects {
			if f := m.offer(n, N, k, o); f != N.Offers[k][o] {
				N.setOffer(k, o, f)
			}
		}
	}
	for o := range m.Objects {
		held := N.Held[o]
		if held.State == 0 || N.isDue(o) {
			continue
		}
		after := Flag{held.State, m.hasNowSource(n, N, o)}
		if !after.Now && m.mayErase(n, N, o) {
			after = Flag{}
		}
		if after != held {
			N.Held = set(N.Held, o, after)
		}
	}
}

// afterElections yields what a fresh copy of a node can become when contracts,
// links or upstream's channels of some objects changed: one copy for each way
// the elections can end.
func (m *Model) afterElections(n int, N *Node, changed func(o int) bool, yield func(*Node)) {
	var left uint64
	for o := range m.Objects {
		if changed(o) {
			left |= 1 << o
		}
	}
	if N.Due&left != 0 {
		N = N.copy()
		N.Due &^= left
	}
	var seen [][]Elected // several orders may end in one way
	m.electFrom(n, N, left, func(M *Node) {
		if slices.ContainsFunc(seen, func(elected []Elected) bool { return slices.Equal(elected, M.Elected) }) {
			return
		}
		seen = append(seen, slices.Clone(M.Elected))
		m.settle(n, M)
		m.forgetLeft(n, M)
		yield(M)
	})
}

// electFrom elects for a set of objects, one after the other, in any order: each
// may change the loads that the next one sees. Without loads one order is as good
// as any other.
func (m *Model) electFrom(n int, N *Node, left uint64, yield func(*Node)) {
	if left == 0 {
		yield(N)
		return
	}
	for rest := left; rest != 0; rest &= rest - 1 {
		o := bits.TrailingZeros64(rest)
		last := !m.Loads || rest&(rest-1) == 0
		choices := m.Choices(n, N, o)
		for i, e := range choices {
			M := N
			if !last || i < len(choices)-1 {
				M = N.copy()
			}
			m.elect(M, o, e)
			m.electFrom(n, M, left&^(1<<o), yield)
		}
		if last {
			return
		}
	}
}

// absorb takes a state whose version is greater than the one held.
func (m *Model) absorb(N *Node, o, state int) {
	if m.Version[state] > m.Version[N.Held[o].State] {
		N.Held = set(N.Held, o, Flag{state, N.Held[o].Now})
	}
}

// Summary is what an exchange asks of upstream.
func (m *Model) Summary(n int, N *Node) []Asks {
	summary := make([]Asks, m.things)
	for spot, k := range m.contracts[n] {
		if !N.IsOpen(spot) {
			continue
		}
		c := &m.Contracts[k]
		if c.Kind == Observe {
			summary[c.On].Observes = true
		} else {
			summary[c.On].Exposes = true
			summary[c.On].Capacity += N.Contracts[spot]
		}
	}
	for i := range N.Downstream {
		for d := range summary {
			asks := N.Downstream[i].counts(d)
			summary[d].Observes = summary[d].Observes || asks.Observes
			summary[d].Exposes = summary[d].Exposes || asks.Exposes
			summary[d].Capacity += asks.Capacity
		}
	}
	if m.Ceiling > 0 {
		for d := range summary {
			summary[d].Capacity = min(summary[d].Capacity, m.Ceiling)
		}
	}
	return summary
}

// Moves is whom a rebalance may choose.
func (m *Model) Moves(n int, N *Node, o int) []Elected {
	var moves []Elected
	switch now := N.Elected[o]; now.Who {
	case Nobody:
		moves = slices.DeleteFunc(m.Choices(n, N, o), func(e Elected) bool { return e.Who == Nobody })
	case DownstreamLink:
		for _, i := range m.best(n, N, o) {
			if i != now.Index && (!m.Loads || m.loadWith(N, i, o) < load(N, now.Index)-m.Threshold) {
				moves = append(moves, Elected{DownstreamLink, i})
			}
		}
	}
	return moves
}
