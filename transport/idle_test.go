package transport

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hakuban"
)

// scripted is the peer's end of a session: a script in place of an exchange. Its network is a pipe, in which a write waits for a reader.
type scripted struct {
	net.Conn
	session *session
	over    chan struct{} // closed when the session has ended
}

// scriptedPeer runs a session of an exchange to a scripted upstream.
func scriptedPeer(t *testing.T, x *hakuban.Exchange, p parameters) *scripted {
	t.Helper()
	ours, theirs := net.Pipe()
	peer := &scripted{theirs, sessionOn(t, x, ours, p), make(chan struct{})}
	go func() {
		defer close(peer.over)
		_ = peer.session.run()
	}()
	return peer
}

// The kinds of frame that are of interest here.
const (
	binaryFrame = 0x2
	closeFrame  = 0x8
	pingFrame   = 0x9
	pongFrame   = 0xa
)

// frame reads a frame that the session sent, which is masked, and returns its kind and size; an error when there is none any more.
func (p *scripted) frame() (kind byte, size int, err error) {
	var header [14]byte
	if _, err := io.ReadFull(p, header[:2]); err != nil {
		return 0, 0, err
	}
	size = int(header[1] & 0x7f)
	if more := map[int]int{126: 2, 127: 8}[size]; more > 0 {
		if _, err := io.ReadFull(p, header[2:2+more]); err != nil {
			return 0, 0, err
		}
		size = 0
		for _, b := range header[2 : 2+more] {
			size = size<<8 | int(b)
		}
	}
	_, err = io.CopyN(io.Discard, p, int64(4+size)) // with the mask
	return header[0] & 0x0f, size, err
}

// frames reads frames until the session has ended, answers pings if it is to, and sends the kinds of all.
func (p *scripted) frames(answer bool) <-chan []byte {
	kinds := make(chan []byte, 1)
	go func() {
		var all []byte
		for {
			kind, _, err := p.frame()
			if err != nil {
				kinds <- all
				return
			}
			if all = append(all, kind); kind == pingFrame && answer {
				_, _ = io.WriteString(p, "\x8a\x00")
			}
		}
	}()
	return kinds
}

func (p *scripted) leave(t *testing.T) {
	t.Helper()
	_ = p.Close()
	<-p.over
}

// A peer whose keep-alive is longer than our timeout keeps an idle link by its pongs.
func TestSilence_APeerThatAnswersPingsKeepsItsLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 30 * time.Second
		peer := scriptedPeer(t, newExchange(t), parameters{timeout: timeout, keepAlive: 24 * time.Hour})
		kinds := peer.frames(true)
		time.Sleep(100 * timeout)
		if err := peer.session.link.Err(); err != nil {
			t.Errorf("an idle link whose peer answers ended: %v", err)
		}
		peer.leave(t)
		sent := <-kinds
		if pings := len(slices.DeleteFunc(sent, func(kind byte) bool { return kind != pingFrame })); pings < 295 || pings > 300 {
			t.Errorf("%d pings in 100 timeouts, one at each third was expected", pings)
		}
	})
}

// A peer that does not answer loses its link when the timeout is over, not later and not sooner.
func TestSilence_APeerThatDoesNotAnswerLosesItsLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 30 * time.Second
		begin := time.Now()
		peer := scriptedPeer(t, newExchange(t), parameters{timeout: timeout, keepAlive: 24 * time.Hour})
		kinds := peer.frames(false)
		<-peer.session.link.Done()
		if took := time.Since(begin); took != timeout {
			t.Errorf("it took %v, the timeout is %v", took, timeout)
		}
		<-peer.over
		if sent := <-kinds; !slices.Contains(sent, pingFrame) || sent[len(sent)-1] != closeFrame {
			t.Errorf("frames of kinds %x, pings and then a close were expected", sent)
		}
	})
}

// Timeouts that are short: a peer that answers pings keeps its link from just above a second on. At a second its link ends, as the
// reference's does: nobody is pinged so early.
func TestSilence_ShortTimeouts(t *testing.T) {
	for timeout, stays := range map[time.Duration]bool{2 * time.Second: true, 1100 * time.Millisecond: true, time.Second: false, 100 * time.Millisecond: false} {
		synctest.Test(t, func(t *testing.T) {
			peer := scriptedPeer(t, newExchange(t), parameters{timeout: timeout, keepAlive: 24 * time.Hour})
			kinds := peer.frames(true)
			time.Sleep(10 * timeout)
			if err := peer.session.link.Err(); (err == nil) != stays {
				t.Errorf("timeout %v: the link of a peer that answers pings ended with %v, it stays: %t was expected", timeout, err, stays)
			}
			peer.leave(t)
			<-kinds
		})
	}
}

// Whatever a peer says, it has the timeout again.
func TestTimeout_WhateverThePeerSaysKeepsTheLink(t *testing.T) {
	const timeout = 30 * time.Second
	for name, says := range map[string]string{"a text": "\x81\x03abc", "a ping": "\x89\x00", "a pong": "\x8a\x00", "an empty message": "\x82\x00"} {
		synctest.Test(t, func(t *testing.T) {
			peer := scriptedPeer(t, newExchange(t), parameters{timeout: timeout, keepAlive: 24 * time.Hour})
			kinds := peer.frames(false)
			for range 10 {
				time.Sleep(timeout - 1)
				if _, err := io.WriteString(peer, says); err != nil {
					t.Fatalf("%s: %v, %v", name, err, peer.session.link.Err())
				}
			}
			begin := time.Now()
			<-peer.session.link.Done()
			if took := time.Since(begin); took != timeout {
				t.Errorf("%s: the link ended after %v of silence, the timeout is %v", name, took, timeout)
			}
			<-peer.over
			<-kinds
		})
	}
}

// A peer that is heard is not pinged, and its link takes keep-alives as before.
func TestSilence_APeerThatSpeaksIsNotPinged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 30 * time.Second
		peer := scriptedPeer(t, newExchange(t), parameters{timeout: timeout, keepAlive: timeout})
		kinds := peer.frames(true)
		for range 100 {
			time.Sleep(timeout/3 - time.Second)
			_, _ = io.WriteString(peer, "\x81\x01.")
		}
		peer.leave(t)
		if sent := <-kinds; slices.Contains(sent, pingFrame) {
			t.Errorf("a peer that speaks was pinged: %x", sent)
		}
	})
}

// A ping is answered while the link still has much to send: before the half of it is sent, of which each part takes time.
func TestPing_IsAnsweredOnABusyLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const objects, size = 64, 64 << 10
		random := rand.NewChaCha8([32]byte{})
		x := newExchange(t)
		expose := x.ExposeTag(hakuban.MustTag("t"))
		for i := range objects {
			name := hakuban.MustObject(i, "t")
			x.ObserveObject(name)
			sink, err := expose.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			data := make([]byte, size) // which no difference makes small
			_, _ = random.Read(data)
			if err := sink.Send(hakuban.NewState(data)); err != nil {
				t.Fatal(err)
			}
		}
		downstream := newExchange(t)
		for i := range objects {
			downstream.ObserveObject(hakuban.MustObject(i, "t"))
		}
		link, err := x.AttachDownstream(hakuban.LinkOptions{Name: "n"})
		if err != nil {
			t.Fatal(err)
		}
		asks, err := downstream.AttachUpstream(hakuban.LinkOptions{Name: "n"})
		if err != nil {
			t.Fatal(err)
		}
		for more := true; more; { // what the downstream exchange asks for has come
			var messages [][]byte
			if messages, more, err = asks.Pull(nil, 1<<20); err != nil {
				t.Fatal(err)
			}
			for _, message := range messages {
				if err := link.Receive(message); err != nil {
					t.Fatal(err)
				}
			}
		}
		ours, theirs := net.Pipe()
		peer := &scripted{theirs, sessionOver(t, link, ours, parameters{timeout: time.Hour, keepAlive: time.Hour}), make(chan struct{})}
		go func() {
			defer close(peer.over)
			_ = peer.session.run()
		}()
		before := -1
		for read := 0; read < objects*size; {
			kind, n, err := peer.frame()
			if err != nil {
				t.Fatal(err)
			}
			if kind == pongFrame {
				before = read
				break
			}
			if read == 0 {
				go func() { _, _ = io.WriteString(peer, "\x89\x00") }()
			}
			read += n
			time.Sleep(time.Second)
		}
		if before < 0 || before > objects*size/2 {
			t.Errorf("the pong came after %d of %d bytes", before, objects*size)
		}
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		peer.session.end(0, os.ErrClosed)
		peer.leave(t)
		synctest.Wait()
	})
}

// A peer that does not read is still heard: its pings and its messages are taken while the link cannot write.
func TestBlocked_TheReaderGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newExchange(t)
		for i := range 1000 {
			x.ObserveObject(hakuban.MustObject(i)) // much to tell, of which nobody reads more than the beginning
		}
		peer := scriptedPeer(t, x, parameters{timeout: time.Hour, keepAlive: time.Hour})
		synctest.Wait()
		for range 100 {
			if _, err := io.WriteString(peer, "\x89\x00"); err != nil {
				t.Fatalf("a ping: %v", err)
			}
		}
		if _, err := io.WriteString(peer, "\x82\x01\xff"); err != nil { // not of the protocol
			t.Fatal(err)
		}
		synctest.Wait()
		if err := peer.session.link.Err(); err == nil || !strings.Contains(err.Error(), "broke the protocol") {
			t.Errorf("the message was not taken: %v", err)
		}
		peer.leave(t)
	})
}

// An ended link takes a second over its farewell, though its peer reads, slowly.
func TestFarewell_IsShortThoughThePeerReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newExchange(t)
		for i := range 20_000 {
			x.ObserveObject(hakuban.MustObject(i))
		}
		peer := scriptedPeer(t, x, parameters{timeout: time.Hour, keepAlive: time.Hour})
		var reading sync.WaitGroup
		defer reading.Wait()
		reading.Go(func() {
			for {
				if _, err := io.CopyN(io.Discard, peer, 16<<10); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
		time.Sleep(10 * time.Millisecond)
		begin := time.Now()
		peer.session.end(1001, os.ErrClosed)
		<-peer.over
		if took := time.Since(begin); took > 2*farewell {
			t.Errorf("the session ended %v after it was to", took)
		}
		peer.leave(t)
	})
}

// A reader rests when nothing comes, and then again after it was woken. The link lives on, hears what comes, and ends when its timeout is over.
func TestRest_AReaderThatRestsStillHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 30 * time.Second
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		link, err := newExchange(t).AttachUpstream(hakuban.LinkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := completeOptions(&Options{Logger: quiet}, forConnect)
		if err != nil {
			t.Fatal(err)
		}
		c := &carrier{Conn: ours, rests: true}
		s := newSession(link, c, true, parameters{timeout: timeout, keepAlive: time.Hour}, o)
		s.begin()
		over := make(chan struct{})
		go s.serve(func(error) { close(over) })
		rests := func(want bool, when string) {
			t.Helper()
			if synctest.Wait(); c.rested.Load() != want {
				t.Errorf("%s: resting: %v", when, !want)
			}
		}
		rests(false, "at first")
		time.Sleep(restless)
		rests(true, "after a silence")
		for range 3 {
			time.Sleep(timeout / 2)
			_, _ = io.WriteString(theirs, "\x81\x03abc")
			rests(false, "when something came")
		}
		time.Sleep(timeout - 1)
		if rests(true, "after a long silence"); link.Err() != nil {
			t.Errorf("it ended: %v", link.Err())
		}
		time.Sleep(time.Nanosecond)
		<-over
		if !errors.Is(link.Err(), errSilence) {
			t.Errorf("it ended with %v", link.Err())
		}
		_ = theirs.Close()
	})
}

// What is not complete keeps the reader where it is.
func TestRest_NotWithinAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer func() { _, _ = near.Close(), far.Close() }()
		c := &carrier{Conn: near, rests: true}
		c.begin(2*restless, func() {})
		r := reader{c: c}
		go func() { _, _ = io.WriteString(far, "\x82") }() // half of a header
		if _, err := r.next(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("within a header: %v", err)
		}
	})
}
