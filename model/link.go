package model

import "slices"

// sendUp sends messages to a link's upstream end; to one that has left they go nowhere.
func (L *LinkState) sendUp(messages ...Message) *LinkState {
	if L.Upstream == Gone {
		return L
	}
	after := *L
	after.Up = slices.Concat(L.Up, messages)
	return &after
}

func (L *LinkState) sendDown(messages ...Message) *LinkState {
	if L.Downstream == Gone {
		return L
	}
	after := *L
	after.Down = slices.Concat(L.Down, messages)
	return &after
}

func without(q []Message, i int) []Message { return slices.Concat(q[:i], q[i+1:]) }

// deliverable reports whether the message at a position of a queue may be
// delivered next.
func (m *Model) deliverable(l int, q []Message, i int) bool {
	if m.Links[l].Ordered {
		return i == 0
	}
	for j := range i {
		same := q[i].Kind == ContractsMessage && q[j].Kind == ContractsMessage ||
			q[i].Kind != ContractsMessage && q[j].Kind != ContractsMessage &&
				q[i].Object == q[j].Object && q[i].Channel == q[j].Channel
		if same {
			return false
		}
	}
	return true
}

// parted is a link after one of its ends has left.
func (L *LinkState) parted(downstream bool) *LinkState {
	after := *L
	other := L.Upstream
	if !downstream {
		other = L.Downstream
	}
	switch {
	case other != On:
		return &LinkState{}
	case downstream:
		after.Downstream, after.Down = Gone, nil
	default:
		after.Upstream, after.Up = Gone, nil
	}
	return &after
}

// numbers is a set of channel numbers, in order.
type numbers []int

func (s *numbers) add(number int) {
	if number == 0 {
		return
	}
	at := len(*s)
	for at > 0 && (*s)[at-1] >= number {
		at--
	}
	if at == len(*s) || (*s)[at] != number {
		*s = slices.Insert(*s, at, number)
	}
}

// greatest is the greatest number of the set, 0 when it is empty.
func (s numbers) greatest() int {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1]
}

// rank is the place of a number of the set, from 1 on; that of 0 is 0.
func (s numbers) rank(number int) int {
	if number == 0 {
		return 0
	}
	return slices.Index(s, number) + 1
}

// dense reports whether the set is 1, 2, 3 and so on without a gap.
func (s numbers) dense() bool { return s.greatest() == len(s) }

// inUse is the channel numbers in use on a link for an object.
func (m *Model) inUse(s State, l, o int) numbers {
	used := make(numbers, 0, 8)
	L := s.Links[l]
	b := &s.Nodes[m.Links[l].Upstream].Downstream[m.place[l]]
	used.add(b.Sink[o].Number)
	used.add(b.Revoked[o])
	used.add(b.Stream[o].Number)
	if L.Downstream == On {
		C := s.Nodes[m.Links[l].Downstream]
		for _, c := range C.Sources[o] {
			used.add(c.Number)
		}
		for _, c := range C.Outlets[o] {
			used.add(c.Number)
		}
	}
	for _, q := range [...][]Message{L.Up, L.Down} {
		for i := range q {
			if q[i].Kind != ContractsMessage && q[i].Object == o {
				used.add(q[i].Channel)
			}
		}
	}
	return used
}
