// Package transport joins exchanges in a tree: over websockets with [Listen] and [Connect], and within a process with [Pipe].
//
//	listener, err := transport.Listen(router, "ws://127.0.0.1:3001", nil)
//	connector, err := transport.Connect(x, "wss://example.com/#name=worker,timeout=30s,load-limit=100", nil)
//
// # Parameters
//
// The fragment of the URL, on either end, has parameters of the form key=value, separated by commas:
//
//   - timeout: the link ends when no whole message of the peer, and no ping or pong, came for that long; 120s by default. A silent peer
//     is pinged at a third of it, but not before a second: so a timeout above 1s may be shorter than the peer's keep-alive.
//   - keep-alive: a message is sent when nothing else was for that long; 60s by default. Keep it well below the peer's timeout.
//   - nodelay: true (default) or false; false lets TCP wait for more to send (Nagle's algorithm).
//   - name: what this end is called in the peer's monitor; by default "router" for a listener and "go-client" for a connector.
//   - load-limit: how much load upstream may give to this end; see [hakuban.LinkOptions]. A plain number, as in load-limit=3, or
//     points in time from the making of the link, as in load-limit=2s:0-2s:5-5s:7. A listener accepts and ignores it.
//
// Durations are written as 500ms, 2s, 1m30s, 1h and so on, up to years; a number without a unit is in seconds; sums (3m+31) and
// products (1m*10) are computed. An unknown or repeated key, a key without a value, and a bad value are errors of Listen and Connect.
//
// # What the wire does
//
// This is the wire of hakuban 0.8.5: no subprotocol, no extension, no compression; a binary message is an event, a text message a
// keep-alive. A peer that breaks the protocol of websockets or of hakuban loses its link at once, with a close frame that says why
// (1002, or 1007 for text that is not UTF-8, or 1009 for a message over the limit); nothing else is touched.
package transport
