package transport

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"hakuban"
)

// Options of [Connect] and [Pipe]. Nil, and the zero value of each field, mean the defaults. An option that has a bad value, or that is
// set where it has no meaning, is an error. These are the options that a browser leaves to a program: it decides itself about TLS, buffers
// and headers. A token goes into the URL's query, as in wss://example.com/?token=TOKEN.
type Options struct {
	// Logger is told of links that are made and ended, and at debug level of each message. By default slog.Default().
	Logger *slog.Logger

	// Name is what the peer's monitor calls this end of the link, unless the URL names it. By default "go-client". With [Pipe] it names
	// the downstream end.
	Name string

	// LoadLimit limits the load that upstream may give to this end, unless the URL does. By default there is no limit.
	LoadLimit []hakuban.LoadPoint

	// HandshakeTimeout bounds the time that making a connection may take. By default 10 s. For [Connect] only, as all that follows is.
	HandshakeTimeout time.Duration

	// MessageLimit is the size in bytes of the largest message taken from a peer. By default 64 MiB, as in the reference. The browser
	// has read a message whole when its size is looked at.
	MessageLimit int64

	backoff *backoff // nil, but in tests: the usual one
}

// place is what options are for.
type place string

const (
	forConnect place = "a connector"
	forPipe    place = "a pipe"
)

// completeOptions returns options with the defaults filled in.
func completeOptions(given *Options, where place) (*Options, error) {
	var o Options
	if given != nil {
		o = *given
	}
	switch {
	case o.HandshakeTimeout < 0:
		return nil, fmt.Errorf("a handshake timeout of %v: a duration above zero was expected", o.HandshakeTimeout)
	case o.MessageLimit < 0:
		return nil, fmt.Errorf("a message limit of %d bytes: a size above zero was expected", o.MessageLimit)
	case where == forPipe && o.HandshakeTimeout != 0:
		return nil, fmt.Errorf("the option HandshakeTimeout has no meaning for %s", where)
	case where == forPipe && o.MessageLimit != 0:
		return nil, fmt.Errorf("the option MessageLimit has no meaning for %s", where)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Name = cmp.Or(o.Name, defaultConnectorName)
	o.LoadLimit = slices.Clone(o.LoadLimit)
	o.HandshakeTimeout = cmp.Or(o.HandshakeTimeout, 10*time.Second)
	o.MessageLimit = cmp.Or(o.MessageLimit, 64<<20)
	if o.backoff == nil {
		o.backoff = newBackoff()
	}
	return &o, nil
}
