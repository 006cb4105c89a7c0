//go:build !js

package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// dial makes a connection and begins a link on it.
func (c *Connector) dial(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() {
		select {
		case <-c.x.Done():
			cancel()
		case <-ctx.Done():
		}
	})
	// The websocket library does not look at the context once it has a connection.
	abandon := func() bool { return true }
	watched := func(dial dialFunc) dialFunc {
		return func(limited context.Context, network, host string) (net.Conn, error) {
			connection, err := dial(limited, network, host)
			if err == nil {
				abandon = context.AfterFunc(ctx, func() { _ = connection.Close() })
			}
			return connection, err
		}
	}
	dialer := websocket.Dialer{
		NetDialContext:    watched(c.dialTCP),
		NetDialTLSContext: watched(c.dialTLS),
		HandshakeTimeout:  c.options.HandshakeTimeout,
		ReadBufferSize:    handshakeBuffer,
		WriteBufferSize:   handshakeBuffer,
	}
	socket, response, err := dialer.DialContext(ctx, c.address.url.String(), c.header())
	if !abandon() {
		return nil, context.Canceled
	}
	if err != nil {
		return nil, describe(err, response)
	}
	connection, ok := socket.NetConn().(*carrier)
	if !ok {
		panic("BUG: a connection that we did not dial")
	}
	if extensions := response.Header.Values("Sec-Websocket-Extensions"); len(extensions) > 0 {
		// The websocket library would turn compression on, and its limits count compressed bytes.
		_ = connection.Close()
		return nil, fmt.Errorf("the peer wants extensions that were not offered: %q", extensions)
	}
	options := c.link
	options.Session = response.Header.Get("Sec-Websocket-Accept")
	told := response.Header.Get(routeHeader)
	options.Route = parseRoute(told)
	link, err := c.upstream.Attach(options)
	if err != nil {
		_ = connection.Close()
		return nil, err
	}
	s := newSession(link, connection, true, c.address.parameters, c.options)
	s.takesRoute = told != ""
	return s, nil
}

// header is what the request for a link has besides what every such request has.
func (c *Connector) header() http.Header {
	identities, _ := c.x.Route()
	header := http.Header{identityHeader: {identities[0]}}
	if c.options.Token == nil {
		return header
	}
	if token := c.options.Token(); token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return header
}

type dialFunc = func(ctx context.Context, network, host string) (net.Conn, error)

func describe(err error, response *http.Response) error {
	if response != nil && errors.Is(err, websocket.ErrBadHandshake) {
		return fmt.Errorf("%w: the peer answered %s", err, response.Status)
	}
	return err
}

func (c *Connector) dialTCP(ctx context.Context, network, host string) (net.Conn, error) {
	connection, err := new(net.Dialer).DialContext(ctx, network, host)
	if err != nil {
		return nil, err
	}
	tune(connection, c.address.parameters.noDelay, c.options.SendBuffer)
	return &carrier{Conn: connection, handshake: maxHandshake}, nil
}

func (c *Connector) dialTLS(ctx context.Context, network, host string) (net.Conn, error) {
	connection, err := c.dialTCP(ctx, network, host)
	if err != nil {
		return nil, err
	}
	carrying := connection.(*carrier)
	config := &tls.Config{}
	if c.options.TLS != nil {
		config = c.options.TLS.Clone()
	}
	config.NextProtos = []string{"http/1.1"}
	if config.ServerName == "" {
		config.ServerName = c.address.url.Hostname()
	}
	secure := tls.Client(carrying.Conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = connection.Close()
		return nil, err
	}
	carrying.Conn = secure
	return carrying, nil
}
