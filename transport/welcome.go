//go:build !js

package transport

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxRequest bounds the head of a request, in bytes.
const maxRequest = 16 << 10

var (
	errVersion = errors.New("HTTP/1.1 was expected")
	errNoHost  = errors.New("no host is named")
	errEarly   = errors.New("data before the answer")
)

// parlor is what a handshake needs only while it lasts.
type parlor struct {
	reader *bufio.Reader
	writer *bufio.Writer
}

var parlors = sync.Pool{New: func() any {
	return &parlor{bufio.NewReaderSize(nil, handshakeBuffer), bufio.NewWriterSize(nil, handshakeBuffer)}
}}

// welcome has a handshake with whoever connected, and returns the session that comes of it; nil: none does. There is one request on a connection, so this is all of HTTP that a listener needs;
// see docs/decisions/0016-a-listener-shakes-hands-itself.md.
func (l *Listener) welcome(c *carrier) (s *session) {
	_ = c.Conn.SetDeadline(time.Now().Add(l.options.HandshakeTimeout)) // fails on a connection that is closed, as the next read will
	if secure, ok := c.Conn.(*tls.Conn); ok {
		if err := secure.Handshake(); err != nil {
			if !errors.Is(err, io.EOF) {
				l.refused(c.RemoteAddr().String(), fmt.Errorf("TLS: %w", err))
			}
			return nil
		}
	}
	p := parlors.Get().(*parlor)
	defer parlors.Put(p)
	p.reader.Reset(c)
	p.writer.Reset(c)
	a := &answer{connection: c, buffers: bufio.ReadWriter{Reader: p.reader, Writer: p.writer}}
	request, err := http.ReadRequest(p.reader)
	switch {
	case errors.Is(err, errHandshakeSize):
		a.refuse(http.StatusRequestHeaderFieldsTooLarge, err)
	case err != nil:
		var network net.Error
		if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil // nobody asked anything
		}
		a.refuse(http.StatusBadRequest, err)
	case request.ProtoMajor != 1:
		a.refuse(http.StatusHTTPVersionNotSupported, errVersion)
	case request.Host == "" && request.ProtoAtLeast(1, 1):
		a.refuse(http.StatusBadRequest, errNoHost)
	case request.ContentLength != 0 || len(c.input.unread) > 0:
		a.refuse(http.StatusBadRequest, errEarly)
	default:
		request.RemoteAddr = c.RemoteAddr().String()
		s = l.makeSession(a, request, c)
	}
	if !a.taken {
		a.send()
	}
	return s
}

// answer is what a request is answered: the websocket library takes the connection, or says why not.
type answer struct {
	connection *carrier
	buffers    bufio.ReadWriter
	taken      bool

	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements [http.ResponseWriter].
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// Hijack implements [http.Hijacker].
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.taken = true
	return a.connection, &a.buffers, nil
}

func (a *answer) refuse(status int, reason error) { http.Error(a, reason.Error(), status) }

// send sends a refusal, and lets the peer read it: a connection that is closed while something of the peer is not read forgets what was sent.
func (a *answer) send() {
	response := http.Response{
		ProtoMajor: 1, ProtoMinor: 1, StatusCode: a.status, Header: a.Header(),
		Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Close: true,
	}
	if response.Write(a.buffers.Writer) == nil && a.buffers.Flush() == nil {
		a.connection.linger()
	}
}
