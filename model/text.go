package model

import (
	"cmp"
	"slices"
	"strconv"
)

// The canonical text of a state is the text of its TLA+ value with nothing left
// to choose:
//
//	record or function   [key|->value,key|->value], by the text of that (so
//	                     that contracts|-> comes before contract|->); an empty
//	                     one is <<>>
//	sequence             <<value,value>>
//	set                  {value,value}, by the text of the values
//	string, number       "text"  -1  TRUE  FALSE
//
// spec/golden makes the same text of what TLC dumps.

// namesOrder lists indices in the order of the names they have in the text.
type namesOrder struct {
	exchanges, links, objects, things []int
	downstream, contracts             [][]int // by exchange, of the indices in its node
}

func (m *Model) orderNames() *namesOrder {
	order := func(count int, name func(int) string) []int {
		all := make([]int, count)
		for i := range all {
			all[i] = i
		}
		slices.SortFunc(all, func(a, b int) int { return cmp.Compare(name(a)+"|", name(b)+"|") })
		return all
	}
	names := &namesOrder{
		exchanges: order(len(m.Exchanges), m.exchangeName),
		links:     order(len(m.Links), m.linkName),
		objects:   order(len(m.Objects), m.objectName),
		things:    order(m.things, m.thing),
	}
	for n := range m.Exchanges {
		names.downstream = append(names.downstream, order(len(m.downstream[n]), func(i int) string { return m.Links[m.downstream[n][i]].Name }))
		names.contracts = append(names.contracts, order(len(m.contracts[n]), func(k int) string { return m.Contracts[m.contracts[n][k]].Name }))
	}
	return names
}

func (m *Model) thing(d int) string {
	if d < len(m.Objects) {
		return m.Objects[d].Name
	}
	return m.Tags[d-len(m.Objects)]
}

// appendFunction appends a function over names, whose indices are in order.
func appendFunction(b []byte, order []int, name func(int) string, value func([]byte, int) []byte) []byte {
	if len(order) == 0 {
		return append(b, "<<>>"...)
	}
	for at, i := range order {
		if at == 0 {
			b = append(b, '[')
		} else {
			b = append(b, ',')
		}
		b = append(append(b, name(i)...), "|->"...)
		b = value(b, i)
	}
	return append(b, ']')
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, "TRUE"...)
	}
	return append(b, "FALSE"...)
}

func appendField(b []byte, name string) []byte {
	if name[0] != '[' {
		b = append(b, ',')
	}
	return append(append(b, name...), "|->"...)
}

func textInt(b []byte, v int) []byte { return strconv.AppendInt(b, int64(v), 10) }

func textFlag(b []byte, f Flag) []byte {
	b = appendBool(appendField(b, "[now"), f.Now)
	return append(textInt(appendField(b, "v"), f.State), ']')
}

func textChannel(b []byte, c Channel) []byte {
	b = textInt(appendField(b, "[ch"), c.Number)
	b = appendBool(appendField(b, "now"), c.Now)
	return append(textInt(appendField(b, "v"), c.State), ']')
}

func (m *Model) exchangeName(n int) string { return m.Exchanges[n] }
func (m *Model) linkName(l int) string     { return m.Links[l].Name }
func (m *Model) objectName(o int) string   { return m.Objects[o].Name }

func (m *Model) textAsks(b []byte, asks []Asks) []byte {
	return appendFunction(b, m.names.things, m.thing, func(b []byte, d int) []byte {
		b = textInt(appendField(b, "[cap"), asks[d].Capacity)
		b = appendBool(appendField(b, "ex"), asks[d].Exposes)
		return append(appendBool(appendField(b, "ob"), asks[d].Observes), ']')
	})
}

func textSet[T any](b []byte, all []T, text func([]byte, T) []byte) []byte {
	var texts []string
	for _, x := range all {
		texts = append(texts, string(text(nil, x)))
	}
	slices.Sort(texts)
	b = append(b, '{')
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, text...)
	}
	return append(b, '}')
}

var offerTexts = [...]string{None: `"none"`, Offered: `"offered"`, Taken: `"taken"`, Revoked: `"revoked"`}
var endTexts = [...]string{Off: `"off"`, On: `"on"`, Gone: `"gone"`}

func (m *Model) textNode(b []byte, n int, N *Node) []byte {
	objects := func(b []byte, value func([]byte, int) []byte) []byte {
		return appendFunction(b, m.names.objects, m.objectName, value)
	}
	contracts := func(b []byte, value func([]byte, int) []byte) []byte {
		return appendFunction(b, m.names.contracts[n], func(k int) string { return m.Contracts[m.contracts[n][k]].Name }, value)
	}
	links := func(b []byte, value func([]byte, int) []byte) []byte {
		return appendFunction(b, m.names.downstream[n], func(i int) string { return m.Links[m.downstream[n][i]].Name }, value)
	}
	byLink := func(b []byte, value func([]byte, *Downstream, int) []byte) []byte {
		return links(b, func(b []byte, i int) []byte {
			return objects(b, func(b []byte, o int) []byte { return value(b, &N.Downstream[i], o) })
		})
	}
	b = contracts(appendField(b, "[contracts"), func(b []byte, k int) []byte { return textInt(b, N.Contracts[k]) })
	b = links(appendField(b, "contract"), func(b []byte, i int) []byte { return m.textAsks(b, N.Downstream[i].Contract) })
	b = textSet(appendField(b, "due"), members(N.Due), func(b []byte, o int) []byte { return strconv.AppendQuote(b, m.Objects[o].Name) })
	b = objects(appendField(b, "elected"), func(b []byte, o int) []byte { return m.textElected(b, n, N.Elected[o]) })
	b = objects(appendField(b, "held"), func(b []byte, o int) []byte { return textFlag(b, N.Held[o]) })
	b = textSet(appendField(b, "leaving"), members(N.Leaving), func(b []byte, l int) []byte { return strconv.AppendQuote(b, m.Links[l].Name) })
	b = contracts(appendField(b, "offers"), func(b []byte, k int) []byte {
		return objects(b, func(b []byte, o int) []byte {
			f := N.Offers[k][o]
			b = appendBool(appendField(b, "[now"), f.Now)
			b = append(appendField(b, "s"), offerTexts[f.Is]...)
			return append(textInt(appendField(b, "v"), f.State), ']')
		})
	})
	b = contracts(appendField(b, "olderContracts"), func(b []byte, k int) []byte {
		return textSet(b, N.OlderContracts[k], func(b []byte, j int) []byte {
			return strconv.AppendQuote(b, m.Contracts[m.contracts[n][j]].Name)
		})
	})
	b = links(appendField(b, "olderExposures"), func(b []byte, i int) []byte {
		return appendFunction(b, m.names.things, m.thing, func(b []byte, d int) []byte {
			return textSet(b, N.Downstream[i].OlderExposures[d], func(b []byte, e Exposure) []byte {
				b = strconv.AppendQuote(append(b, "<<"...), m.Links[m.downstream[n][e.Link]].Name)
				return append(strconv.AppendQuote(append(b, ','), m.thing(e.Thing)), ">>"...)
			})
		})
	})
	b = objects(appendField(b, "outlets"), func(b []byte, o int) []byte { return textSet(b, N.Outlets[o], textChannel) })
	b = byLink(appendField(b, "revoked"), func(b []byte, x *Downstream, o int) []byte { return textInt(b, x.Revoked[o]) })
	b = links(appendField(b, "rights"), func(b []byte, i int) []byte { return m.textRights(b, N.Downstream[i].Rights) })
	b = byLink(appendField(b, "share"), func(b []byte, x *Downstream, o int) []byte { return textInt(b, x.Share[o]) })
	b = byLink(appendField(b, "sink"), func(b []byte, x *Downstream, o int) []byte { return textChannel(b, x.Sink[o]) })
	b = objects(appendField(b, "sources"), func(b []byte, o int) []byte { return textSet(b, N.Sources[o], textChannel) })
	b = byLink(appendField(b, "stream"), func(b []byte, x *Downstream, o int) []byte { return textChannel(b, x.Stream[o]) })
	return append(m.textAsks(appendField(b, "told"), N.Told), ']')
}

func (m *Model) textRights(b []byte, r Rights) []byte {
	thing := func(b []byte, d int) []byte { return strconv.AppendQuote(b, m.thing(d)) }
	b = textInt(appendField(b, "[cap"), r.Capacity)
	b = textSet(appendField(b, "ex"), members(r.Expose), thing)
	return append(textSet(appendField(b, "ob"), members(r.Observe), thing), ']')
}

// members lists the members of a set.
func members(set uint64) (all []int) {
	for i := 0; set != 0; i, set = i+1, set>>1 {
		if set&1 == 1 {
			all = append(all, i)
		}
	}
	return all
}

func (m *Model) textElected(b []byte, n int, e Elected) []byte {
	name := "nobody"
	switch e.Who {
	case Upstream:
		name = "upstream"
	case LocalContract:
		name = m.Contracts[m.contracts[n][e.Index]].Name
	case DownstreamLink:
		name = m.Links[m.downstream[n][e.Index]].Name
	}
	return strconv.AppendQuote(b, name)
}

func (m *Model) textLink(b []byte, L *LinkState) []byte {
	queue := func(b []byte, q []Message) []byte {
		b = append(b, "<<"...)
		for i := range q {
			if i > 0 {
				b = append(b, ',')
			}
			b = m.textMessage(b, &q[i])
		}
		return append(b, ">>"...)
	}
	b = append(appendField(b, "[downstream"), endTexts[L.Downstream]...)
	b = queue(appendField(b, "down"), L.Down)
	b = append(appendField(b, "upstream"), endTexts[L.Upstream]...)
	return append(queue(appendField(b, "up"), L.Up), ']')
}

func (m *Model) textMessage(b []byte, message *Message) []byte {
	object := func(b []byte) []byte { return strconv.AppendQuote(appendField(b, "o"), m.Objects[message.Object].Name) }
	switch message.Kind {
	case ContractsMessage:
		b = append(b, `[k|->"contracts"`...)
		return append(m.textAsks(appendField(b, "told"), message.Told), ']')
	case OpenMessage:
		b = append(textInt(appendField(b, "[ch"), message.Channel), `,k|->"open"`...)
		b = appendField(object(b), "t")
		if message.Sink {
			return append(b, `"sink"]`...)
		}
		return append(b, `"stream"]`...)
	case CloseMessage:
		b = append(textInt(appendField(b, "[ch"), message.Channel), `,k|->"close"`...)
		return append(object(b), ']')
	default:
		b = append(textInt(appendField(b, "[ch"), message.Channel), `,k|->"state"`...)
		b = appendBool(appendField(b, "now"), message.Now)
		b = object(b)
		return append(textInt(appendField(b, "v"), message.State), ']')
	}
}

// AppendText appends the canonical text of a state, for people to read.
func (m *Model) AppendText(b []byte, s State) []byte {
	b = append(b, "link="...)
	b = appendFunction(b, m.names.links, m.linkName,
		func(b []byte, l int) []byte { return m.textLink(b, s.Links[l]) })
	b = append(b, "\nnode="...)
	b = appendFunction(b, m.names.exchanges, m.exchangeName,
		func(b []byte, n int) []byte { return m.textNode(b, n, s.Nodes[n]) })
	return append(b, '\n')
}

// AppendNode appends the canonical text of what one exchange knows.
func (m *Model) AppendNode(b []byte, n int, s State) []byte { return m.textNode(b, n, s.Nodes[n]) }

// AppendLink appends the canonical text of what is between the two ends of a link.
func (m *Model) AppendLink(b []byte, l int, s State) []byte { return m.textLink(b, s.Links[l]) }
