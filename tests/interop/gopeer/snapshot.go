package main

import (
	"encoding/json"
	"fmt"

	"hakuban"
)

// snapshot is what the exchange or its listener sees, in the shape of the reference's monitor objects.
func (p *peer) snapshot(kind string) (map[string]any, error) {
	switch {
	case kind == "exchange":
		s := p.exchange.Snapshot()
		objects := []any{}
		for i := range s.Objects {
			objects = append(objects, object(&s, &s.Objects[i]))
		}
		return map[string]any{"objects": objects, "tags": []any{}, "upstream_connection": s.Upstream != 0}, nil
	case kind == "websocket-listener" && p.listener != nil:
		return p.listener.snapshot(), nil
	}
	return nil, fmt.Errorf("no snapshot of %q", kind)
}

func object(s *hakuban.Snapshot, o *hakuban.ObjectSnapshot) map[string]any {
	links := []any{}
	for _, l := range o.Links {
		links = append(links, map[string]any{"downstream_connection_id": l.Link, "object_observer": l.Observes, "object_exposer": l.Exposes})
	}
	shown := map[string]any{
		"descriptor":       map[string]any{"tags": []any{}, "json": json.RawMessage(o.JSON)},
		"should_exist":     o.ShouldExist,
		"data_needed":      o.DataNeeded,
		"downstream_links": links,
	}
	switch o.Elected.Kind {
	case hakuban.ElectedNobody:
	case hakuban.ElectedUpstream:
		shown["assigned_exposer"] = map[string]any{"UpstreamConnection": o.Elected.Link}
	case hakuban.ElectedObjectContract:
		shown["assigned_exposer"] = map[string]any{"ObjectExposeContract": o.Elected.Contract}
	case hakuban.ElectedTagContract:
		shown["assigned_exposer"] = map[string]any{"TagExposeContract": o.Elected.Contract}
	case hakuban.ElectedLink:
		shown["assigned_exposer"] = map[string]any{"DownstreamConnection": o.Elected.Link}
	}
	if o.State != nil {
		micros := uint64(0)
		if synchronized := o.State.Synchronized(); !synchronized.Now() {
			micros = uint64(max(1, s.Time.Sub(synchronized.LastAt()).Microseconds()))
		}
		shown["data_state"] = map[string]any{"version": o.State.Version(), "synchronized_ms_ago": micros}
	}
	return shown
}
