package access

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"hakuban"
)

func hashLine(name, token string) string {
	return fmt.Sprintf("%s sha256:%x\n", name, sha256.Sum256([]byte(token)))
}

// write makes a file for sources to name.
func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func load(t *testing.T, sources Sources) *Authority {
	t.Helper()
	a, err := Load(sources)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// judged is the principal's name, or the error's text.
func judged(a *Authority, c Credential) string {
	p, err := a.Judge(c)
	if err != nil {
		return err.Error()
	}
	return p.Name
}

func expectIn(t *testing.T, got, part string) {
	t.Helper()
	if !strings.Contains(got, part) {
		t.Errorf("%q does not say %q", got, part)
	}
}

func TestJudge_Tokens(t *testing.T) {
	a := load(t, Sources{TokensFile: write(t, "# ours\n\n"+hashLine("ann", "secret-1")+hashLine("ann", "secret-2")+hashLine("bob", "secret-3"))})
	for token, want := range map[string]string{"secret-1": "ann", "secret-2": "ann", "secret-3": "bob", "secret-4": ErrBadCredential.Error(), "": ErrNoCredential.Error(),
		strings.Repeat("x", maxToken+1): "8193 bytes"} {
		got := judged(a, Credential{Token: token})
		expectIn(t, got, want)
		if token != "" && strings.Contains(got, token) {
			t.Errorf("the token is told: %q", got)
		}
	}
}

func TestJudge_RulesGiveTheFirstThatNamesThePrincipal(t *testing.T) {
	a := load(t, Sources{
		TokensFile: write(t, hashLine("ann", "a")+hashLine("bob", "b")+hashLine("eve", "e")),
		RulesFile: write(t, `{"rules": [
			{"principals": ["ann"], "observe": [{"tag": "room"}, {"prefix": ["site", 7]}], "expose": "all", "capacity": 2, "version-ahead": "1m", "refused": "leave-out"},
			{"principals": ["bob"]},
			{"principals": ["*"], "observe": "all"}
		]}`)})
	ann, err := a.Judge(Credential{Token: "a"})
	if err != nil {
		t.Fatal(err)
	}
	r := ann.Rights
	if !r.Expose.All || r.Observe.All || r.Observe.Tags[0] != hakuban.MustTag("room") || r.Observe.Prefixes[0] != hakuban.MustTag([]any{"site", 7}) ||
		r.Capacity != 2 || r.VersionAhead != time.Minute || !r.LeaveOut {
		t.Errorf("ann's rights: %+v", *r)
	}
	if bob, err := a.Judge(Credential{Token: "b"}); err != nil || bob.Rights == nil || bob.Rights.Observe.All {
		t.Errorf("bob: %+v, %v: no rights at all were expected", bob, err)
	}
	if eve, err := a.Judge(Credential{Token: "e"}); err != nil || !eve.Rights.Observe.All {
		t.Errorf("eve: %+v, %v", eve, err)
	}
	if _, err := a.Judge(Credential{}); !errors.Is(err, ErrNoCredential) {
		t.Errorf("anonymous, whom * does not name: %v", err)
	}
}

func TestJudge_AnonymousNeedsARule(t *testing.T) {
	rules := write(t, `{"rules": [{"principals": ["anonymous"], "observe": "all"}]}`)
	a := load(t, Sources{TokensFile: write(t, hashLine("ann", "a")), RulesFile: rules})
	if got := judged(a, Credential{}); got != Anonymous {
		t.Errorf("without a credential: %q", got)
	}
	expectIn(t, judged(a, Credential{Token: "wrong"}), ErrBadCredential.Error())
	expectIn(t, judged(a, Credential{Token: "a"}), ErrNoRule.Error())
	if p, err := load(t, Sources{}).Judge(Credential{}); err != nil || p.Rights != nil {
		t.Errorf("without sources: %+v, %v", p, err)
	}
}

// signers are the two kinds of key, and what verifies them.
func signers(t *testing.T) (keys string, signed map[string]func(jwt.Claims) string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, key := range []crypto.PublicKey{public, rsaKey.Public()} {
		bytes, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: bytes}))
	}
	sign := func(method jwt.SigningMethod, key any) func(jwt.Claims) string {
		return func(claims jwt.Claims) string {
			token, err := jwt.NewWithClaims(method, claims).SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
	}
	return text.String(), map[string]func(jwt.Claims) string{
		"EdDSA": sign(jwt.SigningMethodEdDSA, private), "RS256": sign(jwt.SigningMethodRS256, rsaKey), "RS512": sign(jwt.SigningMethodRS512, rsaKey),
		"HS256 with the public key": sign(jwt.SigningMethodHS256, []byte(text.String())), "none": sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
	}
}

func TestJudge_JSONWebTokens(t *testing.T) {
	keys, signed := signers(t)
	a := load(t, Sources{JWTKeyFile: write(t, keys), Issuer: "us", Audience: "router"})
	good := func() jwt.RegisteredClaims {
		return jwt.RegisteredClaims{Subject: "ann", Issuer: "us", Audience: jwt.ClaimStrings{"other", "router"}, ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour))}
	}
	for _, algorithm := range []string{"EdDSA", "RS256"} {
		claims := good()
		p, err := a.Judge(Credential{Token: signed[algorithm](claims)})
		if err != nil || p.Name != "ann" || !p.Expires.Equal(claims.ExpiresAt.Add(leeway)) {
			t.Errorf("%s: %+v, %v", algorithm, p, err)
		}
	}
	for _, algorithm := range []string{"RS512", "HS256 with the public key", "none"} {
		expectIn(t, judged(a, Credential{Token: signed[algorithm](good())}), ErrBadCredential.Error())
	}
	for fault, change := range map[string]func(*jwt.RegisteredClaims){
		"expired":           func(c *jwt.RegisteredClaims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-2 * leeway)) },
		"exp claim is":      func(c *jwt.RegisteredClaims) { c.ExpiresAt = nil },
		"issuer":            func(c *jwt.RegisteredClaims) { c.Issuer = "them" },
		"audience":          func(c *jwt.RegisteredClaims) { c.Audience = jwt.ClaimStrings{"other"} },
		"not valid yet":     func(c *jwt.RegisteredClaims) { c.NotBefore = jwt.NewNumericDate(time.Now().Add(2 * leeway)) },
		"an empty name":     func(c *jwt.RegisteredClaims) { c.Subject = "" },
		`named "anonymous"`: func(c *jwt.RegisteredClaims) { c.Subject = Anonymous },
		"at most 256 were ": func(c *jwt.RegisteredClaims) { c.Subject = strings.Repeat("x", 257) },
	} {
		claims := good()
		change(&claims)
		got := judged(a, Credential{Token: signed["EdDSA"](claims)})
		expectIn(t, got, ErrBadCredential.Error())
		expectIn(t, got, fault)
	}
	token := signed["EdDSA"](good())
	expectIn(t, judged(a, Credential{Token: token[:len(token)-4] + "AAAA"}), ErrBadCredential.Error())
}

// issuer makes certificates.
type issuer struct {
	certificate *x509.Certificate
	key         ed25519.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	i.certificate = &x509.Certificate{Subject: pkix.Name{CommonName: "issuer"}, IsCA: true, BasicConstraintsValid: true}
	i.certificate = i.issue(t, i.certificate)
	return i
}

func (i *issuer) issue(t *testing.T, template *x509.Certificate) *x509.Certificate {
	t.Helper()
	template.SerialNumber, template.NotAfter = big.NewInt(1), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, i.certificate, i.key.Public(), i.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func (i *issuer) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate.Raw}))
}

func TestJudge_CertificatesAreNamedByTheirAlternativeNames(t *testing.T) {
	ours, theirs := newIssuer(t), newIssuer(t)
	a := load(t, Sources{ClientCAFile: write(t, ours.pem())})
	uri, _ := url.Parse("spiffe://here/ann")
	usage := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for want, template := range map[string]*x509.Certificate{
		"spiffe://here/ann":      {URIs: []*url.URL{uri}, DNSNames: []string{"ann.example"}, ExtKeyUsage: usage},
		"ann.example":            {DNSNames: []string{"ann.example", "b"}, EmailAddresses: []string{"ann@example"}, ExtKeyUsage: usage},
		"ann@example":            {EmailAddresses: []string{"ann@example"}, ExtKeyUsage: usage},
		"an empty name":          {ExtKeyUsage: usage},
		`"anonymous"`:            {DNSNames: []string{"anonymous"}, ExtKeyUsage: usage},
		"incompatible key usage": {DNSNames: []string{"server.example"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}},
	} {
		expectIn(t, judged(a, Credential{Certificates: []*x509.Certificate{ours.issue(t, template)}}), want)
	}
	strange := theirs.issue(t, &x509.Certificate{DNSNames: []string{"ann.example"}, ExtKeyUsage: usage})
	expectIn(t, judged(a, Credential{Certificates: []*x509.Certificate{strange, theirs.certificate}}), ErrBadCredential.Error())
	expectIn(t, judged(a, Credential{}), ErrNoCredential.Error())
}

func TestLoad_SaysWhichFileIsWrongAndWhatWasExpected(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is what is refused
	if err != nil {
		t.Fatal(err)
	}
	smallKey, _ := x509.MarshalPKIXPublicKey(small.Public())
	for fault, sources := range map[string]Sources{
		"no such file":                        {TokensFile: filepath.Join(t.TempDir(), "none")},
		"line 2: a name, a space and sha256:": {TokensFile: write(t, "#\nann md5:00\n")},
		"have the same token":                 {TokensFile: write(t, hashLine("ann", "a")+hashLine("bob", "a"))},
		`named "*"`:                           {TokensFile: write(t, hashLine("*", "a"))},
		"no public key":                       {JWTKeyFile: write(t, "hello")},
		`a PEM block "PRIVATE KEY"`:           {JWTKeyFile: write(t, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"})))},
		"1024 bits":                           {JWTKeyFile: write(t, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: smallKey})))},
		"unknown field":                       {RulesFile: write(t, `{"rules":[{"principal":"ann"}]}`)},
		"rule 1: no principals":               {RulesFile: write(t, `{"rules":[{}]}`)},
		"rule 2: version-ahead":               {RulesFile: write(t, `{"rules":[{"principals":["a"]},{"principals":["a"],"version-ahead":"-1s"}]}`)},
		`refused "maybe"`:                     {RulesFile: write(t, `{"rules":[{"principals":["a"],"refused":"maybe"}]}`)},
		"a capacity of 0":                     {RulesFile: write(t, `{"rules":[{"principals":["a"],"capacity":0}]}`)},
		`"all", or a list`:                    {RulesFile: write(t, `{"rules":[{"principals":["a"],"observe":"some"}]}`)},
		`{"prefix": an array} was expected`:   {RulesFile: write(t, `{"rules":[{"principals":["a"],"observe":[{"prefix":7}]}]}`)},
		"certificates in PEM":                 {ClientCAFile: write(t, "hello")},
		"line 2: something follows":           {RulesFile: write(t, "{}\n{}")},
	} {
		_, err := Load(sources)
		if err == nil {
			t.Errorf("%s: no error", fault)
			continue
		}
		expectIn(t, err.Error(), fault)
		expectIn(t, err.Error(), sources.TokensFile+sources.JWTKeyFile+sources.RulesFile+sources.ClientCAFile)
	}
}

func TestChanges(t *testing.T) {
	rules := `{"rules":[{"principals":["a"]}]}`
	before := load(t, Sources{TokensFile: write(t, hashLine("ann", "1")+hashLine("ann", "2")), RulesFile: write(t, rules)})
	after := load(t, Sources{TokensFile: write(t, hashLine("ann", "1")+hashLine("bob", "2")+hashLine("bob", "3")), RulesFile: write(t, `{"rules":[]}`)})
	if got, want := after.Changes(before), "2 tokens added, 1 removed; other rules: 0, before 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := before.Changes(before); got != "nothing" {
		t.Errorf("got %q", got)
	}
}

func FuzzParseTokens(f *testing.F) {
	f.Add([]byte(hashLine("ann", "a") + "# comment\n"))
	f.Add([]byte("ann sha256:00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		tokens, err := ParseTokens(text)
		for _, name := range tokens {
			if checkPrincipal(name) != nil {
				t.Fatalf("a token of %q", name)
			}
		}
		if (tokens == nil) != (err != nil) {
			t.Fatalf("%v and %v", tokens, err)
		}
	})
}

func FuzzParseRules(f *testing.F) {
	f.Add([]byte(`{"rules": [{"principals": ["ann", "*"], "observe": [{"tag": "room"}, {"prefix": ["site", 7]}], "expose": "all", "capacity": 2, "version-ahead": "1m", "refused": "leave-out"}]}`))
	f.Add([]byte(`{"rules": [{"principals": ["anonymous"], "observe": [{"tag": 1.0, "prefix": []}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		rules, err := ParseRules(text)
		if (rules == nil) != (err != nil) {
			t.Fatalf("%v and %v", rules, err)
		}
		if rules == nil {
			return
		}
		for _, r := range rules.rules {
			rights, named := rules.rightsOf(r.principals[0])
			if !named || rights == nil {
				t.Fatalf("%q has no rights, or all", r.principals[0])
			}
		}
	})
}

func FuzzJudge_Token(f *testing.F) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	bytes, _ := x509.MarshalPKIXPublicKey(public)
	v, err := newVerifier(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: bytes}), "", "")
	if err != nil {
		f.Fatal(err)
	}
	known := "a-token"
	a := &Authority{tokens: Tokens{sha256.Sum256([]byte(known)): "ann"}, jwt: v}
	good, _ := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.RegisteredClaims{Subject: "bob", ExpiresAt: jwt.NewNumericDate(time.Now().Add(24 * time.Hour))}).SignedString(private)
	f.Add(known)
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IiLCJleHAiOjk5OTk5OTk5OTl9.")
	f.Fuzz(func(t *testing.T, token string) {
		p, err := a.Judge(Credential{Token: token})
		if err == nil && token != known && token != good {
			t.Fatalf("%q is %q", token, p.Name)
		}
	})
}
