package transport

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// units are the names of units that the reference takes, in any case.
var units = func() map[string]time.Duration {
	units := map[string]time.Duration{}
	for _, unit := range []struct {
		names string
		value time.Duration
	}{
		{"y year years", 365 * day},
		{"mon month months", 30 * day},
		{"w week weeks", 7 * day},
		{"d day days", day},
		{"h hr hour hours", time.Hour},
		{"m min minute minutes", time.Minute},
		{"s sec second seconds", time.Second},
		{"ms msec millisecond milliseconds", time.Millisecond},
		{"us usec usecond microsecond microseconds", time.Microsecond},
		{"ns nsec nanosecond nanoseconds", time.Nanosecond},
	} {
		for name := range strings.FieldsSeq(unit.names) {
			units[name] = unit.value
		}
	}
	return units
}()

var errOverflow = errors.New("the duration is more than 584 years")

// parseDuration parses a duration as the reference does: terms such as 1m or 31, all added (the sign may be left out after a unit)
// or all multiplied, as numbers of seconds. A term without a unit is in seconds. What time.Duration cannot hold becomes the greatest
// one it can.
func parseDuration(text string) (time.Duration, error) {
	total, rest, err := parseTerm(text) // in nanoseconds
	if err != nil {
		return 0, err
	}
	var operator byte // of all terms, once one was seen
	for rest != "" {
		next := byte('+') // left out
		if rest[0] == '+' || rest[0] == '*' {
			next, rest = rest[0], rest[1:]
		}
		if operator != 0 && operator != next {
			return 0, fmt.Errorf("duration %q mixes sums and products", text)
		}
		operator = next
		var term uint64
		if term, rest, err = parseTerm(rest); err != nil {
			return 0, err
		}
		var over uint64
		if operator == '+' {
			total, over = bits.Add64(total, term, 0)
		} else if over, total = bits.Mul64(total, term); over < uint64(time.Second) {
			total, _ = bits.Div64(over, total, uint64(time.Second))
			over = 0
		}
		if over != 0 {
			return 0, errOverflow
		}
	}
	return time.Duration(min(total, math.MaxInt64)), nil
}

// parseTerm parses a number and its unit, in nanoseconds. Without a unit, what follows must be a sign or the end.
func parseTerm(text string) (term uint64, rest string, err error) {
	digits := strings.IndexFunc(text+" ", func(r rune) bool { return r < '0' || r > '9' })
	letters := digits + strings.IndexFunc(text[digits:]+" ", func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' })
	number, name, rest := text[:digits], text[digits:letters], text[letters:]
	unit, ok := units[strings.ToLower(name)]
	switch {
	case number == "":
		return 0, "", fmt.Errorf("duration: %q where a number was expected", text)
	case name == "" && (rest == "" || rest[0] == '+' || rest[0] == '*'):
		unit = time.Second
	case !ok:
		return 0, "", fmt.Errorf("duration: unknown unit %q: y, mon, w, d, h, m, s, ms, us and ns are known", name+rest)
	}
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return 0, "", errOverflow
	}
	over, term := bits.Mul64(n, uint64(unit))
	if over != 0 {
		return 0, "", errOverflow
	}
	return term, rest, nil
}
