package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"hakuban"
	"hakuban/transport"
)

// snapshotPrinter prints what a router sees, for a person.
type snapshotPrinter struct {
	router *router
	to     io.Writer
	mu     sync.Mutex // a snapshot at a time
}

// print prints a snapshot.
func (p *snapshotPrinter) print() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = p.to.Write(p.router.snapshotText()) // who does not read it misses it
}

// printOnLines prints a snapshot for each line of a reader, however long, until it ends.
func (p *snapshotPrinter) printOnLines(reader io.Reader) {
	for lines := bufio.NewReader(reader); ; {
		line, err := lines.ReadSlice('\n')
		if err == nil || errors.Is(err, io.EOF) && len(line) > 0 {
			p.print()
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// snapshotText is the exchange and its links as text.
func (r *router) snapshotText() []byte {
	var b bytes.Buffer
	s := r.exchange.Snapshot()
	fmt.Fprintf(&b, "\n== exchange: %d objects, %d tags, %d links\n", len(s.Objects), len(s.Tags), len(s.Links))
	for i := range s.Objects {
		writeObject(&b, &s, &s.Objects[i])
	}
	for i := range s.Tags {
		writeTag(&b, &s.Tags[i])
	}
	for _, listener := range r.listeners {
		l := listener.Snapshot()
		fmt.Fprintf(&b, "== listener %s: %d connections\n", printable(l.URL), len(l.Connections))
		for i := range l.Connections {
			writeConnection(&b, &l.Connections[i], l.Connections[i].RemoteAddress)
		}
	}
	if r.connector != nil {
		c := r.connector.Snapshot()
		if c.Connection == nil {
			fmt.Fprintf(&b, "== connector %s: not connected\n", printable(c.URL))
		} else {
			fmt.Fprintf(&b, "== connector %s: connected\n", printable(c.URL))
			writeConnection(&b, c.Connection, c.Connection.LocalAddress)
		}
	}
	return b.Bytes()
}

func writeObject(b *bytes.Buffer, s *hakuban.Snapshot, o *hakuban.ObjectSnapshot) {
	fmt.Fprintf(b, "object %d [%s] %s\n", o.Number, printable(strings.Join(o.Tags, ",")), printable(o.JSON))
	fmt.Fprintf(b, "  should exist: %s, data needed: %s, elected: %s, capacity: %d\n", yes(o.ShouldExist), yes(o.DataNeeded), electedText(o.Elected), o.Capacity)
	if o.State != nil {
		fmt.Fprintf(b, "  state: version %v, format %q, %d bytes, synchronized: %s\n", o.State.Version(), o.State.Format(), len(o.State.Data()), synchronizedText(s.Time, o.State.Synchronized()))
	}
	if n := o.ObjectObserveContracts + o.ObjectExposeContracts + o.TagObserveContracts + o.TagExposeContracts; n > 0 {
		fmt.Fprintf(b, "  contracts here: %d observe and %d expose it, %d observe and %d expose its tags\n",
			o.ObjectObserveContracts, o.ObjectExposeContracts, o.TagObserveContracts, o.TagExposeContracts)
	}
	if s.Upstream != 0 {
		fmt.Fprintf(b, "  upstream: %d streams from it, %d sinks to it\n", len(o.Sources), len(o.Outlets))
	}
	for _, l := range o.Links {
		fmt.Fprintf(b, "  link %d: observes: %s, exposes: %s with capacity %d, observes %d and exposes %d of its tags, stream: %s, sink: %s\n",
			l.Link, yes(l.Observes), yes(l.Exposes), l.Capacity, l.TagObserves, l.TagExposes, yes(l.Stream.Number != 0), yes(hasSink(&l)))
	}
}

func writeTag(b *bytes.Buffer, t *hakuban.TagSnapshot) {
	fmt.Fprintf(b, "tag %d %s: objects %v, capacity: %d\n", t.Number, printable(t.JSON), t.Objects, t.Capacity)
	if t.ObserveContracts+t.ExposeContracts > 0 {
		fmt.Fprintf(b, "  contracts here: %d observe and %d expose it\n", t.ObserveContracts, t.ExposeContracts)
	}
	for _, l := range t.Links {
		fmt.Fprintf(b, "  link %d: observes: %s, exposes: %s with capacity %d\n", l.Link, yes(l.Observes), yes(l.Exposes), l.Capacity)
	}
}

func writeConnection(b *bytes.Buffer, c *transport.Connection, address string) {
	fmt.Fprintf(b, "  link %d: %s", c.Link, address)
	if c.HasRemoteName {
		fmt.Fprintf(b, " %s", strconv.QuoteToGraphic(c.RemoteName))
	}
	fmt.Fprintf(b, ", load %.3g", c.Load)
	if c.HasLoadLimit {
		fmt.Fprintf(b, " of %.3g", c.LoadLimit)
	}
	b.WriteString("\n")
}

func electedText(e hakuban.Elected) string {
	switch e.Kind {
	case hakuban.ElectedUpstream:
		return fmt.Sprintf("upstream, link %d", e.Link)
	case hakuban.ElectedObjectContract:
		return fmt.Sprintf("object contract %d here", e.Contract)
	case hakuban.ElectedTagContract:
		return fmt.Sprintf("tag contract %d here", e.Contract)
	case hakuban.ElectedLink:
		return fmt.Sprintf("link %d", e.Link)
	}
	return "nobody"
}

func synchronizedText(moment time.Time, synchronized hakuban.Synchronized) string {
	if synchronized.Now() {
		return "now"
	}
	return (time.Duration(synchronizedMicros(moment, synchronized)) * time.Microsecond).String() + " ago"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// printable shows a peer's text without what would move a terminal's cursor.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
