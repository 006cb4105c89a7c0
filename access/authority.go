package access

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"hakuban"
)

// Credential is what a peer shows of who it is.
type Credential struct {
	// Token is a token of the tokens file or a JSON Web Token; "": none.
	Token string
	// Certificates are the chain of the peer's certificate, its own first; nil: none.
	Certificates []*x509.Certificate
}

// Principal is somebody who may link.
type Principal struct {
	Name    string
	Rights  *hakuban.Rights // nil: everything
	Expires time.Time       // when the credential does; zero: never
}

// Sources say where an [Authority] comes from. The zero Sources let everybody do everything.
type Sources struct {
	TokensFile string // see [ParseTokens]
	JWTKeyFile string // public keys, in PEM, of Ed25519 or RSA of at least 2048 bits: tokens signed with EdDSA or RS256 are taken
	Issuer     string // of JSON Web Tokens; "": any
	Audience   string // likewise
	RulesFile  string // see [ParseRules]; "": who has a credential may do everything
	// ClientCAFile has certificates in PEM. A client certificate that comes from one of them names its principal; "": none does.
	ClientCAFile string
}

// Authority says who a peer is and what it may do. It never changes. Its methods may be called by several goroutines at once.
type Authority struct {
	tokens    Tokens         // nil: none are taken
	jwt       *verifier      // nil: likewise
	clientCAs *x509.CertPool // nil: likewise
	rules     *Rules         // nil: who has a credential may do everything
}

// Load reads the files of sources. An error names the file and says what was expected of it.
func Load(sources Sources) (*Authority, error) {
	a := &Authority{}
	load := func(name string, parse func([]byte) error) error {
		if name == "" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err == nil {
			err = parse(text)
		}
		if err != nil && !strings.Contains(err.Error(), name) {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return err
	}
	err := load(sources.TokensFile, func(text []byte) (err error) {
		a.tokens, err = ParseTokens(text)
		return err
	})
	if err == nil {
		err = load(sources.JWTKeyFile, func(text []byte) (err error) {
			a.jwt, err = newVerifier(text, sources.Issuer, sources.Audience)
			return err
		})
	}
	if err == nil {
		err = load(sources.ClientCAFile, func(text []byte) error {
			if a.clientCAs = x509.NewCertPool(); !a.clientCAs.AppendCertsFromPEM(text) {
				return errors.New("certificates in PEM were expected")
			}
			return nil
		})
	}
	if err == nil {
		err = load(sources.RulesFile, func(text []byte) (err error) {
			a.rules, err = ParseRules(text)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// The errors of [Authority.Judge]. Their texts are for the peer and the log: neither has the token.
var (
	ErrNoCredential  = errors.New("no credential: a token or a client certificate was expected")
	ErrBadCredential = errors.New("the credential is not valid")
	ErrNoRule        = errors.New("no rule names the principal")
)

// Judge says who a peer is and what it may do, or returns an error that wraps one of this package's.
func (a *Authority) Judge(c Credential) (Principal, error) {
	p, err := a.identify(c)
	if err != nil || a.rules == nil {
		return p, err
	}
	rights, named := a.rules.rightsOf(p.Name)
	switch {
	case named:
		p.Rights = rights
		return p, nil
	case p.Name == Anonymous:
		return Principal{}, ErrNoCredential
	}
	return Principal{}, fmt.Errorf("%w %q", ErrNoRule, p.Name)
}

// identify says who a peer is. A credential that is shown must be good, even where none is needed.
func (a *Authority) identify(c Credential) (Principal, error) {
	switch {
	case c.Token != "":
		return a.identifyToken(c.Token)
	case len(c.Certificates) > 0 && a.clientCAs != nil:
		return a.identifyCertificate(c.Certificates)
	case a.rules == nil && a.identifies():
		return Principal{}, ErrNoCredential
	}
	return Principal{Name: Anonymous}, nil
}

// identifies reports whether some kind of credential is taken.
func (a *Authority) identifies() bool { return a.tokens != nil || a.jwt != nil || a.clientCAs != nil }

func (a *Authority) identifyToken(token string) (Principal, error) {
	if len(token) > maxToken {
		return Principal{}, fmt.Errorf("%w: a token of %d bytes, at most %d were expected", ErrBadCredential, len(token), maxToken)
	}
	if name, known := a.tokens.principal(token); known {
		return Principal{Name: name}, nil
	}
	if a.jwt == nil || strings.Count(token, ".") != 2 {
		return Principal{}, fmt.Errorf("%w: the token is not known", ErrBadCredential)
	}
	name, expires, err := a.jwt.principal(token)
	if err != nil {
		return Principal{}, fmt.Errorf("%w: %w", ErrBadCredential, err)
	}
	return Principal{Name: name, Expires: expires}, nil
}

// identifyCertificate verifies a chain although TLS has: it may be of a link that was made when other authorities were trusted.
func (a *Authority) identifyCertificate(chain []*x509.Certificate) (Principal, error) {
	options := x509.VerifyOptions{Roots: a.clientCAs, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, certificate := range chain[1:] {
		options.Intermediates.AddCert(certificate)
	}
	if _, err := chain[0].Verify(options); err != nil {
		return Principal{}, fmt.Errorf("%w: %w", ErrBadCredential, err)
	}
	name := nameOf(chain[0])
	if err := checkPrincipal(name); err != nil {
		return Principal{}, fmt.Errorf("%w: its subject alternative names have no principal: %w", ErrBadCredential, err)
	}
	return Principal{Name: name, Expires: chain[0].NotAfter}, nil
}

// ClientCAs are whom client certificates must come from; nil: none are taken.
func (a *Authority) ClientCAs() *x509.CertPool { return a.clientCAs }

// nameOf is the name that a certificate gives: the first URI, DNS name or email address of its subject alternative names, in this order.
func nameOf(certificate *x509.Certificate) string {
	names := []string{}
	for _, uri := range certificate.URIs {
		names = append(names, uri.String())
	}
	names = slices.Concat(names, certificate.DNSNames, certificate.EmailAddresses)
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// Changes says in one line what is different from the authority before.
func (a *Authority) Changes(before *Authority) string {
	var changes []string
	added, removed := 0, 0
	for hash, name := range a.tokens {
		if before.tokens[hash] != name {
			added++
		}
	}
	for hash, name := range before.tokens {
		if a.tokens[hash] != name {
			removed++
		}
	}
	if added+removed > 0 {
		changes = append(changes, fmt.Sprintf("%d tokens added, %d removed", added, removed))
	}
	if !reflect.DeepEqual(a.jwt.keySets(), before.jwt.keySets()) {
		changes = append(changes, "other keys of JSON Web Tokens")
	}
	if !a.clientCAs.Equal(before.clientCAs) {
		changes = append(changes, "other authorities of client certificates")
	}
	if !reflect.DeepEqual(a.rules, before.rules) {
		changes = append(changes, fmt.Sprintf("other rules: %d, before %d", a.rules.count(), before.rules.count()))
	}
	if len(changes) == 0 {
		return "nothing"
	}
	return strings.Join(changes, "; ")
}
