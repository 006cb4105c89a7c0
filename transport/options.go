package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"hakuban"
)

// Option is an option of [Listen], [Connect] or [Pipe], which refuse one whose value is bad. Where one has no meaning it is ignored.
type Option func(*options)

type options struct {
	logger           *slog.Logger
	tls              *tls.Config
	origins          []string                 // as browsers spell them
	checkOrigin      func(*http.Request) bool // nil: origins decide
	maxConnections   int
	handshakeTimeout time.Duration
	sendBuffer       int
	messageLimit     int64
	name             string
	loadLimit        []hakuban.LoadPoint
	backoff          backoff
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

func newOptions(list []Option) (*options, error) {
	o := &options{
		maxConnections:   65_536,
		handshakeTimeout: 10 * time.Second,
		sendBuffer:       64 << 10,
		messageLimit:     64 << 20,
		backoff:          newBackoff(),
	}
	for _, option := range list {
		if option == nil {
			return nil, errors.New("a nil option")
		}
		option(o)
	}
	if o.logger == nil {
		o.logger = slog.Default()
	}
	return o, o.check()
}

// check refuses what could carry no link.
func (o *options) check() error {
	switch {
	case o.handshakeTimeout <= 0:
		return fmt.Errorf("a handshake timeout of %v: a duration above zero was expected", o.handshakeTimeout)
	case o.messageLimit <= 0:
		return fmt.Errorf("a message limit of %d bytes: a size above zero was expected", o.messageLimit)
	case o.maxConnections <= 0:
		return fmt.Errorf("at most %d connections: a number above zero was expected", o.maxConnections)
	case o.sendBuffer < 0:
		return fmt.Errorf("a send buffer of %d bytes: a size, or zero for the kernel's choice, was expected", o.sendBuffer)
	}
	for i, text := range o.origins {
		var err error
		if o.origins[i], err = ParseOrigin(text); err != nil {
			return fmt.Errorf("origin %q: %w", text, err)
		}
	}
	return nil
}

// WithLogger has links made, refused and ended, and at debug level each message, told to logger. The default, and nil, is slog.Default().
func WithLogger(logger *slog.Logger) Option {
	return func(o *options) { o.logger = logger }
}

// WithTLS configures TLS. A listener needs it for wss, with a certificate; a connector can do with the default.
func WithTLS(config *tls.Config) Option {
	return func(o *options) { o.tls = config }
}

// WithAllowedOrigins has a listener take the requests of scripts from web sites such as https://example.com, or of all with "*"; see
// [ParseOrigin]. Browsers name the site whose script makes a request in the header Origin. Without this option a listener takes those
// that lack it, from programs, and those whose Origin is the host asked for, if that is an IP address, localhost or the host in the
// listener's URL: any other name can be made to mean this machine by who owns it. It answers the rest with 403, so that no foreign
// site reads objects in its visitors' name. Behind a proxy, allow the origin that browsers see.
func WithAllowedOrigins(origins ...string) Option {
	return func(o *options) { o.origins = slices.Clone(origins) }
}

// WithOriginCheck decides instead of what [WithAllowedOrigins] says. The request's TLS is nil, also where there is TLS.
func WithOriginCheck(allowed func(*http.Request) bool) Option {
	return func(o *options) { o.checkOrigin = allowed }
}

// WithMaxConnections bounds the connections of a listener, those not upgraded yet included: further ones are closed, after an
// answer of 503 where there is no TLS. The default is 65,536.
func WithMaxConnections(n int) Option {
	return func(o *options) { o.maxConnections = n }
}

// WithHandshakeTimeout bounds the time from a connection to its upgrade, TLS included. The default is 10 s.
func WithHandshakeTimeout(timeout time.Duration) Option {
	return func(o *options) { o.handshakeTimeout = timeout }
}

// WithSendBuffer sets the size in bytes of the kernel's send buffer of each connection. What is in it can no longer be replaced by a
// newer state: large buffers make slow observers stale, small ones limit what a fast but distant link carries, to about twice the
// size in each round trip. The default is 64 KiB; 0 leaves the choice to the kernel (megabytes).
func WithSendBuffer(size int) Option {
	return func(o *options) { o.sendBuffer = size }
}

// WithMessageLimit sets the size in bytes of the largest message taken from a peer. The default, and that of the reference, is 64 MiB.
func WithMessageLimit(size int64) Option {
	return func(o *options) { o.messageLimit = size }
}

// WithName names this end of the link, unless the URL does. With [Pipe] it names the downstream end.
func WithName(name string) Option {
	return func(o *options) { o.name = name }
}

// WithLoadLimit limits the load that upstream may give, unless the URL does.
func WithLoadLimit(points ...hakuban.LoadPoint) Option {
	return func(o *options) { o.loadLimit = points }
}
