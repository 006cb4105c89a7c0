package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"hakuban"
)

// closeNormal is the code of a close frame that tells of no fault (RFC 6455, 7.4.1).
const closeNormal = 1000

// loopDelay is how long a connector waits before it tries an upstream again that would be a loop.
const loopDelay = 30 * time.Second

// Connector keeps an exchange linked to its upstream.
type Connector struct {
	x        *hakuban.Exchange
	upstream *hakuban.Upstream
	address  *address
	link     hakuban.LinkOptions
	options  *Options
	stop     context.CancelFunc
	done     chan struct{} // closed when run has returned

	mu      sync.Mutex
	session *session      // nil: not connected
	changed chan struct{} // closed, and made anew, when session changes
	warned  time.Time
}

// Connect begins to link the exchange x to an upstream at an address such as ws://127.0.0.1:3001 or wss://example.com. It returns at
// once, and tries for ever: again at once after a link that had lived for a second, else after a delay that grows from 0.1 s to 10 s.
// An exchange can have one connector: Connect returns [hakuban.ErrUpstream] otherwise.
//
// The connector ends with the exchange, or by [Connector.Close].
func Connect(x *hakuban.Exchange, url string, options *Options) (*Connector, error) {
	if x == nil {
		return nil, errNoExchange
	}
	o, err := completeOptions(options, forConnect)
	if err != nil {
		return nil, err
	}
	address, err := parseAddress(url, o.Name)
	if err != nil {
		return nil, err
	}
	if port := address.url.Port(); port == "0" {
		return nil, fmt.Errorf("URL %q: nothing listens on port 0", redact(address.url))
	}
	link := hakuban.LinkOptions{Name: address.parameters.name, LoadLimit: address.parameters.loadLimit}
	if link.LoadLimit == nil {
		link.LoadLimit = o.LoadLimit
	}
	if err := x.CheckLink(link); err != nil {
		return nil, err // now, since every attempt would fail
	}
	c := &Connector{x: x, address: address, link: link, options: o, done: make(chan struct{}), changed: make(chan struct{})}
	if c.upstream, err = x.ClaimUpstream(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	go func() {
		defer close(c.done)
		defer c.upstream.Release()
		defer cancel()
		c.run(ctx)
	}()
	return c, nil
}

// URL returns the connector's URL, with its parameters.
func (c *Connector) URL() string { return c.address.String() }

// Close ends the link, with a close frame (1000), and tries no more. It returns when the link is gone: after a second or so with a
// peer that does not answer. Closing again does nothing.
func (c *Connector) Close() {
	c.stop()
	<-c.done
}

// Done is closed when the connector has ended.
func (c *Connector) Done() <-chan struct{} { return c.done }

// Changed returns a channel that is closed when the connector is connected the next time, or no more. To miss nothing, ask for it before
// [Connector.Snapshot].
func (c *Connector) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// ConnectorSnapshot is what there is to see of a connector.
type ConnectorSnapshot struct {
	URL        string
	Connection *Connection // nil: not connected
}

// Snapshot tells whether the connector is connected, and to whom.
func (c *Connector) Snapshot() ConnectorSnapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	snapshot := ConnectorSnapshot{URL: c.URL()}
	if c.session != nil {
		if connection, ok := c.session.snapshot(); ok {
			snapshot.Connection = &connection
		}
	}
	return snapshot
}

// Connection is a websocket connection that carries a link.
type Connection struct {
	Link          uint64 // the link's id at the exchange
	LocalAddress  string
	RemoteAddress string
	hakuban.LinkStatus
}

// run makes one link after another until the connector or the exchange closes.
func (c *Connector) run(ctx context.Context) {
	over := func() bool { return ctx.Err() != nil || isClosed(c.x) }
	backoff := c.options.backoff
	for !over() {
		s, err := c.dial(ctx)
		var up time.Duration
		if err == nil {
			made := time.Now()
			err = c.carry(ctx, s)
			up = time.Since(made)
		}
		if over() {
			return // whatever the attempt says of it
		}
		delay := backoff.after(up)
		switch {
		case isLoop(err):
			delay = loopDelay
		case delay == 0:
			continue
		case up > 0:
			err = nil // that its link ended was told
		}
		c.failed(err, delay)
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-c.x.Done():
		}
		timer.Stop()
	}
}

// failed tells of an attempt that failed: loudly every ten seconds at most.
func (c *Connector) failed(err error, delay time.Duration) {
	if err == nil {
		return // the end of its link was told
	}
	level := slog.LevelDebug
	if time.Since(c.warned) > 10*time.Second {
		level, c.warned = slog.LevelWarn, time.Now()
	}
	c.options.Logger.Log(context.Background(), level, "cannot connect", "url", c.URL(), "error", err, "retry-in", delay)
}

// carry runs a session until it ends or the connector closes, and returns why.
func (c *Connector) carry(ctx context.Context, s *session) (reason error) {
	c.setSession(s)
	stop := context.AfterFunc(ctx, func() { s.end(closeNormal, errors.New("the connector was closed")) })
	defer stop()
	s.log("upstream link made", "url", c.URL())
	reason = s.run()
	s.log("upstream link ended", "reason", reason)
	c.setSession(nil)
	return reason
}

func (c *Connector) setSession(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = s
	close(c.changed)
	c.changed = make(chan struct{})
}

var errNoExchange = errors.New("the exchange is nil")

func isClosed(x *hakuban.Exchange) bool {
	select {
	case <-x.Done():
		return true
	default:
		return false
	}
}

// isLoop reports whether an attempt to link, or a link, ended since it would have been a loop.
func isLoop(err error) bool { return errors.Is(err, hakuban.ErrLoop) }
