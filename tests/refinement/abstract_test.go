package refinement

import (
	"fmt"
	"slices"

	"hakuban/impl"
	"hakuban/model"
	"hakuban/wire"
)

// The abstraction, from the cores' snapshots and the messages in flight to a state of the model.
//
//	Node.Contracts, Offers   Snapshot.Contracts, with Offers; a closed contract has none
//	Node.Elected             ObjectSnapshot.Elected
//	Node.Held                ObjectSnapshot.State and Synchronized.Now; an object that is not there holds nothing
//	Below.Contract           ObjectLinkSnapshot for objects, TagLinkSnapshot for tags
//	Below.Sink, Revoked      ObjectLinkSnapshot.Sink, one or the other by ObjectLinkSnapshot.Revoked
//	Below.Stream             ObjectLinkSnapshot.Stream
//	Below.Share              ObjectLinkSnapshot.Share, in sixths; 0 where loads are not counted
//	Node.Told                LinkSnapshot.Told of the upstream link
//	Node.Sources, Outlets    ObjectSnapshot.Sources, Outlets
//	Wire.Up, Down            the bytes, decoded as they were sent
//
// Forgotten: times of flags that are not now, real channel numbers (Renumbered), data and formats beyond which state they
// are, names, budgets, the Open event before its Initialize, and a message that says what its channel said last.
func (w *world) abstract() model.State {
	s := w.m.Empty()
	for n, core := range w.cores {
		w.abstractNode(s.Nodes[n], n, core.Snapshot(w.now))
	}
	for l := range w.links {
		from := &w.links[l]
		to := s.Links[l]
		to.Downstream, to.Upstream = from.below, from.above
		to.Up, to.Down = messages(from.up), messages(from.down)
	}
	for l := range w.links {
		s = w.m.Renumbered(s, l)
	}
	return s
}

func messages(queue []flight) (list []model.Message) {
	for _, f := range queue {
		if f.message != nil {
			list = append(list, *f.message)
		}
	}
	return list
}

func (w *world) abstractNode(N *model.Node, n int, snapshot impl.Snapshot) {
	begun := make(map[int]uint64) // by contract
	exposed := make(map[model.Exposure]uint64)
	defer func() {
		w.m.SetAges(n, N, func(k int) uint64 { return begun[k] }, func(l, d int) uint64 { return exposed[model.Exposure{Link: l, Thing: d}] })
	}()
	for i, k := range w.m.ContractsAt(n) {
		for c := range snapshot.Contracts {
			if w.open[k] != 0 && snapshot.Contracts[c].Contract == w.open[k] {
				w.abstractContract(N, i, &snapshot.Contracts[c])
				begun[i] = snapshot.Contracts[c].Begun
			}
		}
	}
	for i := range snapshot.Objects {
		if o := w.object(snapshot.Objects[i].Descriptor.Key); o >= 0 {
			w.abstractObject(N, n, o, &snapshot.Objects[i])
			for _, link := range snapshot.Objects[i].Links {
				exposed[model.Exposure{Link: w.below(n, link.Link), Thing: o}] = link.Begun
			}
		}
	}
	for i := range snapshot.Tags {
		t := slices.IndexFunc(w.m.Tags, func(name string) bool { return quoted(name) == snapshot.Tags[i].JSON })
		for _, link := range snapshot.Tags[i].Links {
			at := w.below(n, link.Link)
			exposed[model.Exposure{Link: at, Thing: len(w.m.Objects) + t}] = link.Begun
			b := &N.Downstream[at]
			b.Contract[len(w.m.Objects)+t] = model.Asks{Observes: link.Observes, Exposes: link.Exposes, Capacity: int(link.Capacity)}
		}
	}
	for i := range snapshot.Links {
		if snapshot.Links[i].Role == impl.ToDownstream {
			N.Downstream[w.below(n, snapshot.Links[i].Link)].Rights = w.abstractRights(snapshot.Links[i].Rights)
		}
		for _, told := range snapshot.Links[i].Told {
			N.Told[w.thing(told.Tag, told.Descriptor)] = model.Asks{Observes: told.Observes, Exposes: told.Exposes, Capacity: int(told.Capacity)}
		}
	}
}

func (w *world) thing(tag bool, d wire.Descriptor) int {
	first := 0
	if tag {
		first = len(w.m.Objects)
	}
	return first + slices.IndexFunc(w.keys[first:], func(known wire.Descriptor) bool {
		return known.JSON == d.JSON && (tag || slices.Equal(known.Tags, d.Tags))
	})
}

// below is the index of a link among those below an exchange.
func (w *world) below(n int, id impl.LinkID) int {
	return slices.IndexFunc(w.m.DownstreamLinks(n), func(l int) bool { return w.links[l].parent == id })
}

func (w *world) abstractContract(N *model.Node, i int, c *impl.ContractSnapshot) {
	N.Contracts[i] = int(c.Capacity)
	for _, from := range c.Offers {
		to := &N.Offers[i][w.object(from.Key)]
		switch {
		case from.Revoked:
			to.Is = model.Revoked
		case from.Taken:
			*to = model.Offer{Is: model.Taken, Flag: w.flag(from.Version, from.Synchronized)}
		default:
			to.Is = model.Offered
		}
	}
}

func (w *world) abstractObject(N *model.Node, n, o int, from *impl.ObjectSnapshot) {
	switch from.Elected.Kind {
	case impl.ElectedUpstream:
		N.Elected[o] = model.Elected{Who: model.Upstream}
	case impl.ElectedObjectContract, impl.ElectedTagContract:
		N.Elected[o] = model.Elected{Who: model.LocalContract, Index: slices.IndexFunc(w.m.ContractsAt(n), func(k int) bool { return w.open[k] == from.Elected.Contract })}
	case impl.ElectedLink:
		N.Elected[o] = model.Elected{Who: model.DownstreamLink, Index: w.below(n, from.Elected.Link)}
	}
	if from.State != nil {
		N.Held[o] = w.flag(from.State.Version, from.Synchronized)
	}
	for _, link := range from.Links {
		b := &N.Downstream[w.below(n, link.Link)]
		b.Contract[o] = model.Asks{Observes: link.Observes, Exposes: link.Exposes, Capacity: int(link.Capacity)}
		b.Stream[o] = w.channel(link.Stream)
		if w.m.Loads {
			b.Share[o] = sixths(link.Share)
		}
		if link.Revoked {
			b.Revoked[o] = int(link.Sink.Number)
		} else {
			b.Sink[o] = w.channel(link.Sink)
		}
	}
	N.Sources[o], N.Outlets[o] = w.channels(from.Sources), w.channels(from.Outlets)
}

func sixths(load uint64) int {
	if load*loadUnit%coreLoadUnit != 0 {
		panic(fmt.Sprintf("BUG: a load of %d is not one of the specification", load))
	}
	return int(load * loadUnit / coreLoadUnit)
}

// channels is a set, which the model keeps in order of numbers, and the core in the order in which they arrived.
func (w *world) channels(all []impl.ChannelSnapshot) (set []model.Channel) {
	for _, c := range all {
		set = append(set, w.channel(c))
	}
	slices.SortFunc(set, func(a, b model.Channel) int { return a.Number - b.Number })
	return set
}

func (w *world) channel(c impl.ChannelSnapshot) model.Channel {
	return model.Channel{Number: int(c.Number), Flag: w.flag(c.Version, c.Synchronized)}
}

// flag is the state of a version, which no two have here.
func (w *world) flag(version []int64, synchronized impl.Synchronized) model.Flag {
	if version == nil {
		return model.Flag{}
	}
	return model.Flag{State: slices.Index(w.m.Version, int(version[0])), Now: synchronized.Now}
}

// understand decodes a message as it is sent, and says what it is to the model.
func (w *world) understand(s *session, up bool, data []byte) flight {
	event, err := wire.DecodeEvent(data, nil)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return flight{data: data, channel: event.Channel, message: w.message(s, up, &event)}
}

func (w *world) message(s *session, up bool, event *wire.Event) *model.Message {
	key := channelKey{up, event.Channel.Number}
	if up && event.Channel.Origin == wire.DownstreamOriginated || !up && event.Channel.Number == 1 {
		if event.Kind == wire.EventMessage && event.Message.Kind == wire.MessageUpstreamControl {
			return w.contracts(s, event.Message.Control)
		}
		return nil
	}
	if up { // states on a channel that the parent opened
		key.up = true
		if _, known := s.channels[key]; !known {
			s.channels[key] = channelSaid{object: s.channels[channelKey{false, key.number}].object}
		}
	}
	said := s.channels[key]
	switch {
	case event.Kind == wire.EventOpen:
		return nil
	case event.Kind == wire.EventClose:
		return &model.Message{Kind: model.CloseMessage, Object: said.object, Channel: int(key.number)}
	case event.Message.Kind == wire.MessageUninitialized:
		channel := event.Message.Initialize[0]
		said.object = w.thing(false, wire.Descriptor{Tags: channel.Tags, JSON: channel.JSON})
		s.channels[key] = said
		return &model.Message{Kind: model.OpenMessage, Object: said.object, Channel: int(key.number), Sink: channel.Kind == wire.ChannelSink}
	}
	flag := said.last
	for _, action := range event.Message.States {
		if action.Kind == wire.StatePatch {
			flag.State = slices.Index(w.m.Version, int(action.Version[0]))
		}
		flag.Now = action.Synchronized == 0
	}
	if flag == said.last {
		return nil
	}
	said.last = flag
	s.channels[key] = said
	return &model.Message{Kind: model.StateMessage, Object: said.object, Channel: int(key.number), Flag: flag}
}

// contracts is a control message: what is asked for after it. Names and limits are nothing to the model.
func (w *world) contracts(s *session, actions []wire.ControlAction) *model.Message {
	told := slices.Clone(s.told)
	for _, a := range actions {
		switch a.Kind {
		case wire.ActionSetName, wire.ActionSetLoadLimit:
			continue
		}
		asks := &told[w.thing(a.Kind >= wire.ActionObserveTag, wire.Descriptor{Tags: a.Tags, JSON: a.JSON})]
		switch a.Kind {
		case wire.ActionObserveObject, wire.ActionObserveTag:
			asks.Observes = true
		case wire.ActionUnobserveObject, wire.ActionUnobserveTag:
			asks.Observes = false
		case wire.ActionExposeObject, wire.ActionExposeTag:
			asks.Exposes, asks.Capacity = true, int(a.Capacity)
		case wire.ActionUnexposeObject, wire.ActionUnexposeTag:
			asks.Exposes, asks.Capacity = false, 0
		case wire.ActionSetObjectCapacity, wire.ActionSetTagCapacity:
			asks.Capacity = int(a.Capacity)
		default:
			panic(fmt.Sprintf("BUG: a contract action of kind %v", a.Kind))
		}
	}
	if slices.Equal(told, s.told) {
		return nil
	}
	s.told = told
	return &model.Message{Kind: model.ContractsMessage, Told: told}
}
