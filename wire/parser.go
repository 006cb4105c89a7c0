package wire

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// maxDepth is how many arrays and objects may be open at once. Source: serde_json's recursion limit.
const maxDepth = 127

// parser reads one JSON text as the reference does and writes it to out, spelled, but for the order of members: see spelling.
//
// Invariant: 0 <= offset <= len(text), which is valid UTF-8; after a fault err is set and every caller returns false.
type parser struct {
	text    string
	offset  int
	out     []byte
	depth   int
	members []member // of all open objects, the innermost last
	moves   []move   // of all objects whose members are out of order
	err     *DecodeError

	strict bool // refuse duplicate keys, and floats that the reference changes at each hop
	exact  bool // read floats to the nearest, not as the reference does
	fold   bool // write -0.0 as 0.0

	sawNegativeZero bool
}

// member is one key and value of an object: out[from:to] is "key":value, spelled.
type member struct {
	key      string
	offset   int // of the key in the text
	from, to int
}

// move leads from one member to the next in the order of their keys: at out[at], where a '{', ',' or '}' is, the spelling has write,
// and goes on with out[to:]. No two are at one place, for each is at an object's '{' or right after a member.
type move struct {
	at, to int
	write  byte
}

func (p *parser) fail(offset int, reason string) bool {
	if p.err == nil {
		p.err = &DecodeError{Offset: offset, Reason: reason}
	}
	return false
}

// peek returns the next byte; 0, which no JSON text has outside of an error, at the end.
func (p *parser) peek() byte {
	if p.offset < len(p.text) {
		return p.text[p.offset]
	}
	return 0
}

func (p *parser) space() {
	for p.offset < len(p.text) {
		switch p.text[p.offset] {
		case ' ', '\t', '\n', '\r':
			p.offset++
		default:
			return
		}
	}
}

// document reads a value with nothing but space around it.
func (p *parser) document() bool {
	p.space()
	if !p.value() {
		return false
	}
	p.space()
	if p.offset < len(p.text) {
		return p.fail(p.offset, "text after the value")
	}
	return true
}

// value reads one value, at its first byte.
func (p *parser) value() bool {
	if p.offset == len(p.text) {
		return p.fail(p.offset, "a value wanted, the text ends here")
	}
	switch c := p.text[p.offset]; {
	case c == '{' || c == '[':
		return p.nested(c)
	case c == '"':
		text, ok := p.string()
		if ok {
			p.out = appendQuoted(p.out, text)
		}
		return ok
	case c == '-' || isDigit(c):
		return p.numberValue()
	}
	for _, word := range [...]string{"null", "true", "false"} {
		if strings.HasPrefix(p.text[p.offset:], word) {
			p.offset += len(word)
			p.out = append(p.out, word...)
			return true
		}
	}
	return p.fail(p.offset, "a value wanted")
}

// nested reads an object or an array, whose first byte is c.
func (p *parser) nested(c byte) bool {
	if p.depth == maxDepth {
		return p.fail(p.offset, "nested deeper than 127")
	}
	p.depth++
	defer func() { p.depth-- }()
	if c == '{' {
		return p.object()
	}
	return p.array()
}

func (p *parser) numberValue() bool {
	start, outStart := p.offset, len(p.out)
	n, ok := p.number()
	if !ok {
		return false
	}
	if n.isFloat && n.float == 0 && math.Signbit(n.float) {
		p.sawNegativeZero = true
		if p.fold {
			n.float = 0
		}
	}
	p.out = appendNumber(p.out, n)
	if p.strict && n.isFloat {
		again := parser{text: string(p.out[outStart:])}
		if m, ok := again.number(); !ok || m != n {
			return p.fail(start, "number: the reference changes this float each time it reads it; fewer digits wanted")
		}
	}
	return true
}

func (p *parser) array() bool {
	p.offset++
	p.out = append(p.out, '[')
	p.space()
	if p.peek() == ']' {
		p.offset++
		p.out = append(p.out, ']')
		return true
	}
	for {
		p.space()
		if !p.value() {
			return false
		}
		p.space()
		c := p.peek()
		if c != ',' && c != ']' {
			return p.fail(p.offset, "array: ',' or ']' wanted")
		}
		p.offset++
		p.out = append(p.out, c)
		if c == ']' {
			return true
		}
	}
}

func (p *parser) object() bool {
	p.offset++
	base, start := len(p.members), len(p.out)
	p.out = append(p.out, '{')
	p.space()
	if p.peek() == '}' {
		p.offset++
		p.out = append(p.out, '}')
		return true
	}
	for {
		p.space()
		if !p.member() {
			return false
		}
		p.space()
		c := p.peek()
		if c != ',' && c != '}' {
			return p.fail(p.offset, "object: ',' or '}' wanted")
		}
		p.offset++
		if c == '}' {
			break
		}
		p.out = append(p.out, ',')
	}
	if !p.arrange(start, p.members[base:]) {
		return false
	}
	p.members = p.members[:base]
	p.out = append(p.out, '}')
	return true
}

// member reads one key and value, and notes it.
func (p *parser) member() bool {
	start := p.offset
	if p.peek() != '"' {
		return p.fail(start, "object: a key wanted")
	}
	key, ok := p.string()
	if !ok {
		return false
	}
	from := len(p.out)
	p.out = appendQuoted(p.out, key)
	p.space()
	if p.peek() != ':' {
		return p.fail(p.offset, "object: ':' wanted")
	}
	p.offset++
	p.out = append(p.out, ':')
	p.space()
	if !p.value() {
		return false
	}
	p.members = append(p.members, member{key: key, offset: start, from: from, to: len(p.out)})
	return true
}

// arrange notes the order of an object's members: by their keys' bytes, and of equal keys only the last. Its '{' is out[start], and
// out ends where its '}' is to come.
func (p *parser) arrange(start int, members []member) bool {
	inOrder := true
	for i := 1; i < len(members) && inOrder; i++ {
		inOrder = members[i-1].key < members[i].key
	}
	if inOrder {
		return true
	}
	slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.key, b.key) })
	p.moves = slices.Grow(p.moves, len(members)+1)
	next := move{at: start, write: '{'}
	for i, m := range members {
		if i+1 < len(members) && members[i+1].key == m.key {
			if p.strict {
				return p.fail(members[i+1].offset, "object: duplicate key")
			}
			continue
		}
		next.to = m.from
		p.moves = append(p.moves, next)
		next = move{at: m.to, write: ','}
	}
	next.write, next.to = '}', len(p.out)+1
	p.moves = append(p.moves, next)
	return true
}

// spelling returns the spelling of what was read: out, gone through by its moves. So each byte is copied once, however deep it is.
func (p *parser) spelling() string {
	if len(p.moves) == 0 {
		if string(p.out) == p.text {
			return p.text // as most are that come from an exchange
		}
		return string(p.out)
	}
	slices.SortFunc(p.moves, func(a, b move) int { return cmp.Compare(a.at, b.at) })
	var b strings.Builder
	b.Grow(len(p.out))
	for at := 0; at < len(p.out); {
		i, _ := slices.BinarySearchFunc(p.moves, at, func(m move, at int) int { return cmp.Compare(m.at, at) })
		if i == len(p.moves) {
			b.Write(p.out[at:])
			break
		}
		b.Write(p.out[at:p.moves[i].at])
		b.WriteByte(p.moves[i].write)
		at = p.moves[i].to
	}
	if b.Len() < len(p.out) {
		return strings.Clone(b.String()) // without the room of the members left out
	}
	return b.String()
}
