//go:build !js

package transport

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// maxControl bounds the payload of a control frame (RFC 6455, 5.5).
const maxControl = 125

// frameError tells how a peer breaks RFC 6455.
type frameError string

func (e frameError) Error() string { return "websocket: " + string(e) }

// reader reads messages from the frames of a peer (RFC 6455, 5), and hands over control frames as they come. Between messages it
// holds no memory of its own, and waits with a small stack.
type reader struct {
	c       *carrier
	masked  bool                                    // the peer's frames are: those of clients
	limit   int64                                   // bytes of a message
	control func(opcode byte, payload []byte) error // takes pings, pongs and closes; payload is good until it returns

	within bool  // a message has begun and has not ended
	last   bool  // the frame is the message's last one
	size   int64 // bytes of the message, as far as frames have announced them
	left   int64 // bytes of the frame
	key    uint32
}

// next waits for the next message, leaves what is left of the last one, and returns the opcode of the message. It may return errRest
// in place of waiting for long.
func (r *reader) next() (opcode byte, err error) {
	for r.within {
		if _, err := io.Copy(io.Discard, r); err != nil {
			return 0, err
		}
	}
	r.size = 0
	return r.data()
}

// Read reads the payload of the message: io.EOF is its end.
func (r *reader) Read(p []byte) (int, error) {
	for r.left == 0 {
		if r.last {
			r.within = false
			return 0, io.EOF
		}
		if _, err := r.data(); err != nil {
			return 0, unexpected(err)
		}
	}
	p = p[:min(int64(len(p)), r.left)]
	n, err := r.c.Read(p)
	r.left -= int64(n)
	if r.masked {
		mask(p[:n], r.key)
		r.key = bits.RotateLeft32(r.key, -8*(n%4))
	}
	return n, unexpected(err)
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// data reads the header of the next data frame, and control frames before it.
func (r *reader) data() (opcode byte, err error) {
	for {
		opcode, last, size, err := r.header()
		switch {
		case err != nil:
			return 0, err
		case opcode >= opClose:
			if err := r.takeControl(opcode, int(size)); err != nil {
				return 0, err
			}
			continue
		case opcode == opContinuation && !r.within:
			return 0, frameError("a continuation without a beginning")
		case opcode != opContinuation && r.within:
			return 0, frameError("data before FIN: a message within another")
		case uint64(r.limit-r.size) < size:
			return 0, websocket.ErrReadLimit
		}
		r.within, r.last, r.left, r.size = true, last, int64(size), r.size+int64(size)
		return opcode, nil
	}
}

// header reads the header of a frame, and refuses what RFC 6455 (5.2, 5.5) forbids.
func (r *reader) header() (opcode byte, last bool, size uint64, err error) {
	head, err := r.c.need(2, !r.within)
	if err != nil {
		return 0, false, 0, err
	}
	first, second := head[0], head[1]
	opcode, last, size = first&0x0f, first&final != 0, uint64(second&0x7f)
	switch {
	case first&0x70 != 0:
		return 0, false, 0, frameError(fmt.Sprintf("RSV1, RSV2 or RSV3 is set, in a frame that begins with %#02x", first))
	case opcode > opBinary && opcode < opClose || opcode > opPong:
		return 0, false, 0, frameError(fmt.Sprintf("opcode %d is not known", opcode))
	case opcode >= opClose && !last:
		return 0, false, 0, frameError("a control frame without FIN")
	case opcode >= opClose && size > maxControl:
		return 0, false, 0, frameError("a control frame of more than 125 bytes")
	case r.masked != (second&0x80 != 0):
		return 0, false, 0, frameError("bad MASK: the frames of clients are masked, and no others")
	}
	length, key := 0, 0
	switch size {
	case 126:
		length = 2
	case 127:
		length = 8
	}
	if r.masked {
		key = 4
	}
	if head, err = r.c.need(2+length+key, false); err != nil {
		return 0, false, 0, err
	}
	switch length {
	case 2:
		size = uint64(binary.BigEndian.Uint16(head[2:]))
	case 8:
		size = binary.BigEndian.Uint64(head[2:])
	}
	if r.masked {
		r.key = binary.LittleEndian.Uint32(head[2+length:])
	}
	r.c.input.take(2 + length + key)
	return opcode, last, size, nil
}

// takeControl takes the payload of a control frame. A close frame is an error: nothing follows it.
func (r *reader) takeControl(opcode byte, size int) error {
	payload, err := r.c.need(size, false)
	if err != nil {
		return unexpected(err)
	}
	if r.masked {
		mask(payload, r.key)
	}
	if opcode == opClose {
		return closed(payload)
	}
	err = r.control(opcode, payload)
	r.c.input.take(size)
	return err
}

// closed is what a close frame says, or that it says nothing that is allowed (RFC 6455, 7.4).
func closed(payload []byte) error {
	if len(payload) == 0 {
		return &websocket.CloseError{Code: websocket.CloseNoStatusReceived}
	}
	if len(payload) == 1 {
		return frameError("bad close code: half of one")
	}
	code, text := int(binary.BigEndian.Uint16(payload)), payload[2:]
	switch {
	case code >= 3000 && code < 5000:
	case code < 1000 || code > 1014 || code == 1004 || code == websocket.CloseNoStatusReceived || code == websocket.CloseAbnormalClosure:
		return frameError(fmt.Sprintf("bad close code %d", code))
	}
	if !utf8.Valid(text) {
		return frameError("the reason of a close is not utf8")
	}
	return &websocket.CloseError{Code: code, Text: string(text)}
}
