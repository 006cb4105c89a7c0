package diff

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// alphabet is a byte generator that often gives the format's own bytes.
func alphabet(t *rapid.T) *rapid.Generator[byte] {
	return rapid.SampledFrom([]*rapid.Generator[byte]{
		rapid.Byte(),
		rapid.ByteRange('a', 'b'),
		rapid.ByteRange('a', 'z'),
		rapid.SampledFrom([]byte{0xff, 0x7f}),
		rapid.SampledFrom([]byte{0xff, 0x7f, 0x80, 0xfe, 0x00, 'a'}),
	}).Draw(t, "alphabet")
}

// piece draws data of up to 700 bytes: any, equal bytes, or a repeated word.
func piece(t *rapid.T, values *rapid.Generator[byte]) []byte {
	switch rapid.IntRange(0, 3).Draw(t, "kind of piece") {
	case 0:
		return bytes.Repeat([]byte{values.Draw(t, "value")}, rapid.IntRange(0, 700).Draw(t, "run"))
	case 1:
		word := rapid.SliceOfN(values, 1, 40).Draw(t, "word")
		return bytes.Repeat(word, rapid.IntRange(1, 17).Draw(t, "times"))
	case 2:
		seed := rapid.Uint64().Draw(t, "seed")
		return random(seed, rapid.IntRange(0, 700).Draw(t, "length"))
	default:
		return rapid.SliceOfN(values, 0, 60).Draw(t, "bytes")
	}
}

// drawOld draws old data from some pieces.
func drawOld(t *rapid.T, values *rapid.Generator[byte]) []byte {
	old := []byte{}
	for range rapid.IntRange(0, 6).Draw(t, "pieces") {
		old = append(old, piece(t, values)...)
	}
	return old
}

// span draws a part of data.
func span(t *rapid.T, data []byte) (from, to int) {
	from = rapid.IntRange(0, len(data)).Draw(t, "from")
	return from, rapid.IntRange(from, len(data)).Draw(t, "to")
}

// changed draws new data: old with pieces put in, taken out, moved, repeated
// and replaced.
func changed(t *rapid.T, old []byte, values *rapid.Generator[byte]) []byte {
	new := bytes.Clone(old)
	for range rapid.IntRange(0, 5).Draw(t, "changes") {
		at := rapid.IntRange(0, len(new)).Draw(t, "at")
		from, to := span(t, new)
		part := bytes.Clone(new[from:to])
		switch rapid.IntRange(0, 4).Draw(t, "kind of change") {
		case 0:
			new = spliced(new, at, at, piece(t, values))
		case 1:
			new = spliced(new, from, to, nil)
		case 2:
			new = spliced(new, from, to, nil)
			new = spliced(new, min(at, len(new)), min(at, len(new)), part)
		case 3:
			new = spliced(new, at, at, part)
		case 4:
			new = spliced(new, from, to, piece(t, values))
		}
		new = new[:min(len(new), 6000)]
	}
	return new
}

// spliced returns data with data[from:to] replaced.
func spliced(data []byte, from, to int, part []byte) []byte {
	return bytes.Join([][]byte{data[:from], part, data[to:]}, nil)
}

// encoded returns the diff that a new Encoder makes.
func encoded(old, new []byte) []byte {
	var encoder Encoder
	return encoder.Append(nil, old, new)
}

// checkRoundTrip checks all that holds for every pair of old and new.
func checkRoundTrip(t interface{ Fatalf(string, ...any) }, encoder *Encoder, old, new []byte) {
	prefix := []byte("before")
	appended := encoder.Append(prefix, old, new)
	diff := appended[len(prefix):]
	if !bytes.HasPrefix(appended, prefix) {
		t.Fatalf("what was in dst is lost")
	}
	if len(diff) > MaxSize(len(new)) {
		t.Fatalf("diff of %d bytes, at most %d expected", len(diff), MaxSize(len(new)))
	}
	if want := encoded(old, new); !bytes.Equal(diff, want) {
		t.Fatalf("a used Encoder made %x, a new one %x", diff, want)
	}
	got, err := Patch(old, diff, len(new))
	if err != nil || !bytes.Equal(got, new) {
		t.Fatalf("patched to %x (%v), expected %x; diff %x", got, err, new, diff)
	}
}

func TestAppend_RoundTripsEveryChange(t *testing.T) {
	var encoder Encoder
	rapid.Check(t, func(t *rapid.T) {
		values := alphabet(t)
		old := drawOld(t, values)
		checkRoundTrip(t, &encoder, old, changed(t, old, values))
	})
}

func TestAppend_RoundTripsWhatIsUnrelated(t *testing.T) {
	var encoder Encoder
	rapid.Check(t, func(t *rapid.T) {
		checkRoundTrip(t, &encoder, drawOld(t, alphabet(t)), drawOld(t, alphabet(t)))
	})
}

func TestAppend_RoundTripsHostileData(t *testing.T) {
	var encoder Encoder
	for name, data := range hostile(1 << 20) {
		t.Run(name, func(t *testing.T) {
			shifted := append(bytes.Clone(data[len(data)/3:]), data[:len(data)/2]...)
			checkRoundTrip(t, &encoder, nil, data)
			checkRoundTrip(t, &encoder, data, shifted)
			checkRoundTrip(t, &encoder, shifted, data)
		})
	}
}

// TestEscape_CostsLittleWhereEveryByteIsOne takes away what references save: it
// is about literals alone, which the bound is made of.
func TestEscape_CostsLittleWhereEveryByteIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		new := drawOld(t, alphabet(t))
		w := newWriter(nil, new, 0, len(new))
		w.literal(0, len(new))
		if len(w.dst) > MaxSize(len(new)) {
			t.Fatalf("%d literal bytes took %d, at most %d expected", len(new), len(w.dst), MaxSize(len(new)))
		}
		if got, err := Patch(nil, w.dst, len(new)); err != nil || !bytes.Equal(got, new) {
			t.Fatalf("got %x and %v, expected %x", got, err, new)
		}
	})
}

// patchByByte reads the format as it is written down, one byte after the other;
// ok is false for all that is malformed or larger than limit.
func patchByByte(old, diff []byte, limit int) (output []byte, ok bool) {
	escape := byte(0xff)
	take := func() (value uint64) {
		if len(diff) == 0 {
			ok = false
			return 0
		}
		value, diff = uint64(diff[0]), diff[1:]
		return value
	}
	number := func(size int) (value uint64) {
		for range size {
			value = value<<8 + take()
		}
		return value
	}
	for ok = true; ok && len(diff) > 0; {
		if value := byte(take()); value != escape {
			output = append(output, value)
		} else if c := take(); !ok {
			return nil, false
		} else if c == 255 {
			output = append(output, escape)
		} else if c == 127 {
			output = append(output, escape)
			escape = byte(take())
		} else {
			position := c & 127
			if position > 123 {
				position = number(int(128 - position))
			}
			length := take()
			if length > 252 {
				length = number(int(257 - length))
			}
			at := int64(len(output)) - int64(position)
			source := &output
			if c > 127 {
				source = &old
				at = int64(len(output)) - int64(position/2)
				if position%2 == 1 {
					at = int64(len(output)) + int64(position/2) + 1
				}
			}
			if !ok || at < 0 || at > int64(len(*source)) {
				return nil, false
			}
			for ; length > 0; length-- {
				if at >= int64(len(*source)) || len(output) >= limit {
					return nil, false
				}
				output = append(output, (*source)[at])
				at++
			}
		}
		if len(output) > limit {
			return nil, false
		}
	}
	return output, ok
}

// checkPatch checks all that holds for every diff, malformed or not.
func checkPatch(t interface{ Fatalf(string, ...any) }, old, diff []byte, limit int) {
	got, err := Patch(old, diff, limit)
	size, sizeErr := Size(len(old), diff, limit)
	want, ok := patchByByte(old, diff, limit)
	if ok != (err == nil) || ok != (sizeErr == nil) {
		t.Fatalf("Patch %v, Size %v; read byte by byte: %v; old %x, diff %x", err, sizeErr, ok, old, diff)
	}
	if ok && (size != len(want) || !bytes.Equal(got, want)) {
		t.Fatalf("got %x, expected %x; old %x, diff %x", got, want, old, diff)
	}
	if len(got) > limit {
		t.Fatalf("%d bytes, limit %d", len(got), limit)
	}
}

func TestPatch_AgreesWithTheFormatReadByteByByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := alphabet(t)
		old := drawOld(t, values)
		diff := encoded(old, changed(t, old, values))
		if len(diff) > 0 && rapid.Bool().Draw(t, "damaged") {
			at := rapid.IntRange(0, len(diff)-1).Draw(t, "damage")
			diff[at] = rapid.Byte().Draw(t, "value")
			diff = diff[:rapid.IntRange(at, len(diff)).Draw(t, "cut")]
		}
		checkPatch(t, old, diff, rapid.IntRange(0, 8000).Draw(t, "limit"))
	})
}
