//go:build !js

package transport

import "io"

// readBufferSize is the size of the buffer of a connection that is not a socket, and at least that of every other.
const readBufferSize = 1 << 10

// input is what was read from a connection and not yet taken. A socket's reader has a buffer only while something is in it.
type input struct {
	unread []byte

	// What unread is in.
	own    []byte             // of a connection that is not a socket
	pooled *[smallBuffer]byte // of a socket
}

func (i *input) take(n int) { i.unread = i.unread[n:] }

// room is where to read to, behind what is unread.
func (i *input) room() []byte {
	buffer := i.own
	if buffer == nil {
		if i.pooled == nil {
			i.pooled = smallBuffers.Get().(*[smallBuffer]byte)
		}
		buffer = i.pooled[:]
	}
	n := copy(buffer, i.unread)
	i.unread = buffer[:n]
	return buffer[n:]
}

// came notes that so much was read to room.
func (i *input) came(n int) { i.unread = i.unread[:len(i.unread)+n] }

// fill reads what there is, or waits.
func (i *input) fill(reader io.Reader) (int, error) {
	if i.own == nil {
		i.own = make([]byte, readBufferSize)
	}
	n, err := reader.Read(i.room())
	i.came(n)
	return n, err
}

// release gives the buffer back, if nothing is in it.
func (i *input) release() {
	if len(i.unread) > 0 {
		return
	}
	i.unread, i.own = nil, nil
	if i.pooled != nil {
		smallBuffers.Put(i.pooled)
		i.pooled = nil
	}
}

// drop gives the buffer back with what is in it.
func (i *input) drop() {
	i.unread = nil
	i.release()
}
