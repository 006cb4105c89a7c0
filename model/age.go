package model

import "slices"

// Exposure is a downstream link, by its index in the node, and a thing that it exposes.
type Exposure struct{ Link, Thing int }

// findRivals lists, for each contract of an exchange, those between which and it an
// election may have to choose.
func (m *Model) findRivals(n int) [][]int {
	rivals := make([][]int, len(m.contracts[n]))
	for spot := range rivals {
		for other := range rivals {
			both := func(contracts []int) bool {
				return slices.Contains(contracts, spot) && slices.Contains(contracts, other)
			}
			if other != spot && (slices.ContainsFunc(m.exposers[n], both) || slices.ContainsFunc(m.taggers[n], both)) {
				rivals[spot] = append(rivals[spot], other)
			}
		}
	}
	return rivals
}

// withContract opens a contract in a fresh copy of a node.
func (m *Model) withContract(N *Node, k, capacity int) {
	older := filtered(m.rivals[m.Contracts[k].At][m.spot[k]], N.IsOpen)
	N.Contracts = set(N.Contracts, m.spot[k], capacity)
	N.OlderContracts = set(N.OlderContracts, m.spot[k], older)
}

// withoutContract closes a contract in a fresh copy of a node.
func (m *Model) withoutContract(N *Node, k int) {
	closed := m.spot[k]
	N.Contracts = set(N.Contracts, closed, Closed)
	N.OlderContracts = slices.Clone(N.OlderContracts)
	for spot, older := range N.OlderContracts {
		N.OlderContracts[spot] = filtered(older, func(j int) bool { return spot != closed && j != closed })
	}
}

// asked notes in a fresh copy of a node what a downstream link asks for.
func (m *Model) asked(N *Node, l int, told []Asks) { m.noted(N, l, told, N.Downstream[l].Rights) }

// noted notes in a fresh copy of a node what a downstream link asks for, and its rights.
func (m *Model) noted(N *Node, l int, told []Asks, rights Rights) {
	before := N.Downstream
	N.Downstream = slices.Clone(before)
	N.Downstream[l].Contract, N.Downstream[l].Rights = told, rights
	after := &N.Downstream[l]
	if !m.Loads {
		return
	}
	for i := range N.Downstream {
		N.Downstream[i].OlderExposures = slices.Clone(before[i].OlderExposures)
		for d, older := range before[i].OlderExposures {
			switch {
			case i != l:
				older = filtered(older, func(e Exposure) bool { return e.Link != l || after.counts(e.Thing).Exposes })
			case !after.counts(d).Exposes:
				older = nil
			case !before[l].counts(d).Exposes:
				older = m.others(before, l, d)
			}
			N.Downstream[i].OlderExposures[d] = older
		}
	}
}

// others is what other links expose that an election may have to compare with a
// link's exposure of a thing.
func (m *Model) others(downstream []Downstream, l, d int) []Exposure {
	var others []Exposure
	for i := range downstream {
		for e := range downstream[i].Contract {
			if i != l && downstream[i].counts(e).Exposes && slices.ContainsFunc(m.covered[e], func(o int) bool { return slices.Contains(m.covered[d], o) }) {
				others = append(others, Exposure{i, e})
			}
		}
	}
	return others
}

// filtered is a new list, nil when nothing is left.
func filtered[T any](all []T, keep func(T) bool) []T {
	var kept []T
	for _, x := range all {
		if keep(x) {
			kept = append(kept, x)
		}
	}
	return kept
}

// isOlder reports whether the oldest contract by which link i exposes an object is
// older than each one by which link j does.
func (m *Model) isOlder(N *Node, i, j, o int) bool {
	for _, d := range m.covering[o] {
		older := N.Downstream[i].counts(d).Exposes
		for _, e := range m.covering[o] {
			if N.Downstream[j].counts(e).Exposes {
				older = older && slices.Contains(N.Downstream[j].OlderExposures[e], Exposure{i, d})
			}
		}
		if older {
			return true
		}
	}
	return false
}

// oldestLinks is those of some links that exposed an object before the others did.
func (m *Model) oldestLinks(N *Node, links []int, o int) []int {
	return filtered(links, func(l int) bool {
		return !slices.ContainsFunc(links, func(other int) bool { return m.isOlder(N, other, l, o) })
	})
}

// oldestContracts is those of some contracts that were open before the others.
func oldestContracts(N *Node, contracts []int) []int {
	return filtered(contracts, func(k int) bool {
		return !slices.ContainsFunc(contracts, func(j int) bool { return slices.Contains(N.OlderContracts[k], j) })
	})
}

// SetAges makes the order of a node's exposures that of their ages: of contracts,
// by their index in the node, and of what downstream links expose. Lower is older,
// and zero counts for what does not expose.
func (m *Model) SetAges(n int, N *Node, contract func(k int) uint64, exposure func(l, d int) uint64) {
	for spot, rivals := range m.rivals[n] {
		N.OlderContracts[spot] = filtered(rivals, func(other int) bool {
			age := contract(other)
			return age != 0 && age < contract(spot)
		})
	}
	for l := range N.Downstream {
		for d := range N.Downstream[l].OlderExposures {
			N.Downstream[l].OlderExposures[d] = nil
			if age := exposure(l, d); m.Loads && age != 0 {
				N.Downstream[l].OlderExposures[d] = filtered(m.others(N.Downstream, l, d), func(e Exposure) bool {
					return exposure(e.Link, e.Thing) < age
				})
			}
		}
	}
}
