package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
)

// Every event that the reference was captured sending decodes to what the capture says, to its last byte, and encodes back.
func TestVectors_EveryCapturedEventDecodesAndEncodesBack(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "vectors", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	scenarios, events := 0, 0
	for _, path := range paths {
		if filepath.Base(path) == "canonical-ids.json" {
			continue
		}
		scenarios++
		events += checkScenario(t, path)
	}
	if scenarios != 22 || events < 500 {
		t.Errorf("%d scenarios, %d events: there are 22 and more than 500", scenarios, events)
	}
}

func checkScenario(t *testing.T, path string) (events int) {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var scenario struct {
		Frames []struct {
			Hex   string
			Event json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &scenario); err != nil {
		t.Fatal(err)
	}
	for i, frame := range scenario.Frames {
		if string(frame.Event) == "null" {
			continue // a keep-alive
		}
		events++
		data, err := hex.DecodeString(frame.Hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeEvent(data, nil)
		if err != nil {
			t.Errorf("%s frame %d: %v", path, i, err)
			continue
		}
		if want := eventFromJSON(frame.Event); !reflect.DeepEqual(got, want) {
			t.Errorf("%s frame %d: decoded\n%+v, the capture says\n%+v", path, i, got, want)
		}
		if encoded := AppendEvent(nil, &got); !bytes.Equal(encoded, data) {
			t.Errorf("%s frame %d: encoded\n%x, the capture says\n%x", path, i, encoded, data)
		}
		if encoded := AppendEvent(nil, &got); len(encoded) > 0 {
			if _, err := DecodeEvent(encoded[:len(encoded)-1], nil); err == nil {
				t.Errorf("%s frame %d: complete without its last byte", path, i)
			}
		}
	}
	return events
}

// eventFromJSON maps the captures' JSON to an Event. It knows their form from the vectors' README and panics on any other.
func eventFromJSON(raw []byte) Event {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic(err)
	}
	switch name, fields := variant(value); name {
	case "Open":
		return Event{Kind: EventOpen, Channel: channelFromJSON(fields)}
	case "Close":
		return Event{Kind: EventClose, Channel: channelFromJSON(fields)}
	case "Message":
		return Event{Kind: EventMessage, Channel: channelFromJSON(field(fields, "channel")), Message: messageFromJSON(field(fields, "message"))}
	default:
		panic("unknown event " + name)
	}
}

// variant returns an enum's name and its fields: {"Name": fields} or "Name".
func variant(value any) (string, any) {
	switch v := value.(type) {
	case string:
		return v, nil
	case map[string]any:
		if len(v) == 1 {
			for name, fields := range v {
				return name, fields
			}
		}
	}
	panic(fmt.Sprintf("not an enum: %v", value))
}

func field(value any, name string) any {
	v, ok := value.(map[string]any)[name]
	if !ok {
		panic("no field " + name)
	}
	return v
}

func channelFromJSON(value any) ChannelID {
	name, number := variant(value)
	origins := map[string]Origin{"UpstreamOriginated": UpstreamOriginated, "DownstreamOriginated": DownstreamOriginated}
	origin, ok := origins[name]
	if !ok {
		panic("unknown origin " + name)
	}
	return ChannelID{Origin: origin, Number: unsigned(number)}
}

func messageFromJSON(value any) Message {
	name, list := variant(value)
	switch name {
	case "Uninitialized":
		return Message{Kind: MessageUninitialized, Initialize: each(list, initializeFromJSON)}
	case "UpstreamControl":
		return Message{Kind: MessageUpstreamControl, Control: each(list, controlFromJSON)}
	case "DownstreamControl":
		return Message{Kind: MessageDownstreamControl, Control: each(list, controlFromJSON)}
	case "StateStream":
		return Message{Kind: MessageStateStream, States: each(list, stateFromJSON)}
	}
	panic("unknown message " + name)
}

func initializeFromJSON(value any) ChannelType {
	kinds := map[string]ChannelKind{"UpstreamControl": 0, "DownstreamControl": 1, "ObjectSinkToUpstream": 2, "ObjectStreamFromUpstream": 3}
	name, fields := variant(field(value, "Initialize"))
	kind, ok := kinds[name]
	if !ok {
		panic("unknown channel type " + name)
	}
	if fields == nil {
		return ChannelType{Kind: kind}
	}
	return ChannelType{Kind: kind, Tags: each(field(fields, "tags"), text), JSON: text(field(fields, "json"))}
}

func controlFromJSON(value any) ControlAction {
	kinds := map[string]ActionKind{"Observe": 0, "Unobserve": 1, "Expose": 2, "Unexpose": 3, "SetExposeCapacity": 4}
	group, action := variant(value)
	name, fields := variant(action)
	kind, ok := kinds[name]
	switch {
	case group == "Exchange" && name == "SetName":
		return ControlAction{Kind: ActionSetName, Name: text(fields)}
	case group == "Exchange" && name == "SetLoadLimit":
		return ControlAction{Kind: ActionSetLoadLimit, LoadLimit: each(fields, loadPointFromJSON)}
	case group == "ObjectContract" && ok:
		a := ControlAction{Kind: ActionObserveObject + kind, Tags: each(field(fields, "tags"), text), JSON: text(field(fields, "json"))}
		return withCapacity(a, fields)
	case group == "TagContract" && ok:
		if json, bare := fields.(string); bare {
			return ControlAction{Kind: ActionObserveTag + kind, JSON: json}
		}
		return withCapacity(ControlAction{Kind: ActionObserveTag + kind, JSON: text(field(fields, "json"))}, fields)
	}
	panic("unknown control action " + group + " " + name)
}

func withCapacity(a ControlAction, fields any) ControlAction {
	if a.Kind.hasCapacity() {
		a.Capacity = uint32(unsigned(field(fields, "capacity")))
	}
	return a
}

func loadPointFromJSON(value any) LoadPoint {
	point := value.([]any)
	seconds, err := strconv.ParseFloat(point[0].(json.Number).String(), 32)
	if err != nil {
		panic(err)
	}
	return LoadPoint{Seconds: float32(seconds), Load: uint32(unsigned(point[1]))}
}

func stateFromJSON(value any) StateAction {
	name, fields := variant(value)
	switch name {
	case "SetSynchronized":
		return StateAction{Kind: StateSetSynchronized, Synchronized: unsigned(fields)}
	case "PatchAndSetAndMemorize":
		diff, err := hex.DecodeString(text(field(fields, "diff")))
		if err != nil {
			panic(err)
		}
		a := StateAction{Kind: StatePatch, Version: each(field(fields, "version"), signed), Diff: diff, Synchronized: unsigned(field(fields, "synchronized"))}
		if format := field(fields, "format"); format != nil {
			a.HasFormat, a.Format = true, each(format, text)
		}
		return a
	}
	panic("unknown state action " + name)
}

func each[T any](list any, one func(any) T) []T {
	var result []T
	for _, value := range list.([]any) {
		result = append(result, one(value))
	}
	return result
}

func text(value any) string { return value.(string) }

func signed(value any) int64 {
	n, err := strconv.ParseInt(value.(json.Number).String(), 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func unsigned(value any) uint64 {
	n, err := strconv.ParseUint(value.(json.Number).String(), 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}
