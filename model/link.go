package model

import "slices"

// sendUp sends messages to a link's upstream end; to one that has left they go nowhere.
func (W *Wire) sendUp(messages ...Message) *Wire {
	if W.Above == Gone {
		return W
	}
	V := *W
	V.Up = slices.Concat(W.Up, messages)
	return &V
}

func (W *Wire) sendDown(messages ...Message) *Wire {
	if W.Below == Gone {
		return W
	}
	V := *W
	V.Down = slices.Concat(W.Down, messages)
	return &V
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

// parted is a wire after one of its ends has left.
func (W *Wire) parted(below bool) *Wire {
	V := *W
	other := W.Above
	if !below {
		other = W.Below
	}
	switch {
	case other != On:
		return &Wire{}
	case below:
		V.Below, V.Down = Gone, nil
	default:
		V.Above, V.Up = Gone, nil
	}
	return &V
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
	W := s.Wires[l]
	b := &s.Nodes[m.Links[l].Parent].Below[m.place[l]]
	used.add(b.Sink[o].Number)
	used.add(b.Revoked[o])
	used.add(b.Stream[o].Number)
	if W.Below == On {
		C := s.Nodes[m.Links[l].Child]
		for _, c := range C.Sources[o] {
			used.add(c.Number)
		}
		for _, c := range C.Outlets[o] {
			used.add(c.Number)
		}
	}
	for _, q := range [...][]Message{W.Up, W.Down} {
		for i := range q {
			if q[i].Kind != ContractsMessage && q[i].Object == o {
				used.add(q[i].Channel)
			}
		}
	}
	return used
}
