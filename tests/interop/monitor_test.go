package interop

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

var monitored = RouterOptions{Parameters: "name=monitored", MonitorTag: "monitor"}

// listenerMonitor is the object "websocket-listener" as the reference's own type has it.
type listenerMonitor struct {
	URL                   string
	DownstreamConnections []downstreamMonitor `json:"downstream_connections"`
}

type downstreamMonitor struct {
	ID            uint64   `json:"downstream_connection_id"`
	RemoteAddress string   `json:"remote_address"`
	LocalName     string   `json:"local_name"`
	RemoteName    *string  `json:"remote_name"`
	Load          float64  `json:"load"`
	LoadLimit     *float64 `json:"load_limit"`
}

// named finds a link by its peer's name.
func (m listenerMonitor) named(name string) *downstreamMonitor {
	for i, link := range m.DownstreamConnections {
		if link.RemoteName != nil && *link.RemoteName == name {
			return &m.DownstreamConnections[i]
		}
	}
	return nil
}

// connectorMonitor is the object "websocket-connector".
type connectorMonitor struct {
	URL                string
	UpstreamConnection *struct {
		LocalAddress string  `json:"local_address"`
		LocalName    string  `json:"local_name"`
		RemoteName   *string `json:"remote_name"`
	} `json:"upstream_connection"`
}

// exchangeMonitor is the object "exchange".
type exchangeMonitor struct {
	Objects            []objectMonitor
	Tags               []tagMonitor
	UpstreamConnection bool `json:"upstream_connection"`
}

type objectMonitor struct {
	ID         uint64
	Descriptor struct {
		Tags []json.RawMessage
		JSON json.RawMessage
	}
	ShouldExist      bool              `json:"should_exist"`
	DataNeeded       bool              `json:"data_needed"`
	AssignedExposer  map[string]uint64 `json:"assigned_exposer"`
	DownstreamLinks  []linkMonitor     `json:"downstream_links"`
	ExposerCapacity  uint64            `json:"cumulative_object_exposer_capacity"`
	ObserveContracts uint64            `json:"object_observe_contract_count"`
	DataState        *struct {
		Version      []int64
		Format       []string
		Size         uint64
		Synchronized uint64 `json:"synchronized_ms_ago"`
	} `json:"data_state"`
}

type linkMonitor struct {
	ID       uint64 `json:"downstream_connection_id"`
	Observer bool   `json:"object_observer"`
	Exposer  bool   `json:"object_exposer"`
	Capacity uint32 `json:"object_exposer_capacity"`
	Stream   bool
	Sink     bool
}

type tagMonitor struct {
	Descriptor      json.RawMessage
	Objects         []uint64
	DownstreamLinks []struct {
		Observer bool   `json:"tag_observer"`
		Exposer  bool   `json:"tag_exposer"`
		Capacity uint32 `json:"tag_exposer_capacity"`
	} `json:"downstream_links"`
	ExposerCapacity uint64 `json:"cumulative_tag_exposer_capacity"`
}

func (m exchangeMonitor) object(id Object) *objectMonitor {
	for i, object := range m.Objects {
		if string(object.Descriptor.JSON) == id.JSON {
			return &m.Objects[i]
		}
	}
	return nil
}

func (m exchangeMonitor) tag(text string) *tagMonitor {
	for i, tag := range m.Tags {
		if string(tag.Descriptor) == text {
			return &m.Tags[i]
		}
	}
	return nil
}

// monitor is a watch on one of a router's monitor objects.
type monitor[T any] struct {
	peer   *Peer
	kind   MonitorType
	stream *Stream
}

func watchMonitor[T any](p *Peer, tag string, kind MonitorType) monitor[T] {
	p.t.Helper()
	return monitor[T]{p, kind, p.ObserveObject(NewObject(string(kind), tag)).Stream()}
}

// wait reads the monitor, each time by the reference's own types, until it shows what is expected.
func (m monitor[T]) wait(what string, matches func(T) bool) T {
	m.peer.t.Helper()
	var last State
	for end := time.Now().Add(Deadline); time.Now().Before(end); {
		state := m.stream.Wait(what, func(State) bool { return true })
		if !slices.Equal(state.Format, []string{"JSON"}) {
			m.peer.t.Fatalf("monitor object has format %v, expected [JSON]", state.Format)
		}
		var decoded, direct T
		m.peer.Decode(m.kind, state.Data, &decoded)
		if err := json.Unmarshal(state.Data, &direct); err != nil {
			m.peer.t.Fatalf("monitor object is not JSON: %v", err)
		}
		if through, plain := fmt.Sprintf("%+v", decoded), fmt.Sprintf("%+v", direct); strings.Count(through, ":") != strings.Count(plain, ":") {
			m.peer.t.Fatalf("the reference understood %s of %s", through, plain)
		}
		if matches(decoded) {
			return decoded
		}
		last = state
	}
	m.peer.t.Fatalf("%s: monitor did not show %s within %v, but %s", m.peer.name, what, Deadline, last.Data)
	panic("unreachable")
}

// decodes is why the reference's peers alone read monitor objects: that its own types accept them is the point.
const decodes = "decoded by the crate's own types"

var monitorScenarios = []scenario{
	{name: "Monitor_ListenerNamesItsLinks", trees: OneRouter, referenceOnly: decodes, router: monitored, run: func(w *World) {
		w.Peer("bob", Left, "name=bob")
		w.Peer("bób", Left, "name=bób") // percent-encoded by the reference's URL parser
		watcher := w.Peer("watcher", Right)
		got := watchMonitor[listenerMonitor](watcher, "monitor", MonitorListener).wait("three links", func(m listenerMonitor) bool {
			return m.named("bob") != nil && m.named("b%C3%B3b") != nil && m.named("rust-client") != nil
		})
		for _, link := range got.DownstreamConnections {
			if link.LocalName != "monitored" || link.Load != 0 || link.LoadLimit != nil || !strings.HasPrefix(link.RemoteAddress, "127.0.0.1:") {
				w.Errorf("link %+v, expected local name monitored, no load, no limit and an address", link)
			}
		}
		if !strings.HasPrefix(got.URL, w.Router(Top).URL) {
			w.Errorf("listener's URL is %q, expected one that begins with %q", got.URL, w.Router(Top).URL)
		}
	}},
	{name: "Monitor_ListenerForgetsALink", trees: OneRouter, referenceOnly: decodes, router: monitored, run: func(w *World) {
		leaving := w.Peer("leaving", Left, "name=leaving")
		watch := watchMonitor[listenerMonitor](w.Peer("watcher", Right), "monitor", MonitorListener)
		watch.wait("the link", func(m listenerMonitor) bool { return m.named("leaving") != nil })
		leaving.Kill()
		watch.wait("its absence", func(m listenerMonitor) bool { return m.named("leaving") == nil })
	}},
	{name: "Monitor_ListenerShowsLoadAndLimit", trees: OneRouter, referenceOnly: decodes, router: monitored, run: func(w *World) {
		object := NewObject("room")
		watcher := w.Peer("watcher", Right)
		watcher.ObserveObject(object)
		w.Peer("exposer", Left, "name=exposer", "load-limit=7").ExposeObject(object, Capacity(2))
		watchMonitor[listenerMonitor](watcher, "monitor", MonitorListener).wait("half a load of seven", func(m listenerMonitor) bool {
			link := m.named("exposer")
			return link != nil && link.Load == 0.5 && link.LoadLimit != nil && *link.LoadLimit == 7
		})
	}},
	{name: "Monitor_ExchangeShowsAnObject", trees: OneRouter, referenceOnly: decodes, router: monitored, run: func(w *World) {
		object := NewObject("room", "tag")
		exposer, observer := w.Peer("exposer", Left), w.Peer("observer", Right)
		observer.ObserveObject(object)
		exposer.ExposeObject(object, Capacity(1)).Sink().Send(NewState("state", 3, 4))
		exposer.ExposeObject(object, Capacity(2)) // the sum of both goes up
		exposer.ExposeTag(Text("tag"), Capacity(5))
		got := watchMonitor[exchangeMonitor](observer, "monitor", MonitorExchange).wait("object and capacities", func(m exchangeMonitor) bool {
			o, tag := m.object(object), m.tag(Text("tag"))
			return o != nil && tag != nil && o.ExposerCapacity == 3 && tag.ExposerCapacity == 5 && o.DataState != nil
		})
		o, tag := got.object(object), got.tag(Text("tag"))
		state := o.DataState
		if !o.ShouldExist || !o.DataNeeded || o.ObserveContracts != 0 || !slices.Equal(state.Version, []int64{3, 4}) || !slices.Equal(state.Format, []string{"TEXT"}) || state.Size != 5 || state.Synchronized != 0 {
			w.Errorf("object %+v with state %+v, expected it needed, at version [3 4], 5 bytes of TEXT, now", *o, *state)
		}
		elected, hasLink := o.AssignedExposer["DownstreamConnection"]
		var sinks, streams int
		for _, link := range o.DownstreamLinks {
			if link.Sink {
				sinks++
				if link.ID != elected || link.Capacity != 3 {
					w.Errorf("link %+v has the sink, expected it to be elected link %d with capacity 3", link, elected)
				}
			}
			if link.Stream {
				streams++
			}
		}
		if !hasLink || sinks != 1 || streams != 1 {
			w.Errorf("elected %v with %d sinks and %d streams, expected a link with one of each", o.AssignedExposer, sinks, streams)
		}
		if !slices.Contains(tag.Objects, o.ID) {
			w.Errorf("tag %+v does not list its object %d", *tag, o.ID)
		}
	}},
	{name: "Monitor_ExchangeForgetsAnObject", trees: OneRouter, referenceOnly: decodes, router: monitored, run: func(w *World) {
		object := NewObject("room")
		watcher := w.Peer("watcher", Right)
		observe := watcher.ObserveObject(object)
		watch := watchMonitor[exchangeMonitor](watcher, "monitor", MonitorExchange)
		watch.wait("the object", func(m exchangeMonitor) bool { return m.object(object) != nil })
		observe.Drop()
		watch.wait("its absence", func(m exchangeMonitor) bool { return m.object(object) == nil })
	}},
	{name: "Monitor_StopsAndStartsWithItsObserver", trees: OneRouter, referenceOnly: decodes, router: monitored, run: func(w *World) {
		watcher := w.Peer("watcher", Right)
		object := NewObject("exchange", "monitor")
		var last State
		for range 3 {
			observe := watcher.ObserveObject(object)
			last = observe.Stream().Wait("a newer snapshot", func(state State) bool { return state.Now() && slices.Compare(state.Version, last.Version) > 0 })
			observe.Drop()
		}
	}},
	{name: "Monitor_ByTag", trees: OneRouter, referenceOnly: decodes, router: monitored, run: func(w *World) {
		watch := w.Peer("watcher", Right).ObserveTag(Text("monitor"))
		for _, kind := range []MonitorType{MonitorExchange, MonitorListener} {
			watch.StreamOf(NewObject(string(kind), "monitor")).Wait("a snapshot", State.Now)
		}
		watch.NoStream(quiet) // without a parent there is no connector to show
	}},
	{name: "Monitor_OnlyWithItsOption", trees: OneRouter, referenceOnly: decodes, run: func(w *World) {
		stream := w.Peer("watcher", Right).ObserveObject(NewObject("exchange", "monitor")).Stream()
		stream.NeverShows("a snapshot", passes, func(State) bool { return true })
	}},
	{name: "Monitor_ConnectorShowsTheParent", trees: OneRouter, referenceOnly: decodes, router: monitored, run: func(w *World) {
		for _, kind := range []Kind{Rust, w.Router(Top).kind} {
			child := StartRouter(w, kind, RouterOptions{Connect: w.Router(Top).URL + "#name=child", MonitorTag: "child's"})
			watcher := StartPeer(w, "watcher")
			watcher.Connect(child.URL)
			got := watchMonitor[connectorMonitor](watcher, "child's", MonitorConnector).wait("the parent", func(m connectorMonitor) bool {
				return m.UpstreamConnection != nil && m.UpstreamConnection.RemoteName != nil
			})
			link := got.UpstreamConnection
			if link.LocalName != "child" || *link.RemoteName != "monitored" || !strings.Contains(link.LocalAddress, "127.0.0.1:") {
				w.Errorf("link %+v to %q, expected child, monitored and an address", *link, *link.RemoteName)
			}
		}
	}},
}
