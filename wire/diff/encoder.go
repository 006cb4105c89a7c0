package diff

// Encoder makes diffs and keeps the memory of its tables between them, at most
// 2 MiB. The zero Encoder is ready to use. It is not safe for concurrent use;
// what it makes does not depend on what it made before.
type Encoder struct {
	oldTable, newTable table
}

// Append appends to dst what the function Append does.
func (e *Encoder) Append(dst, old, new []byte) []byte {
	edit := trim(old, new)
	if !edit.searched() {
		return edit.appendLiteral(dst)
	}
	finder := newFinder(edit, e.oldTable, e.newTable, edit.reach())
	e.oldTable, e.newTable = finder.oldTable, finder.newTable
	return edit.appendParts(dst, &finder)
}

// Append appends to dst a diff that turns old into new, and returns the result.
// The diff is the same for the same old and new, and at most MaxSize(len(new))
// bytes long. The time is proportional to len(old)+len(new); a small edit at
// one place takes no memory but that of dst, others up to 2 MiB.
func Append(dst, old, new []byte) []byte {
	edit := trim(old, new)
	if !edit.searched() {
		return edit.appendLiteral(dst)
	}
	if edit.small() {
		return appendSmall(dst, edit)
	}
	finder := newFinder(edit, table{}, table{}, edit.reach())
	return edit.appendParts(dst, &finder)
}

// appendSmall appends the diff of a small edit with tables on the stack.
func appendSmall(dst []byte, e edit) []byte {
	var oldHeads, oldLinks [smallOld + 2*smallReach]int32
	var newHeads, newLinks [smallSlots]int32
	finder := newFinder(e,
		table{heads: oldHeads[:], links: oldLinks[:]},
		table{heads: newHeads[:], links: newLinks[:]}, e.reach())
	return e.appendParts(dst, &finder)
}
