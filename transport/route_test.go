package transport

import (
	"net"
	"strings"
	"testing"
	"time"

	"hakuban"
)

func TestRouteText_FitsIntoAPing(t *testing.T) {
	var way []string
	for range maxRoute {
		way = append(way, strings.Repeat("x", 8))
	}
	text := routeText(way)
	if len(routePing)+len(text) > maxControlPayload || len(parseRoute(text)) != 13 {
		t.Errorf("%d bytes, %d of the way", len(text), len(parseRoute(text)))
	}
	if got := parseRoute(strings.Repeat("x ", 10*maxRoute)); len(got) != maxRoute {
		t.Errorf("%d of a long way are taken", len(got))
	}
}

// ring listens for n exchanges, each of which has the next one for its upstream, and returns their logs.
func ring(t *testing.T, n int) (logs []*transcript) {
	t.Helper()
	var exchanges []*hakuban.Exchange
	var urls []string
	for range n {
		x, log := newExchange(t), &transcript{}
		urls = append(urls, listen(t, x, "ws://127.0.0.1:0", Options{Logger: log.logger()}).URL())
		exchanges, logs = append(exchanges, x), append(logs, log)
	}
	for i, x := range exchanges {
		connect(t, x, urls[(i+1)%n], Options{Logger: logs[i].logger()})
	}
	return logs
}

// Whatever the order in which they link, one of the links ends, and is tried slowly.
func TestLoop_OneLinkOfARingEnds(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5} {
		logs := ring(t, n)
		eventually(t, "the ring is open", func() bool {
			for _, log := range logs {
				if strings.Contains(log.String(), hakuban.ErrLoop.Error()) && strings.Contains(log.String(), "retry-in="+loopDelay.String()) {
					return true
				}
			}
			return false
		})
	}
}

// A way that changes later is told to those below, however deep.
func TestLoop_IsFoundAfterTheLinksWereMade(t *testing.T) {
	top, middle, bottom := newExchange(t), newExchange(t), newExchange(t)
	topURL, middleURL := listen(t, top, "ws://127.0.0.1:0").URL(), listen(t, middle, "ws://127.0.0.1:0").URL()
	log := &transcript{}
	bottomURL := listen(t, bottom, "ws://127.0.0.1:0").URL()
	connect(t, bottom, middleURL, Options{Logger: log.logger()})
	connect(t, middle, topURL)
	way := func(x *hakuban.Exchange) []string { identities, _ := x.Route(); return identities }
	eventually(t, "the bottom knows its way", func() bool { return len(way(bottom)) == 3 })
	if got := way(bottom); got[2] != way(top)[0] || got[1] != way(middle)[0] {
		t.Errorf("%q, the top is %q", got, way(top))
	}
	upper := &transcript{}
	connect(t, top, bottomURL, Options{Logger: upper.logger()})
	upper.await(t, "a loop: ")
	if strings.Contains(log.String(), "link ended") {
		t.Errorf("a link that was there ended:\n%s", log)
	}
}

// A peer that tells no way, as those of the reference, is told none.
func TestRoute_IsNotToldToWhoDoesNotKnowOfIt(t *testing.T) {
	x := newExchange(t)
	l := listen(t, x, "ws://127.0.0.1:0")
	connection, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(l.URL(), "ws://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(patience))
	if _, err := connection.Write([]byte("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	n, err := connection.Read(answer)
	if err != nil || strings.Contains(string(answer[:n]), routeHeader) || !strings.Contains(string(answer[:n]), " 101 ") {
		t.Errorf("%v, %q", err, answer[:n])
	}
}
