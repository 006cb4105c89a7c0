//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"hakuban"
)

// processRouter is a router in a process of its own.
type processRouter struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	log     *transcript
	url     string
	ready   time.Duration // from start to the line that says it listens
}

func startProcess(t *testing.T) *processRouter {
	t.Helper()
	return startCommand(t, exec.Command(os.Args[0], "--bind", "ws://127.0.0.1:0"))
}

// startCommand starts a command that becomes a router.
func startCommand(t *testing.T, command *exec.Cmd) *processRouter {
	t.Helper()
	command.Env = slices.Concat(os.Environ(), []string{asRouter + "=1", "HAKUBAN_LOG_LEVEL=info"}, command.Env)
	p := &processRouter{command: command, log: newTranscript()}
	command.Stderr = p.log
	var err error
	if p.stdin, err = command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // gone already, when all is well
		_ = command.Wait()
	})
	p.url = p.log.wait(t, `msg=listening url=(ws://\S+)`, 1)[0][1]
	p.ready = time.Since(begin)
	return p
}

// wait waits for the process's own end.
func (p *processRouter) wait(t *testing.T) int {
	t.Helper()
	timer := time.AfterFunc(patience, func() { _ = p.command.Process.Kill() })
	defer timer.Stop()
	_ = p.command.Wait() // the status says it all
	return p.command.ProcessState.ExitCode()
}

func TestProcess_SignalsEndItWell(t *testing.T) {
	all := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
	for _, s := range all { // what this process ignores, as under nohup, those that it starts would ignore too
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, s)
		defer signal.Stop(caught)
	}
	for _, signal := range all {
		t.Run(signal.String(), func(t *testing.T) {
			p := startProcess(t)
			t.Logf("ready after %v", p.ready.Round(time.Millisecond))
			client(t, p.url)
			p.log.wait(t, "downstream link made", 1)
			begin := time.Now()
			if err := p.command.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if status := p.wait(t); status != exitDrained {
				t.Errorf("status %d, expected %d; the log:\n%s", status, exitDrained, p.log)
			}
			t.Logf("ended after %v", time.Since(begin).Round(time.Millisecond))
			p.log.wait(t, fmt.Sprintf("msg=ending reason=.*%s", names[signal]), 1)
			p.log.wait(t, "downstream link ended", 1)
		})
	}
}

// A router that nohup, or a script with &, started lives on when the terminal hangs up, or its user interrupts the script.
func TestProcess_SignalsThatWereIgnoredAreIgnored(t *testing.T) {
	p := startCommand(t, exec.Command("sh", "-c", `trap '' HUP INT; exec "$0" --bind ws://127.0.0.1:0`, os.Args[0]))
	for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM} {
		if err := p.command.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	if status := p.wait(t); status != exitDrained {
		t.Errorf("status %d, expected %d; the log:\n%s", status, exitDrained, p.log)
	}
	p.log.wait(t, fmt.Sprintf("msg=ending reason=.*%s", names[syscall.SIGTERM]), 1)
}

// In the background of a terminal the read of stdin raises SIGTTIN, whose default is to stop the process.
func TestProcess_LivesOnInTheBackgroundOfATerminal(t *testing.T) {
	command := exec.Command(os.Args[0], "--bind", "ws://127.0.0.1:0")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as a shell does; in a group of orphans nothing stops
	p := startCommand(t, command)
	if err := p.command.Process.Signal(syscall.SIGTTIN); err != nil {
		t.Fatal(err)
	}
	expose(t, client(t, p.url), hakuban.MustObject("room"), 1)
	awaitJSON(t, client(t, p.url), hakuban.MustObject("room"), func(n int) bool { return n == 1 })
}

func TestProcess_SIGUSR2PrintsASnapshot(t *testing.T) {
	p := startProcess(t)
	p.stdin.Close() // the end of stdin is not the end
	expose(t, client(t, p.url), hakuban.MustObject("room"), 1)
	x := client(t, p.url)
	for n := range 3 {
		awaitJSON(t, x, hakuban.MustObject("room"), func(n int) bool { return n == 1 })
		if err := p.command.Process.Signal(syscall.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		p.log.wait(t, `== exchange: `, n+1)
	}
	p.log.wait(t, `== listener ws://127\.0\.0\.1:\d+/: 2 connections`, 1)
}

// signalling is a log that answers the line that says the router listens with a SIGUSR2 to it.
type signalling struct{ *transcript }

func (s signalling) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("listening")) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGUSR2) // to this very process: there is no reason to refuse
	}
	return s.transcript.Write(p)
}

// A supervisor that waits for the line that says the router listens may ask for a snapshot at once.
func TestRouter_TakesASignalAsSoonAsItSaysItListens(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	log, ended := newTranscript(), make(chan int, 1)
	go func() {
		ended <- program(ctx, []string{"--bind", "ws://127.0.0.1:0"}, func(string) string { return "" }, strings.NewReader(""), io.Discard, signalling{log})
	}()
	log.wait(t, `== exchange: `, 1)
	cancel()
	if status := <-ended; status != exitDrained {
		t.Errorf("status %d, expected %d; the log:\n%s", status, exitDrained, log)
	}
}

// Whoever reads the log may go: the router does not go with him.
func TestProcess_LivesOnWithoutItsLog(t *testing.T) {
	command := exec.Command(os.Args[0], "--bind", "ws://127.0.0.1:0")
	command.Env = append(os.Environ(), asRouter+"=1")
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = command.Process.Kill() // gone already, when all is well
		_ = command.Wait()
	}()
	line := make([]byte, 4096)
	n, err := stderr.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(line[:n]), "url=")
	url := strings.TrimSpace(rest)
	stderr.Close()
	expose(t, client(t, url), hakuban.MustObject("room"), 1) // each link would be a line
	awaitJSON(t, client(t, url), hakuban.MustObject("room"), func(n int) bool { return n == 1 })
}

// The certificate that a router shows to those who link to it is not shown to its upstream, however much that asks for one.
func TestProcess_ShowsItsUpstreamNoCertificate(t *testing.T) {
	certificate, key, _ := selfSigned(t)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	shown := make(chan int, 1)
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		select {
		case shown <- len(request.TLS.PeerCertificates):
		default: // of a further attempt
		}
	}))
	upstream.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert}
	upstream.StartTLS()
	t.Cleanup(upstream.Close)
	t.Setenv("SSL_CERT_FILE", certificate)
	startCommand(t, exec.Command(os.Args[0], "--bind", "ws://127.0.0.1:0", "--bind", "wss://127.0.0.1:0",
		"--certificate", certificate, "--key", key, "--connect", strings.Replace(upstream.URL, "https", "wss", 1)))
	select {
	case n := <-shown:
		if n != 0 {
			t.Errorf("it showed %d certificates", n)
		}
	case <-time.After(patience):
		t.Error("it did not connect")
	}
}

// awaitService links to a router, exposes an object there and sees its state.
func awaitService(t *testing.T, url string) {
	t.Helper()
	expose(t, client(t, url), hakuban.MustObject("room"), 1)
	awaitJSON(t, client(t, url), hakuban.MustObject("room"), func(n int) bool { return n == 1 })
}

// A log that nobody reads does not keep newcomers out, nor the router from ending.
func TestProcess_LivesOnWithALogThatNobodyReads(t *testing.T) {
	command := exec.Command(os.Args[0], "--bind", "ws://127.0.0.1:0")
	command.Env = append(os.Environ(), asRouter+"=1")
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p := &processRouter{command: command}
	t.Cleanup(func() { _ = command.Process.Kill() })
	line := make([]byte, 4096)
	n, err := stderr.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(line[:n]), "url=")
	p.url = strings.TrimSpace(rest)
	for filled := 0; filled < 128<<10; filled += 150 { // a pipe holds 64 KiB; each request that is no link is a line of more than 150 bytes
		response, err := http.Get(strings.Replace(p.url, "ws://", "http://", 1))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	awaitService(t, p.url)
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := p.wait(t); status != exitDrained {
		t.Errorf("status %d, expected %d", status, exitDrained)
	}
}

// A router that is short of memory serves those who are there, and refuses newcomers until there is room again.
func TestProcess_ShortOfMemoryItRefusesNewcomersOnly(t *testing.T) {
	command := exec.Command(os.Args[0], "--bind", "ws://127.0.0.1:0")
	command.Env = []string{"GOMEMLIMIT=64MiB", "GOGC=20"} // so that what is live is known soon
	p := startCommand(t, command)
	awaitService(t, p.url)
	hog, observer := client(t, p.url), client(t, p.url)
	p.log.wait(t, "downstream link made", 4)
	observe := observer.ObserveTag(hakuban.MustTag("hog"))
	defer observe.Close()
	data := strings.Repeat("x", 8<<20)
	for n := range 8 {
		expose(t, hog, hakuban.MustObject(n, "hog"), data)
	}
	for range 8 {
		stream, err := observe.Next(withPatience(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Next(withPatience(t)); err != nil { // nobody who is here is harmed
			t.Fatal(err)
		}
	}
	client(t, p.url)
	p.log.wait(t, "a connection was refused.*memory is short", 1)
	hog.Close()
	observer.Close()
	p.log.wait(t, "downstream link made", 5) // the newcomer's
}

// A recording that nobody takes ends; the router goes on.
func TestProcess_LivesOnWithARecordingThatNobodyTakes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	refused := exec.Command(os.Args[0], "--bind", "ws://127.0.0.1:0", "--record", name)
	refused.Env = append(os.Environ(), asRouter+"=1")
	text, err := refused.CombinedOutput()
	if err == nil || !strings.Contains(string(text), "nobody reads the pipe") {
		t.Errorf("a pipe without a reader: %v, %q", err, text)
	}
	reader, err := os.OpenFile(name, os.O_RDWR, 0) // which never reads
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	p := startCommand(t, exec.Command(os.Args[0], "--bind", "ws://127.0.0.1:0", "--record", name))
	big := noise(200 << 10) // more than the pipe holds
	observe := client(t, p.url).ObserveObject(hakuban.MustObject("big"))
	defer observe.Close()
	expose(t, client(t, p.url), hakuban.MustObject("big"), big)
	p.log.wait(t, "recording ended.*nobody took it", 1)
	awaitService(t, p.url)
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := p.wait(t); status != exitDrained {
		t.Errorf("status %d, expected %d; the log:\n%s", status, exitDrained, p.log)
	}
}

// A router that is its own upstream by another name finds that out, and serves everybody else.
func TestProcess_ItsOwnUpstreamByAnotherName(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(socket.Addr().String())
	socket.Close()
	p := startCommand(t, exec.Command(os.Args[0], "--bind", "ws://127.0.0.1:"+port, "--connect", "ws://localhost:"+port))
	p.log.wait(t, "cannot connect.*a loop: .*retry-in=30s", 1)
	awaitService(t, p.url)
}

// noise is text that does not become smaller.
func noise(size int) string {
	text := make([]byte, size)
	for i := range text {
		text[i] = 'a' + byte(rand.IntN(26))
	}
	return string(text)
}
