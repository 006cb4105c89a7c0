package access

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	maxTokensFile = 16 << 20 // bytes
	maxName       = 256      // bytes
	maxToken      = 8 << 10  // bytes
)

// Tokens are the hashes of tokens, each of a principal. The tokens themselves are not known.
type Tokens map[[sha256.Size]byte]string

// ParseTokens reads hashes of tokens: a line each, with the principal's name and the SHA-256 of its token, in hexadecimal:
//
//	thermometer sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//
// Empty lines, and those that begin with #, do not count. A principal may have several tokens. A token must be long and random, for
// example 32 bytes of the system's randomness: nothing slows down who guesses at a stolen file.
func ParseTokens(text []byte) (Tokens, error) {
	if len(text) > maxTokensFile {
		return nil, fmt.Errorf("%d bytes of tokens: at most %d were expected", len(text), maxTokensFile)
	}
	tokens := Tokens{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, hash, _ := strings.Cut(line, " ")
		if err := checkPrincipal(name); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		digits, labelled := strings.CutPrefix(strings.TrimSpace(hash), "sha256:")
		sum, err := hex.DecodeString(digits)
		if !labelled || err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("line %d: a name, a space and sha256: with %d hexadecimal digits were expected", number, 2*sha256.Size)
		}
		key := [sha256.Size]byte(sum)
		if other, taken := tokens[key]; taken && other != name {
			return nil, fmt.Errorf("line %d: %s and %s have the same token, one principal was expected", number, other, name)
		}
		tokens[key] = name
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("a line of more than %d bytes: a name and a hash were expected", bufio.MaxScanTokenSize)
	}
	return tokens, nil
}

// principal returns whose token it is. The time it takes tells of the token's hash, of which nothing follows.
func (t Tokens) principal(token string) (string, bool) {
	name, known := t[sha256.Sum256([]byte(token))]
	return name, known
}

// checkName refuses what cannot be a principal's name in a rule.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("an empty name of a principal")
	case len(name) > maxName:
		return fmt.Errorf("a principal's name of %d bytes: at most %d were expected", len(name), maxName)
	case !utf8.ValidString(name):
		return fmt.Errorf("a principal's name %q: UTF-8 was expected", name)
	}
	return nil
}

// checkPrincipal refuses what cannot be the name of who shows a credential.
func checkPrincipal(name string) error {
	if name == Anonymous || name == Anybody {
		return fmt.Errorf("a principal named %q: that has a meaning of its own, another name was expected", name)
	}
	return checkName(name)
}
