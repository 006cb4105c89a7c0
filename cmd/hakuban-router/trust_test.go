//go:build unix

package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"hakuban"
	"hakuban/transport"
)

// trustFiles are the files of a router that knows tokens and rules.
type trustFiles struct{ tokens, rules string }

func newTrustFiles(t *testing.T) *trustFiles {
	folder := t.TempDir()
	return &trustFiles{filepath.Join(folder, "tokens"), filepath.Join(folder, "rules")}
}

// write says whom the tokens of the same name are of, and the rules.
func (f *trustFiles) write(t *testing.T, rules string, principals ...string) {
	t.Helper()
	var tokens strings.Builder
	for _, name := range principals {
		fmt.Fprintf(&tokens, "%s sha256:%x\n", name, sha256.Sum256([]byte(name)))
	}
	for name, text := range map[string]string{f.tokens: tokens.String(), f.rules: rules} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// detached starts a router in a session of its own, without a terminal, whatever the test has.
func detached(t *testing.T, arguments ...string) *processRouter {
	t.Helper()
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, reloads) // under nohup this process ignores it, and those that it starts would too
	t.Cleanup(func() { signal.Stop(heard) })
	command := exec.Command(os.Args[0], append([]string{"--bind", "ws://127.0.0.1:0"}, arguments...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return startCommand(t, command)
}

func (p *processRouter) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

func as(name string) transport.Options {
	return transport.Options{Token: func() string { return name }}
}

const everything = `{"rules": [{"principals": ["*"], "observe": "all", "expose": "all"}]}`

func TestProcess_SIGHUPReloadsAllOrNothing(t *testing.T) {
	files := newTrustFiles(t)
	files.write(t, everything, "ann", "bob")
	p := detached(t, "--tokens", files.tokens, "--rules", files.rules)
	ann := client(t, p.url, as("ann"))
	client(t, p.url, as("bob"))
	p.log.wait(t, "downstream link made.*principal=(ann|bob)", 2)

	files.write(t, "{nonsense", "eve")
	p.signal(t, reloads)
	p.log.wait(t, "not reloaded: nothing was changed.*rules: line 1", 1)
	expose(t, client(t, p.url, as("bob")), hakuban.MustObject("room"), 1)
	awaitJSON(t, ann, hakuban.MustObject("room"), func(n int) bool { return n == 1 })

	files.write(t, `{"rules": [{"principals": ["ann"], "observe": [{"tag": "mine"}], "expose": "all"}]}`, "ann")
	p.signal(t, reloads)
	p.log.wait(t, `msg=reloaded changed="0 tokens added, 1 removed; other rules: 1, before 1"`, 1)
	p.log.wait(t, `downstream link ended.*principal=bob.*not valid any more`, 2)
	ann.ObserveObject(hakuban.MustObject("room")) // not allowed any more; closed with the exchange
	p.log.wait(t, `downstream link ended.*principal=ann.*observe of object`, 1)
	if regexp.MustCompile("token=(ann|bob)").MatchString(p.log.String()) {
		t.Errorf("the log has a token:\n%s", p.log)
	}
	p.signal(t, syscall.SIGTERM)
	if status := p.wait(t); status != exitDrained {
		t.Errorf("status %d", status)
	}
}

// Routers show their upstream a token, and take another one at the next attempt.
func TestProcess_ARouterShowsItsUpstreamAToken(t *testing.T) {
	files := newTrustFiles(t)
	files.write(t, everything, "hut")
	centre := detached(t, "--tokens", files.tokens, "--rules", files.rules)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hut := detached(t, "--connect", centre.url, "--connect-token", token)
	hut.log.wait(t, "cannot connect.*401", 1)
	if err := os.WriteFile(token, []byte("hut\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hut.signal(t, reloads)
	hut.log.wait(t, `msg=reloaded changed="another token for upstream"`, 1)
	centre.log.wait(t, "downstream link made.*principal=hut", 1)
	expose(t, client(t, hut.url), hakuban.MustObject("room"), 1)
	awaitJSON(t, client(t, centre.url, as("hut")), hakuban.MustObject("room"), func(n int) bool { return n == 1 })
}

func TestRouter_SaysOnceThatItIsOpenToStrangers(t *testing.T) {
	open := startProgram(t, "--bind", "ws://0.0.0.0:0", "--bind", "ws://0.0.0.0:0")
	open.log.wait(t, "whoever reaches this URL may observe and expose everything", 1)
	if n := strings.Count(open.log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, open.log)
	}
	files := newTrustFiles(t)
	files.write(t, everything)
	startProgram(t, "--bind", "ws://0.0.0.0:0", "--rules", files.rules).log.wait(t, "in clear", 1)
	local := startProgram(t, "--bind", "ws://127.0.0.1:0")
	local.log.wait(t, "msg=listening", 1)
	if strings.Contains(local.log.String(), "WARN") {
		t.Errorf("a router for this machine only warns:\n%s", local.log)
	}
}

func TestParse_TrustFlagsGoTogether(t *testing.T) {
	for want, arguments := range map[string][]string{
		"--jwt-issuer without --jwt-keys":         {"--jwt-issuer", "us"},
		"--connect-token without --connect":       {"--connect-token", "f"},
		"go together":                             {"--connect", "ws://h:1", "--connect-key", "f"},
		"clients show certificates only":          {"--client-ca", "f"},
		"--tokens \"\": a file name was expected": {"--tokens", ""},
	} {
		_, err := parse(arguments, func(string) string { return "" })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", arguments, err, want)
		}
	}
}

// An upstream's token is told in no error.
func TestParse_HidesTheTokenOfAURL(t *testing.T) {
	_, err := parse([]string{"--bind", "ws://127.0.0.1:3001", "--connect", "ws://127.0.0.1:3001/?token=5ecret"}, func(string) string { return "" })
	if err == nil || strings.Contains(err.Error(), "5ecret") {
		t.Errorf("%v", err)
	}
}

func TestTrust_CertificatesAreTakenAtTheNextHandshake(t *testing.T) {
	first, firstKey, _ := selfSigned(t)
	second, secondKey, _ := selfSigned(t)
	folder := t.TempDir()
	certificate, key := filepath.Join(folder, "certificate"), filepath.Join(folder, "key")
	use := func(from, fromKey string) {
		t.Helper()
		for to, from := range map[string]string{certificate: from, key: fromKey} {
			text, err := os.ReadFile(from)
			if err == nil {
				err = os.WriteFile(to, text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	use(first, firstKey)
	o, err := parse([]string{"--bind", "wss://127.0.0.1:0", "--certificate", certificate, "--key", key}, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	log := newTranscript()
	r, err := start(o, newLogger(o, log))
	if err != nil {
		t.Fatal(err)
	}
	defer r.drain()
	before := r.trust.current.Load()
	use(second, secondKey)
	r.reload()
	log.wait(t, `msg=reloaded changed="another certificate"`, 1)
	if served, _ := r.trust.listenTLS().GetConfigForClient(nil); served == before.server {
		t.Error("handshakes go by the old certificate")
	}
	use(first, secondKey)
	r.reload()
	log.wait(t, "not reloaded", 1)
}
