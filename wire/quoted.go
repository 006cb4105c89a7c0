package wire

import "unicode/utf8"

// string reads a JSON string, at its quote, and returns its content.
func (p *parser) string() (string, bool) {
	p.offset++
	start := p.offset
	for p.offset < len(p.text) {
		switch c := p.text[p.offset]; {
		case c == '"':
			p.offset++
			return p.text[start : p.offset-1], true
		case c == '\\':
			return p.escapedString(start)
		case c < ' ':
			return "", p.fail(p.offset, "string: control character")
		}
		p.offset++
	}
	return "", p.fail(p.offset, "string: the text ends inside")
}

// escapedString reads the rest of a string that started at start, from its first backslash on.
func (p *parser) escapedString(start int) (string, bool) {
	content := append(make([]byte, 0, p.offset-start+16), p.text[start:p.offset]...)
	for p.offset < len(p.text) {
		switch c := p.text[p.offset]; {
		case c == '"':
			p.offset++
			return string(content), true
		case c == '\\':
			r, ok := p.escape()
			if !ok {
				return "", false
			}
			content = utf8.AppendRune(content, r)
		case c < ' ':
			return "", p.fail(p.offset, "string: control character")
		default:
			content = append(content, c)
			p.offset++
		}
	}
	return "", p.fail(p.offset, "string: the text ends inside")
}

// escape reads one escape sequence, or two that are a surrogate pair, at its backslash.
func (p *parser) escape() (rune, bool) {
	start := p.offset
	p.offset++
	c := p.peek()
	p.offset++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		return p.unicodeEscape(start)
	}
	p.offset = start
	return 0, p.fail(start, "string: unknown escape")
}

// unicodeEscape reads what follows the \u at start.
func (p *parser) unicodeEscape(start int) (rune, bool) {
	const leads, trails, end = 0xd800, 0xdc00, 0xe000
	lead, ok := p.fourDigits(start)
	if !ok || lead < leads || lead >= end {
		return lead, ok
	}
	if lead >= trails || len(p.text)-p.offset < 2 || p.text[p.offset:p.offset+2] != `\u` {
		return 0, p.fail(start, "string: lone surrogate")
	}
	p.offset += 2
	trail, ok := p.fourDigits(start)
	if !ok {
		return 0, false
	}
	if trail < trails || trail >= end {
		return 0, p.fail(start, "string: lone surrogate")
	}
	return (lead-leads)<<10 + (trail - trails) + 0x10000, true
}

// fourDigits reads four hexadecimal digits.
func (p *parser) fourDigits(start int) (rune, bool) {
	value := rune(0)
	for range 4 {
		c := p.peek()
		switch {
		case isDigit(c):
			value = value<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			value = value<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			value = value<<4 | rune(c-'A'+10)
		default:
			return 0, p.fail(start, "string: four hexadecimal digits wanted after \\u")
		}
		p.offset++
	}
	return value, true
}

// appendQuoted appends text as a JSON string. Only quotes, backslashes and characters below a space are escaped,
// the latter as \b \f \n \r \t or \u00xx. Source: serde_json.
func appendQuoted(dst []byte, text string) []byte {
	const hexadecimal = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexadecimal[c>>4], hexadecimal[c&15])
		}
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}
