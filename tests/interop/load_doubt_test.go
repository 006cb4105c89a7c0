package interop

import (
	"fmt"
	"math"

	"hakuban/wire"
)

// loadDoubts are about loads, their limits, and the sums of capacities.
var loadDoubts = []doubt{
	{"Load_IsThatOfTheElection", func(w *World, _ Kind) {
		object := NewObject("room")
		s := startParent(w, false)
		a := s.child("a")
		s.ObserveObject(object)
		a.Tell(exposing(object, 2))
		sink := a.Sink(object)
		for _, capacity := range []uint32{4, 0, 1} {
			a.Tell(resizing(object, capacity))
			s.answers(a)
			s.isElected(object, "a")
			s.hasLoad("a", 0.5)
		}
		a.Tell(unexposing(object))
		sink.WaitClosed()
		s.hasLoad("a", 0)
		a.Tell(exposing(object, 4))
		a.Sink(object)
		s.hasLoad("a", 0.25)
		a.Drop()
		s.waitElected(object, "nobody")
	}},
	{"Load_OfTagAndObject", func(w *World, _ Kind) {
		object := NewObject("room", "tag")
		s := startParent(w, false)
		a := s.child("a")
		a.Tell(exposing(object, 3), exposingTag(Text("tag"), 5))
		s.answers(a)
		s.ObserveObject(object)
		a.Sink(object)
		s.hasLoad("a", 1./8)
	}},
	{"Load_OfTwoTagsInOneMessage", func(w *World, kind Kind) {
		object := NewObject("room", "t", "u")
		s := startParent(w, false)
		a := s.child("a")
		s.ObserveObject(object)
		a.Tell(exposingTag(Text("t"), 2), exposingTag(Text("u"), 3))
		a.Sink(object)
		if kind == Rust {
			s.answers(a)
			s.hasLoad("a", 1./2) // elected between the two
			return
		}
		s.hasLoad("a", 1./5)
	}},
	{"Load_NineNinths", func(w *World, kind Kind) {
		s := startParent(w, false)
		a := s.child("a", 1)
		want := 9
		if kind == Rust {
			want = 8 // nine ninths are more than one in its floating point
		}
		elected := 0
		for i := range 9 {
			object := NewObject(fmt.Sprint("room ", i))
			a.Tell(exposing(object, 9))
			s.answers(a)
			s.ObserveObject(object)
			if s.elected(object) == "a" {
				elected++
			}
		}
		if elected != want {
			w.Errorf("elected for %d objects of capacity 9, expected %d of a limit of 1", elected, want)
		}
	}},
	{"LoadLimit_RefusedOnce", func(w *World, kind Kind) {
		x, y := NewObject("x"), NewObject("y")
		s := startParent(w, false)
		a := s.child("a", 1)
		a.Tell(exposing(x, 1), exposing(y, 1))
		s.answers(a)
		observe := s.ObserveObject(x)
		sink := a.Sink(x)
		s.ObserveObject(y)
		s.isElected(y, "nobody")
		observe.Drop()
		sink.WaitClosed()
		if kind == Go {
			a.Sink(y)
			return
		}
		s.staysElected(y, "nobody")
		s.hasLoad("a", 0)
		s.ObserveObject(x) // there is room, for whoever comes
		a.Sink(x)
		s.isElected(y, "nobody")
	}},
	{"Summary_TagAndObjectOverlap", func(w *World, _ Kind) {
		object, tag := NewObject("room", "tag"), Text("tag")
		parent, c := ListenRaw(w), startParent(w, false)
		c.Dial(parent.URL)
		up := parent.Accept()
		up.WaitTold(observingTag(Text(probe)))
		own := c.ExposeObject(object, Capacity(3))
		up.WaitTold(exposing(object, 3))
		c.ExposeTag(tag, Capacity(5))
		up.WaitTold(exposingTag(tag, 5))
		a := c.child("a")
		a.Tell(exposing(object, 2))
		up.WaitTold(resizing(object, 5))
		a.Tell(exposingTag(tag, 4))
		up.WaitTold(resizingTag(tag, 9))
		a.Tell(resizingTag(tag, 0))
		up.WaitTold(resizingTag(tag, 5))
		a.Tell(resizing(object, math.MaxUint32))
		up.WaitTold(resizing(object, math.MaxUint32)) // and not 2 with a carry
		own.Drop()
		a.Tell(resizing(object, 7))
		up.WaitTold(resizing(object, 7))
		a.Drop()
		up.WaitTold(unexposing(object))
		b := c.child("b")
		b.Tell(exposingTag(tag, 1))
		up.WaitTold(resizingTag(tag, 6)) // 5 of its own: a's are gone
		up.unheard("more about the object", func(e wire.Event) bool {
			return len(e.Message.Control) == 1 && e.Message.Control[0].JSON == object.JSON
		})
	}},
}
