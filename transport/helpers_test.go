package transport

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"hakuban"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; only a failing one waits that long.
const patience = 20 * time.Second

var (
	ctx  = context.Background()
	room = hakuban.MustObject("room")
)

// transcript is a log that tests read.
type transcript struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}

func (l *transcript) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// await waits until the log says what a pattern matches.
func (l *transcript) await(t *testing.T, pattern string) {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	eventually(t, fmt.Sprintf("the log says %q", pattern), func() bool { return expression.MatchString(l.String()) })
}

var quiet = slog.New(slog.DiscardHandler)

// quietly returns the options given, at most one, or the defaults, quiet unless they have a logger.
func quietly(options []Options) *Options {
	o := Options{}
	if len(options) > 0 {
		o = options[0]
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	return &o
}

func newExchange(t testing.TB) *hakuban.Exchange {
	x := hakuban.NewExchange(nil)
	t.Cleanup(x.Close)
	return x
}

func listen(t *testing.T, x *hakuban.Exchange, url string, options ...Options) *Listener {
	t.Helper()
	l, err := Listen(x, url, quietly(options))
	if err != nil {
		t.Fatalf("Listen(%s): %v", url, err)
	}
	t.Cleanup(l.Close)
	return l
}

func connect(t *testing.T, x *hakuban.Exchange, url string, options ...Options) *Connector {
	t.Helper()
	c, err := Connect(x, url, quietly(options))
	if err != nil {
		t.Fatalf("Connect(%s): %v", url, err)
	}
	t.Cleanup(c.Close)
	return c
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came about that %s", what)
		}
	}
}

// pair is an observer on one exchange and an exposer on another.
type pair struct {
	observe *hakuban.ObserveContract
	stream  *hakuban.Stream
	expose  *hakuban.ExposeContract
	sink    *hakuban.Sink
}

func newPair(t *testing.T, observer, exposer *hakuban.Exchange, object hakuban.Object) *pair {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p := &pair{observe: observer.ObserveObject(object), expose: exposer.ExposeObject(object)}
	t.Cleanup(p.observe.Close)
	t.Cleanup(p.expose.Close)
	var err error
	if p.stream, err = p.observe.Next(limited); err != nil {
		t.Fatalf("no stream: %v", err)
	}
	if p.sink, err = p.expose.Next(limited); err != nil {
		t.Fatalf("no sink: %v", err)
	}
	return p
}

// pass sends a value, again with the next sink where one ended, until the observer has it.
func (p *pair) pass(t *testing.T, value string) {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for p.sink.Send(hakuban.NewState(value)) != nil {
		p.sink.Release()
		var err error
		if p.sink, err = p.expose.Next(limited); err != nil {
			t.Fatalf("no sink: %v", err)
		}
	}
	for {
		state, err := p.stream.Next(limited)
		if err != nil {
			t.Fatalf("waiting for %.20q: %v", value, err)
		}
		if string(state.Data()) == value && state.Synchronized().Now() {
			return
		}
	}
}

// dial makes a websocket connection to a listener, to misbehave on.
func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	url, _, _ = strings.Cut(url, "#")
	socket, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatalf("dial %s: %v", url, err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	_ = socket.SetReadDeadline(time.Now().Add(patience))
	return socket
}

// farewellOf reads until the connection ends and returns how.
func farewellOf(t *testing.T, socket *websocket.Conn) error {
	t.Helper()
	for {
		if _, _, err := socket.ReadMessage(); err != nil {
			return err
		}
	}
}

func wantClose(t *testing.T, socket *websocket.Conn, code int, text string) {
	t.Helper()
	err := farewellOf(t, socket)
	closed, ok := err.(*websocket.CloseError)
	if !ok || closed.Code != code || !strings.Contains(closed.Text, text) {
		t.Errorf("the connection ended with %v; want close %d with %q", err, code, text)
	}
}

// rawFrame makes a masked frame; first is its first byte.
func rawFrame(first byte, payload string) []byte {
	frame := []byte{first}
	switch {
	case len(payload) < 126:
		frame = append(frame, 0x80|byte(len(payload)))
	case len(payload) < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 0xfe), uint16(len(payload)))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 0xff), uint64(len(payload)))
	}
	frame = append(frame, 0, 0, 0, 0) // a mask that changes nothing
	return append(frame, payload...)
}

// rawDial opens a TCP connection to a listener.
func rawDial(t *testing.T, l *Listener) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", l.address.url.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(patience))
	return connection
}

const upgradeRequest = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// rawUpgrade makes a websocket connection without a library.
func rawUpgrade(t *testing.T, l *Listener) (net.Conn, *bufio.Reader) {
	t.Helper()
	connection := rawDial(t, l)
	return connection, upgradeRaw(t, connection)
}

func upgradeRaw(t *testing.T, connection net.Conn) *bufio.Reader {
	t.Helper()
	if _, err := io.WriteString(connection, upgradeRequest+"\r\n"); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(connection)
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = reader.ReadString('\n'); err != nil {
			t.Fatalf("no answer to the upgrade: %v", err)
		}
	}
	return reader
}

// readFrame reads one frame of a server.
func readFrame(t *testing.T, reader *bufio.Reader) (first byte, payload []byte) {
	t.Helper()
	var header [8]byte
	read := func(n int) []byte {
		if _, err := io.ReadFull(reader, header[:n]); err != nil {
			t.Fatalf("no frame: %v", err)
		}
		return header[:n]
	}
	first = read(1)[0]
	length := uint64(read(1)[0])
	switch length {
	case 126:
		length = uint64(binary.BigEndian.Uint16(read(2)))
	case 127:
		length = binary.BigEndian.Uint64(read(8))
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(reader, payload); err != nil {
		t.Fatalf("a frame was cut off: %v", err)
	}
	return first, payload
}

// readAll returns what comes until the connection ends, or an error.
func readAll(connection net.Conn) string {
	data, err := io.ReadAll(connection)
	if err != nil {
		return string(data) + fmt.Sprintf("<%v>", err)
	}
	return string(data)
}

// fakeUpstream accepts connections, reads the request, and lets answer do what it likes.
func fakeUpstream(t *testing.T, answer func(connection net.Conn, key string)) (url string) {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	t.Cleanup(func() { _ = socket.Close() })
	running.Go(func() {
		for {
			connection, err := socket.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = connection.Close() }()
				request, err := http.ReadRequest(bufio.NewReader(connection))
				if err == nil {
					answer(connection, request.Header.Get("Sec-Websocket-Key"))
				}
			})
		}
	})
	return "ws://" + socket.Addr().String()
}
