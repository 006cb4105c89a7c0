//go:build !js

package transport

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"hakuban"
)

// Options of [Listen], [Connect] and [Pipe]. Nil, and the zero value of each field, mean the defaults. An option that has a bad value,
// or that is set where it has no meaning, is an error.
type Options struct {
	// Logger is told of links that are made, refused and ended, and at debug level of each message. By default slog.Default().
	Logger *slog.Logger

	// Name is what the peer's monitor calls this end of the link, unless the URL names it. By default "router" for a listener, and
	// "go-client" for a connector. With [Pipe] it names the downstream end.
	Name string

	// LoadLimit limits the load that upstream may give to this end, unless the URL does. By default there is no limit. For [Connect]
	// and [Pipe], where it is about the downstream end.
	LoadLimit []hakuban.LoadPoint

	// TLS configures wss. A listener needs it for wss, with a certificate; by default a connector trusts what the system trusts. For
	// [Listen] and [Connect], as all that follows is.
	TLS *tls.Config

	// HandshakeTimeout bounds the time from a connection to its upgrade, TLS included. By default 10 s.
	HandshakeTimeout time.Duration

	// SendBuffer is the size in bytes of the kernel's send buffer of each connection. What is in the buffer can no longer be replaced by
	// a newer state. So a large buffer makes slow observers stale; a small one limits a fast but distant link to about twice the size
	// per round trip. By default 64 KiB; below zero the kernel chooses (megabytes).
	SendBuffer int

	// MessageLimit is the size in bytes of the largest message taken from a peer. By default 64 MiB, as in the reference.
	MessageLimit int64

	// MaxConnections bounds the connections of a listener, including those that are not upgraded yet. A further connection is closed,
	// after an answer of 503 where there is no TLS. By default 65,536. For [Listen] only, as all that follows is.
	MaxConnections int

	// AllowedOrigins are the web sites whose scripts may link, such as https://example.com; "*" stands for every site. See [ParseOrigin].
	//
	// Browsers name the site that a script comes from, in the header Origin; other programs do not send that header. A listener takes
	// requests without it, and requests from a site listed here. It also takes a script that comes from the host it links to, if that
	// host is given as an IP address, as localhost, or as in the listener's URL. (Any other name can be made to point at this machine
	// by its owner.) It answers all others with 403, so that no foreign site reads objects in its visitors' name. Behind a proxy,
	// list the origin that browsers see.
	AllowedOrigins []string

	// OriginCheck decides about each request, in place of AllowedOrigins. The request's TLS is nil, even with wss.
	OriginCheck func(*http.Request) bool

	// Admit says who a peer is and what it may do, or returns an error that says why it may not link: its request is then answered with
	// 401. By default everybody may link and do everything. Admit may be called by several goroutines at once, and should not wait;
	// see [Listener.Readmit].
	Admit func(Credential) (Admission, error)

	// Overload says why no further link can be carried now; nil: one can. A request that comes while it does is answered with 503, and its
	// sender may try again. By default every link is carried. Overload may be called by several goroutines at once, and must not wait.
	Overload func() error

	// Token returns a token that is shown to the peer in the header "Authorization: Bearer …"; "" is none. It is asked before each
	// attempt to link, so that a token which expires can be renewed, and should not wait. For [Connect] only.
	Token func() string

	backoff *backoff // nil, but in tests: the usual one
}

// place is what options are for.
type place string

const (
	forListen  place = "a listener"
	forConnect place = "a connector"
	forPipe    place = "a pipe"
)

// completeOptions returns options with the defaults filled in.
func completeOptions(given *Options, where place) (*Options, error) {
	var o Options
	if given != nil {
		o = *given
	}
	if err := o.check(where); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Name == "" && where == forListen {
		o.Name = defaultListenerName
	}
	o.Name = cmp.Or(o.Name, defaultConnectorName)
	o.LoadLimit = slices.Clone(o.LoadLimit)
	o.HandshakeTimeout = cmp.Or(o.HandshakeTimeout, 10*time.Second)
	o.SendBuffer = cmp.Or(o.SendBuffer, 64<<10)
	o.MessageLimit = cmp.Or(o.MessageLimit, 64<<20)
	o.MaxConnections = cmp.Or(o.MaxConnections, 65_536)
	o.AllowedOrigins = slices.Clone(o.AllowedOrigins)
	for i, text := range o.AllowedOrigins {
		var err error
		if o.AllowedOrigins[i], err = ParseOrigin(text); err != nil {
			return nil, fmt.Errorf("origin %q: %w", text, err)
		}
	}
	if o.backoff == nil {
		o.backoff = newBackoff()
	}
	return &o, nil
}

// check refuses bad values, and options that have no meaning where they are set.
func (o *Options) check(where place) error {
	switch {
	case o.HandshakeTimeout < 0:
		return fmt.Errorf("a handshake timeout of %v: a duration above zero was expected", o.HandshakeTimeout)
	case o.MessageLimit < 0:
		return fmt.Errorf("a message limit of %d bytes: a size above zero was expected", o.MessageLimit)
	case o.MaxConnections < 0:
		return fmt.Errorf("at most %d connections: a number above zero was expected", o.MaxConnections)
	}
	for _, option := range []struct {
		name   string
		set    bool
		places []place
	}{
		{"LoadLimit", o.LoadLimit != nil, []place{forConnect, forPipe}},
		{"TLS", o.TLS != nil, []place{forListen, forConnect}},
		{"HandshakeTimeout", o.HandshakeTimeout != 0, []place{forListen, forConnect}},
		{"SendBuffer", o.SendBuffer != 0, []place{forListen, forConnect}},
		{"MessageLimit", o.MessageLimit != 0, []place{forListen, forConnect}},
		{"MaxConnections", o.MaxConnections != 0, []place{forListen}},
		{"AllowedOrigins", o.AllowedOrigins != nil, []place{forListen}},
		{"OriginCheck", o.OriginCheck != nil, []place{forListen}},
		{"Admit", o.Admit != nil, []place{forListen}},
		{"Overload", o.Overload != nil, []place{forListen}},
		{"Token", o.Token != nil, []place{forConnect}},
	} {
		if option.set && !slices.Contains(option.places, where) {
			return fmt.Errorf("the option %s has no meaning for %s", option.name, where)
		}
	}
	return nil
}
