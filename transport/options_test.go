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
		options  Options
	}{
		"NameBytes":                {both, "", Options{Name: "\xff"}},
		"NameLong":                 {both, "", Options{Name: strings.Repeat("n", 1<<16+1)}},
		"NameLongInURL":            {both, "#name=" + strings.Repeat("n", 1<<16+1), Options{}},
		"LoadLimitBeforeTheStart":  {connector, "", Options{LoadLimit: []hakuban.LoadPoint{{After: -1}}}},
		"LoadLimitOfTooManyPoints": {connector, "#load-limit=1" + strings.Repeat("-1", 1<<12), Options{}},
		"HandshakeTimeoutNegative": {both, "", Options{HandshakeTimeout: -1}},
		"MessageLimitNegative":     {both, "", Options{MessageLimit: -1}},
		"OriginWithPath":           {listener, "", Options{AllowedOrigins: []string{"https://example.com/"}}},
		"MaxConnectionsNegative":   {listener, "", Options{MaxConnections: -1}},
	} {
		if c.of != listener {
			made, err := Connect(x, "ws://127.0.0.1:9"+c.fragment, quietly([]Options{c.options}))
			if err == nil {
				made.Close()
				t.Errorf("%s: Connect took it", name)
			} else if len(err.Error()) > 200 {
				t.Errorf("%s: an error of %d bytes, one line was expected", name, len(err.Error()))
			}
		}
		if c.of != connector {
			made, err := Listen(x, "ws://127.0.0.1:0"+c.fragment, quietly([]Options{c.options}))
			if err == nil {
				made.Close()
				t.Errorf("%s: Listen took it", name)
			}
		}
	}
	connect(t, x, "ws://127.0.0.1:9", Options{Name: strings.Repeat("n", 1<<16)}) // as long as can be
}
