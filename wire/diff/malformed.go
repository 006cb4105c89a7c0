package diff

import "fmt"

// A MalformedError says why a diff was refused. Every diff comes from a peer,
// so a link that sends one is at fault and should be ended with this reason.
type MalformedError struct {
	// Offset is where the refused part begins, in bytes from the start of
	// the diff: the escape byte of a reference, or the first byte copied.
	Offset int
	// Reason says what was seen and what was expected.
	Reason string
}

// Error returns the offset and the reason as one line.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("malformed diff at byte %d: %s", e.Offset, e.Reason)
}

// malformed returns the error for a diff refused at the given offset.
func malformed(offset int, format string, arguments ...any) error {
	return &MalformedError{Offset: offset, Reason: fmt.Sprintf(format, arguments...)}
}
