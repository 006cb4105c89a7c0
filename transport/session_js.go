package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"hakuban"
)

const (
	// highWater is how many bytes may wait in the browser for more to be encoded: what is encoded can no longer be replaced by newer states.
	highWater = 1 << 20
	// drainPause is how often a websocket that has too many is looked at: it does not tell.
	drainPause = 20 * time.Millisecond
	// farewell is how long an ended link takes over a polite end.
	farewell = time.Second
)

// dial makes a connection and begins a link on it.
func (c *Connector) dial(ctx context.Context) (*session, error) {
	late := fmt.Errorf("no connection within %v", c.options.HandshakeTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.HandshakeTimeout, late)
	defer cancel()
	socket, err := newWebSocket(c.address.url.String(), c.options.MessageLimit)
	if err != nil {
		return nil, err
	}
	connected := make(chan error, 1)
	go func() { connected <- socket.connect(ctx) }()
	select {
	case err = <-connected:
	case <-c.x.Done():
		cancel()
		<-connected
		err = hakuban.ErrClosed
	}
	var link *hakuban.Link
	if err == nil {
		link, err = c.upstream.Attach(c.link)
	}
	if err != nil {
		socket.part(closeNormal, err)
		return nil, err
	}
	logger := c.options.Logger.With("link", link.ID(), "remote", c.address.url.Host)
	return &session{link: link, socket: socket, address: c.address, logger: logger, ending: make(chan struct{})}, nil
}

// session is one websocket connection that carries one link: a reader, which runs in run, and a writer, two goroutines in all.
type session struct {
	link    *hakuban.Link
	socket  *webSocket
	address *address
	logger  *slog.Logger // knows the link

	once   sync.Once
	ending chan struct{} // closed by end
	code   int           // of the close frame
	reason error
}

// snapshot tells what there is to see of the connection. A browser does not tell addresses: the remote one is the URL's.
func (s *session) snapshot() (c Connection, ok bool) {
	status, ok := s.link.Status()
	return Connection{Link: s.link.ID(), RemoteAddress: s.address.url.Host, LinkStatus: status}, ok
}

// run carries the link until it ends, and returns why.
func (s *session) run() error {
	var writing sync.WaitGroup
	writing.Go(s.write)
	s.read()
	writing.Wait()
	s.socket.part(s.code, s.reason)
	return s.reason
}

// end has the session end, for the reason given. It does not wait.
func (s *session) end(code int, reason error) {
	s.once.Do(func() {
		s.code, s.reason = code, reason
		s.link.Detach(reason)
		close(s.ending)
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

// read hands messages to the link until the session is over, for silence too. A page that slept hears first that time has passed, and
// then what came meanwhile: hence a second look before the end.
func (s *session) read() {
	timeout := s.address.parameters.timeout
	grace := min(timeout/10, 5*time.Second)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	suspected := false
	for !s.over() {
		select {
		case <-s.ending:
		case <-s.socket.came:
			if !s.receive() {
				continue
			}
			suspected = false
			timer.Reset(timeout)
		case <-timer.C:
			if suspected {
				s.end(closeFault, fmt.Errorf("nothing came from the peer in %v", timeout))
				continue
			}
			suspected = true
			timer.Reset(grace)
		case <-s.socket.closed:
			s.receive() // what came before
			s.end(closeNormal, s.socket.err)
		}
	}
}

// receive hands over what came, and reports whether anything did.
func (s *session) receive() bool {
	messages, heard, err := s.socket.take()
	for _, message := range messages {
		if s.over() {
			return heard
		}
		s.trace("received", len(message))
		if err := s.link.Receive(message); err != nil {
			s.endWith(err)
			return heard
		}
	}
	if err != nil {
		s.end(closeFault, err)
	}
	return heard
}

// endWith ends the session since its link has ended.
func (s *session) endWith(err error) {
	if errors.Is(err, hakuban.ErrClosed) {
		s.end(closeNormal, err)
		return
	}
	s.end(closeFault, err)
}

// write sends what the link has, and keep-alives, until the session is over. A hidden page's timers are up to a minute late: hence a
// keep-alive after half the time.
func (s *session) write() {
	interval := max(s.address.parameters.keepAlive/2, time.Millisecond)
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for !s.over() {
		select {
		case <-s.ending:
			continue
		case <-s.link.Done():
			s.endWith(s.link.Err())
			continue
		case <-s.link.Ready():
			if err := s.pull(); err != nil {
				s.endWith(err)
				continue
			}
		case <-timer.C:
			s.trace("sent a keep-alive", 1)
			s.socket.sendText(".")
		}
		timer.Reset(interval)
	}
}

// pull sends what the link has, as far as the browser has room.
func (s *session) pull() error {
	buffer := pulls.Get().(*[]byte)
	defer pulls.Put(buffer)
	for more := true; more && !s.over(); {
		if s.socket.buffered() > highWater {
			s.pause()
			continue
		}
		messages, again, err := s.link.Pull(*buffer, pullBudget)
		if err != nil {
			return err
		}
		for _, message := range messages {
			s.trace("sent", len(message))
			s.socket.sendBytes(message)
		}
		clear(messages)
		more = again
	}
	return nil
}

// pause waits until the websocket should be looked at again.
func (s *session) pause() {
	timer := time.NewTimer(drainPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ending:
	case <-s.socket.closed: // sends nothing any more, and keeps what it has
		<-s.ending
	}
}

func (s *session) trace(what string, size int) {
	if s.logger.Enabled(context.Background(), slog.LevelDebug) {
		s.logger.Debug(what, "bytes", size)
	}
}

// log tells something of the session, which the logger names.
func (s *session) log(what string, arguments ...any) { s.logger.Info(what, arguments...) }
