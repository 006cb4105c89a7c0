//go:build unix

package main

import (
	"context"
	"sync"

	"hakuban"
	"hakuban/transport"
)

// linkRuntime is behind a handle of a runtime: it owns connectors and listeners.
type linkRuntime struct {
	mu     sync.Mutex
	closed bool
	links  map[closer]struct{}
}

type closer interface{ Close() }

func newRuntime() (handle, error) {
	return handles.add(&linkRuntime{links: map[closer]struct{}{}}, kindRuntime)
}

func closeRuntime(h handle) error {
	value, err := handles.take(h, kindRuntime)
	if err != nil {
		return err
	}
	r := value.(*linkRuntime)
	r.mu.Lock()
	r.closed = true
	links := r.links
	r.links = nil
	r.mu.Unlock()
	var closing sync.WaitGroup
	for link := range links {
		closing.Go(link.Close)
	}
	closing.Wait()
	return nil
}

// own makes a link while the runtime is open. Making one does not wait for anybody.
func (r *linkRuntime) own(link func() (closer, error)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return failed(statusClosed, "the runtime was closed")
	}
	made, err := link()
	if err == nil {
		r.links[made] = struct{}{}
	}
	return err
}

func (r *linkRuntime) disown(link closer) {
	r.mu.Lock()
	delete(r.links, link)
	r.mu.Unlock()
	link.Close()
}

// connector is behind a handle of a connector.
type connector struct {
	owner
	*transport.Connector
	runtime *linkRuntime
}

func (c *connector) drop() {
	c.closeAll()
	c.runtime.disown(c.Connector)
}

// link returns the number of the link at the moment; 0: there is none.
func (c *connector) link() uint64 {
	if connection := c.Snapshot().Connection; connection != nil {
		return connection.Link
	}
	return 0
}

// changed gives the host a future that ends when the connector's link is another than the one given.
func (c *connector) changed(link uint64) (handle, error) {
	return c.open(func(ctx context.Context) result {
		for {
			changed := c.Changed()
			if c.link() != link {
				return result{status: statusOK}
			}
			select {
			case <-c.Done(): // there will be no other
				return result{status: statusEndOfStream}
			default:
			}
			select {
			case <-changed:
			case <-c.Done():
			case <-ctx.Done():
				return result{status: statusPending}
			}
		}
	}, func(result) {})
}

func connectorChanged(h handle, link uint64) (handle, error) {
	c, err := lookup[*connector](&handles, h, kindConnector)
	if err != nil {
		return 0, err
	}
	return c.changed(link)
}

// listener is behind a handle of a listener.
type listener struct {
	*transport.Listener
	runtime *linkRuntime
	url     text
}

func (l *listener) drop() {
	l.url.end()
	l.runtime.disown(l.Listener)
}

// onLinks looks up what a link is made with.
func onLinks(runtimeHandle, exchangeHandle handle) (*linkRuntime, *hakuban.Exchange, error) {
	r, err := lookup[*linkRuntime](&handles, runtimeHandle, kindRuntime)
	if err != nil {
		return nil, nil, err
	}
	x, err := lookup[*hakuban.Exchange](&handles, exchangeHandle, kindExchange)
	return r, x, err
}

func newConnector(runtimeHandle, exchangeHandle handle, url string) result {
	r, x, err := onLinks(runtimeHandle, exchangeHandle)
	if err != nil {
		return resultOf(err)
	}
	c := &connector{runtime: r}
	if err := r.own(func() (closer, error) {
		c.Connector, err = transport.Connect(x, url, &transport.Options{Logger: logger})
		return c.Connector, err
	}); err != nil {
		return refusedLink(err)
	}
	return addedLink(c, kindConnector)
}

func newListener(runtimeHandle, exchangeHandle handle, url string) result {
	r, x, err := onLinks(runtimeHandle, exchangeHandle)
	if err != nil {
		return resultOf(err)
	}
	l := &listener{runtime: r}
	if err := r.own(func() (closer, error) {
		l.Listener, err = transport.Listen(x, url, &transport.Options{Logger: logger})
		return l.Listener, err
	}); err != nil {
		return refusedLink(err)
	}
	return addedLink(l, kindListener)
}

// refusedLink tells why a link was not made: what has no status of its own is the URL's fault.
func refusedLink(err error) result {
	r := resultOf(err)
	if r.status == statusInvalidArgument || r.status == statusTooLarge {
		r.status = statusInvalidURL
	}
	logger.Error("a link cannot be made", "error", err)
	return r
}

func addedLink(link interface{ drop() }, kind kind) result {
	r := added(link, kind)
	if r.err != nil {
		link.drop()
	}
	return r
}

// linkState is what there is to see of a connector.
type linkState struct {
	connected    bool
	link         uint64
	upstreamName string
}

func connectorState(h handle) (linkState, error) {
	c, err := lookup[*connector](&handles, h, kindConnector)
	if err != nil {
		return linkState{}, err
	}
	connection := c.Snapshot().Connection
	if connection == nil {
		return linkState{}, nil
	}
	return linkState{true, connection.Link, connection.RemoteName}, nil
}

func listenerURL(h handle) (*byte, error) {
	l, err := lookup[*listener](&handles, h, kindListener)
	if err != nil {
		return nil, err
	}
	return l.url.lend(l.URL()), nil
}

func newExchange() result {
	return added(hakuban.NewExchange(&hakuban.Options{Logger: logger}), kindExchange)
}

func closeExchange(h handle) error {
	x, err := lookup[*hakuban.Exchange](&handles, h, kindExchange)
	if err == nil {
		x.Close()
	}
	return err
}

// clone gives the host a second handle.
func clone(h handle, kind kind) (handle, error) {
	value, err := lookup[any](&handles, h, kind)
	if err != nil {
		return 0, err
	}
	if value, ok := value.(interface{ clone() any }); ok {
		return handles.add(value.clone(), kind)
	}
	return handles.add(value, kind) // an exchange, or sink params
}

// drop ends a handle and what only it named.
func drop(h handle, kind kind) error {
	value, err := handles.take(h, kind)
	if err != nil {
		return err
	}
	if value, ok := value.(interface{ drop() }); ok {
		value.drop()
	}
	return nil
}
