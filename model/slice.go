package model

import "slices"

// Long work is done in slices when the model is Sliced: an action that touches many
// objects settles some of them, and leaves the others due.

func (N *Node) isDue(o int) bool { return N.Due>>o&1 == 1 }

// subsets yields every subset of a set, the empty one first.
func subsets(set uint64, yield func(uint64)) {
	for sub := uint64(0); ; sub = (sub - set) & set {
		yield(sub)
		if sub == set {
			return
		}
	}
}

// afterSlice is afterElections for objects that may be many: when work is sliced,
// any of them may be left due.
func (m *Model) afterSlice(n int, N *Node, changed func(o int) bool, yield func(*Node)) {
	if !m.Sliced {
		m.afterElections(n, N, changed, yield)
		return
	}
	var touched uint64
	for o := range m.Objects {
		if changed(o) {
			touched |= 1 << o
		}
	}
	subsets(touched, func(settles uint64) {
		M := N.copy()
		M.Due |= touched
		m.afterElections(n, M, func(o int) bool { return settles>>o&1 == 1 }, yield)
	})
}

// afterContract yields a state for each node that the exchange of a contract can
// become when that came or went. A contract on a tag may touch many objects.
func (m *Model) afterContract(s State, c *Contract, N *Node, yield func(State)) string {
	if c.On < len(m.Objects) {
		return m.alone(s, c.At, N, only(c.On), yield)
	}
	m.afterSlice(c.At, N, m.coveredBy(c.On), func(M *Node) { yield(s.with(c.At, M)) })
	return ""
}

// askedOn is the things of which exchange n has noted that link l asks for them.
func (m *Model) askedOn(n int, N *Node, l int) (things uint64) {
	if m.Links[l].Downstream == n {
		return 0
	}
	for d, asks := range N.Downstream[m.place[l]].Contract {
		if asks != (Asks{}) {
			things |= 1 << d
		}
	}
	return things
}

// channelsOn is the objects with a channel on link l at exchange n.
func (m *Model) channelsOn(n int, N *Node, l int) (objects uint64) {
	for o := range m.Objects {
		has := N.hasUpstreamChannel(o)
		if m.Links[l].Downstream != n {
			b := &N.Downstream[m.place[l]]
			has = b.Sink[o].Number != 0 || b.Revoked[o] != 0 || b.Stream[o].Number != 0
		}
		if has {
			objects |= 1 << o
		}
	}
	return objects
}

// hasLeft reports whether something is left of a link that has ended.
func (m *Model) hasLeft(n int, N *Node, l int) bool {
	if m.askedOn(n, N, l) != 0 || m.channelsOn(n, N, l) != 0 {
		return true
	}
	return m.Links[l].Downstream != n && slices.Contains(N.Elected, Elected{DownstreamLink, m.place[l]})
}

// forgetLeft ends, in a fresh copy of a node, the leaving of links of which nothing
// is left.
func (m *Model) forgetLeft(n int, N *Node) {
	for _, l := range members(N.Leaving) {
		if m.hasLeft(n, N, l) {
			continue
		}
		N.Leaving &^= 1 << l
		if everything := m.Everything(); m.Links[l].Downstream != n && N.Downstream[m.place[l]].Rights != everything {
			b := N.Downstream[m.place[l]]
			b.Rights = everything
			N.Downstream = set(N.Downstream, m.place[l], b)
		}
	}
}

// forgetting yields what a node can become when a link has ended and all of it, or
// when work is sliced some of it, is forgotten.
func (m *Model) forgetting(n int, before *Node, l int, yield func(*Node)) {
	asked, channels := m.askedOn(n, before, l), m.channelsOn(n, before, l)
	if !m.Sliced {
		m.forgettingSlice(n, before, l, asked, channels, yield)
		return
	}
	subsets(asked, func(things uint64) {
		subsets(channels, func(objects uint64) { m.forgettingSlice(n, before, l, things, objects, yield) })
	})
}

// forgettingSlice forgets what a link asked for on some things, and its channels of
// some objects.
func (m *Model) forgettingSlice(n int, before *Node, l int, things, objects uint64, yield func(*Node)) {
	N := before.copy()
	N.Leaving |= 1 << l
	if m.Links[l].Downstream == n {
		N.Told = make([]Asks, m.things)
		N.Sources, N.Outlets = slices.Clone(N.Sources), slices.Clone(N.Outlets)
		for _, o := range members(objects) {
			N.Sources[o], N.Outlets[o] = nil, nil
		}
	} else {
		i := m.place[l]
		told := slices.Clone(before.Downstream[i].Contract)
		for _, d := range members(things) {
			told[d] = Asks{}
		}
		m.asked(N, i, told)
		for _, o := range members(objects) {
			N.setSink(i, o, Channel{})
			N.setRevoked(i, o, 0)
			N.setStream(i, o, Channel{})
		}
	}
	touched := func(o int) bool {
		return objects>>o&1 == 1 || slices.ContainsFunc(m.covering[o], func(d int) bool { return things>>d&1 == 1 })
	}
	m.afterSlice(n, N, touched, yield)
}

func (m *Model) withdraw(s State, n, l int, yield func(State)) string {
	N := s.Nodes[n]
	if N.Leaving>>l&1 == 0 {
		return "the link is leaving"
	}
	asked, channels := m.askedOn(n, N, l), m.channelsOn(n, N, l)
	if asked == 0 && channels == 0 {
		return "contracts or channels of the link are left"
	}
	subsets(asked, func(things uint64) {
		subsets(channels, func(objects uint64) {
			if things|objects == 0 {
				return
			}
			m.forgettingSlice(n, N, l, things, objects, func(M *Node) { yield(m.Renumbered(s.with(n, M), l)) })
		})
	})
	return ""
}

func (m *Model) continueWith(s State, n, o int, yield func(State)) string {
	if !s.Nodes[n].isDue(o) {
		return "the object is due"
	}
	return m.alone(s, n, s.Nodes[n].copy(), only(o), yield)
}

func (m *Model) setRights(s State, l int, rights Rights, yield func(State)) string {
	n, i := m.Links[l].Upstream, m.place[l]
	N := s.Nodes[n]
	switch {
	case s.Links[l].Upstream != On:
		return "the upstream end is on"
	case N.Downstream[i].Rights == rights:
		return "the rights are other ones"
	}
	asked := m.askedOn(n, N, l)
	M := N.copy()
	m.noted(M, i, N.Downstream[i].Contract, rights)
	touched := func(o int) bool {
		return slices.ContainsFunc(m.covering[o], func(d int) bool { return asked>>d&1 == 1 })
	}
	m.afterSlice(n, M, touched, func(X *Node) { yield(s.with(n, X)) })
	return ""
}
