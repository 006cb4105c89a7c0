package transport

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever a request says, it is answered: with 401 without the one token that is good, and without a link. Nothing here can be made a link,
// as the connection cannot be taken over; a request that would be one is the server's failure. No token is in the log.
func FuzzServe_Request(f *testing.F) {
	const good = "the-one-good-token"
	const link = "Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /?token=" + good + " HTTP/1.1\r\n" + link + "\r\n",
		"GET / HTTP/1.1\r\n" + link + "Authorization: Bearer " + good + "\r\nOrigin: http://h\r\n\r\n",
		"GET /?token=another HTTP/1.1\r\n" + link + "Authorization: bearer\r\n\r\n",
		"POST / HTTP/1.1\r\n" + link + "Authorization: Bearer " + good + "\r\nOrigin: null\r\n\r\n",
		"GET / HTTP/1.1\r\n" + link + identityHeader + ": x\r\n" + routeHeader + ": a,b\r\nAuthorization: Bearer " + good + "\r\n\r\n",
		"GET http://u:p@[::1]:99999/%zz?token=%zz HTTP/1.0\r\nSec-WebSocket-Version: 8\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	var log transcript
	x := newExchange(f)
	l, err := Listen(x, "ws://127.0.0.1:0", &Options{Logger: log.logger(), Admit: func(c Credential) (Admission, error) {
		if c.Token != good {
			return Admission{}, errors.New("a token that nobody was given")
		}
		return Admission{Principal: "ann"}, nil
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(l.Close)
	f.Fuzz(func(t *testing.T, head []byte) {
		request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			return // net/http answers
		}
		request.RemoteAddr = "192.0.2.1:1"
		token := credential(request).Token
		answer := httptest.NewRecorder()
		l.serve(answer, request)
		switch {
		case token != good && answer.Code != http.StatusUnauthorized:
			t.Fatalf("%d with the token %q", answer.Code, token)
		case token == good && (answer.Code < 400 || answer.Code == http.StatusUnauthorized):
			t.Fatalf("%d with the good token", answer.Code)
		case len(token) > 16 && strings.Contains(log.String(), token):
			t.Fatalf("%q is in the log:\n%s", token, log.String())
		case len(l.Snapshot().Connections) > 0:
			t.Fatal("there is a link")
		}
	})
}
