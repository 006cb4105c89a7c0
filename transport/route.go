//go:build !js

package transport

import (
	"net/http"
	"slices"
	"strings"
)

// Routers tell each other their way to the root, so that none becomes its own upstream. Peers that do not know of this ignore the headers,
// and are told nothing further.
const (
	// identityHeader is in the request for a link: the identity of the exchange that asks.
	identityHeader = "Hakuban-Exchange"
	// routeHeader is in the answer: the identities from the exchange that answers to the root, with spaces between.
	routeHeader = "Hakuban-Route"
	// routePing begins the payload of a ping by which that way is told anew when it changes.
	routePing = "route "
	// maxControlPayload bounds a ping. Of a longer way its beginning is told.
	maxControlPayload = 125
	// maxRoute bounds what is taken of a way.
	maxRoute = 64
)

// routeText is a way to the root as it is told: as much of it as fits into a ping.
func routeText(identities []string) string {
	text := strings.Join(identities, " ")
	for len(routePing)+len(text) > maxControlPayload {
		text = text[:strings.LastIndexByte(text, ' ')]
	}
	return text
}

// parseRoute is a way to the root as a peer told it.
func parseRoute(text string) []string {
	identities := strings.Fields(text)
	return slices.Clone(identities[:min(len(identities), maxRoute)])
}

// routeAnswer is what a request for a link is answered of our way to the root; "": nothing.
func (l *Listener) routeAnswer(r *http.Request) (text string, header http.Header) {
	if r.Header.Get(identityHeader) == "" {
		return "", nil
	}
	identities, _ := l.x.Route()
	text = routeText(identities)
	return text, http.Header{routeHeader: {text}}
}

// tellRoute tells the peers of the listener's links when the way to the root changes, until the listener closes.
func (l *Listener) tellRoute() {
	for {
		identities, changed := l.x.Route()
		l.mu.Lock()
		for s := range l.sessions {
			s.tellRoute(routeText(identities))
		}
		l.mu.Unlock()
		select {
		case <-l.ending:
			return
		case <-changed:
		}
	}
}

// tellRoute tells the peer our way to the root, unless it knows that already. The caller holds the listener's mu.
func (s *session) tellRoute(text string) {
	if s.route != "" && s.route != text {
		s.route = text
		s.outbox.ping(routePing + text)
	}
}

// routed takes the payload of a ping, which may tell the peer's way to the root.
func (s *session) routed(payload string) {
	if text, is := strings.CutPrefix(payload, routePing); is && s.takesRoute {
		if err := s.link.SetRoute(parseRoute(text)); err != nil {
			s.end(s.verdict(err))
		}
	}
}
