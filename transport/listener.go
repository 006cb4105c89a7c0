//go:build !js

package transport

import (
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/semaphore"

	"hakuban"
)

// Listener takes links from downstream exchanges.
type Listener struct {
	x       *hakuban.Exchange
	address *address
	link    hakuban.LinkOptions // of every link
	options *Options
	gate    *gate
	upgrade websocket.Upgrader

	mu       sync.Mutex
	closed   bool
	ending   chan struct{}         // closed with closed
	guests   map[*carrier]struct{} // whose handshake is under way
	sessions map[*session]struct{}

	refusals struct {
		sync.Mutex
		throttle
	}
	running sync.WaitGroup // of who accepts, the handshakes and the sessions
}

// Listen begins to take links from downstream exchanges at an address such as ws://127.0.0.1:3001, for the exchange x. The port must be
// given; 0 lets the system choose, see [Listener.URL]. wss needs a certificate in the options. Any path is answered. An exchange can have
// several listeners.
//
// The listener closes with the exchange, or by [Listener.Close]. Listen of a closed exchange returns [hakuban.ErrClosed].
func Listen(x *hakuban.Exchange, url string, options *Options) (*Listener, error) {
	switch {
	case x == nil:
		return nil, errNoExchange
	case isClosed(x):
		return nil, hakuban.ErrClosed
	}
	o, err := completeOptions(options, forListen)
	if err != nil {
		return nil, err
	}
	address, err := parseAddress(url, o.Name)
	switch {
	case err != nil:
		return nil, err
	case address.url.Port() == "":
		return nil, fmt.Errorf("URL %q: no port; 0 lets the system choose one", redact(address.url))
	case address.url.Scheme == "wss" && !hasCertificate(o.TLS):
		return nil, fmt.Errorf("URL %q: wss needs a certificate", redact(address.url))
	}
	link := hakuban.LinkOptions{Name: address.parameters.name}
	if err := x.CheckLink(link); err != nil {
		return nil, err
	}
	sockets := net.ListenConfig{KeepAlive: -1} // links have their own
	socket, err := sockets.Listen(context.Background(), "tcp", address.url.Host)
	if err != nil {
		return nil, err
	}
	bound := address.url.Hostname()
	address.url.Host = socket.Addr().String()

	l := &Listener{x: x, address: address, link: link, options: o, ending: make(chan struct{}),
		guests: map[*carrier]struct{}{}, sessions: map[*session]struct{}{}}
	l.upgrade = websocket.Upgrader{CheckOrigin: o.originCheck(bound)} // with the buffers of whoever upgrades
	l.gate = newGate(socket, l)
	l.running.Go(l.accept)
	l.running.Go(func() {
		select {
		case <-x.Done():
			l.stop()
		case <-l.ending:
		}
	})
	l.running.Go(l.tellRoute)
	o.Logger.Info("listening", "url", l.URL())
	return l, nil
}

func hasCertificate(config *tls.Config) bool {
	return config != nil && (len(config.Certificates) > 0 || config.GetCertificate != nil || config.GetConfigForClient != nil)
}

// URL returns the listener's URL with the address it is bound to, and its parameters.
func (l *Listener) URL() string { return l.address.String() }

// Close takes no more links and ends those there are, each with a close frame (1001). It returns when all are gone: after a second
// or so with peers who do not answer. Closing again does nothing.
func (l *Listener) Close() {
	l.stop()
	l.running.Wait()
}

// stop begins to close.
func (l *Listener) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	close(l.ending)
	_ = l.gate.Close() // the socket's own error helps nobody
	for c := range l.guests {
		c.cut()
	}
	for s := range l.sessions {
		s.end(websocket.CloseGoingAway, errListenerClosed)
	}
}

// accept takes connections until the listener closes.
func (l *Listener) accept() {
	for {
		c, err := l.gate.accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				l.options.Logger.Error("the listener ended", "url", l.URL(), "error", err)
			}
			return
		}
		if !l.enter(c) {
			c.cut()
			return
		}
		go func() {
			defer l.running.Done()
			if s := l.welcome(c); s != nil {
				l.carry(s)
			} else {
				l.leave(c)
				c.cut()
			}
		}()
	}
}

// enter has Close wait for a connection that came before it, and end its handshake; false: the listener is closed.
func (l *Listener) enter(c *carrier) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.running.Add(1)
	l.guests[c] = struct{}{}
	return true
}

// leave notes that a connection's handshake is over.
func (l *Listener) leave(c *carrier) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.guests, c)
}

// makeSession makes a session of a request for a link, or refuses (nil) by what it writes to the answer.
func (l *Listener) makeSession(a *answer, r *http.Request, c *carrier) *session {
	if l.options.Overload != nil {
		if err := l.options.Overload(); err != nil {
			http.Error(a, err.Error(), http.StatusServiceUnavailable)
			l.refused(r.RemoteAddr, err)
			return nil
		}
	}
	credential := credential(r, c)
	admission, err := l.admit(credential)
	if err != nil {
		a.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(a, "not admitted: "+err.Error(), http.StatusUnauthorized)
		l.refused(r.RemoteAddr, err)
		return nil
	}
	route, header := l.routeAnswer(r)
	socket, err := l.upgrade.Upgrade(a, r, header)
	if err != nil {
		l.refused(r.RemoteAddr, err)
		return nil
	}
	l.leave(c) // it ends with a close frame from now on
	options := l.link
	options.Rights, options.Identity = admission.Rights, r.Header.Get(identityHeader)
	options.Session = acceptKey(r.Header.Get("Sec-Websocket-Key"))
	link, err := l.x.AttachDownstream(options)
	if err != nil {
		l.refused(r.RemoteAddr, err)
		turnAway(socket, err)
		return nil
	}
	c.rests = true
	s := newSession(link, c, false, l.address.parameters, l.options)
	s.principal = admission.Principal
	s.permit.credential, s.route = credential, route
	s.log("downstream link made")
	l.add(s, admission.Expires)
	return s
}

// carry has a session run until it ends.
func (l *Listener) carry(s *session) {
	s.begin()
	l.running.Add(1)
	s.serve(func(reason error) {
		defer l.running.Done()
		s.log("downstream link ended", "reason", reason)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.sessions, s)
		s.expire(time.Time{})
	})
}

// acceptKey is what answers a key in a handshake (RFC 6455, 4.2.2): both ends know it.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

var errListenerClosed = errors.New("the listener was closed")

// turnAway ends a connection that came too late.
func turnAway(socket *websocket.Conn, reason error) {
	message := websocket.FormatCloseMessage(websocket.CloseGoingAway, "closed")
	if isLoop(reason) {
		message = websocket.FormatCloseMessage(websocket.ClosePolicyViolation, reason.Error())
	}
	_ = socket.WriteControl(websocket.CloseMessage, message, time.Now().Add(farewell)) // it may be gone already
	_ = socket.Close()
}

func (l *Listener) add(s *session, expires time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sessions[s] = struct{}{}
	identities, _ := l.x.Route()
	s.tellRoute(routeText(identities)) // it may have changed since it was answered
	s.expire(expires)
	if l.closed { // since it entered
		s.end(websocket.CloseGoingAway, errListenerClosed)
	}
}

// ListenerSnapshot is what there is to see of a listener.
type ListenerSnapshot struct {
	URL         string
	Connections []Connection // by link
}

// Snapshot lists the listener's connections that carry a link now.
func (l *Listener) Snapshot() ListenerSnapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	snapshot := ListenerSnapshot{URL: l.URL()}
	for s := range l.sessions {
		if connection, ok := s.snapshot(); ok {
			snapshot.Connections = append(snapshot.Connections, connection)
		}
	}
	slices.SortFunc(snapshot.Connections, func(a, b Connection) int { return cmp.Compare(a.Link, b.Link) })
	return snapshot
}

func (s *session) snapshot() (c Connection, ok bool) {
	status, ok := s.link.Status()
	return Connection{
		Link:          s.link.ID(),
		LocalAddress:  s.connection.LocalAddr().String(),
		RemoteAddress: s.connection.RemoteAddr().String(),
		LinkStatus:    status,
	}, ok
}

// gate is where connections come in: it counts and tunes them.
type gate struct {
	net.Listener
	listener *Listener
	tls      *tls.Config         // one for all, as it has the keys of the tickets that save a handshake; nil: ws
	room     *semaphore.Weighted // for connections

	// Of the goroutine that accepts.
	refused time.Time // when a refusal was last told
	failed  time.Time // when a failure was last told
}

func newGate(socket net.Listener, l *Listener) *gate {
	g := &gate{Listener: socket, listener: l, room: semaphore.NewWeighted(int64(l.options.MaxConnections))}
	if l.address.url.Scheme == "wss" {
		g.tls = l.options.TLS.Clone()
		g.tls.NextProtos = []string{"http/1.1"}
	}
	return g
}

// accept returns the next connection that there is room for.
func (g *gate) accept() (*carrier, error) {
	o := g.listener.options
	for {
		connection, err := g.wait()
		if err != nil {
			return nil, err
		}
		if !g.room.TryAcquire(1) {
			g.refuse(connection)
			continue
		}
		tune(connection, g.listener.address.parameters.noDelay, o.SendBuffer)
		if g.tls != nil {
			connection = tls.Server(connection, g.tls)
		}
		return &carrier{Conn: connection, handshake: maxRequest, onClose: func() { g.room.Release(1) }}, nil
	}
}

// wait waits for a connection. Whatever the system lacks for it, such as memory, may be there again soon: only closing the listener
// ends it.
func (g *gate) wait() (net.Conn, error) {
	for delay := 5 * time.Millisecond; ; delay = min(2*delay, time.Second) {
		connection, err := g.Listener.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) {
			return connection, err
		}
		if now := time.Now(); now.Sub(g.failed) > 10*time.Second { // not a line for each of many
			g.failed = now
			g.listener.options.Logger.Warn("connections cannot be taken for now", "error", err)
		}
		select {
		case <-time.After(delay):
		case <-g.listener.ending:
		}
	}
}

// refuse turns a connection away without waiting for it.
func (g *gate) refuse(connection net.Conn) {
	if now := time.Now(); now.Sub(g.refused) > 10*time.Second { // not a line for each of a flood
		g.refused = now
		g.listener.options.Logger.Warn("connections are refused: there are too many",
			"remote", connection.RemoteAddr().String(), "limit", g.listener.options.MaxConnections)
	}
	if g.tls == nil {
		_ = connection.SetWriteDeadline(time.Now().Add(time.Millisecond))
		_, _ = connection.Write([]byte("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
	}
	_ = connection.Close()
}
