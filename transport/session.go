//go:build !js

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
	readBufferSize  = 1 << 10
	writeBufferSize = 4 << 10 // of the websocket library, whose buffers are used in the handshake only
	// maxBufferKept bounds the buffers that go back to a pool.
	maxBufferKept = 256 << 10
	// maxUnpaid is how many bytes of states a peer's messages may make, beyond a fair measure, before it is looked whether it is there.
	maxUnpaid = 128 << 20
	// farewell is how long an ended link takes over a polite end.
	farewell = time.Second
)

var (
	libraryBuffers = &sync.Pool{} // all are of writeBufferSize
)

var (
	errSilence = errors.New("nothing came from the peer in time")
	errUTF8    = errors.New("a text message is not UTF-8")
	errGone    = errors.New("the peer has gone, and left messages that are much work")
)

// session is one websocket connection that carries one link. Its goroutine reads, in run; whoever makes the link owe something writes, see
// outbox. Whoever finds that the session is over calls end; the reader then says farewell and closes the connection.
type session struct {
	link       *hakuban.Link
	socket     *websocket.Conn
	connection *carrier
	outbox     *outbox
	parameters parameters
	logger     *slog.Logger // knows the link
	limit      int64
	permit     permit // of a listener's session; guarded by the listener's mu
	silence    *silence
	route      string // our way to the root, as the peer was told; "": it wants none. Guarded by the listener's mu
	takesRoute bool   // the peer tells its way

	ending chan struct{} // closed by end
	once   sync.Once
	code   int    // of the close frame; 0: none
	text   string // of the close frame
	reason error

	// Of the reader.
	inMessage bool
	gathered  bool    // something may follow from what was read
	ping      *string // the last one, to be answered
}

// newSession makes a session; its frames are masked at the end that dialled.
func newSession(link *hakuban.Link, socket *websocket.Conn, connection *carrier, dialled bool, p parameters, o *Options) *session {
	s := &session{
		link: link, socket: socket, connection: connection, parameters: p, limit: o.MessageLimit,
		logger: o.Logger.With("link", link.ID(), "remote", connection.RemoteAddr().String()),
		ending: make(chan struct{}), silence: newSilence(p.timeout),
	}
	s.outbox = newOutbox(connection, dialled, link.Resume, s.endWriting)
	connection.begin(p.timeout, s.beforeWait, s.outbox.foreign)
	socket.SetReadLimit(s.limit)
	socket.SetPingHandler(s.pinged)
	socket.SetPongHandler(func(string) error { s.heard(); return nil })
	socket.SetCloseHandler(func(int, string) error { return nil }) // the farewell answers
	return s
}

// run carries the link until it ends, and returns why.
func (s *session) run() error {
	alive := again(s.parameters.keepAlive, func() time.Duration { return s.outbox.keepAlive(s.parameters.keepAlive) })
	silent := again(s.silence.patience, s.breakSilence)
	s.link.Serve(s)
	s.read()
	s.beforeWait() // what follows from the last messages
	var frame []byte
	if s.code != 0 {
		frame = websocket.FormatCloseMessage(s.code, s.text)
	}
	if s.outbox.finish(frame) && s.code != 0 {
		s.linger()
	}
	alive.Stop()
	silent.Stop()
	s.connection.cut() // nothing is left to lose
	return s.reason
}

// again calls a function after a time, and then after each time that the function returns, until that is 0 or the timer is stopped.
func again(after time.Duration, call func() time.Duration) *time.Timer {
	var timer *time.Timer
	armed := make(chan struct{})
	timer = time.AfterFunc(after, func() {
		<-armed
		if next := call(); next > 0 {
			timer.Reset(next)
		}
	})
	close(armed)
	return timer
}

// breakSilence pings a peer that was silent for long, and returns when to look again; 0: not any more.
func (s *session) breakSilence() (next time.Duration) {
	if left := s.silence.left(); left > 0 {
		return left
	}
	if !s.outbox.ping("") {
		return 0
	}
	s.trace("sent a ping", 0)
	return s.silence.patience
}

// Write implements [hakuban.Writer].
func (s *session) Write(messages []hakuban.Message) (room bool) {
	if s.logger.Enabled(context.Background(), slog.LevelDebug) {
		for i := range messages {
			head, middle, tail := messages[i].Parts()
			s.trace("sent", len(head)+len(middle)+len(tail))
		}
	}
	return s.outbox.send(messages)
}

// Ended implements [hakuban.Writer].
func (s *session) Ended() { s.end(s.verdict(s.link.Err())) }

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
		s.connection.stop()
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
	s.silence.broken()
	if !s.inMessage {
		s.connection.hear()
	}
}

// pinged notes a ping. One answer to several that came together will do.
func (s *session) pinged(payload string) error {
	s.heard()
	s.routed(payload)
	s.ping = &payload
	return nil
}

// beforeWait is called when all that came is read: now follows what comes of it.
func (s *session) beforeWait() {
	if s.ping != nil {
		s.outbox.answer(*s.ping)
		s.ping = nil
	}
	if s.gathered {
		s.gathered = false
		s.link.Deliver()
	}
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
	m := newIncoming()
	defer func() {
		m.release()
		s.link.Unreserve()
	}()
	for {
		if m.full() {
			if err := s.makeRoom(&m); err != nil {
				return err
			}
		}
		err := m.read(reader)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if len(m.data) == 0 {
		return nil
	}
	s.trace("received", len(m.data))
	if s.link.Unpaid() > maxUnpaid {
		if s.connection.gone() {
			return errGone
		}
		s.link.Forgive()
	}
	s.gathered = true
	return s.link.Gather(m.data)
}

// makeRoom has more of a message read, when the exchange may hold more. The time until then is not the peer's.
func (s *session) makeRoom(m *incoming) error {
	begin := time.Now()
	s.beforeWait()
	if err := s.link.Reserve(m.next()); err != nil {
		return err
	}
	s.connection.heardAt = s.connection.heardAt.Add(time.Since(begin))
	m.grow()
	return nil
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
	case isLoop(err):
		return websocket.ClosePolicyViolation, err
	case errors.Is(err, hakuban.ErrClosed):
		return websocket.CloseGoingAway, err
	case errors.Is(err, errUTF8):
		return websocket.CloseInvalidFramePayloadData, err
	case errors.Is(err, websocket.ErrReadLimit):
		return websocket.CloseMessageTooBig, fmt.Errorf("a message is larger than %d bytes", s.limit)
	case errors.As(err, &closed) && closed.Code == websocket.CloseAbnormalClosure:
		return 0, errors.New("the connection was lost")
	case errors.As(err, &closed) && closed.Code == websocket.ClosePolicyViolation && closed.Text == hakuban.ErrLoop.Error():
		return closed.Code, fmt.Errorf("the peer says: %w", hakuban.ErrLoop)
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

// endWriting ends the session when writing failed. When the link has ended the reader has found a reason that is better than the writer's.
func (s *session) endWriting(err error) {
	if ended := s.link.Err(); ended != nil {
		s.end(s.verdict(ended))
		return
	}
	s.end(0, fmt.Errorf("the connection was lost: %w", err))
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
		if _, err := s.connection.Conn.Read(scratch[:]); err != nil {
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
