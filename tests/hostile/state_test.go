package hostile

import (
	"math"
	"strings"
	"testing"

	"hakuban"
	"hakuban/wire"
)

// TestStates_EndTheirLinkOnly is about states of a peer that is elected for an object which the healthy observer wants.
func TestStates_EndTheirLinkOnly(t *testing.T) {
	r := startRouter(t, "")
	defer r.watcher.ObserveObject(hakuban.MustObject("wanted")).Close()
	for _, row := range []struct {
		story  string
		states []wire.StateAction
		reason string
	}{
		{"no format at first", []wire.StateAction{{Kind: wire.StatePatch, Version: []int64{1}}}, "no format"},
		{"a diff that ends after the escape", []wire.StateAction{patch(1, []byte{0xff})}, "channel"},
		{"a diff that ends inside a position", []wire.StateAction{patch(1, []byte{0xff, 0xfe, 1})}, "channel"},
		{"a diff that ends inside a length", []wire.StateAction{patch(1, []byte{'a', 0xff, 1})}, "channel"},
		{"a diff that ends inside an escape's change", []wire.StateAction{patch(1, []byte{0xff, 127})}, "channel"},
		{"a copy from before the output", []wire.StateAction{patch(1, []byte{'a', 0xff, 2, 1})}, "channel"},
		{"a copy from the output's own end", []wire.StateAction{patch(1, []byte{'a', 0xff, 0, 1})}, "channel"},
		{"a copy from old where there is none", []wire.StateAction{patch(1, []byte{0xff, 0x80, 1})}, "channel"},
		{"a copy from before old", []wire.StateAction{patch(1, []byte("ab")), patch(2, []byte{0xff, 0x82, 1})}, "channel"},
		{"a copy past the end of old", []wire.StateAction{patch(1, []byte("ab")), patch(2, []byte{0xff, 0x80, 3})}, "channel"},
		{"8 bytes that grow to 4 GiB", []wire.StateAction{patch(1, []byte{'a', 0xff, 1, 253, 0xff, 0xff, 0xff, 0xff})}, "channel"},
		{"a copy of 4 GiB from old", []wire.StateAction{patch(1, []byte("ab")), patch(2, []byte{0xff, 0x80, 253, 0xff, 0xff, 0xff, 0xff})}, "channel"},
		{"a copy from 4 GiB before the output", []wire.StateAction{patch(1, []byte{'a', 0xff, 124, 0xff, 0xff, 0xff, 0xff, 1})}, "channel"},
		{"a changed escape at the end", []wire.StateAction{patch(1, []byte{0xff, 127, 'e', 'a', 'e'})}, "channel"},
		{"a good state, and a bad one behind it", []wire.StateAction{patch(1, []byte("good")), patch(2, []byte{0xff})}, "channel"},
		{"a state of 64 MiB made of 20 bytes, and a byte", []wire.StateAction{patch(1, []byte{'a', 0xff, 1, 253, 0x03, 0xff, 0xff, 0xff, 'b'})}, "channel"},
		{"a version of 1,025 elements", []wire.StateAction{{Kind: wire.StatePatch, Version: make([]int64, 1025), HasFormat: true}}, "version"},
		{"a format of 257 names", []wire.StateAction{{Kind: wire.StatePatch, Version: []int64{1}, HasFormat: true, Format: make([]string, 257)}}, "format"},
		{"a format whose name has 64 KiB and a byte", []wire.StateAction{{Kind: wire.StatePatch, HasFormat: true, Format: []string{strings.Repeat("f", 1<<16+1)}}}, "format"},
		{"1,025 states in one message", make([]wire.StateAction, 1025), "state actions"},
		{"many references that grow beyond the limit together", []wire.StateAction{patch(1, append([]byte{'a'}, []byte(strings.Repeat("\xff\x01\xfd\x00\xff\xff\xff", 10))...))}, "channel"},
	} {
		t.Run(row.story, func(t *testing.T) {
			c := r.dial(t)
			sink := r.elected(c, `"wanted"`)
			c.event(states(sink, row.states...))
			c.ends(row.reason)
		})
		r.pass(row.story)
	}
	r.bounded("bad states", 150)
}

// TestStates_ThatAreHarmless is about odd states of an elected peer.
func TestStates_ThatAreHarmless(t *testing.T) {
	r := startRouter(t, "")
	defer r.watcher.ObserveObject(hakuban.MustObject("wanted")).Close()
	flag := func(synchronized uint64) wire.StateAction {
		return wire.StateAction{Kind: wire.StateSetSynchronized, Synchronized: synchronized}
	}
	for _, row := range []struct {
		story  string
		states []wire.StateAction
	}{
		{"no states", nil},
		{"a flag before any state", []wire.StateAction{flag(0), flag(math.MaxUint64)}},
		{"an empty version, an empty format, no data", []wire.StateAction{{Kind: wire.StatePatch, HasFormat: true}}},
		{"the least version after the greatest", []wire.StateAction{patch(math.MaxInt64, []byte("a")), patch(math.MinInt64, []byte("b")), patch(math.MaxInt64, nil)}},
		{"a version of 1,024 elements", []wire.StateAction{{Kind: wire.StatePatch, Version: make([]int64, 1024), HasFormat: true}}},
		{"as old as can be, then now, then old again", []wire.StateAction{patch(1, nil), flag(math.MaxUint64), flag(0), flag(1)}},
		{"a reference to nothing, of no length", []wire.StateAction{patch(1, []byte("ab")), patch(2, []byte{0xff, 0x80, 0})}},
		{"a format that is not text of this world", []wire.StateAction{{Kind: wire.StatePatch, HasFormat: true, Format: []string{"", "\x00", "\x1b[2J"}}}},
		{"1,024 states in one message", func() (all []wire.StateAction) {
			for version := range int64(1024) {
				all = append(all, patch(version, []byte("x")))
			}
			return all
		}()},
	} {
		t.Run(row.story, func(t *testing.T) {
			c := r.dial(t)
			c.event(states(r.elected(c, `"wanted"`), row.states...))
			c.alive()
			_ = c.socket.Close()
			r.awaitEnd(c.socket.LocalAddr().String()) // so that the next is elected at once
		})
		r.pass(row.story)
	}
	r.bounded("odd states", 60)
}
