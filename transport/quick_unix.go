//go:build unix

package transport

import (
	"net"
	"syscall"
)

// quickWriter writes to a socket without waiting. The zero quickWriter has no socket, and never has room.
type quickWriter struct {
	socket syscall.RawConn
	try    func(fd uintptr) bool // made once, so that writing allocates nothing

	// Of the write under way.
	left    []byte
	written int
	err     error
}

// attach gives it the socket of a connection that is nothing but a socket.
func (q *quickWriter) attach(connection net.Conn) {
	tcp, ok := connection.(*net.TCPConn)
	if !ok {
		return
	}
	socket, err := tcp.SyscallConn()
	if err != nil {
		return // it is closed: writing will say so
	}
	q.socket, q.try = socket, q.attempt
}

func (q *quickWriter) write(p []byte) (int, error) {
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
func (q *quickWriter) attempt(fd uintptr) bool {
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
