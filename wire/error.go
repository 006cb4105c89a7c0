package wire

import "strconv"

// DecodeError says why bytes or a JSON text from a peer or a caller were refused.
type DecodeError struct {
	Offset int    // of the byte at which the trouble was seen, from the start of the message or text
	Reason string // what was seen and what was expected
}

// Error returns "byte OFFSET: REASON".
func (e *DecodeError) Error() string {
	return "byte " + strconv.Itoa(e.Offset) + ": " + e.Reason
}
