package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"reflect"
	"strings"
	"sync/atomic"

	"hakuban/access"
	"hakuban/transport"
)

// trust is what the files say that the flags name: who may link, what each may do there, and what this router shows of itself. It never
// changes: a reload makes another.
type trust struct {
	authority *access.Authority
	server    *tls.Config      // of the URLs bound with wss; nil: none is
	client    *tls.Certificate // shown to upstream; nil: none
	roots     *x509.CertPool   // whom upstream's certificate must come from; nil: whom the system trusts
	token     string           // shown to upstream; "": none
}

// sources are the files that say who may link and what each may do.
func (o *options) sources() access.Sources {
	return access.Sources{TokensFile: o.tokens, JWTKeyFile: o.jwtKeys, Issuer: o.jwtIssuer, Audience: o.jwtAudience, RulesFile: o.rules, ClientCAFile: o.clientCA}
}

// loadTrust reads the files. An error says which of them is wrong, and what was expected.
func loadTrust(o *options) (t *trust, err error) {
	t = &trust{}
	if t.authority, err = access.Load(o.sources()); err != nil {
		return nil, err
	}
	if o.certificate != "" {
		pair, err := loadPair(o, "certificate", o.certificate, "key", o.key)
		if err != nil {
			return nil, err
		}
		t.server = &tls.Config{Certificates: []tls.Certificate{*pair}, NextProtos: []string{"http/1.1"}}
		if pool := t.authority.ClientCAs(); pool != nil {
			t.server.ClientCAs, t.server.ClientAuth = pool, tls.VerifyClientCertIfGiven
		}
	}
	if o.connectCertificate != "" {
		if t.client, err = loadPair(o, "connect-certificate", o.connectCertificate, "connect-key", o.connectKey); err != nil {
			return nil, err
		}
	}
	if o.connectCA != "" {
		text, err := os.ReadFile(o.connectCA)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.called("connect-ca"), err)
		}
		if t.roots = x509.NewCertPool(); !t.roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s %q: certificates in PEM were expected", o.called("connect-ca"), o.connectCA)
		}
	}
	if o.connectToken != "" {
		text, err := os.ReadFile(o.connectToken)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.called("connect-token"), err)
		}
		if t.token = strings.TrimSpace(string(text)); t.token == "" || strings.ContainsFunc(t.token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, fmt.Errorf("%s %q: a file with one token of printable ASCII was expected", o.called("connect-token"), o.connectToken)
		}
	}
	return t, nil
}

func loadPair(o *options, certificateFlag, certificate, keyFlag, key string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("%s %q, %s %q: %w", o.called(certificateFlag), certificate, o.called(keyFlag), key, err)
	}
	return &pair, nil
}

// changes says in one line what is different from the trust before.
func (t *trust) changes(before *trust) string {
	changes := t.authority.Changes(before.authority)
	add := func(what string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			changes = strings.TrimPrefix(changes+"; "+what, "nothing; ")
		}
	}
	add("another certificate", chain(t.server), chain(before.server))
	add("another certificate for upstream", t.client, before.client)
	add("another token for upstream", t.token, before.token)
	return changes
}

func chain(config *tls.Config) [][]byte {
	if config == nil {
		return nil
	}
	return config.Certificates[0].Certificate
}

// truster has the trust in force, for all goroutines that ask.
type truster struct{ current atomic.Pointer[trust] }

// admit is for [transport.Options].
func (t *truster) admit(c transport.Credential) (transport.Admission, error) {
	p, err := t.current.Load().authority.Judge(access.Credential{Token: c.Token, Certificates: c.Certificates})
	if p.Name == access.Anonymous {
		p.Name = "" // the log need not repeat it for each link
	}
	return transport.Admission{Principal: p.Name, Rights: p.Rights, Expires: p.Expires}, err
}

// listenTLS is of a listener with wss: each handshake goes by the trust in force.
func (t *truster) listenTLS() *tls.Config {
	return &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return t.current.Load().server, nil }}
}

// connectOptions are what upstream is shown and must show.
func (t *truster) connectOptions() *transport.Options {
	return &transport.Options{
		Token: func() string { return t.current.Load().token },
		TLS: &tls.Config{
			RootCAs: t.current.Load().roots,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if pair := t.current.Load().client; pair != nil {
					return pair, nil
				}
				return &tls.Certificate{}, nil // none
			},
		},
	}
}

// reload reads the files again. All of what they say comes into force, or, when one is wrong, nothing.
func (r *router) reload() {
	next, err := loadTrust(r.options)
	if err != nil {
		r.logger.Error("not reloaded: nothing was changed", "error", err)
		return
	}
	before := r.trust.current.Swap(next)
	kept, ended := 0, 0
	for _, listener := range r.listeners {
		k, e := listener.Readmit()
		kept, ended = kept+k, ended+e
	}
	r.logger.Info("reloaded", "changed", next.changes(before), "links kept", kept, "links ended", ended)
}

// warnOfOpenness says once that strangers may do everything, if they may.
func (r *router) warnOfOpenness() {
	for _, listener := range r.listeners {
		bound, err := url.Parse(listener.URL())
		if err != nil {
			continue // not ours to judge: the listener is there
		}
		ip := net.ParseIP(bound.Hostname())
		if ip == nil || ip.IsLoopback() {
			continue
		}
		switch {
		case r.options.sources() == access.Sources{}:
			r.logger.Warn("whoever reaches this URL may observe and expose everything: --rules, --tokens, --jwt-keys and --client-ca say who may", "url", listener.URL())
			return
		case bound.Scheme == "ws":
			r.logger.Warn("tokens and states cross the network in clear: bind a URL with wss", "url", listener.URL())
			return
		}
	}
}

// checkTrust holds the flags against each other.
func (o *options) checkTrust() error {
	jwt := func(flag, value string) error {
		if value != "" && o.jwtKeys == "" {
			return fmt.Errorf("%s without --jwt-keys: give both", o.called(flag))
		}
		return nil
	}
	upstream := func(flag, value string) error {
		if value != "" && o.connect == "" {
			return fmt.Errorf("%s without --connect: give both", o.called(flag))
		}
		return nil
	}
	var err error
	switch {
	case o.clientCA != "" && o.certificate == "":
		err = fmt.Errorf("%s without a --bind that begins with wss://: clients show certificates only there", o.called("client-ca"))
	case (o.connectCertificate == "") != (o.connectKey == ""):
		err = errors.New("--connect-certificate and --connect-key go together: give both")
	}
	return first(err, jwt("jwt-issuer", o.jwtIssuer), jwt("jwt-audience", o.jwtAudience), upstream("connect-token", o.connectToken),
		upstream("connect-certificate", o.connectCertificate), upstream("connect-ca", o.connectCA))
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
