//go:build !unix && !js

package transport

import "net"

// quickSocket is none: where sockets are not files, a goroutine writes.
type quickSocket struct{}

func (q *quickSocket) attach(net.Conn, *input) {}

func (q *quickSocket) attached() bool { return false }

func (q *quickSocket) read() (int, error) { return 0, net.ErrClosed }

func (q *quickSocket) write([]byte) (int, error) { return 0, nil }
