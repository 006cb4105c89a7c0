//go:build !js

package transport

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// anyOrigin stands for all origins.
const anyOrigin = "*"

// defaultPorts are those that browsers leave out, by scheme.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// ParseOrigin returns an origin, such as https://example.com, as browsers spell it in the header Origin: in lower case, and without the
// scheme's default port. It refuses what no browser sends. "*" stands for any origin. The error says what was expected.
func ParseOrigin(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case text == anyOrigin:
		return text, nil
	case err != nil || u.Scheme == "" || u.Host == "" || !strings.EqualFold(text, u.Scheme+"://"+u.Host):
		return "", errors.New("an origin such as https://example.com, or *, was expected")
	case strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }):
		return "", errors.New("an origin in punycode, such as https://xn--bcher-kva.example, was expected: browsers send that")
	}
	host := strings.TrimSuffix(u.Host, ":"+defaultPorts[u.Scheme])
	return strings.ToLower(u.Scheme + "://" + strings.TrimSuffix(host, ":")), nil
}

// originCheck returns what decides about a request to a listener that was bound to a host, as its URL names it.
func (o *Options) originCheck(bound string) func(*http.Request) bool {
	if o.OriginCheck != nil {
		return o.OriginCheck
	}
	return func(request *http.Request) bool {
		origin := request.Header.Get("Origin")
		return origin == "" || slices.Contains(o.AllowedOrigins, anyOrigin) || slices.Contains(o.AllowedOrigins, strings.ToLower(origin)) ||
			isOwnOrigin(origin, request.Host, bound)
	}
}

// isOwnOrigin says whether a script comes from the host that it links to. That the two have one name does not suffice: whoever owns a
// name can have it mean his server while the page loads, and then this machine.
func isOwnOrigin(origin, host, bound string) bool {
	u, err := url.Parse(origin)
	if err != nil || !strings.EqualFold(u.Host, host) {
		return false
	}
	name := u.Hostname()
	_, err = netip.ParseAddr(name)
	return err == nil || strings.EqualFold(name, "localhost") || strings.EqualFold(name, bound)
}
