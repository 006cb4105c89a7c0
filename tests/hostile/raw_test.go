package hostile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

const upgradeRequest = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// socket is a TCP connection to misbehave on.
type socket struct {
	net.Conn
	t      *testing.T
	reader *bufio.Reader
}

func (r *router) tcp(t *testing.T) *socket {
	t.Helper()
	connection, err := net.Dial("tcp", strings.Trim(strings.TrimPrefix(r.url, "ws://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	r.stranger(connection)
	return &socket{connection, t, bufio.NewReader(connection)}
}

// upgraded is a TCP connection that has become a websocket.
func (r *router) upgraded(t *testing.T) *socket {
	t.Helper()
	s := r.tcp(t)
	s.say(upgradeRequest + "\r\n")
	if answer := s.header(); !strings.HasPrefix(answer, "HTTP/1.1 101 ") {
		t.Fatalf("no upgrade: %q", answer)
	}
	return s
}

// say writes. The router may have had enough already: what it says is read elsewhere.
func (s *socket) say(text string) { _, _ = io.WriteString(s, text) }

// header reads the answer up to its empty line, or as much as there is.
func (s *socket) header() string {
	s.t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(patience))
	var answer strings.Builder
	for {
		line, err := s.reader.ReadString('\n')
		answer.WriteString(line)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.t.Errorf("no answer after %q", answer.String())
		}
		if err != nil || line == "\r\n" {
			return answer.String()
		}
	}
}

// frame reads one frame, unmasked as a server's are.
func (s *socket) frame() (first byte, payload []byte, err error) {
	var header [2]byte
	if _, err := io.ReadFull(s.reader, header[:]); err != nil {
		return 0, nil, err
	}
	length := int(header[1])
	if length == 126 {
		var long [2]byte
		if _, err := io.ReadFull(s.reader, long[:]); err != nil {
			return 0, nil, err
		}
		length = int(binary.BigEndian.Uint16(long[:]))
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(s.reader, payload)
	return header[0], payload, err
}

// farewell reads until the connection ends, and returns what the close frame says; code 0 for none.
func (s *socket) farewell() (code uint16, reason string) {
	_ = s.SetReadDeadline(time.Now().Add(patience))
	for {
		first, payload, err := s.frame()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return 0, "it does not end"
		case err != nil:
			return code, reason
		case first == 0x88 && len(payload) >= 2:
			code, reason = binary.BigEndian.Uint16(payload), string(payload[2:])
		}
	}
}

// pong checks that the link has not ended: what is sent last is answered.
func (s *socket) pong() {
	s.t.Helper()
	s.say(frame(0x89, "still here"))
	_ = s.SetReadDeadline(time.Now().Add(patience))
	for {
		first, payload, err := s.frame()
		if err != nil || first == 0x88 {
			s.t.Fatalf("the link ended: %q, %v", payload, err)
		}
		if first == 0x8a && string(payload) == "still here" {
			return
		}
	}
}

// frame is a masked frame, the mask being zero.
func frame(first byte, payload string) string {
	header := []byte{first}
	switch {
	case len(payload) < 126:
		header = append(header, 0x80|byte(len(payload)))
	case len(payload) < 1<<16:
		header = binary.BigEndian.AppendUint16(append(header, 0x80|126), uint16(len(payload)))
	default:
		header = binary.BigEndian.AppendUint64(append(header, 0x80|127), uint64(len(payload)))
	}
	return string(header) + "\x00\x00\x00\x00" + payload
}

// announced is a frame's header that announces n bytes.
func announced(first byte, n uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, n)) + "\x00\x00\x00\x00"
}

const (
	polite   = 1000 // the close code of who has done
	protocol = 1002
	notUTF8  = 1007
	tooBig   = 1009
)

// TestFrames_EndTheirLinkOnly is about frames on a websocket.
func TestFrames_EndTheirLinkOnly(t *testing.T) {
	r := startRouter(t, "")
	for _, row := range []struct {
		story  string
		bytes  string
		code   uint16
		reason string
	}{
		{"RSV1 without an extension", frame(0xc2, "x"), protocol, "RSV1"},
		{"RSV2", frame(0xa2, "x"), protocol, "RSV2"},
		{"RSV3", frame(0x92, "x"), protocol, "RSV3"},
		{"all reserved bits on a ping", frame(0xf9, "x"), protocol, "RSV"},
		{"opcode 3", frame(0x83, "x"), protocol, "opcode"},
		{"opcode 7", frame(0x87, "x"), protocol, "opcode"},
		{"opcode 11", frame(0x8b, "x"), protocol, "opcode"},
		{"opcode 15", frame(0x8f, "x"), protocol, "opcode"},
		{"a binary frame without a mask", "\x82\x01x", protocol, "MASK"},
		{"a ping without a mask", "\x89\x01x", protocol, "MASK"},
		{"a continuation without a start", frame(0x80, "x"), protocol, "continuation"},
		{"a continuation after a whole message", frame(0x82, "") + frame(0x80, "x"), protocol, "continuation"},
		{"a new message within one", frame(0x02, "x") + frame(0x82, "x"), protocol, "data before FIN"},
		{"a text within a binary message", frame(0x02, "x") + frame(0x81, "x"), protocol, "data before FIN"},
		{"a ping in pieces", frame(0x09, "x"), protocol, "FIN"},
		{"a pong in pieces", frame(0x0a, "x"), protocol, "FIN"},
		{"a close in pieces", frame(0x08, "\x03\xe8"), protocol, "FIN"},
		{"a ping of 126 bytes", frame(0x89, strings.Repeat("x", 126)), protocol, "125"},
		{"a pong of 64 KiB", frame(0x8a, strings.Repeat("x", 1<<16)), protocol, "125"},
		{"a ping that announces 2^63-1 bytes", announced(0x89, 1<<63-1), protocol, "125"},
		{"a close of 126 bytes", frame(0x88, "\x03\xe8"+strings.Repeat("x", 124)), protocol, "125"},
		{"close code 0", frame(0x88, "\x00\x00"), protocol, "close code"},
		{"close code 999", frame(0x88, "\x03\xe7"), protocol, "close code"},
		{"close code 1005, which is never sent", frame(0x88, "\x03\xed"), protocol, "close code"},
		{"close code 65535", frame(0x88, "\xff\xff"), protocol, "close code"},
		{"a close reason that is not UTF-8", frame(0x88, "\x03\xe8\xff"), protocol, "utf8"},
		{"a text that is not UTF-8", frame(0x81, "\xff\xfe"), notUTF8, "UTF-8"},
		{"a text that ends within a character", frame(0x81, "\xe2\x82"), notUTF8, "UTF-8"},
		{"a surrogate in a text", frame(0x81, "\xed\xa0\x80"), notUTF8, "UTF-8"},
		{"an overlong zero in a text", frame(0x81, "\xc0\x80"), notUTF8, "UTF-8"},
		{"64 MiB and a byte announced", announced(0x82, 1<<26+1), tooBig, ""},
		{"4 GiB announced", announced(0x82, 1<<32), tooBig, ""},
		{"2^63-1 bytes announced", announced(0x82, 1<<63-1), tooBig, ""},
		{"2^63 bytes announced", announced(0x82, 1<<63), tooBig, ""},
		{"2^64-1 bytes announced", announced(0x82, 1<<64-1), tooBig, ""},
		{"2^63-1 bytes announced of a text", announced(0x81, 1<<63-1), tooBig, ""},
		{"one byte, and the rest of 64 MiB in a second frame", frame(0x02, "x") + announced(0x80, 1<<26), tooBig, ""},
		{"a length prefix beyond memory on a fresh socket", frame(0x82, "\x01\x01\x01\x01"+huge), protocol, "broke the protocol"},
		{"the same in a message of nine bytes", frame(0x82, "\x01\x01\x01\x01\xfc\xff\xff\xff\x7f"), protocol, "broke the protocol"},
		{"a message on a fresh socket that opened nothing", frame(0x82, "\x01\x01\x01\x01\x00"), protocol, "not open"},
		{"another protocol's first bytes", frame(0x82, "GET / HTTP/1.1\r\n\r\n"), protocol, "broke the protocol"},
		{"a close while a message is in pieces", frame(0x02, "x") + frame(0x88, "\x03\xe8bye"), polite, "bye"},
	} {
		t.Run(row.story, func(t *testing.T) {
			s := r.upgraded(t)
			s.say(row.bytes)
			if code, reason := s.farewell(); code != row.code || !strings.Contains(reason, row.reason) {
				t.Errorf("ended with %d %q, expected %d and %q in it", code, reason, row.code, row.reason)
			}
			_ = s.Close() // the router waits for that, a second at most
			if logged := r.awaitEnd(s.LocalAddr().String()); row.code == tooBig && !strings.Contains(logged, "larger than 67108864 bytes") {
				t.Errorf("the log says %s", logged)
			}
		})
		r.pass(row.story)
	}
	r.bounded("bad frames", 60)
}

// TestFrames_CutShort is about connections that are lost within a frame.
func TestFrames_CutShort(t *testing.T) {
	r := startRouter(t, "")
	for story, bytes := range map[string]string{
		"nothing":             "",
		"half a header":       "\x82",
		"half a length":       "\x82\xff\x00\x00",
		"half a mask":         "\x82\x85\x00\x00",
		"half a payload":      announced(0x82, 1<<20) + strings.Repeat("x", 1<<19),
		"half a close":        "\x88\x85\x00\x00\x00\x00\x03",
		"half a message":      frame(0x02, "\x00"),
		"between two of them": frame(0x82, "") + frame(0x81, "."),
	} {
		s := r.upgraded(t)
		s.say(bytes)
		_ = s.Close()
		if reason := r.awaitEnd(s.LocalAddr().String()); !strings.Contains(reason, "lost") {
			t.Errorf("%s: ended with %s", story, reason)
		}
		r.pass(story)
	}
	r.bounded("frames cut short", 60)
}

// TestFrames_ThatAreHarmless is about what looks odd and ends nothing.
func TestFrames_ThatAreHarmless(t *testing.T) {
	r := startRouter(t, "")
	for story, bytes := range map[string]string{
		"empty binary messages":            strings.Repeat(frame(0x82, ""), 1000),
		"an empty message in four pieces":  frame(0x02, "") + frame(0x00, "") + frame(0x00, "") + frame(0x80, ""),
		"an empty text":                    frame(0x81, ""),
		"a character in two pieces":        frame(0x01, "\xe2\x82") + frame(0x80, "\xac"),
		"a ping between pieces":            frame(0x02, "") + frame(0x89, "between") + frame(0x80, ""),
		"pongs that nobody asked for":      strings.Repeat(frame(0x8a, "unasked"), 1000),
		"a text of 8 MiB":                  frame(0x81, strings.Repeat("€", 8<<20/3)),
		"a length written longer than due": "\x82\xfe\x00\x00\x00\x00\x00\x00" + announced(0x82, 0),
		"a message a byte a piece":         frame(0x02, "\x00") + frame(0x00, "\x01") + frame(0x80, "\x01"),
	} {
		s := r.upgraded(t)
		s.say(bytes)
		s.pong()
		r.pass(story)
	}
	r.bounded("odd frames", 60)
}

// TestRequests is about what comes instead of the request to upgrade.
func TestRequests(t *testing.T) {
	r := startRouter(t, "")
	replace := func(old, new string) string { return strings.Replace(upgradeRequest, old, new, 1) + "\r\n" }
	for _, row := range []struct{ story, request, want string }{
		{"a page", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 400"},
		{"a form", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=b", "HTTP/1.1 400"},
		{"no host", replace("Host: h\r\n", ""), "HTTP/1.1 400"},
		{"two hosts", replace("Host: h\r\n", "Host: h\r\nHost: i\r\n"), "HTTP/1.1 400"},
		{"websocket version 12", replace("Version: 13", "Version: 12"), "HTTP/1.1 400"},
		{"a key that is no base64", replace("dGhlIHNhbXBsZSBub25jZQ==", "x"), "HTTP/1.1 400"},
		{"no key", replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), "HTTP/1.1 400"},
		{"another upgrade", replace("Upgrade: websocket", "Upgrade: h2c"), "HTTP/1.1 400"},
		{"another method", replace("GET", "POST"), "HTTP/1.1 405"},
		{"HTTP/9.9", replace("HTTP/1.1", "HTTP/9.9"), "HTTP/1.1 505"},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 "},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client hello \r\n\r\n", "HTTP/1.1 400"},
		{"no HTTP", "EHLO h\r\n\r\n", "HTTP/1.1 400"},
		{"zeros", strings.Repeat("\x00", 1000) + "\r\n\r\n", "HTTP/1.1 400"},
		{"a header of 64 KiB", upgradeRequest + "X: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "HTTP/1.1 431"},
		{"a path of 64 KiB", replace("GET /", "GET /"+strings.Repeat("x", 64<<10)), "HTTP/1.1 431"},
		{"10,000 headers", upgradeRequest + strings.Repeat("X: y\r\n", 10_000) + "\r\n", "HTTP/1.1 431"},
		{"a header without a colon", upgradeRequest + "X\r\n\r\n", "HTTP/1.1 400"},
		{"a NUL in a header", upgradeRequest + "X: \x00\r\n\r\n", "HTTP/1.1 400"},
		{"a negative length", upgradeRequest + "Content-Length: -1\r\n\r\n", "HTTP/1.1 400"},
		{"two lengths", upgradeRequest + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 400"},
		{"an unknown transfer encoding", upgradeRequest + "Transfer-Encoding: x\r\n\r\n", "HTTP/1.1 400"},
		{"an origin that is not the router's", upgradeRequest + "Origin: http://evil.example\r\n\r\n", "HTTP/1.1 403"},
		{"frames in one packet with the request", upgradeRequest + "\r\n" + frame(0x82, "\x00\x01\x01"), ""}, // no answer
		{"another path", replace("GET /", "GET /no/such/path?x=%00"), "HTTP/1.1 101"},
		{"a path that climbs", replace("GET /", "GET /../../etc/passwd"), "HTTP/1.1 101"},
		{"extensions and subprotocols that nobody has", upgradeRequest + "Sec-WebSocket-Extensions: permessage-deflate, x; y=z\r\nSec-WebSocket-Protocol: a, b\r\n\r\n", "HTTP/1.1 101"},
	} {
		t.Run(row.story, func(t *testing.T) {
			s := r.tcp(t)
			s.say(row.request)
			answer := s.header()
			if !strings.HasPrefix(answer, row.want) || strings.Contains(answer, "101 ") != strings.HasSuffix(row.want, "101") {
				t.Errorf("answer %.60q, want %s", answer, row.want)
			}
			if lower := strings.ToLower(answer); strings.Contains(lower, "extensions") || strings.Contains(lower, "protocol:") {
				t.Errorf("something was negotiated: %q", answer)
			}
		})
		r.pass(row.story)
	}
	r.bounded("bad requests", 60)
}
