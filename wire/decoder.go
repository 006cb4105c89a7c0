package wire

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// decoder reads data from its start. Its first fault sticks: from then on every read returns zero and moves nothing,
// so that callers look at err where they loop, allocate or return.
//
// Invariant: 0 <= offset <= len(data). elements <= limits.Elements, and lists were made for no more.
type decoder struct {
	data     []byte
	offset   int
	elements int // of all lists so far
	limits   *Limits
	err      *DecodeError
}

// fail records the first fault.
func (d *decoder) fail(offset int, reason string) {
	if d.err == nil {
		d.err = &DecodeError{Offset: offset, Reason: reason}
	}
}

// remaining is the number of bytes not yet read.
func (d *decoder) remaining() int { return len(d.data) - d.offset }

// byte reads one byte.
func (d *decoder) byte(noun string) byte {
	if d.err != nil {
		return 0
	}
	if d.offset == len(d.data) {
		d.fail(d.offset, noun+": the message ends here")
		return 0
	}
	d.offset++
	return d.data[d.offset-1]
}

// take reads n bytes, without copying them; nil after a fault.
func (d *decoder) take(n uint64, noun string) []byte {
	if d.err != nil {
		return nil
	}
	if n > uint64(d.remaining()) {
		d.fail(d.offset, noun+": "+decimal(n)+" bytes wanted, "+strconv.Itoa(d.remaining())+" left in the message")
		return nil
	}
	start := d.offset
	d.offset += int(n)
	return d.data[start:d.offset:d.offset]
}

// index reads the index of an enum that has count variants.
func (d *decoder) index(count uint32, noun string) uint32 {
	start := d.offset
	index := d.uint32(noun)
	if index >= count {
		d.fail(start, noun+": no variant "+decimal(uint64(index))+", "+decimal(uint64(count))+" are known")
		return 0
	}
	return index
}

// count reads the length of a list and believes it only if the rest of the message could hold that many elements of
// minimum bytes each, and the limits of this list and of all together allow it.
func (d *decoder) count(limit, minimum int, noun string) int {
	start := d.offset
	n := d.uint(noun)
	if d.err != nil {
		return 0
	}
	if n > uint64(d.remaining()/minimum) {
		d.fail(start, noun+": "+decimal(n)+" elements announced, "+strconv.Itoa(d.remaining())+" bytes left in the message")
		return 0
	}
	if n > uint64(limit) {
		d.fail(start, noun+": "+decimal(n)+" elements, the limit is "+strconv.Itoa(limit))
		return 0
	}
	if d.elements+int(n) > d.limits.Elements {
		d.fail(start, noun+": "+strconv.Itoa(d.elements+int(n))+" elements in all lists of the message so far, the limit is "+strconv.Itoa(d.limits.Elements))
		return 0
	}
	d.elements += int(n)
	return int(n)
}

// bytes reads a length and so many bytes, without copying them.
func (d *decoder) bytes(limit int, noun string) []byte {
	start := d.offset
	n := d.uint(noun)
	raw := d.take(n, noun)
	if d.err == nil && len(raw) > limit {
		d.fail(start, noun+": "+strconv.Itoa(len(raw))+" bytes, the limit is "+strconv.Itoa(limit))
		return nil
	}
	return raw
}

// string reads a text, and copies it.
func (d *decoder) string(limit int, noun string) string {
	raw := d.bytes(limit, noun)
	start := d.offset - len(raw)
	if !utf8.Valid(raw) {
		d.fail(start+invalidAt(raw), noun+": not UTF-8")
		return ""
	}
	return string(raw)
}

// strings reads a list of texts.
func (d *decoder) strings(countLimit, limit int, listNoun, noun string) []string {
	count := d.count(countLimit, 1, listNoun)
	list := room[string](count)
	for i := 0; i < count && d.err == nil; i++ {
		list = append(list, d.string(limit, noun))
	}
	return list
}

// seconds reads the time of a load-limit point.
func (d *decoder) seconds() float32 {
	const noun = "load limit seconds"
	start := d.offset
	raw := d.take(4, noun)
	if raw == nil {
		return 0
	}
	seconds := math.Float32frombits(uint32(raw[0]) | uint32(raw[1])<<8 | uint32(raw[2])<<16 | uint32(raw[3])<<24)
	if reason := (LoadPoint{Seconds: seconds}).Fault(); reason != "" {
		d.fail(start, reason)
		return 0
	}
	return seconds
}

// invalidAt returns the index of the first byte of raw that is not UTF-8.
func invalidAt(raw []byte) int {
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(raw)
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
