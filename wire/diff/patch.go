package diff

import "encoding/binary"

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
	output := make([]byte, size)
	reader := newReader(len(old), diff, size)
	for !reader.done() {
		at := reader.written
		step, err := reader.next()
		if err != nil {
			return nil, err
		}
		switch step.source {
		case fromDiff:
			copyShort(output, at, diff, step.from, step.length)
		case fromOld:
			copyShort(output, at, old, step.from, step.length)
		case fromOutput:
			if at-step.from >= 8 && step.length <= at-step.from {
				copyShort(output, at, output, step.from, step.length)
			} else {
				repeat(output[step.from:at+step.length], at-step.from)
			}
		}
	}
	return output, nil
}

// copyShort copies length bytes of source at offset from to output at offset
// at. Most copies are short: it writes up to 16 bytes as two words where there
// is room, which later copies overwrite. In output itself, from must be 8 bytes
// before at or more.
func copyShort(output []byte, at int, source []byte, from, length int) {
	if length <= 16 && at+16 <= len(output) && from+16 <= len(source) {
		to, with := output[at:at+16], source[from:from+16]
		binary.LittleEndian.PutUint64(to, binary.LittleEndian.Uint64(with))
		binary.LittleEndian.PutUint64(to[8:], binary.LittleEndian.Uint64(with[8:]))
		return
	}
	copy(output[at:at+length], source[from:from+length])
}

// repeat fills data with its first period bytes again and again. Each round
// copies all that is already there, so that rounds double.
func repeat(data []byte, period int) {
	for done := period; done < len(data); {
		done += copy(data[done:], data[:done])
	}
}
