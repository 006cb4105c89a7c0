package checker

import (
	"maps"
	"math"

	"hakuban/impl"
	"hakuban/wire"
)

// exposures are what one downstream link exposes, by thing, each with its place in
// the order in which exposures began at the exchange.
type exposures map[string]int

// objectThing and tagThing name what can be exposed.
func objectThing(key string) string   { return "object " + key }
func tagThing(identity string) string { return "tag " + identity }

// heard enters what a downstream link's control message tells: the load limit of
// the first one that has one, and what begins and ends to be exposed. What one
// message ends and begins again has gone on.
func (l *life) heard(s *Step) {
	event, err := wire.DecodeEvent(s.Input.Data, &wire.DefaultLimits)
	if err != nil || event.Kind != wire.EventMessage || event.Message.Kind != wire.MessageUpstreamControl {
		return
	}
	link := s.Input.Link
	before, now := l.exposures[link], exposures{}
	maps.Copy(now, before)
	_, limited := l.limits[link]
	for i := range event.Message.Control {
		action := &event.Message.Control[i]
		switch action.Kind {
		case wire.ActionSetLoadLimit:
			if !limited {
				l.limits[link] = newLimit(action.LoadLimit, s.Now.Mono)
			}
		case wire.ActionExposeObject, wire.ActionExposeTag:
			thing := thingOf(action)
			began, goesOn := before[thing]
			if !goesOn {
				l.began++
				began = l.began
			}
			now[thing] = began
		case wire.ActionUnexposeObject, wire.ActionUnexposeTag:
			delete(now, thingOf(action))
		}
	}
	l.exposures[link] = now
}

// thingOf names what an action is about. What is no descriptor ends the link.
func thingOf(action *wire.ControlAction) string {
	if action.Kind == wire.ActionExposeTag || action.Kind == wire.ActionUnexposeTag {
		_, identity, _ := wire.Canonical(action.JSON, &wire.DefaultLimits)
		return tagThing(identity)
	}
	descriptor, _ := wire.NewDescriptor(action.Tags, action.JSON, &wire.DefaultLimits)
	return objectThing(descriptor.Key)
}

// since is the age of a link's exposure of an object: when the oldest contract
// began by which it exposes the object now.
func (l *life) since(link impl.LinkID, o *impl.ObjectSnapshot) int {
	since := math.MaxInt
	see := func(thing string) {
		if began, exposes := l.exposures[link][thing]; exposes {
			since = min(since, began)
		}
	}
	see(objectThing(o.Descriptor.Key))
	for _, identity := range o.Descriptor.TagIdentities {
		see(tagThing(identity))
	}
	return since
}
