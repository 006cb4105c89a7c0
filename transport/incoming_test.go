package transport

import (
	"bytes"
	"crypto/rand"
	"io"
	"runtime"
	"testing"
	"testing/iotest"
	"time"
)

// A message is what came, however large and in whatever pieces.
func TestIncoming_IsWhatCame(t *testing.T) {
	for _, size := range []int{0, 1, smallBuffer, smallBuffer + 1, middleBuffer, middleBuffer + 1, ownPages, 5 * ownPages} {
		want := make([]byte, size)
		_, _ = rand.Read(want)
		for _, reader := range []io.Reader{bytes.NewReader(want), iotest.HalfReader(bytes.NewReader(want)), iotest.DataErrReader(bytes.NewReader(want))} {
			m := newIncoming()
			held := cap(m.data)
			for err := error(nil); err == nil; err = m.read(reader) {
				if m.full() {
					next := m.next()
					m.grow()
					if cap(m.data) != next || next > max(middleBuffer, 2*held) {
						t.Fatalf("a buffer of %d bytes after one of %d, %d were announced", cap(m.data), held, next)
					}
					held = next
				}
			}
			if !bytes.Equal(m.data, want) {
				t.Errorf("a message of %d bytes is another, of %d", size, len(m.data))
			}
			m.release()
			if m.data != nil || m.pages != nil {
				t.Error("it keeps its memory")
			}
		}
	}
}

// Whoever has closed its end is seen to be gone, though what it sent waits to be read; whoever has not, is not.
func TestCarrier_SeesThatThePeerHasGone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	near, far := tcpPair(t)
	c := &carrier{Conn: near}
	c.begin(time.Minute, func() {})
	if _, err := far.Write(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if c.gone() {
		t.Error("a peer that is there has gone")
	}
	_ = far.Close()
	eventually(t, "the peer is seen to have gone", c.gone)
}
