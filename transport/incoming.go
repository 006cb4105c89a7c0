package transport

import (
	"io"
	"sync"
)

// Memory for messages that arrive grows with the bytes that came, not with those announced. Small and middling buffers come from pools. Large
// ones are pages of their own, which go back to the system at once.
const (
	smallBuffer  = 4 << 10
	middleBuffer = 64 << 10
	ownPages     = 1 << 20 // buffers from here on
)

var (
	smallBuffers  = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	middleBuffers = sync.Pool{New: func() any { return new([middleBuffer]byte) }}
)

// incoming is a message that arrives.
type incoming struct {
	data []byte

	// What data is in.
	small  *[smallBuffer]byte
	middle *[middleBuffer]byte
	pages  []byte
}

func newIncoming() (m incoming) {
	m.small = smallBuffers.Get().(*[smallBuffer]byte)
	m.data = m.small[:0]
	return m
}

func (m *incoming) full() bool { return len(m.data) == cap(m.data) }

// next is the size of the next buffer.
func (m *incoming) next() int {
	if m.small != nil {
		return middleBuffer
	}
	return 2 * cap(m.data)
}

// grow moves the message to a buffer of the next size.
func (m *incoming) grow() {
	size := m.next()
	var larger incoming
	switch {
	case size == middleBuffer:
		larger.middle = middleBuffers.Get().(*[middleBuffer]byte)
		larger.data = larger.middle[:0]
	case size >= ownPages:
		larger.pages = newPages(size)
		larger.data = larger.pages[:0]
	default:
		larger.data = make([]byte, 0, size)
	}
	larger.data = append(larger.data, m.data...)
	m.release()
	*m = larger
}

// read reads on.
func (m *incoming) read(reader io.Reader) error {
	n, err := reader.Read(m.data[len(m.data):cap(m.data)])
	m.data = m.data[:len(m.data)+n]
	return err
}

// release lets go of the message and its memory.
func (m *incoming) release() {
	switch {
	case m.small != nil:
		smallBuffers.Put(m.small)
	case m.middle != nil:
		middleBuffers.Put(m.middle)
	case m.pages != nil:
		freePages(m.pages)
	}
	*m = incoming{}
}
