package transport

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hakuban"
)

func TestLink_CarriesStatesBothWays(t *testing.T) {
	router, a, b := newExchange(t), newExchange(t), newExchange(t)
	l := listen(t, router, "ws://127.0.0.1:0")
	connect(t, a, l.URL())
	connect(t, b, l.URL())
	for name, exchanges := range map[string][2]*hakuban.Exchange{
		"up": {router, a}, "down": {a, router}, "across": {b, a},
	} {
		p := newPair(t, exchanges[0], exchanges[1], hakuban.MustObject(name))
		for i := range 20 {
			p.pass(t, fmt.Sprint(name, i))
		}
	}
}

func TestConnect_InAnyOrder(t *testing.T) {
	router, x := newExchange(t), newExchange(t)
	l := listen(t, newExchange(t), "ws://127.0.0.1:0")
	url := l.URL()
	l.Close()
	c := connect(t, x, url)
	eventually(t, "an attempt failed", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.session == nil })
	listen(t, router, url)
	newPair(t, router, x, room).pass(t, "at last")
}

func TestConnect_OneOnlyPerExchange(t *testing.T) {
	x := newExchange(t)
	c := connect(t, x, "ws://127.0.0.1:9")
	if _, err := Connect(x, "ws://127.0.0.1:9", quietly(nil)); !errors.Is(err, hakuban.ErrUpstream) {
		t.Errorf("a second connector: %v", err)
	}
	if _, err := x.AttachUpstream(hakuban.LinkOptions{}); !errors.Is(err, hakuban.ErrUpstream) {
		t.Errorf("another upstream: %v", err)
	}
	c.Close()
	c.Close()
	connect(t, x, "ws://127.0.0.1:9")
	x.Close()
	if _, err := Connect(x, "ws://127.0.0.1:9", quietly(nil)); !errors.Is(err, hakuban.ErrClosed) {
		t.Errorf("Connect of a closed exchange: %v", err)
	}
}

func TestConnect_BadURL(t *testing.T) {
	x := newExchange(t)
	for _, url := range []string{"http://h:1", "ws://127.0.0.1:0", "ws://h:1#x=1"} {
		if _, err := Connect(x, url, quietly(nil)); err == nil {
			t.Errorf("%s was taken", url)
		}
	}
	connect(t, x, "ws://127.0.0.1:9") // the failures claimed nothing
}

func TestListen_Errors(t *testing.T) {
	x := newExchange(t)
	l := listen(t, x, "ws://127.0.0.1:0")
	for url, want := range map[string]string{
		l.URL():               "in use",
		"ws://127.0.0.1":      "no port",
		"wss://127.0.0.1:0":   "certificate",
		"ws://192.0.2.1:1":    "assign",
		"ws://127.0.0.1:0#a=": "unknown parameter",
	} {
		if _, err := Listen(x, url, quietly(nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

func TestListen_OfAClosedExchange(t *testing.T) {
	x := newExchange(t)
	x.Close()
	if _, err := Listen(x, "ws://127.0.0.1:0", quietly(nil)); !errors.Is(err, hakuban.ErrClosed) {
		t.Errorf("Listen of a closed exchange: %v", err)
	}
}

func TestListen_SeveralOnOneExchange(t *testing.T) {
	router, a, b := newExchange(t), newExchange(t), newExchange(t)
	first, second := listen(t, router, "ws://127.0.0.1:0"), listen(t, router, "ws://localhost:0#name=other")
	connect(t, a, first.URL())
	c := connect(t, b, second.URL()+",keep-alive=1s")
	newPair(t, a, b, room).pass(t, "over both")
	if n := len(first.Snapshot().Connections) + len(second.Snapshot().Connections); n != 2 {
		t.Errorf("%d connections", n)
	}
	if got := c.Snapshot().Connection.RemoteName; got != "other" {
		t.Errorf("the second listener's name %q", got)
	}
}

func TestSnapshot_NamesLoadsAndLimits(t *testing.T) {
	router, x := newExchange(t), newExchange(t)
	l := listen(t, router, "ws://127.0.0.1:0#name=top")
	base, _, _ := strings.Cut(l.URL(), "#")
	c := connect(t, x, base+"#name=bób,load-limit=3")
	p := newPair(t, router, x, room)
	p.pass(t, "x")
	s := l.Snapshot()
	if s.URL != l.URL() || len(s.Connections) != 1 {
		t.Fatalf("%+v", s)
	}
	down := s.Connections[0]
	if down.RemoteName != "b%C3%B3b" || down.LocalName != "top" || down.Load != 1 || !down.HasLoadLimit || down.LoadLimit != 3 {
		t.Errorf("downstream %+v", down)
	}
	up := c.Snapshot()
	if up.Connection == nil || up.Connection.RemoteName != "top" || up.Connection.LocalName != "b%C3%B3b" || up.URL != c.URL() {
		t.Errorf("upstream %+v", up)
	}
	if up.Connection.LocalAddress != down.RemoteAddress {
		t.Errorf("addresses %s and %s", up.Connection.LocalAddress, down.RemoteAddress)
	}
	c.Close()
	eventually(t, "the connection is gone", func() bool { return len(l.Snapshot().Connections) == 0 })
	if c.Snapshot().Connection != nil {
		t.Error("a closed connector has a connection")
	}
}

func TestReconnect_StatesComeBack(t *testing.T) {
	router, x := newExchange(t), newExchange(t)
	l := listen(t, router, "ws://127.0.0.1:0")
	connect(t, x, l.URL())
	p := newPair(t, router, x, room)
	p.pass(t, "before")
	for i := range 3 {
		l.Close()
		<-p.sink.Done()
		state, ok := p.stream.Latest()
		if !ok || state.Synchronized().Now() {
			t.Errorf("round %d: the state must stay, not vouched for: %v %v", i, ok, state.Synchronized())
		}
		l = listen(t, router, l.URL())
		p.pass(t, fmt.Sprint("after ", i))
	}
}

func TestReconnect_AtOnceAfterALinkThatLived(t *testing.T) {
	router, x := newExchange(t), newExchange(t)
	l := listen(t, router, "ws://127.0.0.1:0")
	slow := newBackoff()
	slow.first = time.Hour
	c := connect(t, x, l.URL(), Options{backoff: slow})
	eventually(t, "there is a connection", func() bool { return c.Snapshot().Connection != nil })
	first := c.Snapshot().Connection.Link
	time.Sleep(lived + 50*time.Millisecond) // what is tested is this time
	l.mu.Lock()
	for s := range l.sessions {
		_ = s.connection.Close()
	}
	l.mu.Unlock()
	eventually(t, "it is connected again, without the delay of an hour", func() bool {
		connection := c.Snapshot().Connection
		return connection != nil && connection.Link != first
	})
}

func TestReconnect_WaitsAfterALinkThatDidNotLive(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	attempts := make(chan time.Time, 100)
	go func() {
		for {
			connection, err := socket.Accept()
			if err != nil {
				return
			}
			attempts <- time.Now()
			_ = connection.Close()
		}
	}()
	c := connect(t, newExchange(t), "ws://"+socket.Addr().String())
	first, second, third := <-attempts, <-attempts, <-attempts
	c.Close()
	if a, b := second.Sub(first), third.Sub(second); a < 75*time.Millisecond || b < 150*time.Millisecond {
		t.Errorf("delays %v and %v, want 75 ms and 150 ms at least", a, b)
	}
}

func TestKeepAlive_OnlyWhenNothingElseWasSent(t *testing.T) {
	x := newExchange(t)
	l := listen(t, x, "ws://127.0.0.1:0#keep-alive=100ms,timeout=1m")
	begin := time.Now() // before the link is made: what is late here cannot make the link's pauses look short
	socket := dial(t, l.URL())
	texts := 0
	for texts < 3 {
		kind, data, err := socket.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if kind == websocket.TextMessage {
			texts++
			if string(data) != "." {
				t.Errorf("keep-alive %q", data)
			}
		}
	}
	if took := time.Since(begin); took < 300*time.Millisecond {
		t.Errorf("3 keep-alives in %v", took)
	}
}

func TestTimeout_ConnectorGivesUpASilentUpstream(t *testing.T) {
	const accept = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
	url := fakeUpstream(t, func(connection net.Conn, key string) {
		_, _ = io.WriteString(connection, accept+acceptKey(key)+"\r\n\r\n")
		_, _ = io.Copy(io.Discard, connection) // and no word more
	})
	var log transcript
	c := connect(t, newExchange(t), url+"#timeout=100ms", Options{Logger: log.logger()})
	eventually(t, "the connector gave up and connected again", func() bool {
		return strings.Count(log.String(), "upstream link made") >= 2
	})
	if !strings.Contains(log.String(), "nothing came from the peer in time") {
		t.Error(log.String())
	}
	c.Close()
}

func TestPing_IsAnswered(t *testing.T) {
	l := listen(t, newExchange(t), "ws://127.0.0.1:0")
	socket := dial(t, l.URL())
	pongs := make(chan string, 1000)
	socket.SetPongHandler(func(payload string) error { pongs <- payload; return nil })
	go func() {
		for i := range 500 { // those that pile up are answered by one
			_ = socket.WriteControl(websocket.PingMessage, fmt.Appendf(nil, "%d", i), time.Now().Add(patience))
		}
	}()
	go func() { _ = farewellOf(t, socket) }()
	for payload := range pongs {
		if payload == "499" {
			break
		}
	}
	l.Close()
}

func TestClose_SaysGoodbye(t *testing.T) {
	x := newExchange(t)
	l := listen(t, x, "ws://127.0.0.1:0")
	socket := dial(t, l.URL())
	eventually(t, "the link is made", func() bool { return len(l.Snapshot().Connections) == 1 })
	closed := make(chan struct{})
	go func() { l.Close(); close(closed) }()
	wantClose(t, socket, websocket.CloseGoingAway, "the listener was closed")
	_ = socket.Close()
	<-closed
	if n := len(x.Snapshot().Links); n != 0 {
		t.Errorf("%d links after Close", n)
	}
	if _, err := net.Dial("tcp", l.address.url.Host); err == nil {
		t.Error("the port is still open")
	}
}

func TestClose_DoesNotWaitForAPeerThatHangs(t *testing.T) {
	l := listen(t, newExchange(t), "ws://127.0.0.1:0")
	for range 10 {
		dial(t, l.URL()) // and never read
	}
	start := time.Now()
	l.Close()
	if took := time.Since(start); took > 5*farewell {
		t.Errorf("Close took %v", took)
	}
}

func TestClose_DoesNotWaitForAPeerThatDoesNotRead(t *testing.T) {
	certificate, _ := selfSigned(t)
	for _, scheme := range []string{"ws", "wss"} {
		router := newExchange(t)
		l := listen(t, router, scheme+"://127.0.0.1:0", Options{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}})
		connection := rawDial(t, l)
		_ = connection.(*net.TCPConn).SetReadBuffer(4096) // soon full
		if scheme == "wss" {
			connection = tls.Client(connection, &tls.Config{InsecureSkipVerify: true})
		}
		upgradeRaw(t, connection)
		for _, message := range observeByHand(`"x"`) {
			if _, err := connection.Write(rawFrame(0x82, message)); err != nil {
				t.Fatal(err)
			}
		}
		limited, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		sink, err := router.ExposeObject(hakuban.MustObject("x")).Next(limited)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, 2<<20)
		_, _ = rand.Read(data)
		if err := sink.Send(hakuban.NewState(data)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the link has been written to", func() bool {
			for _, object := range router.Snapshot().Objects {
				for _, link := range object.Links {
					if link.Stream.Version != nil {
						return true
					}
				}
			}
			return false
		})
		start := time.Now()
		l.Close()
		if took := time.Since(start); took > 4*farewell { // TLS would take 5 s over its own
			t.Errorf("%s: Close took %v", scheme, took)
		}
	}
}

func TestExchangeClose_EndsListenerAndConnector(t *testing.T) {
	router, x := newExchange(t), newExchange(t)
	l := listen(t, router, "ws://127.0.0.1:0")
	c := connect(t, x, l.URL())
	newPair(t, router, x, room).pass(t, "x")
	socket := dial(t, l.URL())
	x.Close()
	<-c.done
	router.Close()
	wantClose(t, socket, websocket.CloseGoingAway, "")
	_ = socket.Close()
	l.running.Wait()
}

func TestTLS_ListenAndConnect(t *testing.T) {
	certificate, pool := selfSigned(t)
	router, x := newExchange(t), newExchange(t)
	l := listen(t, router, "wss://127.0.0.1:0", Options{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}})
	if !strings.HasPrefix(l.URL(), "wss://127.0.0.1:") {
		t.Errorf("URL %s", l.URL())
	}
	connect(t, x, l.URL(), Options{TLS: &tls.Config{RootCAs: pool}})
	p := newPair(t, router, x, room)
	p.pass(t, "secret")
	p.pass(t, strings.Repeat("large", 1<<20))

	var log transcript
	distrustful := connect(t, newExchange(t), l.URL(), Options{Logger: log.logger()})
	eventually(t, "an unknown certificate is refused", func() bool {
		return strings.Contains(log.String(), "certificate signed by unknown authority")
	})
	distrustful.Close()
	plain := connect(t, newExchange(t), strings.Replace(l.URL(), "wss", "ws", 1), Options{Logger: log.logger()})
	eventually(t, "ws towards wss fails", func() bool { return strings.Count(log.String(), "cannot connect") >= 2 })
	plain.Close()
}

func TestTLS_SessionsResume(t *testing.T) {
	certificate, pool := selfSigned(t)
	l := listen(t, newExchange(t), "wss://127.0.0.1:0", Options{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}})
	config := &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for attempt := range 2 {
		connection := tls.Client(rawDial(t, l), config)
		upgradeRaw(t, connection) // the ticket comes before the answer
		if resumed := connection.ConnectionState().DidResume; resumed != (attempt > 0) {
			t.Errorf("attempt %d: resumed %v", attempt, resumed)
		}
		_ = connection.Close()
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// observeByHand are the messages of a downstream end that observes an object.
func observeByHand(json string) []string {
	return []string{
		"\x00\x01\x01", // open the control channel, and say what it is
		"\x01\x01\x01\x00\x01\x00\x00",
		"\x01\x01\x01\x01\x01\x01\x00\x00" + string(rune(len(json))) + json,
	}
}

func TestSlowObserver_StaysFresh(t *testing.T) {
	router := newExchange(t)
	l := listen(t, router, "ws://127.0.0.1:0")
	socket := dial(t, l.URL())
	for _, message := range observeByHand(`"s"`) {
		if err := socket.WriteMessage(websocket.BinaryMessage, []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	expose := router.ExposeObject(hakuban.MustObject("s"))
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	sink, err := expose.Next(limited)
	if err != nil {
		t.Fatal(err)
	}
	const states, size = 400, 100_000
	data := make([]byte, size)
	for range states { // 40 MB for a socket that nobody reads
		_, _ = rand.Read(data)
		if err := sink.Send(hakuban.NewState(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Send(hakuban.NewState("newest")); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for {
		_, message, err := socket.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		seen += len(message)
		if strings.Contains(string(message), "newest") {
			break
		}
	}
	t.Logf("%d bytes of older states came first", seen)
	if seen > states*size/20 {
		t.Errorf("the newest state came after %d bytes of older ones", seen)
	}
}
