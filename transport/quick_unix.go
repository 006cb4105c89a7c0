//go:build unix && !js

package transport

import (
	"io"
	"net"
	"syscall"
)

// quickSocket writes to a socket without waiting, and reads from it with a buffer only while there is something to read. The zero quickSocket
// has no socket, and never has room.
type quickSocket struct {
	socket     syscall.RawConn
	try, fetch func(fd uintptr) bool // made once, so that neither way allocates

	// Of the write under way.
	left    []byte
	written int
	err     error

	// Of the read under way.
	input   *input
	count   int
	failure error
}

// attach gives it the socket of a connection that is nothing but a socket.
func (q *quickSocket) attach(connection net.Conn, input *input) {
	tcp, ok := connection.(*net.TCPConn)
	if !ok {
		return
	}
	socket, err := tcp.SyscallConn()
	if err != nil {
		return // it is closed: writing will say so
	}
	q.socket, q.input, q.try, q.fetch = socket, input, q.attempt, q.glimpse
}

func (q *quickSocket) attached() bool { return q.socket != nil }

// read waits until there is something to read, and reads it to the input.
func (q *quickSocket) read() (int, error) {
	q.count, q.failure = 0, nil
	err := q.socket.Read(q.fetch)
	if err == nil {
		err = q.failure
	}
	return q.count, err
}

// glimpse reads what there is; false: nothing yet.
func (q *quickSocket) glimpse(fd uintptr) bool {
	for {
		n, err := syscall.Read(int(fd), q.input.room())
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			q.input.release()
			return false
		case err != nil:
			q.failure = err
		case n == 0:
			q.failure = io.EOF
		default:
			q.count = n
			q.input.came(n)
		}
		return true
	}
}

func (q *quickSocket) write(p []byte) (int, error) {
	if q.socket == nil {
		return 0, nil
	}
	q.left, q.written, q.err = p, 0, nil
	err := q.socket.Write(q.try)
	q.left = nil
	if err == nil {
		err = q.err
	}
	return q.written, err
}

// attempt writes until everything is written or there is no room. It always reports that it is done, for otherwise it would be
// called again when there is room.
func (q *quickSocket) attempt(fd uintptr) bool {
	for len(q.left) > 0 {
		n, err := syscall.Write(int(fd), q.left)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return true
		case err != nil:
			q.err = err
			return true
		}
		q.left = q.left[n:]
		q.written += n
	}
	return true
}
