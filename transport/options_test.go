package transport

import (
	"strings"
	"testing"

	"hakuban"
)

// What every attempt at a link would fail for is said before the first one.
func TestOptions_BadOnesAreRefusedAtOnce(t *testing.T) {
	x := newExchange(t)
	const both, connector, listener = "both", "connector", "listener"
	for name, c := range map[string]struct {
		of       string
		fragment string
		option   Option
	}{
		"NameBytes":                {both, "", WithName("\xff")},
		"NameLong":                 {both, "", WithName(strings.Repeat("n", 1<<16+1))},
		"NameLongInURL":            {both, "#name=" + strings.Repeat("n", 1<<16+1), quiet()},
		"LoadLimitBeforeTheStart":  {connector, "", WithLoadLimit(hakuban.LoadPoint{After: -1})},
		"LoadLimitOfTooManyPoints": {connector, "#load-limit=1" + strings.Repeat("-1", 1<<12), quiet()},
		"HandshakeTimeoutNegative": {both, "", WithHandshakeTimeout(-1)},
		"HandshakeTimeoutZero":     {both, "", WithHandshakeTimeout(0)},
		"MessageLimitZero":         {both, "", WithMessageLimit(0)},
		"SendBufferNegative":       {both, "", WithSendBuffer(-1)},
		"OriginWithPath":           {listener, "", WithAllowedOrigins("https://example.com/")},
		"MaxConnectionsZero":       {listener, "", WithMaxConnections(0)},
	} {
		if c.of != listener {
			made, err := Connect(x, "ws://127.0.0.1:9"+c.fragment, quiet(), c.option)
			if err == nil {
				made.Close()
				t.Errorf("%s: Connect took it", name)
			} else if len(err.Error()) > 200 {
				t.Errorf("%s: an error of %d bytes, one line was expected", name, len(err.Error()))
			}
		}
		if c.of != connector {
			made, err := Listen(x, "ws://127.0.0.1:0"+c.fragment, quiet(), c.option)
			if err == nil {
				made.Close()
				t.Errorf("%s: Listen took it", name)
			}
		}
	}
	connect(t, x, "ws://127.0.0.1:9", WithName(strings.Repeat("n", 1<<16))) // as long as can be
}
