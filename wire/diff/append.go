package diff

import "encoding/binary"

// Append appends a diff that turns old into new to dst.
func Append(dst, old, new []byte) []byte {
	head := commonHead(old, new)
	tail := commonTail(old[head:], new[head:])
	if !worthwhile(len(old)-len(new), tail) {
		tail = 0
	}
	w := writer{dst: dst, new: new, end: len(new) - tail, escape: initialEscape}
	if !worthwhile(0, head) {
		head = 0
	}
	w.equal(0, 0, head)
	w.literal(head, len(new)-tail)
	w.equal(len(new)-tail, len(old)-tail, tail)
	return w.dst
}

// commonHead returns how many bytes a and b have in common at their start.
func commonHead(a, b []byte) int {
	shorter := min(len(a), len(b))
	at := 0
	for ; at+8 <= shorter; at += 8 {
		if binary.LittleEndian.Uint64(a[at:]) != binary.LittleEndian.Uint64(b[at:]) {
			break
		}
	}
	for at < shorter && a[at] == b[at] {
		at++
	}
	return at
}

// commonTail returns how many bytes a and b have in common at their end.
func commonTail(a, b []byte) int {
	shorter := min(len(a), len(b))
	at := 0
	for ; at+8 <= shorter; at += 8 {
		if binary.LittleEndian.Uint64(a[len(a)-at-8:]) != binary.LittleEndian.Uint64(b[len(b)-at-8:]) {
			break
		}
	}
	for at < shorter && a[len(a)-1-at] == b[len(b)-1-at] {
		at++
	}
	return at
}
