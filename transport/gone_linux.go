package transport

import (
	"encoding/binary"
	"syscall"
)

// States of a connection whose peer will send no more: TCP_CLOSE_WAIT and TCP_CLOSE of Linux.
const (
	stateClosed    = 7
	stateCloseWait = 8
)

// gone reports whether the peer has closed its end, though not all that it sent is read.
func (c *carrier) gone() bool {
	socket, ok := c.base().(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		info, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO) // its first four bytes
		var bytes [4]byte
		binary.NativeEndian.PutUint32(bytes[:], uint32(info))
		state := bytes[0]
		gone = err == nil && (state == stateClosed || state == stateCloseWait)
	})
	return gone || err != nil
}
