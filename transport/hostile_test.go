package transport

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hakuban"
)

// TestHostile_FramesEndTheirLinkOnly sends each bad input to a listener with a healthy pair beside it.
func TestHostile_FramesEndTheirLinkOnly(t *testing.T) {
	router, x := newExchange(t), newExchange(t)
	l := listen(t, router, "ws://127.0.0.1:0", Options{MessageLimit: 1 << 20})
	connect(t, x, l.URL())
	healthy := newPair(t, router, x, room)

	frame := func(first byte, payload string) string { return string(rawFrame(first, payload)) }
	length := func(form byte, n uint64) string { // a binary frame's header that announces n bytes
		if form == 126 {
			return string(binary.BigEndian.AppendUint16([]byte{0x82, 0x80 | form}, uint16(n))) + "\x00\x00\x00\x00"
		}
		return string(binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | form}, n)) + "\x00\x00\x00\x00"
	}
	hello := frame(0x82, "\x00\x01\x01") + frame(0x82, "\x01\x01\x01\x00\x01\x00\x00")
	for _, c := range []struct {
		name   string
		bytes  string
		code   uint16
		reason string
	}{
		{"RSV1 without an extension", frame(0xc2, "x"), 1002, "RSV1"},
		{"RSV2", frame(0xa2, "x"), 1002, "RSV2"},
		{"RSV3", frame(0x92, "x"), 1002, "RSV3"},
		{"opcode 3", frame(0x83, "x"), 1002, "opcode"},
		{"opcode 7", frame(0x87, "x"), 1002, "opcode"},
		{"opcode 11", frame(0x8b, "x"), 1002, "opcode"},
		{"opcode 15", frame(0x8f, "x"), 1002, "opcode"},
		{"no mask", "\x82\x01x", 1002, "MASK"},
		{"continuation without a start", frame(0x80, "x"), 1002, "continuation"},
		{"a new message within one", frame(0x02, "x") + frame(0x82, "x"), 1002, "data before FIN"},
		{"a ping of 126 bytes", frame(0x89, strings.Repeat("x", 126)), 1002, "125"},
		{"a ping in pieces", frame(0x09, "x"), 1002, "FIN"},
		{"close code 999", frame(0x88, "\x03\xe7"), 1002, "close code"},
		{"close code 1005", frame(0x88, "\x03\xed"), 1002, "close code"},
		{"close code 1006", frame(0x88, "\x03\xee"), 1002, "close code"},
		{"a close reason that is not UTF-8", frame(0x88, "\x03\xe8\xff"), 1002, "utf8"},
		{"a text that is not UTF-8", frame(0x81, "\xff\xfe"), 1007, "UTF-8"},
		{"a text that ends within a character", frame(0x81, "ó"[:1]), 1007, "UTF-8"},
		{"a surrogate in a text", frame(0x81, "\xed\xa0\x80"), 1007, "UTF-8"},
		{"an overlong text", frame(0x81, "\xc0\x80"), 1007, "UTF-8"},
		{"2^20+1 bytes announced", length(127, 1<<20+1), 1009, ""},
		{"2^63-1 bytes announced", length(127, 1<<63-1), 1009, ""},
		{"2^63 bytes announced", length(127, 1<<63), 1009, ""},
		{"2^64-1 bytes announced", length(127, 1<<64-1), 1009, ""},
		{"too much in pieces", frame(0x02, strings.Repeat("x", 1<<19)) + frame(0x00, strings.Repeat("x", 1<<19)) + frame(0x80, "x"), 1009, ""},
		{"a decoding error", hello + frame(0x82, "\xff"), 1002, "broke the protocol"},
		{"an unknown event", frame(0x82, "\x03\x01\x01"), 1002, "broke the protocol"},
		{"a channel opened twice", hello + frame(0x82, "\x00\x01\x01"), 1002, "broke the protocol"},
		{"a message on no channel", frame(0x82, "\x01\x01\x05\x03\x00"), 1002, "broke the protocol"},
		{"an object opened twice", hello + strings.Repeat(frame(0x82, "\x01\x01\x01\x01\x01\x01\x00\x00\x03\"s\""), 2), 1002, "broke the protocol"},
		{"a length prefix beyond memory", frame(0x82, "\x01\x01\x01\x01\xfd\xff\xff\xff\xff\xff\xff\xff\x7f"), 1002, "broke the protocol"},
		{"a polite close", frame(0x88, "\x03\xe8bye"), 1000, ""},
		{"a close without a code", frame(0x88, ""), 0, ""},
		{"an application's close code", frame(0x88, "\x0f\xa0"), 4000, ""},
	} {
		connection, reader := rawUpgrade(t, l)
		if _, err := io.WriteString(connection, c.bytes); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for {
			first, payload := readFrame(t, reader)
			if first != 0x88 {
				continue // what the link has to say
			}
			code, reason := uint16(0), ""
			if len(payload) >= 2 {
				code, reason = binary.BigEndian.Uint16(payload), string(payload[2:])
			}
			if code != c.code || !strings.Contains(reason, c.reason) || len(payload) > 125 {
				t.Errorf("%s: close %d %q, want %d %q", c.name, code, reason, c.code, c.reason)
			}
			break
		}
		if _, err := reader.ReadByte(); err != io.EOF {
			t.Errorf("%s: after the close frame: %v", c.name, err)
		}
		_ = connection.Close()
		healthy.pass(t, c.name)
	}
	if n := len(router.Snapshot().Links); n != 1 {
		t.Errorf("%d links are left, 1 is healthy", n)
	}
}

func TestHostile_FramesThatAreFine(t *testing.T) {
	l := listen(t, newExchange(t), "ws://127.0.0.1:0")
	connection, reader := rawUpgrade(t, l)
	for _, frame := range [][]byte{
		rawFrame(0x82, ""), rawFrame(0x02, ""), rawFrame(0x00, ""), rawFrame(0x80, ""), // empty messages
		rawFrame(0x81, ""), rawFrame(0x81, "."), rawFrame(0x01, "ó"[:1]), rawFrame(0x89, "between"), rawFrame(0x80, "ó"[1:]),
		rawFrame(0x81, strings.Repeat("€", 1000)), rawFrame(0x81, "x"+strings.Repeat("😀", 1000)), rawFrame(0x8a, "unasked"),
		rawFrame(0x89, "end"),
	} {
		if _, err := connection.Write(frame); err != nil {
			t.Fatal(err)
		}
	}
	for {
		first, payload := readFrame(t, reader)
		if first == 0x88 {
			t.Fatalf("closed: %q", payload)
		}
		if first == 0x8a && string(payload) == "end" {
			break
		}
	}
}

func TestHostile_EndlessContinuationEndsAtTheTimeout(t *testing.T) {
	l := listen(t, newExchange(t), "ws://127.0.0.1:0#timeout=200ms")
	connection, reader := rawUpgrade(t, l)
	go func() { _, _ = io.Copy(io.Discard, reader) }() // the pongs
	start := time.Now()
	_, err := connection.Write(rawFrame(0x02, ""))
	for pieces := strings.Repeat(string(rawFrame(0x00, ""))+string(rawFrame(0x89, "")), 1000); err == nil; {
		_, err = io.WriteString(connection, pieces)
		if time.Since(start) > patience {
			t.Fatal("the link goes on")
		}
	}
}

func TestHostile_HalfOpenConnectionsEnd(t *testing.T) {
	l := listen(t, newExchange(t), "ws://127.0.0.1:0", Options{HandshakeTimeout: 100 * time.Millisecond})
	for name, start := range map[string]string{
		"nothing":       "",
		"half a line":   "GET / HT",
		"half a header": upgradeRequest,
	} {
		connection := rawDial(t, l)
		_, _ = io.WriteString(connection, start)
		if got := readAll(connection); strings.Contains(got, "101") || strings.Contains(got, "timeout") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestHostile_Requests(t *testing.T) {
	l := listen(t, newExchange(t), "ws://127.0.0.1:0")
	for _, c := range []struct{ name, request, want string }{
		{"no upgrade", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 400"},
		{"no websocket", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 400"},
		{"old version", strings.Replace(upgradeRequest, "Version: 13", "Version: 12", 1) + "\r\n", "HTTP/1.1 400"},
		{"bad key", strings.Replace(upgradeRequest, "dGhlIHNhbXBsZSBub25jZQ==", "x", 1) + "\r\n", "HTTP/1.1 400"},
		{"wrong method", strings.Replace(upgradeRequest, "GET", "POST", 1) + "\r\n", "HTTP/1.1 405"},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client hello \r\n\r\n", "HTTP/1.1 400"},
		{"long header", upgradeRequest + "X: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "HTTP/1.1 431"},
		{"foreign origin", upgradeRequest + "Origin: http://evil.example\r\n\r\n", "HTTP/1.1 403"},
	} {
		connection := rawDial(t, l)
		_, _ = io.WriteString(connection, c.request)
		if answer := readAll(connection); !strings.HasPrefix(answer, c.want) {
			t.Errorf("%s: answer %.60q, want %s", c.name, answer, c.want)
		}
	}
	connection := rawDial(t, l)
	_, _ = io.WriteString(connection, upgradeRequest+"\r\ndata that does not wait for 101")
	if answer := readAll(connection); strings.Contains(answer, "101") {
		t.Errorf("data before 101: answer %.60q", answer)
	}
}

func TestMaxConnections(t *testing.T) {
	l := listen(t, newExchange(t), "ws://127.0.0.1:0", Options{MaxConnections: 2})
	first := dial(t, l.URL())
	dial(t, l.URL())
	_, response, err := websocket.DefaultDialer.Dial(l.URL(), nil)
	if err == nil || response != nil && response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the third: %v %v", response, err)
	}
	_ = first.Close()
	eventually(t, "there is room again", func() bool {
		socket, _, err := websocket.DefaultDialer.Dial(l.URL(), nil)
		if err == nil {
			_ = socket.Close()
		}
		return err == nil
	})
}

// TestHostile_Upstreams has a connector meet servers that misbehave in the handshake; each must fail soon, and Close be quick.
func TestHostile_Upstreams(t *testing.T) {
	const accept = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
	endless := strings.Repeat("X-Header: "+strings.Repeat("x", 1000)+"\r\n", 1000)
	for name, c := range map[string]struct{ answer, want string }{
		"closes":              {"", "EOF"},
		"not HTTP":            {"SSH-2.0\r\n\r\n", "malformed"},
		"wrong status":        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404"},
		"wrong accept":        {accept + "x\r\n\r\n", "bad handshake"},
		"endless header":      {"HTTP/1.1 101 Switching Protocols\r\n" + endless, "too long"},
		"unasked compression": {"KEY permessage-deflate; server_no_context_takeover; client_no_context_takeover", "not offered"},
		"unasked extension":   {"KEY x", "not offered"},
		"redirect":            {"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", "302"},
	} {
		url := fakeUpstream(t, func(connection net.Conn, key string) {
			if extension, ok := strings.CutPrefix(c.answer, "KEY "); ok {
				_, _ = io.WriteString(connection, accept+acceptKey(key)+"\r\nSec-WebSocket-Extensions: "+extension+"\r\n\r\n")
			} else {
				_, _ = io.WriteString(connection, c.answer)
			}
		})
		var log transcript
		connector := connect(t, newExchange(t), url, Options{Logger: log.logger()})
		eventually(t, fmt.Sprintf("%s: the attempt fails with %q", name, c.want), func() bool {
			return strings.Contains(log.String(), c.want)
		})
		connector.Close()
	}
}

func TestClose_OfAConnectorInAHandshakeThatHangs(t *testing.T) {
	began := make(chan struct{}, 10)
	release := make(chan struct{})
	defer close(release)
	url := fakeUpstream(t, func(net.Conn, string) { began <- struct{}{}; <-release })
	for _, closing := range []string{"connector", "exchange"} {
		x := newExchange(t)
		var log transcript
		connector := connect(t, x, url, Options{Logger: log.logger(), HandshakeTimeout: time.Hour})
		<-began
		if closing == "exchange" {
			x.Close()
			<-connector.done
		} else {
			connector.Close()
		}
		if text := log.String(); text != "" {
			t.Errorf("closing the %s is no failure: %s", closing, text)
		}
	}
}

// TestIdleLinks_AreSmall is a guard against large buffers, not a benchmark.
func TestIdleLinks_AreSmall(t *testing.T) {
	router := newExchange(t)
	l := listen(t, router, "ws://127.0.0.1:0")
	const links = 200
	measure := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC() // empties the pools
		runtime.ReadMemStats(&stats)
		return stats.HeapInuse + stats.StackInuse
	}
	before := measure()
	for range links {
		rawUpgrade(t, l) // 4 KiB of a buffer of this test's
	}
	eventually(t, "all are linked", func() bool { return len(l.Snapshot().Connections) == links })
	if each := (int64(measure()) - int64(before)) / links; each > 40<<10 {
		t.Errorf("an idle link takes %d bytes", each)
	} else {
		t.Logf("%d bytes a link, of which the test's own buffer is 4 KiB", each)
	}
}

// stateByHand is a state that an elected downstream end sends, of 60 MiB in a few bytes.
func stateByHand(version byte) string {
	return "\x01\x00\x02\x03\x01\x00\x01" + string([]byte{2 * version}) + "\x01\x00\x09" + "xx\xff\x01\xfd\x03\xc0\x00\x00" + "\x00"
}

// A few bytes can make many. What a peer has left in its socket when it goes is not worked off.
func TestHostile_TheDeadMakeNoWork(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells that a peer has gone before all it sent is read")
	}
	router := newExchange(t)
	l := listen(t, router, "ws://127.0.0.1:0")
	contract := router.ObserveObject(hakuban.MustObject("x"))
	defer contract.Close()
	connection, reader := rawUpgrade(t, l)
	for _, message := range []string{"\x00\x01\x01", "\x01\x01\x01\x00\x01\x00\x00", "\x01\x01\x01\x01\x01\x01\x02\x00\x03\"x\"\x01"} {
		if _, err := connection.Write(rawFrame(0x82, message)); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 { // the greeting, and a channel for the object's states
		readFrame(t, reader)
	}
	const messages = 100
	var work []byte
	for version := range messages {
		work = append(work, rawFrame(0x82, stateByHand(byte(version+1)))...)
	}
	if _, err := connection.Write(work); err != nil {
		t.Fatal(err)
	}
	_ = connection.Close()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stream, err := contract.Next(limited)
	if err != nil {
		t.Fatal(err)
	}
	state, err := stream.Next(limited)
	if err != nil || len(state.Data()) != 60<<20+2 {
		t.Fatalf("a state of %d bytes, %v", len(state.Data()), err)
	}
	eventually(t, "the link is gone", func() bool { return len(l.Snapshot().Connections) == 0 })
	if state, _ := stream.Latest(); state.Version()[0] >= messages {
		t.Error("all that the dead have left was done")
	}
}

// Half messages of many links hold up neither small messages nor, in the end, large ones.
func TestHostile_HalfMessagesAreBounded(t *testing.T) {
	router := hakuban.NewExchange(&hakuban.Options{Unfinished: 4 << 20, Limits: hakuban.Limits{Wire: hakuban.WireLimits{Message: 2 << 20}}})
	t.Cleanup(router.Close)
	x := newExchange(t)
	l := listen(t, router, "ws://127.0.0.1:0", Options{MessageLimit: 2 << 20})
	var halves []net.Conn
	for range 10 {
		connection, _ := rawUpgrade(t, l)
		halves = append(halves, connection)
		frame := rawFrame(0x82, strings.Repeat("x", 2<<20))
		go func() { _, _ = connection.Write(frame[:len(frame)*3/4]) }()
	}
	connect(t, x, l.URL())
	healthy := newPair(t, router, x, room)
	for i := range 20 {
		healthy.pass(t, strings.Repeat("small", 1000+i))
	}
	for _, connection := range halves {
		_ = connection.Close()
	}
	healthy.pass(t, strings.Repeat("large", 300_000))
}
