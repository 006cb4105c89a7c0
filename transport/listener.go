//go:build !js

package transport

import (
	"cmp"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	link    hakuban.LinkOptions
	options *Options
	server  *http.Server
	upgrade websocket.Upgrader

	mu       sync.Mutex
	closed   bool
	ending   chan struct{} // closed with closed
	sessions map[*session]struct{}

	refusals struct {
		sync.Mutex
		throttle
	}
	running sync.WaitGroup // of the server, the requests and the sessions
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
	socket, err := net.Listen("tcp", address.url.Host)
	if err != nil {
		return nil, err
	}
	bound := address.url.Hostname()
	address.url.Host = socket.Addr().String()

	l := &Listener{x: x, address: address, link: link, options: o, ending: make(chan struct{}), sessions: map[*session]struct{}{}}
	l.upgrade = websocket.Upgrader{
		HandshakeTimeout: o.HandshakeTimeout,
		ReadBufferSize:   readBufferSize,
		WriteBufferSize:  writeBufferSize,
		WriteBufferPool:  libraryBuffers,
		CheckOrigin:      o.originCheck(bound),
	}
	l.server = &http.Server{
		Handler:           http.HandlerFunc(l.serve),
		ConnContext:       withConnection,
		ReadHeaderTimeout: o.HandshakeTimeout,
		ReadTimeout:       o.HandshakeTimeout,
		WriteTimeout:      o.HandshakeTimeout,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
	}
	l.server.SetKeepAlivesEnabled(false)
	g := newGate(socket, l)
	l.running.Go(func() {
		err := l.server.Serve(g)
		if !errors.Is(err, http.ErrServerClosed) {
			o.Logger.Error("the listener ended", "url", l.URL(), "error", err)
		}
	})
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
	_ = l.server.Close() // the socket's own error helps nobody
	for s := range l.sessions {
		s.end(websocket.CloseGoingAway, errListenerClosed)
	}
}

// serve upgrades one request and leaves the connection to a session, so that nothing of the HTTP server is kept for it.
func (l *Listener) serve(w http.ResponseWriter, r *http.Request) {
	if !l.enter() {
		return // the server is closing the connection
	}
	defer l.running.Done()
	if l.options.Overload != nil {
		if err := l.options.Overload(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			l.refused(r.RemoteAddr, err)
			return
		}
	}
	credential := credential(r)
	admission, err := l.admit(credential)
	if err != nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "not admitted: "+err.Error(), http.StatusUnauthorized)
		l.refused(r.RemoteAddr, err)
		return
	}
	route, answer := l.routeAnswer(r)
	socket, err := l.upgrade.Upgrade(w, r, answer)
	if err != nil {
		l.refused(r.RemoteAddr, err)
		return
	}
	connection, ok := socket.NetConn().(*carrier)
	if !ok {
		panic("BUG: a connection that came past the gate")
	}
	options := l.link
	options.Rights, options.Identity = admission.Rights, r.Header.Get(identityHeader)
	options.Session = acceptKey(r.Header.Get("Sec-Websocket-Key"))
	link, err := l.x.AttachDownstream(options)
	if err != nil {
		l.refused(r.RemoteAddr, err)
		turnAway(socket, err)
		return
	}
	s := newSession(link, socket, connection, false, l.address.parameters, l.options)
	if admission.Principal != "" {
		s.logger = s.logger.With("principal", admission.Principal)
	}
	s.permit.credential, s.route = credential, route
	l.add(s, admission.Expires)
	l.running.Go(func() {
		s.logger.Info("downstream link made")
		reason := s.run()
		s.logger.Info("downstream link ended", "reason", reason)
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

// enter has Close wait for what was begun before it; false: the listener is closed.
func (l *Listener) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.running.Add(1)
	return true
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

// gate is where connections come in: it counts them, tunes them, and has them gather their writes.
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

func (g *gate) Accept() (net.Conn, error) {
	o := g.listener.options
	for {
		connection, err := g.accept()
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
		return &carrier{Conn: connection, handshake: -1, onClose: func() { g.room.Release(1) }, onFailure: g.failedTLS}, nil
	}
}

// failedTLS tells of a peer that TLS refused, or that TLS could not agree with.
func (g *gate) failedTLS(connection net.Conn, err error) {
	if secure, ok := connection.(*tls.Conn); ok && !secure.ConnectionState().HandshakeComplete && !errors.Is(err, io.EOF) {
		g.listener.refused(connection.RemoteAddr().String(), fmt.Errorf("TLS: %w", err))
	}
}

// accept waits for a connection. Whatever the system lacks for it, such as memory, may be there again soon: only closing the listener
// ends it.
func (g *gate) accept() (net.Conn, error) {
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
