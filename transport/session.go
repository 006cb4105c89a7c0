//go:build !js

package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"hakuban"
)

const (
	// handshakeBuffer is the size of the websocket library's buffers, which are used in the handshake only.
	handshakeBuffer = 1 << 10
	// maxBufferKept bounds the buffers that go back to a pool.
	maxBufferKept = 256 << 10
	// maxUnpaid is how many bytes of states a peer's messages may make, beyond a fair measure, before it is looked whether it is there.
	maxUnpaid = 128 << 20
	// farewell is how long an ended link takes over a polite end.
	farewell = time.Second
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
	reader     reader
	connection *carrier
	outbox     *outbox
	parameters parameters
	logger     *slog.Logger // does not know the link: see log
	principal  string       // of a listener's session; "": not known
	permit     permit       // of a listener's session; guarded by the listener's mu
	silence    silence
	route      string // our way to the root, as the peer was told; "": it wants none. Guarded by the listener's mu
	takesRoute bool   // the peer tells its way

	clock *time.Timer // for look

	ending atomic.Bool // by end, which is under way or done
	once   sync.Once
	code   int    // of the close frame; 0: none
	text   string // of the close frame
	reason error

	// Of the reader.
	gathered bool    // something may follow from what was read
	ping     *string // the last one, to be answered
}

// newSession makes a session on a connection whose handshake is over; its frames are masked at the end that dialled.
func newSession(link *hakuban.Link, connection *carrier, dialled bool, p parameters, o *Options) *session {
	s := &session{
		link: link, connection: connection, parameters: p,
		logger:  o.Logger,
		silence: newSilence(p.timeout),
	}
	s.reader = reader{c: connection, masked: !dialled, limit: o.MessageLimit, control: s.control}
	s.outbox = newOutbox(connection, dialled, link.Resume, s.endWriting)
	connection.begin(p.timeout, s.beforeWait)
	return s
}

// run carries the link until it ends, and returns why.
func (s *session) run() error {
	s.begin()
	s.read()
	return s.finish()
}

// serve carries the link until it ends, and then calls ended with the reason. It returns before, when nothing has come for a while: then
// a goroutine whose stack is small waits.
func (s *session) serve(ended func(reason error)) {
	if s.read() {
		s.connection.rested.Store(true)
		go s.serve(ended)
		return
	}
	ended(s.finish())
}

// begin has the link send what it has to.
func (s *session) begin() {
	s.clock = time.AfterFunc(math.MaxInt64, s.look)
	s.clock.Reset(min(s.parameters.keepAlive, s.silence.patience))
	s.link.Serve(s)
}

// finish says farewell, closes the connection, and returns why.
func (s *session) finish() error {
	s.beforeWait() // what follows from the last messages
	var frame []byte
	if s.code != 0 {
		frame = websocket.FormatCloseMessage(s.code, s.text)
	}
	if s.outbox.finish(frame) && s.code != 0 {
		s.connection.linger()
	}
	s.clock.Stop()
	s.connection.cut() // nothing is left to lose
	s.connection.input.drop()
	return s.reason
}

// look sends what is due after a time in which nothing was sent, or nothing came, and looks again.
func (s *session) look() {
	now := time.Now()
	next, ok := s.outbox.keepAlive(s.parameters.keepAlive)
	if !ok {
		return
	}
	silent := s.silence.left(now)
	if silent <= 0 {
		s.outbox.ping("")
		s.trace("sent a ping", 0)
		silent = s.silence.pinged(now)
	}
	s.clock.Reset(min(next, silent))
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
		s.ending.Store(true) // after what it is for
		s.connection.hurry(time.Now().Add(farewell))
		s.connection.stop()
	})
}

func (s *session) over() bool { return s.ending.Load() }

// heard extends the time in which the peer must be heard again, but not within a message: however it is cut, a message must be
// complete in that time after its first frame began.
func (s *session) heard() {
	s.silence.broken()
	if !s.reader.within {
		s.connection.hear()
	}
}

// control takes a ping or a pong. One answer to several pings that came together will do.
func (s *session) control(opcode byte, payload []byte) error {
	s.heard()
	if opcode == opPing {
		ping := string(payload)
		s.routed(ping)
		s.ping = &ping
	}
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

// read hands messages to the link until the session is over, or until the reader is to rest.
func (s *session) read() (rest bool) {
	s.heard()
	for !s.over() {
		opcode, err := s.reader.next() // which waits for the first frame's header
		switch {
		case err == errRest:
			return true
		case err != nil:
		case opcode == opText:
			s.begun()
			err = checkUTF8(&s.reader)
		default:
			s.begun()
			err = s.receive(&s.reader)
		}
		if err != nil {
			s.end(s.verdict(err))
			break
		}
		s.heard()
	}
	return false
}

// begun notes that a message has begun: it has the whole timeout.
func (s *session) begun() {
	s.silence.broken()
	s.connection.hear()
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
	var frame frameError
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
		return websocket.CloseMessageTooBig, fmt.Errorf("a message is larger than %d bytes", s.reader.limit)
	case errors.As(err, &frame):
		return websocket.CloseProtocolError, err
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return 0, errors.New("the connection was lost")
	case errors.As(err, &closed) && closed.Code == websocket.ClosePolicyViolation && closed.Text == hakuban.ErrLoop.Error():
		return closed.Code, fmt.Errorf("the peer says: %w", hakuban.ErrLoop)
	case errors.As(err, &closed):
		return closed.Code, fmt.Errorf("the peer closed the connection: %w", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return websocket.CloseGoingAway, fmt.Errorf("%w: %v", errSilence, s.parameters.timeout)
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

// log tells something of the session, which it names.
func (s *session) log(what string, arguments ...any) { s.logAt(slog.LevelInfo, what, arguments...) }

func (s *session) logAt(level slog.Level, what string, arguments ...any) {
	if !s.logger.Enabled(context.Background(), level) {
		return
	}
	who := []any{"link", s.link.ID(), "remote", s.connection.RemoteAddr().String()}
	if s.principal != "" {
		who = append(who, "principal", s.principal)
	}
	s.logger.Log(context.Background(), level, what, append(who, arguments...)...)
}

func (s *session) trace(what string, size int) {
	if s.logger.Enabled(context.Background(), slog.LevelDebug) {
		s.logAt(slog.LevelDebug, what, "bytes", size)
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
