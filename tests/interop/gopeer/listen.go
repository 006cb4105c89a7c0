//go:build !js

package main

import (
	"hakuban"
	"hakuban/transport"
)

// listener takes links until the process ends.
type listener struct{ *transport.Listener }

func listen(x *hakuban.Exchange, url string) (*listener, error) {
	l, err := transport.Listen(x, url, nil)
	return &listener{l}, err
}

// snapshot is what the listener sees.
func (l *listener) snapshot() map[string]any {
	links := []any{}
	for _, c := range l.Snapshot().Connections {
		links = append(links, map[string]any{"downstream_connection_id": c.Link, "remote_name": c.RemoteName, "load": c.Load})
	}
	return map[string]any{"url": l.URL(), "downstream_connections": links}
}
