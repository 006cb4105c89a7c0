package diff

// Encoder makes diffs. It holds nothing but the memory of its tables, at most
// 2 MiB once it has seen large data: what it makes depends on old and new
// only. The zero Encoder is ready to use. One goroutine at a time may use an
// Encoder; several goroutines work at once with one each, on the same data if
// they like.
type Encoder struct {
	tables tables
	work   int // of the last diff, as finder counts it
}

// Append appends to dst a diff that turns old into new, and returns the result.
// The diff is the same for the same old and new, and at most MaxSize(len(new))
// bytes long. It changes neither old nor new. The time is proportional to
// len(old)+len(new), whatever they hold.
func (e *Encoder) Append(dst, old, new []byte) []byte {
	edit := trim(old, new)
	if !edit.searched() {
		e.work = 0
		return edit.appendLiteral(dst)
	}
	finder := newFinder(edit, &e.tables)
	dst = edit.appendParts(dst, &finder)
	e.work = finder.work
	return dst
}
