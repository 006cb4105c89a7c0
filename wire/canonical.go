package wire

// Canonical is not yet written.
func Canonical(text string, limits *Limits) (spelling, identity string, err error) {
	panic("BUG: not yet written")
}

// CanonicalStrict is not yet written.
func CanonicalStrict(text string, limits *Limits) (spelling, identity string, err error) {
	panic("BUG: not yet written")
}
