package diff

// Encoder makes diffs and keeps the memory of its tables between them, at most
// 2 MiB. The zero Encoder is ready to use. It is not safe for concurrent use;
// what it makes does not depend on what it made before.
type Encoder struct {
	tables tables
}

// Append appends to dst a diff that turns old into new, and returns the result.
// The diff is the same for the same old and new, and at most MaxSize(len(new))
// bytes long. The time is proportional to len(old)+len(new).
func (e *Encoder) Append(dst, old, new []byte) []byte {
	edit := trim(old, new)
	if !edit.searched() {
		return edit.appendLiteral(dst)
	}
	finder := newFinder(edit, &e.tables)
	return edit.appendParts(dst, &finder)
}
