package transport

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hakuban"
)

// The parameters' defaults, the reference's.
const (
	defaultTimeout       = 120 * time.Second
	defaultKeepAlive     = 60 * time.Second
	defaultListenerName  = "router"
	defaultConnectorName = "go-client"
)

// tokenParameter is the name of the token in a URL's query.
const tokenParameter = "token"

// parameters are what the fragment of a URL says.
type parameters struct {
	timeout   time.Duration
	keepAlive time.Duration
	noDelay   bool
	name      string
	loadLimit []hakuban.LoadPoint
}

// address is a parsed URL.
type address struct {
	url        *url.URL // without fragment; the path is "/" at least
	fragment   string   // as it is shown
	parameters parameters
}

// String returns the whole URL, but for a token in its query: that is not for logs.
func (a *address) String() string {
	text := redact(a.url)
	if a.fragment != "" {
		text += "#" + a.fragment
	}
	return text
}

// RedactURL returns the URL of a listener or a connector without its token, for logs. What is no URL is not returned at all.
func RedactURL(text string) string {
	base, fragment, hasFragment := strings.Cut(text, "#")
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil {
		return "(no URL)"
	}
	if base = redact(u); hasFragment {
		base += "#" + fragment
	}
	return base
}

// redact is a URL with a word in place of the token in its query.
func redact(u *url.URL) string {
	if query := u.Query(); query.Has(tokenParameter) {
		query.Set(tokenParameter, "hidden")
		hidden := *u
		hidden.RawQuery = query.Encode()
		u = &hidden
	}
	return u.String()
}

// parseAddress parses the URL of a listener or a connector.
func parseAddress(text, defaultName string) (*address, error) {
	text = strings.TrimSpace(text)
	base, fragment, _ := strings.Cut(text, "#")
	u, err := url.Parse(base)
	if err != nil {
		var malformed *url.Error
		if errors.As(err, &malformed) {
			err = malformed.Err // without the text, which may have a token
		}
		return nil, fmt.Errorf("the URL: %w", err)
	}
	text = redact(u)
	switch {
	case u.Scheme != "ws" && u.Scheme != "wss":
		return nil, fmt.Errorf("URL %q: the scheme is %q, ws or wss was expected", text, u.Scheme)
	case u.Opaque != "" || u.Hostname() == "":
		return nil, fmt.Errorf("URL %q: no host", text)
	case u.User != nil:
		return nil, errors.New("the URL has a user name: not supported")
	}
	if port := u.Port(); port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return nil, fmt.Errorf("URL %q: bad port %q", text, port)
		}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	fragment = escapeFragment(fragment)
	parsed, err := parseParameters(fragment, defaultName)
	if err != nil {
		return nil, fmt.Errorf("URL %q: %w", text, err)
	}
	return &address{u, fragment, parsed}, nil
}

// escapeFragment percent-encodes what the reference's URL parser does, so that a name has the same bytes in either's monitor.
func escapeFragment(fragment string) string {
	var b strings.Builder
	for i := range len(fragment) {
		switch c := fragment[i]; {
		case c == '\t' || c == '\n' || c == '\r':
		case c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '`':
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func parseParameters(fragment, defaultName string) (parameters, error) {
	p := parameters{timeout: defaultTimeout, keepAlive: defaultKeepAlive, noDelay: true, name: defaultName}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(fragment, ",") {
		if pair == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		set := setters[key]
		switch {
		case set == nil:
			return p, fmt.Errorf("unknown parameter %q: timeout, keep-alive, nodelay, name and load-limit are known", key)
		case !ok:
			return p, fmt.Errorf("parameter %q has no value", key)
		case seen[key]:
			return p, fmt.Errorf("parameter %q is given twice", key)
		}
		seen[key] = true
		if err := set(&p, value); err != nil {
			return p, fmt.Errorf("parameter %q: %w", key, err)
		}
	}
	return p, nil
}

var setters = map[string]func(*parameters, string) error{
	"timeout":    func(p *parameters, value string) error { return setInterval(&p.timeout, value) },
	"keep-alive": func(p *parameters, value string) error { return setInterval(&p.keepAlive, value) },
	"nodelay": func(p *parameters, value string) error {
		if value != "true" && value != "false" {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		p.noDelay = value == "true"
		return nil
	},
	"name": func(p *parameters, value string) error {
		p.name = value
		return nil
	},
	"load-limit": func(p *parameters, value string) (err error) {
		p.loadLimit, err = parseLoadLimit(value)
		return err
	},
}

func setInterval(target *time.Duration, value string) error {
	interval, err := parseDuration(value)
	if err == nil && interval == 0 {
		err = errors.New("zero: a duration above that was expected")
	}
	*target = interval
	return err
}

// parseLoadLimit parses points such as 2s:5, or a bare load for one at once, with dashes between.
func parseLoadLimit(value string) ([]hakuban.LoadPoint, error) {
	var limit []hakuban.LoadPoint
	for text := range strings.SplitSeq(value, "-") {
		var point hakuban.LoadPoint
		after, load, timed := strings.Cut(text, ":")
		if !timed {
			load = text
		} else {
			var err error
			if point.After, err = parseDuration(after); err != nil {
				return nil, err
			}
		}
		n, err := strconv.ParseUint(strings.TrimPrefix(load, "+"), 10, 32)
		if err != nil {
			return nil, fmt.Errorf("load %q is not an integer from 0 to 4294967295", load)
		}
		point.Load = uint32(n)
		limit = append(limit, point)
	}
	return limit, nil
}
