package transport

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// script is a connection over which somebody says something and then goes.
type script struct {
	net.Conn
	says *bytes.Reader

	mu   sync.Mutex
	told bytes.Buffer
}

func (s *script) Read(p []byte) (int, error) { return s.says.Read(p) }

func (s *script) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told.Write(p)
}

func (s *script) Close() error                     { return nil }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// status is that of the answer; 0: there is none.
func (s *script) status(t *testing.T) int {
	t.Helper()
	s.mu.Lock()
	told := bytes.Clone(s.told.Bytes())
	s.mu.Unlock()
	if len(told) == 0 {
		return 0
	}
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(told)), nil)
	if err != nil {
		t.Fatalf("%q is no answer: %v", told, err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatalf("%q is half an answer: %v", told, err)
		}
	}
	return response.StatusCode
}

// Whatever somebody says first on a connection, the answer is none or a whole one, and it is that of a link only with the one token that is
// good. No token is in the log.
func FuzzWelcome(f *testing.F) {
	const good = "the-one-good-token"
	const link = "Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /?token=" + good + " HTTP/1.1\r\n" + link + "\r\n",
		"GET / HTTP/1.1\r\n" + link + "Authorization: Bearer " + good + "\r\nOrigin: http://h\r\n\r\n",
		"GET /?token=another HTTP/1.1\r\n" + link + "Authorization: bearer\r\n\r\n",
		"POST / HTTP/1.1\r\n" + link + "Authorization: Bearer " + good + "\r\nOrigin: null\r\nContent-Length: 3\r\n\r\nabc",
		"GET / HTTP/1.1\r\n" + link + identityHeader + ": x\r\n" + routeHeader + ": a,b\r\nAuthorization: Bearer " + good + "\r\n\r\n",
		"GET http://u:p@[::1]:99999/%zz?token=%zz HTTP/1.0\r\nSec-WebSocket-Version: 8\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nHost", "\x16\x03\x01\x02\x00",
	} {
		f.Add([]byte(seed))
	}
	var log transcript
	l, err := Listen(newExchange(f), "ws://127.0.0.1:0", &Options{Logger: log.logger(), Admit: func(c Credential) (Admission, error) {
		if c.Token != good {
			return Admission{}, errors.New("a token that nobody was given")
		}
		return Admission{Principal: "ann"}, nil
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(l.Close)
	f.Fuzz(func(t *testing.T, says []byte) {
		connection := &script{says: bytes.NewReader(says)}
		c := &carrier{Conn: connection, handshake: maxRequest, onClose: func() {}}
		if !l.enter(c) {
			t.Fatal("the listener is closed")
		}
		defer l.running.Done()
		token := ""
		if request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(says))); err == nil {
			token = credential(request, c).Token
		}
		s := l.welcome(c)
		status := connection.status(t)
		switch {
		case (s != nil) != (status == http.StatusSwitchingProtocols):
			t.Fatalf("%d is answered, and there is a link: %v", status, s != nil)
		case s != nil && token != good:
			t.Fatalf("a link by the token %q", token)
		case s == nil && status != 0 && status < 400:
			t.Fatalf("%d is answered, and there is no link", status)
		case len(token) > 16 && strings.Contains(log.String(), token):
			t.Fatalf("%q is in the log:\n%s", token, log.String())
		}
		if s != nil {
			l.carry(s) // until it notices that its peer has gone
		} else {
			l.leave(c)
			c.cut()
		}
	})
}
