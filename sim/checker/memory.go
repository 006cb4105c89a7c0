package checker

import (
	"slices"

	"hakuban/impl"
	"hakuban/wire"
)

// remember enters which channel brought what is held now, and what upstream has.
func (c *Limits) remember(l *Look, life *limitLife) {
	var number uint64
	if l.Input.Kind == impl.InputReceive {
		if event, err := wire.DecodeEvent(l.Input.Data, &wire.DefaultLimits); err == nil {
			number = event.Channel.Number
		}
	}
	known := make(map[uint64]bool, len(l.Snapshot.Objects))
	for i := range l.Snapshot.Objects {
		o := &l.Snapshot.Objects[i]
		known[o.Number] = true
		c.rememberOutlets(l, life, o)
		if o.State == nil {
			delete(life.brought, o.Number)
			continue
		}
		from, b := life.brought[o.Number], findObject(l.Before, o.Number)
		if b == nil || b.State == nil || !slices.Equal(b.State.Version, o.State.Version) || b.State != o.State && !o.Hollow {
			from = c.bringer(l, o, number)
		}
		if from.link != 0 && !opens(l.Snapshot, o, from) {
			from.link = 0
		}
		life.brought[o.Number] = from
	}
	for object := range life.brought {
		if !known[object] {
			delete(life.brought, object)
		}
	}
}

// bringer is the channel on which the state held came in this step: the one that a
// message came on, or, of a state that was hollow or would have become so, any that
// has it.
func (c *Limits) bringer(l *Look, o *impl.ObjectSnapshot, number uint64) brought {
	var any brought
	consider := func(link impl.LinkID, channel *impl.ChannelSnapshot) bool {
		if channel.Number == 0 || channel.State == nil || !slices.Equal(channel.Version, o.State.Version) {
			return false
		}
		any = brought{true, link, channel.Number}
		return l.Input.Kind == impl.InputReceive && link == l.Input.Link && channel.Number == number
	}
	if l.Input.Kind == impl.InputPublish {
		return any
	}
	for i := range o.Sources {
		if consider(l.Snapshot.Upstream, &o.Sources[i]) {
			return any
		}
	}
	for i := range o.Links {
		if consider(o.Links[i].Link, &o.Links[i].Sink) {
			return any
		}
	}
	if l.Input.Kind == impl.InputReceive {
		any.foreign = true
	}
	return any
}

// opens reports whether the channel that brought a state is open.
func opens(s *impl.Snapshot, o *impl.ObjectSnapshot, from brought) bool {
	if from.link == s.Upstream {
		return slices.ContainsFunc(o.Sources, func(c impl.ChannelSnapshot) bool { return c.Number == from.channel })
	}
	l := linkOf(o, from.link)
	return l != nil && l.Sink.Number == from.channel
}

// rememberOutlets enters what upstream was sent.
func (c *Limits) rememberOutlets(l *Look, life *limitLife, o *impl.ObjectSnapshot) {
	b := findObject(l.Before, o.Number)
	for i := range o.Outlets {
		channel := &o.Outlets[i]
		if l.Input.Kind != impl.InputPull || channel.Version == nil {
			continue
		}
		if b != nil && slices.ContainsFunc(b.Outlets, func(was impl.ChannelSnapshot) bool {
			return was.Number == channel.Number && slices.Equal(was.Version, channel.Version)
		}) {
			continue
		}
		up := lifted{size: sizeOfState(channel.State)}
		if from := life.brought[o.Number]; from.foreign && from.link != l.Snapshot.Upstream {
			up.by = from.link
		}
		life.lifted[outletID{l.Snapshot.Upstream, channel.Number}] = up
	}
}

// keep drops what is over from memory.
func (c *Limits) keep(l *Look, life *limitLife) {
	open := make(map[outletID]bool)
	for i := range l.Snapshot.Objects {
		for k := range l.Snapshot.Objects[i].Outlets {
			open[outletID{l.Snapshot.Upstream, l.Snapshot.Objects[i].Outlets[k].Number}] = true
		}
	}
	for id := range life.lifted {
		if !open[id] {
			delete(life.lifted, id)
		}
	}
	for id := range life.waits {
		if !open[id] {
			delete(life.waits, id)
		}
	}
}
