package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hakuban"
)

func TestThrottle_TellsAFewAndThenHowManyItDidNot(t *testing.T) {
	var told throttle
	now := time.Unix(1e9, 0)
	for range throttleBurst {
		if missed, ok := told.allow(now); !ok || missed != 0 {
			t.Fatalf("told %v, missed %d", ok, missed)
		}
	}
	for range 7 {
		if _, ok := told.allow(now.Add(throttleInterval - 1)); ok {
			t.Fatal("told beyond the burst")
		}
	}
	if missed, ok := told.allow(now.Add(throttleInterval)); !ok || missed != 7 {
		t.Fatalf("in the next interval: told %v, missed %d", ok, missed)
	}
}

func TestAddress_HidesItsToken(t *testing.T) {
	const secret = "5ecret"
	for _, text := range []string{"ws://h:1/?token=" + secret, "ws://h:1/?a=b&token=" + secret + "#name=n", "http://h/?token=" + secret,
		"ws://h:99999/?token=" + secret, "ws:///?token=" + secret, "ws://h:1/?token=" + secret + "#what", "ws://h:1/%zz?token=" + secret} {
		a, err := parseAddress(text, "n")
		shown := fmt.Sprint(err)
		if err == nil {
			shown = a.String()
			if a.url.Query().Get("token") != secret {
				t.Errorf("%s: the token is not sent", text)
			}
		}
		if strings.Contains(shown, secret) {
			t.Errorf("%s is shown as %s", text, shown)
		}
	}
}

// tokens admits a few tokens, that change.
type tokens struct {
	atomic.Pointer[map[string]Admission]
}

func (k *tokens) admit(c Credential) (Admission, error) {
	admission, known := (*k.Load())[c.Token]
	if !known {
		return Admission{}, errors.New("who is that?")
	}
	return admission, nil
}

func (k *tokens) set(m map[string]Admission) { k.Store(&m) }

func token(text string) func() string { return func() string { return text } }

func all() *hakuban.Rights {
	return &hakuban.Rights{Observe: hakuban.Reach{All: true}, Expose: hakuban.Reach{All: true}}
}

func TestAdmit_ByHeaderByQueryAndNot(t *testing.T) {
	var known tokens
	known.set(map[string]Admission{"good": {Principal: "ann"}})
	log := &transcript{}
	x := newExchange(t)
	l := listen(t, x, "ws://127.0.0.1:0", Options{Admit: known.admit, Logger: log.logger()})
	for _, way := range []struct {
		url     string
		options Options
		good    bool
	}{
		{l.URL(), Options{Token: token("good")}, true},
		{l.URL() + "?token=good", Options{}, true},
		{l.URL(), Options{}, false},
		{l.URL() + "?token=bad", Options{}, false},
		{l.URL() + "?token=good", Options{Token: token("bad")}, false},
	} {
		t.Run(way.url, func(t *testing.T) {
			log := &transcript{}
			way.options.Logger = log.logger()
			down := newExchange(t)
			connector, err := Connect(down, way.url, &way.options)
			if err != nil {
				t.Fatal(err)
			}
			defer connector.Close()
			if way.good {
				log.await(t, "upstream link made")
			} else {
				log.await(t, "401 Unauthorized")
			}
			if strings.Contains(log.String(), "token=good") || strings.Contains(log.String(), "token=bad") {
				t.Errorf("the connector's log has the token:\n%s", log)
			}
		})
	}
	log.await(t, "principal=ann")
	log.await(t, "who is that?")
	if strings.Contains(log.String(), "good") {
		t.Errorf("the listener's log has the token:\n%s", log)
	}
}

func TestOverload_NewcomersAreRefusedAndComeAgain(t *testing.T) {
	var free atomic.Bool
	log := &transcript{}
	l := listen(t, newExchange(t), "ws://127.0.0.1:0", Options{Logger: log.logger(), Overload: func() error {
		if free.Load() {
			return nil
		}
		return errors.New("full")
	}})
	down := &transcript{}
	connect(t, newExchange(t), l.URL(), Options{Logger: down.logger()})
	down.await(t, "503 Service Unavailable")
	log.await(t, "a connection was refused.*full")
	free.Store(true)
	down.await(t, "upstream link made")
}

func TestReadmit_TakesAwayAndGives(t *testing.T) {
	var known tokens
	known.set(map[string]Admission{"stays": {Rights: &hakuban.Rights{LeaveOut: true}}, "goes": {Rights: all()}})
	x := newExchange(t)
	l := listen(t, x, "ws://127.0.0.1:0", Options{Admit: known.admit})
	goes := &transcript{}
	connect(t, newExchange(t), l.URL(), Options{Token: token("goes"), Logger: goes.logger()})
	goes.await(t, "upstream link made")
	down := newExchange(t)
	stays := &transcript{}
	connect(t, down, l.URL(), Options{Token: token("stays"), Logger: stays.logger()})
	stays.await(t, "upstream link made")

	object := hakuban.MustObject("room")
	observe := down.ObserveObject(object)
	defer observe.Close()
	expose := x.ExposeObject(object)
	defer expose.Close()
	known.set(map[string]Admission{"stays": {Rights: all()}})
	if kept, ended := l.Readmit(); kept != 1 || ended != 1 {
		t.Errorf("%d links kept, %d ended", kept, ended)
	}
	goes.await(t, "1008")
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	sink, err := expose.Next(ctx) // the contract that was left out counts now
	if err != nil {
		t.Fatal(err)
	}
	sink.Release()
}

func TestAdmit_AContractBeyondTheRightsEndsTheLinkWithAPolicyClose(t *testing.T) {
	var known tokens
	known.set(map[string]Admission{"": {Rights: &hakuban.Rights{Observe: hakuban.Reach{Tags: []hakuban.Tag{hakuban.MustTag("mine")}}}}})
	l := listen(t, newExchange(t), "ws://127.0.0.1:0", Options{Admit: known.admit})
	down := newExchange(t)
	log := &transcript{}
	connect(t, down, l.URL(), Options{Logger: log.logger()})
	observe := down.ObserveObject(hakuban.MustObject("room", "theirs"))
	defer observe.Close()
	log.await(t, `1008.*observe of object \[.*theirs.*\].*room`)
}

func TestAdmit_TheLinkEndsWhenTheCredentialExpires(t *testing.T) {
	var known tokens
	known.set(map[string]Admission{"": {Expires: time.Now().Add(50 * time.Millisecond)}})
	l := listen(t, newExchange(t), "ws://127.0.0.1:0", Options{Admit: known.admit})
	log := &transcript{}
	connect(t, newExchange(t), l.URL(), Options{Logger: log.logger()})
	log.await(t, `the credential has expired|401 Unauthorized`)
}

func TestAdmit_ClientCertificates(t *testing.T) {
	certificate, pool := selfSigned(t)
	shown := make(chan Credential, 10)
	server := &tls.Config{Certificates: []tls.Certificate{certificate}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven}
	log := &transcript{}
	l := listen(t, newExchange(t), "wss://127.0.0.1:0", Options{TLS: server, Logger: log.logger(), Admit: func(c Credential) (Admission, error) {
		shown <- c
		return Admission{}, nil
	}})
	for _, client := range []*tls.Config{{RootCAs: pool, Certificates: []tls.Certificate{certificate}}, {RootCAs: pool}} {
		connector := connect(t, newExchange(t), l.URL(), Options{TLS: client})
		if c := <-shown; (c.Certificates != nil) != (client.Certificates != nil) {
			t.Errorf("with %d certificates: %v", len(client.Certificates), c.Certificates)
		}
		connector.Close()
	}
	connect(t, newExchange(t), l.URL(), Options{TLS: &tls.Config{RootCAs: x509.NewCertPool()}}) // which trusts nobody
	log.await(t, `a connection was refused.*TLS: `)
}
