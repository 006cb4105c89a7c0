//go:build !js

package transport

import (
	"encoding/binary"
	"math/rand/v2"
)

// Opcodes of RFC 6455, 5.2, and the bit that ends a message.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
	final          = 0x80
)

const (
	// maxFrame is below the reference's limit of 16 MiB.
	maxFrame = 8 << 20
	// maxCopied is how large a piece of a message is copied; what is larger is written from where it is.
	maxCopied = 16 << 10
)

// frames are websocket frames to be written: the pieces in order. Small ones are in one buffer, one after another.
type frames struct {
	masked bool // a client's
	buffer []byte
	start  int // of the piece in buffer under way
	pieces [][]byte
}

// message adds a message, in frames that the reference takes.
func (f *frames) message(opcode byte, parts ...[]byte) {
	left := 0
	for _, part := range parts {
		left += len(part)
	}
	for {
		size := min(left, maxFrame)
		left -= size
		first := opcode
		if left == 0 {
			first |= final
		}
		parts = f.frame(first, size, parts)
		if left == 0 {
			return
		}
		opcode = opContinuation
	}
}

// frame adds one frame with the first size bytes of parts, and returns what is left of those.
func (f *frames) frame(first byte, size int, parts [][]byte) [][]byte {
	mark := byte(0)
	if f.masked {
		mark = 0x80
	}
	f.buffer = append(f.buffer, first)
	switch {
	case size < 126:
		f.buffer = append(f.buffer, mark|byte(size))
	case size < 1<<16:
		f.buffer = binary.BigEndian.AppendUint16(append(f.buffer, mark|126), uint16(size))
	default:
		f.buffer = binary.BigEndian.AppendUint64(append(f.buffer, mark|127), uint64(size))
	}
	var key uint32
	if f.masked {
		key = rand.Uint32()
		f.buffer = binary.LittleEndian.AppendUint32(f.buffer, key)
	}
	payload := len(f.buffer)
	for size > 0 {
		n := min(size, len(parts[0]))
		part := parts[0][:n]
		if n == len(parts[0]) {
			parts = parts[1:]
		} else {
			parts = append([][]byte{parts[0][n:]}, parts[1:]...)
		}
		size -= n
		if n > maxCopied && !f.masked {
			f.cut()
			f.pieces = append(f.pieces, part)
		} else {
			f.buffer = append(f.buffer, part...)
		}
	}
	if f.masked {
		mask(f.buffer[payload:], key)
	}
	return parts
}

// cut ends the piece in the buffer.
func (f *frames) cut() {
	if f.start < len(f.buffer) {
		f.pieces = append(f.pieces, f.buffer[f.start:len(f.buffer):len(f.buffer)])
		f.start = len(f.buffer)
	}
}

// mask applies a key (RFC 6455, 5.3) to the payload of a frame.
func mask(payload []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for len(payload) >= 8 {
		binary.LittleEndian.PutUint64(payload, binary.LittleEndian.Uint64(payload)^wide)
		payload = payload[8:]
	}
	for i := range payload {
		payload[i] ^= byte(key >> (8 * (i % 4)))
	}
}
