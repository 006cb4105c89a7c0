package diff

// Encoder makes diffs and keeps the memory of its tables between them, at most
// 2.5 MiB. The zero Encoder is ready to use. It is not safe for concurrent use;
// what it makes does not depend on what it made before.
type Encoder struct {
	oldTable, newTable table
}

// Append appends to dst what the function Append does.
func (e *Encoder) Append(dst, old, new []byte) []byte {
	p := begin(dst, old, new)
	if p.searches() {
		p.finder.oldTable, p.finder.newTable = e.oldTable, e.newTable
		p.middle()
		e.oldTable, e.newTable = p.finder.oldTable, p.finder.newTable
	}
	return p.finish()
}

// Append appends to dst a diff that turns old into new, and returns the result.
// The diff is the same for the same old and new, and at most MaxSize(len(new))
// bytes long. The time is proportional to len(old)+len(new); a small edit at
// one place takes no memory but that of dst, others up to 2.5 MiB.
func Append(dst, old, new []byte) []byte {
	p := begin(dst, old, new)
	switch {
	case p.small():
		p.smallMiddle()
	case p.searches():
		p.middle()
	}
	return p.finish()
}
