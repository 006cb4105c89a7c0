package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"hakuban"
)

const (
	readBufferSize  = 2 << 10
	writeBufferSize = 16 << 10
	// pullBudget is how many bytes of messages are encoded at a time: what is encoded can no longer be replaced by newer states.
	pullBudget = corkSize
	// maxFrame is below the reference's limit of 16 MiB.
	maxFrame = 8 << 20
	// maxBufferKept bounds the buffers that go back to a pool.
	maxBufferKept = 1 << 20
	// farewell is how long an ended link takes over a polite end.
	farewell = time.Second
)

var (
	frames  = &sync.Pool{} // gorilla's write buffers; all are of writeBufferSize
	buffers = sync.Pool{New: func() any { return new([]byte) }}
	pulls   = sync.Pool{New: func() any { buffer := make([]byte, 0, pullBudget); return &buffer }}
)

var (
	errSilence = errors.New("nothing came from the peer in time")
	errUTF8    = errors.New("a text message is not UTF-8")
)

// session is one websocket connection that carries one link: a reader, which runs in run, and a writer, two goroutines in all.
// Whoever finds that it is over calls end; the writer then says farewell and the reader closes the connection.
type session struct {
	link       *hakuban.Link
	socket     *websocket.Conn
	connection *corkConn
	parameters parameters
	logger     *slog.Logger // knows the link
	limit      int64
	permit     permit // of a listener's session; guarded by the listener's mu

	pong      chan string   // capacity 1: the payload of the last ping to answer
	ending    chan struct{} // closed by end
	once      sync.Once
	code      int    // of the close frame; 0: none
	text      string // of the close frame
	reason    error
	parted    bool // the close frame was written
	inMessage bool // of the reader
}

func newSession(link *hakuban.Link, socket *websocket.Conn, connection *corkConn, p parameters, o *Options) *session {
	s := &session{
		link: link, socket: socket, connection: connection, parameters: p, limit: o.MessageLimit,
		logger: o.Logger.With("link", link.ID(), "remote", connection.RemoteAddr().String()),
		pong:   make(chan string, 1),
		ending: make(chan struct{}),
	}
	connection.cork(p.timeout)
	socket.SetReadLimit(s.limit)
	socket.SetPingHandler(s.pinged)
	socket.SetPongHandler(func(string) error { s.heard(); return nil })
	socket.SetCloseHandler(func(int, string) error { return nil }) // the writer answers
	return s
}

// run carries the link until it ends, and returns why.
func (s *session) run() error {
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.write()
	}()
	s.read()
	<-written
	if s.parted {
		s.linger()
	}
	s.connection.cut() // nothing is left to lose
	return s.reason
}

// end has the session end, for the reason given; code and text are for the close frame, none when code is 0. It does not wait.
func (s *session) end(code int, reason error) {
	s.once.Do(func() {
		s.code, s.reason = code, reason
		s.text = strings.ToValidUTF8(reason.Error(), "?")
		for len(s.text) > 123 || !utf8.ValidString(s.text) {
			s.text = s.text[:min(123, len(s.text)-1)]
		}
		s.link.Detach(reason)
		close(s.ending)
		s.connection.hurry(time.Now().Add(farewell))
		s.interrupt()
	})
}

func (s *session) over() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}

// heard extends the time in which the peer must be heard again, but not within a message: however it is cut, a message must be
// complete in that time after its first frame began.
func (s *session) heard() {
	if s.inMessage {
		return
	}
	_ = s.connection.SetReadDeadline(time.Now().Add(s.parameters.timeout))
	if s.over() { // perhaps since before the line above
		s.interrupt()
	}
}

// interrupt ends the reader's wait.
func (s *session) interrupt() { _ = s.connection.SetReadDeadline(time.Unix(1, 0)) }

func (s *session) pinged(payload string) error {
	s.heard()
	select {
	case <-s.pong: // one answer to several pings will do
	default:
	}
	s.pong <- payload
	return nil
}

// read hands messages to the link until the session is over.
func (s *session) read() {
	for !s.over() {
		s.inMessage = false
		s.heard()
		kind, reader, err := s.socket.NextReader() // which waits for the first frame's header
		if err == nil {
			s.heard()
		}
		s.inMessage = true
		switch {
		case err != nil:
		case kind == websocket.TextMessage:
			err = checkUTF8(reader)
		default:
			err = s.receive(reader)
		}
		if err != nil {
			s.end(s.verdict(err))
		}
	}
}

// receive reads one binary message. Memory grows with the bytes that came, not with those announced.
func (s *session) receive(reader io.Reader) error {
	buffer := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buffer) <= maxBufferKept {
			buffers.Put(buffer)
		}
	}()
	data := (*buffer)[:0]
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := reader.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		*buffer = data
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if len(data) == 0 {
		return nil
	}
	s.trace("received", len(data))
	return s.link.Receive(data)
}

// verdict tells how to part from the peer, and why.
func (s *session) verdict(err error) (code int, reason error) {
	var closed *websocket.CloseError
	var protocol *hakuban.ProtocolError
	var forbidden *hakuban.ForbiddenError
	var network net.Error
	switch {
	case errors.As(err, &protocol):
		return websocket.CloseProtocolError, err
	case errors.As(err, &forbidden):
		return websocket.ClosePolicyViolation, err
	case errors.Is(err, hakuban.ErrClosed):
		return websocket.CloseGoingAway, err
	case errors.Is(err, errUTF8):
		return websocket.CloseInvalidFramePayloadData, err
	case errors.Is(err, websocket.ErrReadLimit):
		return websocket.CloseMessageTooBig, fmt.Errorf("a message is larger than %d bytes", s.limit)
	case errors.As(err, &closed) && closed.Code == websocket.CloseAbnormalClosure:
		return 0, errors.New("the connection was lost")
	case errors.As(err, &closed):
		return closed.Code, fmt.Errorf("the peer closed the connection: %w", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return websocket.CloseGoingAway, fmt.Errorf("%w: %v", errSilence, s.parameters.timeout)
	case errors.As(err, &network) && network.Timeout(): // gorilla hides what it was
		return websocket.CloseGoingAway, fmt.Errorf("%w: %v", errSilence, s.parameters.timeout)
	case strings.HasPrefix(err.Error(), "websocket: "):
		return websocket.CloseProtocolError, err
	}
	return 0, fmt.Errorf("the connection was lost: %w", err)
}

// write sends what the link has, pongs and keep-alives, until the session is over; then the close frame.
func (s *session) write() {
	timer := time.NewTimer(s.parameters.keepAlive)
	defer timer.Stop()
	for !s.over() {
		var err error
		select {
		case <-s.ending:
			continue
		case <-s.link.Done():
			s.end(s.verdict(s.link.Err()))
			continue
		case <-s.link.Ready():
			err = s.pull()
		case payload := <-s.pong:
			err = s.sendPong(payload)
		case <-timer.C:
			s.trace("sent a keep-alive", 1)
			err = s.socket.WriteMessage(websocket.TextMessage, []byte("."))
		}
		if err == nil {
			err = s.connection.flush()
		}
		if err != nil {
			s.endWriting(err)
		}
		timer.Reset(s.parameters.keepAlive)
	}
	if s.code == 0 {
		return
	}
	err := s.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(s.code, s.text), time.Time{})
	if err == nil || errors.Is(err, websocket.ErrCloseSent) { // by the reader
		s.parted = s.connection.flush() == nil
	}
}

// endWriting ends the session when writing failed. When the link has ended, or the websocket library sent a close frame by itself, the
// reader has found a reason that is better than the writer's.
func (s *session) endWriting(err error) {
	ended := s.link.Err()
	switch {
	case errors.Is(err, websocket.ErrCloseSent):
		<-s.ending
	case ended != nil:
		s.end(s.verdict(ended))
	default:
		s.end(0, fmt.Errorf("the connection was lost: %w", err))
	}
}

// pull sends what the link has, made now that there is room for it. A pull may give little of what there is, so several gather.
func (s *session) pull() error {
	buffer := pulls.Get().(*[]byte)
	defer pulls.Put(buffer)
	for more := true; more && !s.over(); {
		messages, again, err := s.link.Pull(*buffer, pullBudget)
		if err != nil {
			return err
		}
		for _, message := range messages {
			s.trace("sent", len(message))
			if err := s.send(message); err != nil {
				return err
			}
		}
		clear(messages)
		select {
		case payload := <-s.pong: // which must not wait until a busy link has nothing to send
			if err := s.sendPong(payload); err != nil {
				return err
			}
			if err := s.connection.flush(); err != nil {
				return err
			}
		default:
		}
		more = again
	}
	return s.connection.flush()
}

func (s *session) sendPong(payload string) error {
	return s.socket.WriteControl(websocket.PongMessage, []byte(payload), time.Time{})
}

// send writes one message, in frames that the reference takes.
func (s *session) send(message []byte) error {
	if len(message) <= maxFrame {
		return s.socket.WriteMessage(websocket.BinaryMessage, message)
	}
	writer, err := s.socket.NextWriter(websocket.BinaryMessage)
	for err == nil && len(message) > 0 {
		n := min(len(message), maxFrame)
		_, err = writer.Write(message[:n])
		message = message[n:]
	}
	if err == nil {
		err = writer.Close()
	}
	return err
}

// linger waits for the peer's end of the connection, so that closing ours does not make the network forget our close frame.
func (s *session) linger() {
	defer time.AfterFunc(farewell, s.connection.cut).Stop() // CloseWrite of TLS takes longer over a peer that does not read
	if s.connection.CloseWrite() != nil {
		return
	}
	_ = s.connection.SetReadDeadline(time.Now().Add(farewell))
	var scratch [512]byte
	for {
		if _, err := s.connection.Read(scratch[:]); err != nil {
			return
		}
	}
}

func (s *session) trace(what string, size int) {
	if s.logger.Enabled(context.Background(), slog.LevelDebug) {
		s.logger.Debug(what, "bytes", size)
	}
}

// checkUTF8 reads a text message, of which nothing but its encoding matters.
func checkUTF8(reader io.Reader) error {
	var buffer [512]byte
	kept := 0 // bytes of a character cut in two
	for {
		n, err := reader.Read(buffer[kept:])
		text := buffer[:kept+n]
		for len(text) > 0 && (utf8.FullRune(text) || err == io.EOF) {
			r, size := utf8.DecodeRune(text)
			if r == utf8.RuneError && size <= 1 {
				return errUTF8
			}
			text = text[size:]
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
		kept = copy(buffer[:], text)
	}
}
