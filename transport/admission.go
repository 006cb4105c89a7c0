//go:build !js

package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"hakuban"
)

// Credential is what a peer shows of who it is when it asks for a link.
type Credential struct {
	// Token is from the header "Authorization: Bearer …", or else from the query parameter token of the URL, which is all that browsers
	// and the reference can send. "": none.
	Token string
	// Certificates are the chain of the client certificate as [Options.TLS] has verified it, the client's own first. Nil: none was shown,
	// or it was not verified.
	Certificates []*x509.Certificate
}

// Admission is what a listener lets a peer do.
type Admission struct {
	Principal string          // the peer's name, for the log
	Rights    *hakuban.Rights // nil: everything
	Expires   time.Time       // when the link ends; zero: never
}

var (
	errExpired    = errors.New("the credential has expired")
	errNotAllowed = errors.New("the credential is not valid any more")
)

// credential is what a request shows.
func credential(r *http.Request, carrying *carrier) (c Credential) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(kind, "Bearer") {
		c.Token = strings.TrimSpace(token)
	} else {
		c.Token = r.URL.Query().Get(tokenParameter)
	}
	if secure, ok := carrying.Conn.(*tls.Conn); ok {
		if chains := secure.ConnectionState().VerifiedChains; len(chains) > 0 {
			c.Certificates = chains[0]
		}
	}
	return c
}

// admit asks who the peer is and what it may do.
func (l *Listener) admit(c Credential) (Admission, error) {
	if l.options.Admit == nil {
		return Admission{}, nil
	}
	admission, err := l.options.Admit(c)
	if err == nil && !admission.Expires.IsZero() && !admission.Expires.After(time.Now()) {
		err = errExpired
	}
	return admission, err
}

// permit is what a session of a listener may do, and what it was given it for.
type permit struct {
	credential Credential
	expiry     *time.Timer // nil: never
}

// expire has a session end when its credential does.
func (s *session) expire(at time.Time) {
	if s.permit.expiry != nil {
		s.permit.expiry.Stop()
		s.permit.expiry = nil
	}
	if !at.IsZero() {
		s.permit.expiry = time.AfterFunc(time.Until(at), func() { s.end(websocket.ClosePolicyViolation, errExpired) })
	}
}

// Readmit asks [Options.Admit] again about every link of the listener, as after a change of what it says. Links whose credential is
// not good any more end, with a close frame (1008); the others have their new rights when Readmit returns. It returns how many there are
// of each. A link that is made meanwhile may count as neither; it has rights of before or after.
func (l *Listener) Readmit() (kept, ended int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.sessions {
		admission, err := l.admit(s.permit.credential)
		if err == nil {
			err = s.link.SetRights(admission.Rights)
		} else {
			s.end(websocket.ClosePolicyViolation, fmt.Errorf("%w: %w", errNotAllowed, err))
		}
		if err != nil {
			ended++
			continue
		}
		kept++
		s.expire(admission.Expires)
	}
	return kept, ended
}

// throttle lets through what is told of an event that strangers can cause as often as they like: a few in a row, then one in an interval.
type throttle struct {
	from   time.Time // of the interval under way
	told   int       // in it
	missed int       // since the last that was told
}

const (
	throttleInterval = 10 * time.Second
	throttleBurst    = 10
)

// allow says whether the event is told now, and how many were not since the last one that was.
func (t *throttle) allow(now time.Time) (missed int, ok bool) {
	if now.Sub(t.from) >= throttleInterval {
		t.from, t.told = now, 0
	}
	if t.told >= throttleBurst {
		t.missed++
		return 0, false
	}
	t.told++
	missed, t.missed = t.missed, 0
	return missed, true
}

// refused tells of a connection that came to no link.
func (l *Listener) refused(remote string, reason error) {
	l.refusals.Lock()
	missed, ok := l.refusals.allow(time.Now())
	l.refusals.Unlock()
	if !ok {
		return
	}
	arguments := []any{"remote", remote, "error", reason}
	if missed > 0 {
		arguments = append(arguments, "others not told", missed)
	}
	l.options.Logger.Info("a connection was refused", arguments...)
}
