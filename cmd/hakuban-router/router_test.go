package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hakuban"
	"hakuban/sim"
	"hakuban/transport"
)

// client is a library exchange linked to a router.
func client(t *testing.T, url string, options ...transport.Options) *hakuban.Exchange {
	t.Helper()
	x := hakuban.NewExchange(nil)
	t.Cleanup(x.Close)
	o := transport.Options{}
	if len(options) > 0 {
		o = options[0]
	}
	o.Logger = slog.New(slog.DiscardHandler)
	connector, err := transport.Connect(x, url, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connector.Close)
	return x
}

func withPatience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// awaitJSON reads an object's states until one, decoded, is as it should be.
func awaitJSON[T any](t *testing.T, x *hakuban.Exchange, object hakuban.Object, good func(T) bool) T {
	t.Helper()
	ctx := withPatience(t)
	observe := x.ObserveObject(object)
	defer observe.Close()
	stream, err := observe.Next(ctx)
	if err != nil {
		t.Fatalf("%v: no stream: %v", object, err)
	}
	defer stream.Release()
	var last T
	for {
		state, err := stream.Next(ctx)
		if err != nil {
			t.Fatalf("%v: %v; the last state was %+v", object, err, last)
		}
		if last, err = hakuban.DecodeJSON[T](state); err != nil {
			t.Fatalf("%v: %v", object, err)
		}
		if good(last) {
			return last
		}
	}
}

// expose exposes an object until the test ends, with a state for each sink.
func expose(t *testing.T, x *hakuban.Exchange, object hakuban.Object, value any) {
	contract := x.ExposeObject(object)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		for sink := range contract.Sinks(ctx) {
			if err := sink.Send(hakuban.NewState(value).EncodeJSON()); err != nil && sink.Context().Err() == nil {
				t.Errorf("send: %v", err)
			}
			<-sink.Context().Done()
		}
	}()
}

func TestRouter_CarriesAnObject(t *testing.T) {
	r := startProgram(t, "--bind", "ws://127.0.0.1:0", "--bind", "ws://[::1]:0#name=second")
	object := hakuban.MustObject("room", "tag")
	expose(t, client(t, r.urls[0]), object, 42)
	awaitJSON(t, client(t, r.urls[1]), object, func(n int) bool { return n == 42 })
}

func TestRouter_MonitorShowsWhatIsThere(t *testing.T) {
	top := startProgram(t, "--bind", "ws://127.0.0.1:0#name=top")
	r := startProgram(t, "--bind", "ws://127.0.0.1:0#name=low", "--bind", "ws://127.0.0.1:0#name=low2",
		"--monitor-tag", "mon", "--connect", top.urls[0]+"#name=middle")
	object := hakuban.MustObject("room", "tag")
	expose(t, client(t, r.urls[0], transport.Options{Name: "exposer", LoadLimit: []hakuban.LoadPoint{{Load: 3}}}), object, "state")
	x := client(t, r.urls[1], transport.Options{Name: "observer"})
	awaitJSON(t, x, object, func(s string) bool { return s == "state" })
	watch := x.ObserveObject(object)
	defer watch.Close()

	listener := awaitJSON(t, x, hakuban.MustObject("websocket-listener", "mon"), func(m listenerMonitor) bool {
		return len(m.DownstreamConnections) == 2 && !slices.ContainsFunc(m.DownstreamConnections, func(d downstreamMonitor) bool { return d.RemoteName == nil })
	})
	if listener.URL != r.urls[0]+"#name=low" {
		t.Errorf("the listener's URL is %q, expected the first one bound, %q", listener.URL, r.urls[0]+"#name=low")
	}
	var names []string
	for _, d := range listener.DownstreamConnections {
		names = append(names, d.LocalName+" "+*d.RemoteName)
		if !strings.HasPrefix(d.RemoteAddress, "127.0.0.1:") {
			t.Errorf("remote address %q", d.RemoteAddress)
		}
		if limited := d.LoadLimit != nil; limited != (*d.RemoteName == "exposer") {
			t.Errorf("%s has the limit %v", *d.RemoteName, d.LoadLimit)
		}
	}
	slices.Sort(names)
	if fmt.Sprint(names) != "[low exposer low2 observer]" {
		t.Errorf("connections %q, expected both, each with the name of its URL", names)
	}

	exchange := awaitJSON(t, x, hakuban.MustObject("exchange", "mon"), func(m exchangeMonitor) bool {
		return m.UpstreamConnection && slices.ContainsFunc(m.Objects, func(o objectMonitor) bool {
			return string(o.Descriptor.JSON) == `"room"` && o.DataState != nil && o.AssignedExposer["DownstreamConnection"] != 0
		})
	})
	if len(exchange.Tags) != 2 {
		t.Errorf("%d tags, expected 2", len(exchange.Tags))
	}

	connector := awaitJSON(t, x, hakuban.MustObject("websocket-connector", "mon"), func(m connectorMonitor) bool {
		return m.UpstreamConnection != nil && m.UpstreamConnection.RemoteName != nil
	})
	if c := connector.UpstreamConnection; c.LocalName != "middle" || *c.RemoteName != "top" || !strings.HasPrefix(c.LocalAddress, "Ok(127.0.0.1:") {
		t.Errorf("connection %+v, expected middle to top", *c)
	}
	if connector.URL != top.urls[0]+"#name=middle" {
		t.Errorf("the connector's URL is %q", connector.URL)
	}
}

// A monitor object goes on as long as somebody observes, and says that it is JSON.
func TestRouter_MonitorGoesOn(t *testing.T) {
	r := startProgram(t, "--bind", "ws://127.0.0.1:0", "--monitor-tag", "mon")
	x := client(t, r.urls[0])
	observe := x.ObserveTag(hakuban.MustTag("mon"))
	defer observe.Close()
	ctx := withPatience(t)
	begin := time.Now()
	seen := map[string]bool{}
	for range 2 {
		stream, err := observe.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var versions [][]int64
		for range 2 {
			state, err := stream.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(state.Format()) != "[JSON]" || !state.Synchronized().Now() {
				t.Errorf("format %q, synchronized %v, expected JSON and now", state.Format(), state.Synchronized())
			}
			versions = append(versions, state.Version())
		}
		if slices.Compare(versions[1], versions[0]) <= 0 {
			t.Errorf("version %v after %v", versions[1], versions[0])
		}
		seen[stream.Object().JSON()] = true
		stream.Release()
	}
	t.Logf("two states of each of two monitor objects took %v", time.Since(begin).Round(time.Millisecond))
	if !seen[`"exchange"`] || !seen[`"websocket-listener"`] {
		t.Errorf("monitor objects %v, expected exchange and websocket-listener", seen)
	}
}

func TestRouter_LineOnStdinPrintsASnapshot(t *testing.T) {
	r := startProgram(t, "--bind", "ws://127.0.0.1:0#name=r")
	object := hakuban.MustObject("room\u202e", "tag")
	expose(t, client(t, r.urls[0], transport.Options{Name: "ex\u009bposer"}), object, "state")
	x := client(t, r.urls[0])
	awaitJSON(t, x, object, func(s string) bool { return s == "state" })
	for n := range 3 {
		if _, err := io.WriteString(r.stdin, strings.Repeat("long ", 10_000)+"\n"); err != nil {
			t.Fatal(err)
		}
		r.log.wait(t, `(?s)== exchange: .*== listener ws://127\.0\.0\.1:\d+/#name=r: 2 connections\n.*"ex\\u009bposer"`, 1)
		r.log.wait(t, `== exchange: `, n+1)
	}
	r.log.wait(t, `object \d+ \["tag"\] "room\x{fffd}"`, 1) // what turns a terminal's text around is not shown as it is
	r.stdin.Close()
	awaitJSON(t, x, object, func(s string) bool { return s == "state" }) // it runs on
}

func TestRouter_LogsJSON(t *testing.T) {
	r := startProgram(t, "--bind", "ws://127.0.0.1:0", "--log-format", "json")
	line, _, _ := strings.Cut(r.log.String(), "\n")
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil || fields["msg"] != "listening" || fields["url"] != r.urls[0] {
		t.Errorf("the first line is %s, expected JSON with msg listening and url %s", line, r.urls[0])
	}
}

func TestRouter_MaxConnections(t *testing.T) {
	r := startProgram(t, "--bind", "ws://127.0.0.1:0", "--max-connections", "1")
	first, _, err := websocket.DefaultDialer.Dial(r.urls[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if second, _, err := websocket.DefaultDialer.Dial(r.urls[0], nil); err == nil {
		second.Close()
		t.Error("a second connection was taken")
	}
}

func TestRouter_AllowOrigin(t *testing.T) {
	closed := startProgram(t, "--bind", "ws://127.0.0.1:0")
	listed := startProgram(t, "--bind", "ws://127.0.0.1:0", "--allow-origin", "https://Example.com")
	open := startProgram(t, "--bind", "ws://127.0.0.1:0", "--allow-origin", "*")
	for _, c := range []struct {
		router *running
		origin string
		taken  bool
	}{
		{closed, "", true}, {closed, "https://example.com", false}, {closed, "own", true},
		{listed, "", true}, {listed, "https://example.com", true}, {listed, "https://example.com.evil.org", false}, {listed, "own", true}, {listed, "null", false},
		{open, "https://anything.example", true}, {open, "null", true},
	} {
		header := http.Header{}
		switch c.origin {
		case "":
		case "own":
			header.Set("Origin", strings.Replace(strings.TrimSuffix(c.router.urls[0], "/"), "ws:", "http:", 1))
		default:
			header.Set("Origin", c.origin)
		}
		connection, response, err := websocket.DefaultDialer.Dial(c.router.urls[0], header)
		if err == nil {
			connection.Close()
		} else if response == nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: %v, expected an answer of 403", c.origin, err)
		}
		if taken := err == nil; taken != c.taken {
			t.Errorf("origin %q: taken %v, expected %v", c.origin, taken, c.taken)
		}
	}
}

func TestRouter_TLS(t *testing.T) {
	certificate, key, pool := selfSigned(t)
	r := startProgram(t, "--bind", "wss://127.0.0.1:0", "--certificate", certificate, "--key", key)
	if !strings.HasPrefix(r.urls[0], "wss://127.0.0.1:") {
		t.Fatalf("listening on %q", r.urls[0])
	}
	trusting := transport.Options{TLS: &tls.Config{RootCAs: pool}}
	object := hakuban.MustObject("room")
	expose(t, client(t, r.urls[0], trusting), object, 1)
	awaitJSON(t, client(t, r.urls[0], trusting), object, func(n int) bool { return n == 1 })
}

func selfSigned(t *testing.T) (certificate, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(t.TempDir(), "certificate.pem"), filepath.Join(t.TempDir(), "key.pem")
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{certificate: chain, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	return certificate, key, pool
}

// A recording steps a fresh core through the same run: the same hash each time, no broken invariant, all that was published.
func TestRouter_RecordingReplays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "recording")
	r := startProgram(t, "--bind", "ws://127.0.0.1:0", "--monitor-tag", "mon", "--record", file)
	object := hakuban.MustObject("room", "tag")
	expose(t, client(t, r.urls[0]), object, "what was published")
	awaitJSON(t, client(t, r.urls[0]), object, func(s string) bool { return s == "what was published" })
	r.end()
	recording, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var outputs [2]bytes.Buffer
	var replays [2]sim.Replay
	for i := range replays {
		if replays[i], err = sim.ReplayRecording(bytes.NewReader(recording), &outputs[i]); err != nil {
			t.Fatal(err)
		}
		if v := replays[i].Violation; v != nil || replays[i].Cut || replays[i].Steps < 10 {
			t.Errorf("replay %+v, violation %v", replays[i], v)
		}
	}
	if replays[0].Hash != replays[1].Hash || outputs[0].String() != outputs[1].String() {
		t.Error("two replays of one recording differ")
	}
	if !strings.Contains(outputs[0].String(), "room") {
		t.Errorf("the replay does not name the object:\n%s", &outputs[0])
	}
	again := execute(t, nil, "--bind", "ws://127.0.0.1:0", "--record", file)
	if after, err := os.ReadFile(file); again.status != exitUsage || err != nil || !bytes.Equal(after, recording) {
		t.Errorf("a second run with that file ended with %+v", again)
	}
}

func TestRouter_FailedStartLeavesNoRecording(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	file := filepath.Join(t.TempDir(), "recording")
	if got := execute(t, nil, "--record", file, "--bind", "ws://"+busy.Addr().String()); got.status != exitUsage {
		t.Fatalf("status %d, stderr %q", got.status, got.stderr)
	}
	startProgram(t, "--record", file, "--bind", "ws://127.0.0.1:0").end()
	if text, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(text, []byte(`{"hakuban-recording"`)) {
		t.Errorf("%q, %v, expected a recording", text, err)
	}
}

// A peer that does not answer does not hold up the end.
func TestRouter_DrainIsBounded(t *testing.T) {
	r := startProgram(t, "--bind", "ws://127.0.0.1:0", "--connect", "ws://127.0.0.1:1")
	silent, _, err := websocket.DefaultDialer.Dial(r.urls[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	polite, _, err := websocket.DefaultDialer.Dial(r.urls[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer polite.Close()
	farewell := make(chan error, 1)
	go func() {
		for {
			if _, _, err := polite.ReadMessage(); err != nil {
				farewell <- err
				return
			}
		}
	}()
	begin := time.Now()
	r.end()
	took := time.Since(begin)
	t.Logf("it took %v to end with a peer that does not answer", took.Round(time.Millisecond))
	if took > drainTime+time.Second {
		t.Errorf("it took %v to end, the limit is %v", took, drainTime)
	}
	if err := <-farewell; !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("a peer saw %v, expected a close frame that says going away", err)
	}
}

func TestRouter_LinkLimits(t *testing.T) {
	for _, c := range []struct {
		argument, value string
		objects, size   int
		reason          string
	}{
		{"--link-objects", "20", 21, 1, "more objects and tags than the limit"},
		{"--link-memory", "1", 2, 1 << 19, "more bytes than the limit"},
	} {
		r := startProgram(t, "--bind", "ws://127.0.0.1:0", c.argument, c.value)
		x := client(t, r.urls[0])
		for n := range c.objects {
			x.ObserveObject(hakuban.MustObject(fmt.Sprint(strings.Repeat("x", c.size), n)))
		}
		r.log.wait(t, "downstream link ended.*"+c.reason, 1)
	}
}

// TestRouter_WhoAsksForTooMuchOfUpstreamEndsAlone: two routers of the same limits, one below the other. Whatever one client below
// does, the link between the two lives, and a pair that shares an object over it goes on.
func TestRouter_WhoAsksForTooMuchOfUpstreamEndsAlone(t *testing.T) {
	limits := []string{"--bind", "ws://127.0.0.1:0", "--link-objects", "100", "--link-memory", "1"}
	root := startProgram(t, limits...)
	router := startProgram(t, append(limits, "--connect", root.urls[0])...)
	router.log.wait(t, "upstream link made", 1)
	ctx := withPatience(t)
	shared := hakuban.MustObject("shared")
	stream, err := client(t, root.urls[0]).ObserveObject(shared).Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := client(t, router.urls[0]).ExposeObject(shared).Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	beat := func(what string) {
		t.Helper()
		if err := sink.Send(hakuban.NewState(what)); err != nil {
			t.Fatal(err)
		}
		for {
			state, err := stream.Next(ctx)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if string(state.Data()) == what {
				return
			}
		}
	}
	send := func(x *hakuban.Exchange, object hakuban.Object) {
		expose := x.ExposeObject(object)
		go func() {
			if sink, err := expose.Next(ctx); err == nil {
				_ = sink.Send(hakuban.NewState(make([]byte, 222<<10)))
			}
		}()
	}
	next := 10
	big := func(n int) hakuban.Object { return hakuban.MustObject(fmt.Sprint("big", n), "bigs") }
	for _, row := range []struct {
		name, reason string
		hog          func(x *hakuban.Exchange)
	}{
		{"asks", "(asks for so many objects and tags that upstream|holds contracts and channels on more objects)", func(x *hakuban.Exchange) {
			for n := range 100 {
				x.ObserveObject(hakuban.MustObject(n))
			}
		}},
		{"sends", "states of the link take so many bytes that upstream", func(x *hakuban.Exchange) {
			above := client(t, root.urls[0])
			for n := range 4 {
				above.ObserveObject(big(n))
				send(x, big(n))
			}
		}},
		{"observes", "makes this exchange hold takes more bytes than the limit", func(x *hakuban.Exchange) {
			x.ObserveTag(hakuban.MustTag("bigs"))
			for range 2 {
				above := client(t, root.urls[0])
				for range 3 {
					send(above, big(next))
					next++
				}
			}
		}},
	} {
		beat("before " + row.name)
		hog := client(t, router.urls[0])
		row.hog(hog)
		router.log.wait(t, "downstream link ended.*"+row.reason, 1)
		hog.Close()
		beat("after " + row.name)
	}
	if log := router.log.String(); strings.Contains(log, "upstream link ended") {
		t.Errorf("the link between the routers ended:\n%s", log)
	}
}
