package diff

// Size returns the length in bytes of what diff turns old data of oldLen bytes
// into, without producing it. It refuses, with a *MalformedError, a diff that
// ends inside a reference, one with a reference outside its source, and one
// whose output would be longer than limit bytes; a negative limit counts as 0.
//
// Its time is proportional to len(diff), whatever the output's length.
func Size(oldLen int, diff []byte, limit int) (int, error) {
	reader := newReader(oldLen, diff, max(limit, 0))
	for !reader.done() {
		if _, err := reader.next(); err != nil {
			return 0, err
		}
	}
	return reader.written, nil
}

// Patch returns the data that diff turns old into. It refuses what Size
// refuses, with the same error, before it allocates the output; what it returns
// is never longer than limit bytes and shares no memory with old or diff.
func Patch(old, diff []byte, limit int) ([]byte, error) {
	size, err := Size(len(old), diff, limit)
	if err != nil {
		return nil, err
	}
	output := make([]byte, 0, size)
	reader := newReader(len(old), diff, size)
	for !reader.done() {
		step, err := reader.next()
		if err != nil {
			return nil, err
		}
		switch step.source {
		case fromDiff:
			output = append(output, diff[step.from:step.from+step.length]...)
		case fromOld:
			output = append(output, old[step.from:step.from+step.length]...)
		case fromOutput:
			output = appendRepeated(output, step.from, step.length)
		}
	}
	return output, nil
}

// appendRepeated appends length bytes of output itself, starting at from. Where
// the copy overlaps its own result, the bytes in between repeat: each round
// then copies all that is already there, so that rounds double.
func appendRepeated(output []byte, from, length int) []byte {
	for length > 0 {
		chunk := output[from:]
		if len(chunk) > length {
			chunk = chunk[:length]
		}
		output = append(output, chunk...)
		length -= len(chunk)
	}
	return output
}
