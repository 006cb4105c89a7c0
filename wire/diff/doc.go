// Package diff encodes and applies the byte diffs that carry states between
// exchanges. A diff is read byte by byte with an escape byte, at first 0xff:
// a byte that is not the escape is copied to the output, and after the escape
// one byte c says what follows.
//
//   - 255: the escape byte itself is output.
//   - 127: the escape byte is output, and the next byte becomes the escape.
//   - else: a reference. Bit 7 of c set copies from the old data, clear from
//     the output so far; c & 127 gives or announces its position, and a length
//     follows.
//
// The package is pure: no clock, no goroutine, no lock, and equal inputs give
// equal diffs. The format is that of hakuban 0.8.5 (wire notes, "Diff format
// (decoder)"); the encoder is free to choose any diff that decodes to the new
// data.
package diff
