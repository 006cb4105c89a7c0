package transport

import (
	"net"
	"net/http"
	"testing"

	"github.com/gorilla/websocket"
)

func TestOrigin(t *testing.T) {
	plain := listen(t, newExchange(t), "ws://127.0.0.1:0")
	_, port, _ := net.SplitHostPort(plain.address.url.Host)
	friendly := listen(t, newExchange(t), "ws://127.0.0.1:0", Options{AllowedOrigins: []string{"https://Friend.example:443", "http://other.example"}})
	open := listen(t, newExchange(t), "ws://127.0.0.1:0", Options{AllowedOrigins: []string{"*"}})
	picky := listen(t, newExchange(t), "ws://127.0.0.1:0", Options{OriginCheck: func(r *http.Request) bool {
		return r.Header.Get("Origin") == "https://friend.example"
	}})
	for _, c := range []struct {
		l      *Listener
		origin string
		host   string // "": the address
		want   bool
	}{
		{plain, "", "", true},
		{plain, "http://" + plain.address.url.Host, "", true},
		{plain, "https://" + plain.address.url.Host, "", true},
		{plain, "http://evil.example", "", false},
		{plain, "http://127.0.0.1", "", false},
		{plain, "null", "", false},
		{plain, "http://" + plain.address.url.Host + ".evil.example", "", false},
		{plain, "http://evil.example:" + port, "evil.example:" + port, false}, // whose name means 127.0.0.1 by now
		{plain, "http://LOCALHOST:" + port, "localhost:" + port, true},
		{plain, "http://[::1]:" + port, "[::1]:" + port, true},
		{friendly, "", "", true},
		{friendly, "https://friend.example", "", true},
		{friendly, "http://friend.example", "", false},
		{friendly, "http://other.example", "hub.example", true},
		{friendly, "http://" + friendly.address.url.Host, "", true},
		{open, "http://evil.example", "", true},
		{open, "null", "", true},
		{picky, "https://friend.example", "", true},
		{picky, "http://friend.example", "", false},
		{picky, "", "", false},
		{picky, "http://" + picky.address.url.Host, "", false},
	} {
		header := http.Header{}
		if c.origin != "" {
			header.Set("Origin", c.origin)
		}
		if c.host != "" {
			header.Set("Host", c.host)
		}
		socket, response, err := websocket.DefaultDialer.Dial(c.l.URL(), header)
		if (err == nil) != c.want {
			t.Errorf("origin %q: %v", c.origin, err)
		}
		if err == nil {
			_ = socket.Close()
		} else if response == nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: answer %+v", c.origin, response)
		}
	}
}

func TestOrigin_OwnIsTheHostInTheListenersURL(t *testing.T) {
	for _, c := range []struct {
		origin, host, bound string
		want                bool
	}{
		{"https://hub.example", "hub.example", "Hub.example", true},
		{"https://hub.example:3001", "hub.example:3001", "hub.example", true},
		{"https://evil.example", "evil.example", "hub.example", false},
		{"https://evil.example", "hub.example", "hub.example", false},
		{"https://hub.example.", "hub.example.", "hub.example", false},
		{"http://127.0.0.1.evil.example", "127.0.0.1.evil.example", "127.0.0.1", false},
		{"http://localhost.evil.example", "localhost.evil.example", "localhost", false},
	} {
		if got := isOwnOrigin(c.origin, c.host, c.bound); got != c.want {
			t.Errorf("%s for %s, bound to %s: %v", c.origin, c.host, c.bound, got)
		}
	}
}

func TestParseOrigin(t *testing.T) {
	for text, want := range map[string]string{ // "": refused
		"*":                             "*",
		"https://example.com":           "https://example.com",
		"HTTPS://Example.com":           "https://example.com",
		"https://example.com:443":       "https://example.com",
		"http://example.com:80":         "http://example.com",
		"http://example.com:":           "http://example.com",
		"http://example.com:443":        "http://example.com:443",
		"http://[::1]:80":               "http://[::1]",
		"https://xn--bcher-kva.example": "https://xn--bcher-kva.example",
		"https://bücher.example":        "",
		"https://b%C3%BCcher.example":   "",
		"https://example.com/":          "",
		"https://a@example.com":         "",
		"example.com":                   "",
		"null":                          "",
		"":                              "",
	} {
		if got, err := ParseOrigin(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q became %q, %v; want %q", text, got, err, want)
		}
	}
}
