package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"hakuban"
	"hakuban/transport"
)

// monitorInterval is the time between two states of a monitor object, the reference's.
const monitorInterval = time.Second

// monitor exposes the monitor objects with the tag until ctx ends.
func monitor(ctx context.Context, r *router, tag string) {
	objects := map[string]func() any{
		"exchange":           func() any { return exchangeMonitorOf(r.exchange.Snapshot()) },
		"websocket-listener": func() any { return r.listenerMonitor() },
	}
	if r.connector != nil {
		objects["websocket-connector"] = func() any { return connectorMonitorOf(r.connector.Snapshot()) }
	}
	var running sync.WaitGroup
	defer running.Wait()
	for name, look := range objects {
		contract := r.exchange.ExposeObject(hakuban.MustObject(name, tag))
		object := monitorObject{look: look, logger: r.logger}
		running.Go(func() {
			defer contract.Close()
			for sink := range contract.Sinks(ctx) {
				object.expose(sink)
			}
		})
	}
}

// monitorObject is a monitor object and its newest state, which outlives sinks: who observes and leaves over and over gets the same
// state, and does not have the router look at everything each time.
type monitorObject struct {
	look   func() any
	logger *slog.Logger

	state hakuban.State
	next  time.Time // when to look again
}

// expose sends what look sees until the sink ends.
func (m *monitorObject) expose(sink *hakuban.Sink) {
	for told := false; ; {
		if time.Until(m.next) <= 0 {
			m.state = hakuban.NewState(m.look()).Encode(monitorFormat{})
			m.next = time.Now().Add(monitorInterval)
		}
		err := sink.Send(m.state)
		if err != nil && sink.Context().Err() == nil && !told {
			m.logger.Warn("a monitor object could not be sent", "object", sink.Object().String(), "error", err)
			told = true
		}
		timer := time.NewTimer(time.Until(m.next))
		select {
		case <-timer.C:
		case <-sink.Context().Done():
			timer.Stop()
			return
		}
	}
}

// monitorFormat is JSON with <, > and & as they are: descriptors look as everywhere else.
type monitorFormat struct{}

// Names implements hakuban.Format.
func (monitorFormat) Names() []string { return []string{"JSON"} }

// Encode implements hakuban.Format.
func (monitorFormat) Encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// Decode implements hakuban.Format.
func (monitorFormat) Decode([]byte, any) error { return errors.ErrUnsupported }

// The shapes of the monitor objects are the reference's, field by field: its own types must read them.
type (
	exchangeMonitor struct {
		Objects            []objectMonitor `json:"objects"`
		Tags               []tagMonitor    `json:"tags"`
		UpstreamConnection bool            `json:"upstream_connection"`
	}
	objectMonitor struct {
		ID                              uint64               `json:"id"`
		Descriptor                      descriptorMonitor    `json:"descriptor"`
		ShouldExist                     bool                 `json:"should_exist"`
		DataNeeded                      bool                 `json:"data_needed"`
		AssignedExposer                 map[string]uint64    `json:"assigned_exposer"` // one key, or null
		ObjectObserveContractCount      int                  `json:"object_observe_contract_count"`
		ObjectExposeContractCount       int                  `json:"object_expose_contract_count"`
		TagObserveContractCount         int                  `json:"tag_observe_contract_count"`
		TagExposeContractCount          int                  `json:"tag_expose_contract_count"`
		UpstreamLink                    *upstreamLinkMonitor `json:"upstream_link"`
		DownstreamLinks                 []objectLinkMonitor  `json:"downstream_links"`
		CumulativeObjectExposerCapacity uint64               `json:"cumulative_object_exposer_capacity"`
		DataState                       *stateMonitor        `json:"data_state"`
	}
	descriptorMonitor struct {
		Tags []json.RawMessage `json:"tags"`
		JSON json.RawMessage   `json:"json"`
	}
	upstreamLinkMonitor struct {
		SinksReceivingFromUpstreamCount int `json:"sinks_receiving_from_upstream_count"`
		StreamsSendingToUpstreamCount   int `json:"streams_sending_to_upstream_count"`
	}
	objectLinkMonitor struct {
		DownstreamConnectionID uint64 `json:"downstream_connection_id"`
		ObjectObserver         bool   `json:"object_observer"`
		ObjectExposer          bool   `json:"object_exposer"`
		ObjectExposerCapacity  uint32 `json:"object_exposer_capacity"`
		TagObserverCount       int    `json:"tag_observer_count"`
		TagExposerCount        int    `json:"tag_exposer_count"`
		Stream                 bool   `json:"stream"`
		Sink                   bool   `json:"sink"`
	}
	stateMonitor struct {
		Version         []int64  `json:"version"`
		Format          []string `json:"format"`
		Size            int      `json:"size"`
		SynchronizedAgo uint64   `json:"synchronized_ms_ago"` // in microseconds, whatever its name; 0: now
	}
	tagMonitor struct {
		ID                           uint64           `json:"id"`
		Descriptor                   json.RawMessage  `json:"descriptor"`
		Objects                      []uint64         `json:"objects"`
		TagObserveContractCount      int              `json:"tag_observe_contract_count"`
		TagExposeContractCount       int              `json:"tag_expose_contract_count"`
		UpstreamLink                 *struct{}        `json:"upstream_link"`
		DownstreamLinks              []tagLinkMonitor `json:"downstream_links"`
		CumulativeTagExposerCapacity uint64           `json:"cumulative_tag_exposer_capacity"`
	}
	tagLinkMonitor struct {
		DownstreamConnectionID uint64 `json:"downstream_connection_id"`
		TagObserver            bool   `json:"tag_observer"`
		TagExposer             bool   `json:"tag_exposer"`
		TagExposerCapacity     uint32 `json:"tag_exposer_capacity"`
	}
	listenerMonitor struct {
		URL                   string              `json:"url"`
		DownstreamConnections []downstreamMonitor `json:"downstream_connections"`
	}
	downstreamMonitor struct {
		DownstreamConnectionID uint64  `json:"downstream_connection_id"`
		RemoteAddress          string  `json:"remote_address"`
		LocalName              string  `json:"local_name"`
		RemoteName             *string `json:"remote_name"`
		Load                   float   `json:"load"`
		LoadLimit              *float  `json:"load_limit"`
	}
	connectorMonitor struct {
		URL                string           `json:"url"`
		UpstreamConnection *upstreamMonitor `json:"upstream_connection"`
	}
	upstreamMonitor struct {
		UpstreamConnectionID uint64  `json:"upstream_connection_id"`
		LocalAddress         string  `json:"local_address"`
		LocalName            string  `json:"local_name"`
		RemoteName           *string `json:"remote_name"`
	}
)

// float is written as the reference writes its f32: shortest, and never as an integer.
type float float32

// MarshalJSON implements json.Marshaler.
func (f float) MarshalJSON() ([]byte, error) {
	text := strconv.AppendFloat(nil, float64(f), 'f', -1, 32)
	if !bytes.ContainsRune(text, '.') {
		text = append(text, ".0"...)
	}
	return text, nil
}

func exchangeMonitorOf(s hakuban.Snapshot) exchangeMonitor {
	m := exchangeMonitor{Objects: []objectMonitor{}, Tags: []tagMonitor{}, UpstreamConnection: s.Upstream != 0}
	for i := range s.Objects {
		if o := &s.Objects[i]; readable(o.JSON) && !slices.ContainsFunc(o.Tags, unreadable) {
			m.Objects = append(m.Objects, objectMonitorOf(&s, o))
		}
	}
	for i := range s.Tags {
		if t := &s.Tags[i]; readable(t.JSON) {
			m.Tags = append(m.Tags, tagMonitorOf(&s, t))
		}
	}
	return m
}

// mostDepth is how deep a descriptor's JSON may be nested for the reference to read the document around it: its parser stops at 128,
// and a tag of an object stands in five levels.
const mostDepth = 127 - 5

// readable says whether a descriptor can be shown. One that cannot is left out, so that it does not hide all others.
func readable(text string) bool {
	depth, most, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			most = max(most, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return most <= mostDepth
}

func unreadable(text string) bool { return !readable(text) }

func objectMonitorOf(s *hakuban.Snapshot, o *hakuban.ObjectSnapshot) objectMonitor {
	m := objectMonitor{
		ID:                              o.Number,
		Descriptor:                      descriptorMonitor{Tags: []json.RawMessage{}, JSON: json.RawMessage(o.JSON)},
		ShouldExist:                     o.ShouldExist,
		DataNeeded:                      o.DataNeeded,
		AssignedExposer:                 assignedExposer(o.Elected),
		ObjectObserveContractCount:      o.ObjectObserveContracts,
		ObjectExposeContractCount:       o.ObjectExposeContracts,
		TagObserveContractCount:         o.TagObserveContracts,
		TagExposeContractCount:          o.TagExposeContracts,
		DownstreamLinks:                 []objectLinkMonitor{},
		CumulativeObjectExposerCapacity: o.Capacity,
	}
	for _, tag := range o.Tags {
		m.Descriptor.Tags = append(m.Descriptor.Tags, json.RawMessage(tag))
	}
	if s.Upstream != 0 {
		m.UpstreamLink = &upstreamLinkMonitor{len(o.Sources), len(o.Outlets)}
	}
	for _, l := range o.Links {
		m.DownstreamLinks = append(m.DownstreamLinks, objectLinkMonitor{
			DownstreamConnectionID: l.Link,
			ObjectObserver:         l.Observes,
			ObjectExposer:          l.Exposes,
			ObjectExposerCapacity:  l.Capacity,
			TagObserverCount:       l.TagObserves,
			TagExposerCount:        l.TagExposes,
			Stream:                 l.Stream.Number != 0,
			Sink:                   hasSink(&l),
		})
	}
	if o.State != nil {
		m.DataState = &stateMonitor{
			Version:         append([]int64{}, o.State.Version()...),
			Format:          append([]string{}, o.State.Format()...),
			Size:            len(o.State.Data()),
			SynchronizedAgo: synchronizedMicros(s.Time, o.State.Synchronized()),
		}
	}
	return m
}

// hasSink: a sink whose election ended and that is not closed yet is none, as in the reference.
func hasSink(l *hakuban.ObjectLinkSnapshot) bool { return l.Sink.Number != 0 && !l.Revoked }

func assignedExposer(e hakuban.Elected) map[string]uint64 {
	switch e.Kind {
	case hakuban.ElectedUpstream:
		return map[string]uint64{"UpstreamConnection": e.Link}
	case hakuban.ElectedObjectContract:
		return map[string]uint64{"ObjectExposeContract": e.Contract}
	case hakuban.ElectedTagContract:
		return map[string]uint64{"TagExposeContract": e.Contract}
	case hakuban.ElectedLink:
		return map[string]uint64{"DownstreamConnection": e.Link}
	}
	return nil
}

// synchronizedMicros is how long before a moment a state was last known to be current: 0 for now, else at least 1.
func synchronizedMicros(moment time.Time, synchronized hakuban.Synchronized) uint64 {
	if synchronized.Now() {
		return 0
	}
	return uint64(max(1, moment.Sub(synchronized.LastAt()).Microseconds()))
}

func tagMonitorOf(s *hakuban.Snapshot, t *hakuban.TagSnapshot) tagMonitor {
	m := tagMonitor{
		ID:                           t.Number,
		Descriptor:                   json.RawMessage(t.JSON),
		Objects:                      append([]uint64{}, t.Objects...),
		TagObserveContractCount:      t.ObserveContracts,
		TagExposeContractCount:       t.ExposeContracts,
		DownstreamLinks:              []tagLinkMonitor{},
		CumulativeTagExposerCapacity: t.Capacity,
	}
	slices.Sort(m.Objects)
	if s.Upstream != 0 {
		m.UpstreamLink = &struct{}{}
	}
	for _, l := range t.Links {
		m.DownstreamLinks = append(m.DownstreamLinks, tagLinkMonitor{l.Link, l.Observes, l.Exposes, l.Capacity})
	}
	return m
}

// listenerMonitor shows the first URL, and the connections of all.
func (r *router) listenerMonitor() listenerMonitor {
	m := listenerMonitor{URL: r.listeners[0].URL(), DownstreamConnections: []downstreamMonitor{}}
	for _, listener := range r.listeners {
		for _, c := range listener.Snapshot().Connections {
			d := downstreamMonitor{
				DownstreamConnectionID: c.Link, RemoteAddress: c.RemoteAddress, LocalName: c.LocalName, RemoteName: remoteName(&c), Load: float(c.Load),
			}
			if c.HasLoadLimit {
				limit := float(c.LoadLimit)
				d.LoadLimit = &limit
			}
			m.DownstreamConnections = append(m.DownstreamConnections, d)
		}
	}
	slices.SortFunc(m.DownstreamConnections, func(a, b downstreamMonitor) int {
		return cmp.Compare(a.DownstreamConnectionID, b.DownstreamConnectionID)
	})
	return m
}

func connectorMonitorOf(s transport.ConnectorSnapshot) connectorMonitor {
	m := connectorMonitor{URL: s.URL}
	if c := s.Connection; c != nil {
		m.UpstreamConnection = &upstreamMonitor{
			UpstreamConnectionID: c.Link,
			LocalAddress:         fmt.Sprintf("Ok(%s)", c.LocalAddress), // the reference prints a Rust Result
			LocalName:            c.LocalName,
			RemoteName:           remoteName(c),
		}
	}
	return m
}

func remoteName(c *transport.Connection) *string {
	if !c.HasRemoteName {
		return nil
	}
	return &c.RemoteName
}
