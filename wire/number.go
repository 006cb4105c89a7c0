package wire

import (
	"math"
	"strconv"
)

// number is what the reference makes of a JSON number. An integer and a float are never equal, not even 1 and 1.0.
// Source: serde_json without its features float_roundtrip and arbitrary_precision, which is how the reference builds it.
type number struct {
	isFloat   bool
	float     float64 // finite
	negative  bool    // integers: the value is -magnitude, which is then within 1 and 2^63
	magnitude uint64  // integers
}

// scaled is a decimal on its way to a float: mantissa * 10^exponent. The reference drops the digits that mantissa has no room for.
type scaled struct {
	mantissa uint64
	exponent int64
	dropped  bool
}

// powersOfTen holds 10^0 to 10^308, each the float nearest to it.
var powersOfTen = func() (table [309]float64) {
	for i := range table {
		power, err := strconv.ParseFloat("1e"+strconv.Itoa(i), 64)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		table[i] = power
	}
	return table
}()

// number reads a number, at '-' or a digit.
func (p *parser) number() (number, bool) {
	start := p.offset
	negative := p.peek() == '-'
	if negative {
		p.offset++
	}
	var s scaled
	whole := p.offset
	if count := p.digits(&s, 0, 1); count == 0 {
		return number{}, p.fail(p.offset, "number: a digit wanted")
	} else if count > 1 && p.text[whole] == '0' {
		return number{}, p.fail(whole, "number: leading zero")
	}
	isFloat := s.dropped
	if p.peek() == '.' {
		isFloat = true
		p.offset++
		if p.digits(&s, -1, 0) == 0 {
			return number{}, p.fail(p.offset, "number: a digit wanted after the point")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		isFloat = true
		exponent, ok := p.exponent()
		if !ok {
			return number{}, false
		}
		s.exponent += exponent
	}
	if !isFloat && !negative {
		return number{magnitude: s.mantissa}, true
	}
	if !isFloat && s.mantissa > 0 && s.mantissa <= 1<<63 {
		return number{magnitude: s.mantissa, negative: true}, true
	}
	float, ok := s.float()
	if p.exact {
		float, ok = nearest(p.text[start:p.offset])
	}
	if !ok {
		return number{}, p.fail(start, "number: beyond the range of a float")
	}
	if negative {
		float = math.Copysign(float, -1)
	}
	return number{isFloat: true, float: float}, true
}

// digits reads digits into s and returns how many there were. The exponent changes by kept for a digit that mantissa takes,
// and by dropped for one it has no room for, and for all after that.
func (p *parser) digits(s *scaled, kept, dropped int64) int {
	const lastRoom = math.MaxUint64 / 10
	start, full := p.offset, false
	for ; isDigit(p.peek()); p.offset++ {
		digit := uint64(p.peek() - '0')
		full = full || s.mantissa > lastRoom || s.mantissa == lastRoom && digit > math.MaxUint64%10
		if full {
			s.exponent += dropped
			s.dropped = true
			continue
		}
		s.mantissa = s.mantissa*10 + digit
		s.exponent += kept
	}
	return p.offset - start
}

// exponent reads the exponent of a number, at 'e'. One beyond 2^31 comes back as about that, which no text is long enough to undo.
func (p *parser) exponent() (int64, bool) {
	p.offset++
	sign := int64(1)
	switch p.peek() {
	case '-':
		sign = -1
		p.offset++
	case '+':
		p.offset++
	}
	start, exponent := p.offset, int64(0)
	for ; isDigit(p.peek()); p.offset++ {
		if exponent < 1<<31 {
			exponent = exponent*10 + int64(p.peek()-'0')
		}
	}
	if p.offset == start {
		return 0, p.fail(start, "number: a digit wanted in the exponent")
	}
	return sign * exponent, true
}

// float returns the float that the reference makes of s; false when that is infinite.
//
// Scaling in floating point rounds twice, so the result may be a unit in the last place away from the text. Whether two
// texts name the same object is the reference's to say, hence the same operations in the same order.
func (s scaled) float() (float64, bool) {
	const last = int64(len(powersOfTen) - 1)
	f, exponent := float64(s.mantissa), s.exponent
	for f != 0 && exponent < -last {
		f /= powersOfTen[last]
		exponent += last
	}
	switch {
	case f == 0:
		return 0, true
	case exponent > last:
		return 0, false
	case exponent >= 0:
		f *= powersOfTen[exponent]
	default:
		f /= powersOfTen[-exponent]
	}
	return f, !math.IsInf(f, 0)
}

// nearest returns the magnitude of the float nearest to a valid JSON number: the inverse of appendFloat, for texts of our own.
func nearest(text string) (float64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	return math.Abs(f), err == nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// appendNumber appends the spelling of n.
func appendNumber(dst []byte, n number) []byte {
	if n.isFloat {
		return appendFloat(dst, n.float)
	}
	if n.negative {
		dst = append(dst, '-')
	}
	return strconv.AppendUint(dst, n.magnitude, 10)
}

// appendFloat appends f with the fewest digits that tell it from every other float: with a point, and ".0" if need be, from
// 10^-5 until 10^16, else with an exponent that has a sign. Source: zmij, the float printer of serde_json.
func appendFloat(dst []byte, f float64) []byte {
	magnitude := math.Abs(f)
	if magnitude != 0 && (magnitude < 1e-5 || magnitude >= 1e16) {
		return appendExponential(dst, f)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

// appendExponential appends f as DIGIT[.DIGITS]e±EXPONENT; the library pads the exponent to two digits, the reference does not.
func appendExponential(dst []byte, f float64) []byte {
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	tail := len(dst) - 3
	if !isDigit(dst[tail]) && dst[tail+1] == '0' {
		dst[tail+1] = dst[tail+2]
		dst = dst[:tail+2]
	}
	return dst
}
