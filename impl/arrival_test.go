package impl

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"hakuban/wire"
	"hakuban/wire/diff"
)

// ahead makes a message ready as a driver does, with its states patched.
func ahead(x *Exchange, link LinkID, data []byte) *Arrival {
	a := new(Arrival)
	a.Decode(data, &x.config.Limits.Wire)
	a.Patch(x.Base(link, a))
	return a
}

// source is an exchange with a stream of an object from upstream.
func sourceOf(t *testing.T, limits Limits) *raw {
	x := New(Config{Limits: limits})
	x.Step(Now{}, Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: thing})
	r := rawPeer(t, x, 1, ToUpstream)
	r.send(initialize(up(1), wire.ChannelStream, thing)...)
	return r
}

func patchOf(version int64, old, new []byte) wire.StateAction {
	action := patch(version, "", 0)
	action.Diff = diffOf(old, new)
	return action
}

func diffOf(old, new []byte) []byte { return (&diff.Encoder{}).Append(nil, old, new) }

// What is made ready before the core takes it ends as what the core makes itself.
func TestArrival_AheadOrNotIsTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	raws := [2]*raw{sourceOf(t, Limits{}), sourceOf(t, Limits{})}
	var last []byte
	for version := range int64(200) {
		var actions []wire.StateAction
		for range 1 + random.IntN(3) {
			next := append(bytes.Clone(last[:random.IntN(len(last)+1)]), make([]byte, random.IntN(100))...)
			actions = append(actions, patchOf(version*10+int64(len(actions)), last, next))
			last = next
		}
		if random.IntN(40) == 0 {
			actions[0].Diff = []byte{0xff} // malformed
		}
		event := states(up(1), actions...)
		data := wire.AppendEvent(nil, &event)
		raws[0].step(Input{Kind: InputReceive, Link: 1, Data: data})
		raws[1].step(Input{Kind: InputReceive, Link: 1, Data: data, Arrival: ahead(raws[1].x, 1, data)})
		if (raws[0].end == nil) != (raws[1].end == nil) || raws[0].end != nil && raws[0].end.Error() != raws[1].end.Error() {
			t.Fatalf("message %d: ended with %v, and ahead with %v", version, raws[0].end, raws[1].end)
		}
		if raws[0].end != nil {
			raws, last = [2]*raw{sourceOf(t, Limits{}), sourceOf(t, Limits{})}, nil
			continue
		}
		a, b := raws[0].x.objects[thing.Key].held, raws[1].x.objects[thing.Key].held
		if !bytes.Equal(a.Data, b.Data) || !bytes.Equal(a.Data, last) {
			t.Fatalf("message %d: %d and %d bytes, expected %d", version, len(a.Data), len(b.Data), len(last))
		}
	}
}

// States that were patched from something else are not taken.
func TestArrival_AnotherBaseIsNotTaken(t *testing.T) {
	r := sourceOf(t, Limits{})
	r.send(states(up(1), patch(1, "one", 0)))
	event := states(up(1), patchOf(2, []byte("one"), []byte("one two")))
	data := wire.AppendEvent(nil, &event)
	a := ahead(r.x, 1, data)
	a.base, a.states[0] = &State{Data: []byte("other")}, []byte("other two")
	r.step(Input{Kind: InputReceive, Link: 1, Data: data, Arrival: a})
	expect(t, "held", string(r.x.objects[thing.Key].held.Data), "one two")
}

// What the link may not make us hold is not made ahead either.
func TestArrival_MakesNoMoreThanTheLinkMayHold(t *testing.T) {
	for _, limits := range []Limits{{Wire: wire.Limits{State: 1000}}, {LinkBytes: 1000}} {
		x := New(Config{Limits: limits})
		r := rawPeer(t, x, 1, ToDownstream)
		x.Step(Now{}, Input{Kind: InputOpen, Contract: 1, ContractKind: ObserveObject, Descriptor: thing})
		r.send(then(greeting(), contracts(act(wire.ActionExposeObject, thing.JSON, 1, thing.Tags...)))...)
		r.pull()
		event := states(up(2), patchOf(1, nil, make([]byte, 1001)))
		data := wire.AppendEvent(nil, &event)
		a := ahead(x, 1, data)
		expect(t, "states made", len(a.states), 0)
		expect(t, "heavy", a.Heavy(), false)
		r.step(Input{Kind: InputReceive, Link: 1, Data: data, Arrival: a})
		if r.end == nil {
			t.Errorf("limits %+v: a state of 1001 bytes was taken", limits)
		}
	}
}

// A few bytes that make many are heavy.
func TestArrival_Heavy(t *testing.T) {
	for _, c := range []struct {
		bytes int
		heavy bool
	}{{100, false}, {smallPatch, false}, {smallPatch + 1, true}, {10 << 20, true}} {
		event := states(up(1), patchOf(1, nil, make([]byte, c.bytes)))
		a := new(Arrival)
		a.Decode(wire.AppendEvent(nil, &event), nil)
		expect(t, "heavy", a.Heavy(), c.heavy)
	}
}

// A message that no open channel takes has no base.
func TestArrival_NoBase(t *testing.T) {
	r := sourceOf(t, Limits{})
	for _, id := range []wire.ChannelID{up(2), down(1), down(7)} {
		event := states(id, patchOf(1, nil, []byte("x")))
		a := ahead(r.x, 1, wire.AppendEvent(nil, &event))
		expect(t, "states made", len(a.states), 0)
	}
	event := states(up(1), patchOf(1, nil, []byte("x")))
	expect(t, "states made on no link", len(ahead(r.x, 9, wire.AppendEvent(nil, &event)).states), 0)
}
