package interop

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"hakuban"
	"hakuban/transport"
)

// Library is an exchange of our library in the test's own process: a scenario has its sinks, streams and errors in hand.
type Library struct {
	*hakuban.Exchange
	t         testing.TB
	name      string
	logger    *slog.Logger
	connector *transport.Connector
}

// NewLibrary makes an exchange, linked to nobody, which ends with the test. What it logs is printed when the test fails.
func NewLibrary(t testing.TB, name string, options hakuban.Options) *Library {
	t.Helper()
	log := &logBuffer{}
	options.Logger = slog.New(slog.NewTextHandler(log, nil))
	l := &Library{Exchange: hakuban.NewExchange(&options), t: t, name: name, logger: options.Logger}
	t.Cleanup(func() {
		l.Close()
		if t.Failed() {
			t.Logf("log of %s, a library:\n%s", name, log)
		}
	})
	return l
}

// Library makes an exchange linked to the router at a place.
func (w *World) Library(name string, at Place, parameters ...string) *Library {
	w.Helper()
	l := NewLibrary(w, name, hakuban.Options{})
	l.Connect(w.Router(at).URL, parameters...)
	return l
}

// Connect links the exchange to a parent, with parameters of the URL's fragment, and waits for the link.
func (l *Library) Connect(url string, parameters ...string) {
	l.t.Helper()
	l.Dial(url + "#" + strings.Join(parameters, ","))
	l.WaitConnected()
}

// Dial is Connect with the transport's options, without the wait.
func (l *Library) Dial(url string, options ...transport.Options) {
	l.t.Helper()
	var err error
	if l.connector, err = transport.Connect(l.Exchange, url, l.options(options)); err != nil {
		l.t.Fatalf("%s: connect: %v", l.name, err)
	}
}

// options returns the options given, at most one, with the library's log.
func (l *Library) options(given []transport.Options) *transport.Options {
	o := transport.Options{}
	if len(given) > 0 {
		o = given[0]
	}
	o.Logger = l.logger
	return &o
}

// WaitConnected waits for a link to the parent other than those given, and returns it.
func (l *Library) WaitConnected(ended ...transport.Connection) transport.Connection {
	l.t.Helper()
	var current *transport.Connection
	eventually(l.t, func() string { return l.name + " has no new link to its parent" }, func() bool {
		current = l.connector.Snapshot().Connection
		if current == nil {
			return false
		}
		for _, old := range ended {
			if old.Link == current.Link {
				return false
			}
		}
		return true
	})
	return *current
}

// WaitLost waits until there is no link to the parent.
func (l *Library) WaitLost() {
	l.t.Helper()
	eventually(l.t, func() string { return l.name + " has not lost its parent" }, func() bool { return l.connector.Snapshot().Connection == nil })
}

// Disconnect takes the link to the parent down for good; another parent may follow.
func (l *Library) Disconnect() { l.connector.Close() }

// Listen makes the exchange a parent at an address such as ws://127.0.0.1:0.
func (l *Library) Listen(url string, options ...transport.Options) *transport.Listener {
	l.t.Helper()
	listener, err := transport.Listen(l.Exchange, url, l.options(options))
	if err != nil {
		l.t.Fatalf("%s: listen: %v", l.name, err)
	}
	return listener
}

// WaitChildren waits until the listener has links to peers of these names, in any order, and returns them by name.
func (l *Library) WaitChildren(listener *transport.Listener, names ...string) map[string]transport.Connection {
	l.t.Helper()
	children := make(map[string]transport.Connection)
	eventually(l.t, func() string { return l.name + " has not exactly the children " + strings.Join(names, ", ") }, func() bool {
		clear(children)
		for _, connection := range listener.Snapshot().Connections {
			children[connection.RemoteName] = connection
		}
		for _, name := range names {
			if _, there := children[name]; !there {
				return false
			}
		}
		return len(children) == len(names)
	})
	return children
}

// object is an id in our library's terms.
func (l *Library) object(object Object) hakuban.Object {
	l.t.Helper()
	parsed, err := hakuban.ParseObject(object.JSON, object.Tags...)
	if err != nil {
		l.t.Fatalf("%s: object %v: %v", l.name, object, err)
	}
	return parsed
}

func (l *Library) tag(text string) hakuban.Tag {
	l.t.Helper()
	parsed, err := hakuban.ParseTag(text)
	if err != nil {
		l.t.Fatalf("%s: tag %s: %v", l.name, text, err)
	}
	return parsed
}

// ObserveObject opens a contract to see one object.
func (l *Library) ObserveObject(object Object) *LibraryObserver {
	l.t.Helper()
	return &LibraryObserver{l.Exchange.ObserveObject(l.object(object)), l}
}

// ObserveTag opens a contract to see every live object with the tag.
func (l *Library) ObserveTag(tag string) *LibraryObserver {
	l.t.Helper()
	return &LibraryObserver{l.Exchange.ObserveTag(l.tag(tag)), l}
}

// ExposeObject opens a contract to produce one object.
func (l *Library) ExposeObject(object Object, options ...hakuban.ExposeOption) *LibraryExposer {
	l.t.Helper()
	return &LibraryExposer{l.Exchange.ExposeObject(l.object(object), options...), l}
}

// ExposeTag opens a contract to produce any wanted object with the tag.
func (l *Library) ExposeTag(tag string, options ...hakuban.ExposeOption) *LibraryExposer {
	l.t.Helper()
	return &LibraryExposer{l.Exchange.ExposeTag(l.tag(tag), options...), l}
}

// waitEnd waits until a sink, stream or link is done.
func (l *Library) waitEnd(what string, done <-chan struct{}) {
	l.t.Helper()
	select {
	case <-done:
	case <-time.After(Deadline):
		l.t.Fatalf("%s: no end of %s within %v", l.name, what, Deadline)
	}
}

// never fails if the channel closes within the time.
func (l *Library) never(what string, within time.Duration, done <-chan struct{}) {
	l.t.Helper()
	select {
	case <-done:
		l.t.Fatalf("%s: end of %s, expected never to see it", l.name, what)
	case <-time.After(within):
	}
}

// logBuffer holds what is logged until somebody wants to see it.
type logBuffer struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (b *logBuffer) Write(line []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(line)
}

func (b *logBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

// within is a context for what must happen.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeoutCause(context.Background(), Deadline, errors.New("it took too long"))
	t.Cleanup(cancel)
	return ctx
}
