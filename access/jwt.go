package access

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// leeway is how far the clocks of who signs and of this machine may differ.
const leeway = 30 * time.Second

// minRSABits is what RFC 7518 asks for.
const minRSABits = 2048

// verifier takes JSON Web Tokens that are signed with EdDSA or RS256.
type verifier struct {
	parser *jwt.Parser
	keys   map[string]jwt.VerificationKeySet // by algorithm
}

// newVerifier makes a verifier of the public keys in a PEM text. An issuer or audience that is empty is not looked at.
func newVerifier(text []byte, issuer, audience string) (*verifier, error) {
	options := []jwt.ParserOption{jwt.WithValidMethods([]string{"EdDSA", "RS256"}), jwt.WithExpirationRequired(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding()}
	if issuer != "" {
		options = append(options, jwt.WithIssuer(issuer))
	}
	if audience != "" {
		options = append(options, jwt.WithAudience(audience))
	}
	v := &verifier{parser: jwt.NewParser(options...), keys: map[string]jwt.VerificationKeySet{}}
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		algorithm, key, err := publicKey(block)
		if err != nil {
			return nil, err
		}
		set := v.keys[algorithm]
		set.Keys = append(set.Keys, key)
		v.keys[algorithm] = set
	}
	if len(v.keys) == 0 {
		return nil, errors.New("no public key: a PEM block PUBLIC KEY or CERTIFICATE, of Ed25519 or RSA, was expected")
	}
	return v, nil
}

// publicKey returns a key and the algorithm that it is for.
func publicKey(block *pem.Block) (algorithm string, key jwt.VerificationKey, err error) {
	var parsed any
	switch block.Type {
	case "PUBLIC KEY":
		parsed, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			parsed = certificate.PublicKey
		}
	default:
		return "", nil, fmt.Errorf("a PEM block %q: PUBLIC KEY or CERTIFICATE was expected", block.Type)
	}
	if err != nil {
		return "", nil, err
	}
	switch key := parsed.(type) {
	case ed25519.PublicKey:
		return "EdDSA", key, nil
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return "", nil, fmt.Errorf("an RSA key of %d bits: at least %d were expected", key.N.BitLen(), minRSABits)
		}
		return "RS256", key, nil
	}
	return "", nil, fmt.Errorf("a key of type %T: Ed25519 or RSA was expected", parsed)
}

// principal returns the subject of a token, and when the token expires.
func (v *verifier) principal(token string) (name string, expires time.Time, err error) {
	var claims jwt.RegisteredClaims
	_, err = v.parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		set, known := v.keys[t.Method.Alg()]
		if !known {
			return nil, fmt.Errorf("no key for %s", t.Method.Alg())
		}
		return set, nil
	})
	if err != nil {
		return "", time.Time{}, err
	}
	if err := checkPrincipal(claims.Subject); err != nil {
		return "", time.Time{}, fmt.Errorf("the subject: %w", err)
	}
	return claims.Subject, claims.ExpiresAt.Add(leeway), nil
}

func (v *verifier) keySets() map[string]jwt.VerificationKeySet {
	if v == nil {
		return nil
	}
	return v.keys
}
