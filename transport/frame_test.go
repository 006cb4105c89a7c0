package transport

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"testing"
)

// unframed reads what frames hold: messages, and the size of each frame.
func unframed(t *testing.T, f *frames) (messages [][]byte, sizes []int) {
	t.Helper()
	f.cut()
	reader := bufio.NewReader(bytes.NewReader(bytes.Join(f.pieces, nil)))
	var message []byte
	for {
		first, err := reader.ReadByte()
		if err == io.EOF {
			return messages, sizes
		}
		if want := byte(opBinary); message == nil && first&0xf != want || message != nil && first&0xf != opContinuation {
			t.Fatalf("frame %d begins with %#x", len(sizes), first)
		}
		second, _ := reader.ReadByte()
		if masked := second&0x80 != 0; masked != f.masked {
			t.Fatalf("frame %d is masked %v", len(sizes), masked)
		}
		size := uint64(second & 0x7f)
		var long [8]byte
		switch size {
		case 126:
			_, _ = io.ReadFull(reader, long[6:])
			size = binary.BigEndian.Uint64(long[:])
		case 127:
			_, _ = io.ReadFull(reader, long[:])
			size = binary.BigEndian.Uint64(long[:])
		}
		var key [4]byte
		if f.masked {
			_, _ = io.ReadFull(reader, key[:])
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(reader, payload); err != nil {
			t.Fatal(err)
		}
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		message = append(append([]byte{}, message...), payload...)
		sizes = append(sizes, len(payload))
		if first&final != 0 {
			messages, message = append(messages, message), nil
		}
	}
}

func TestFrames_HoldTheirMessages(t *testing.T) {
	for _, masked := range []bool{false, true} {
		f := &frames{masked: masked}
		var want [][]byte
		for _, size := range []int{0, 1, 125, 126, 127, 200, maxCopied, maxCopied + 1, 1<<16 - 1, 1 << 16, 3 << 20} {
			data := make([]byte, size)
			_, _ = rand.Read(data)
			want = append(want, data)
			f.message(opBinary, data[:size/3], data[size/3:size/2], data[size/2:])
		}
		got, sizes := unframed(t, f)
		if len(got) != len(want) || len(sizes) != len(want) {
			t.Fatalf("%d messages in %d frames, expected %d", len(got), len(sizes), len(want))
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Errorf("message %d of %d bytes is another", i, len(want[i]))
			}
		}
	}
}

// The reference refuses frames of more than 16 MiB.
func TestFrames_ThatTheReferenceTakes(t *testing.T) {
	f := &frames{}
	large := make([]byte, 2*maxFrame+1)
	_, _ = rand.Read(large)
	f.message(opBinary, large[:10], large[10:maxFrame+5], large[maxFrame+5:])
	messages, sizes := unframed(t, f)
	if len(sizes) != 3 || sizes[0] != maxFrame || sizes[2] != 1 {
		t.Errorf("frames of %v bytes", sizes)
	}
	if len(messages) != 1 || !bytes.Equal(messages[0], large) {
		t.Error("the message is another")
	}
}

// What is large is not copied.
func TestFrames_ShareLargePieces(t *testing.T) {
	large := make([]byte, maxCopied+1)
	f := &frames{}
	f.message(opBinary, []byte("head"), large, []byte("tail"))
	f.cut()
	if len(f.pieces) != 3 || &f.pieces[1][0] != &large[0] {
		t.Errorf("%d pieces, or a copy", len(f.pieces))
	}
}
