package interop

import (
	"slices"
	"strings"
	"testing"
)

func TestPeer_RefusesInWords(t *testing.T) {
	p := StartPeer(t, "peer")
	p.do(command{"do": "open", "contract": "taken", "kind": "observe", "tag": Text("x")}, nil)
	for _, refused := range []struct {
		command command
		reason  string
	}{
		{command{"do": "dance"}, "unknown variant `dance`"},
		{command{"do": "connect"}, "missing field `url`"},
		{command{"do": "connect", "url": "http://127.0.0.1:1"}, "ws"},
		{command{"do": "connect", "url": "ws://127.0.0.1:1#unknown=1"}, "unknown"},
		{command{"do": "disconnect"}, "not connected"},
		{command{"do": "unlisten"}, "not listening"},
		{command{"do": "open", "contract": "c", "kind": "observe", "tag": "no JSON"}, "tag id"},
		{command{"do": "open", "contract": "c", "kind": "observe", "tag": Text("x"), "capacity": 2}, "capacity"},
		{command{"do": "open", "contract": "taken", "kind": "observe", "tag": Text("x")}, "taken"},
		{command{"do": "drop-contract", "contract": "c"}, "no contract"},
		{command{"do": "send", "sink": 9, "data": "", "format": []string{}, "synchronized": 0}, "no sink 9"},
		{command{"do": "send", "sink": 9, "data": "!", "format": []string{}, "synchronized": 0}, "data"},
		{command{"do": "drop-stream", "stream": 9}, "no stream 9"},
		{command{"do": "decode", "type": "exchange", "data": []byte("{}")}, "the reference cannot read it"},
	} {
		if err := p.try(refused.command, nil); err == nil || !strings.Contains(err.Error(), refused.reason) {
			t.Errorf("%v: %v, expected a refusal about %q", refused.command, err, refused.reason)
		}
	}
}

func TestStreamChecks_SeeAStreamGoBack(t *testing.T) {
	state := func(stream uint64, data string, version ...int64) event {
		return event{Event: "state", Stream: stream, Data: []byte(data), Version: version}
	}
	checks := make(streamChecks)
	var got []bool
	for _, e := range []event{
		state(1, "a", 2), state(2, "b", 1), state(1, "a", 2), state(1, "c", 2, 0), // right
		state(1, "a", 2),          // older
		state(2, "other data", 1), // another content under the same version
	} {
		got = append(got, checks.observe(e) != "")
	}
	if want := []bool{false, false, false, false, true, true}; !slices.Equal(got, want) {
		t.Errorf("violations %v, expected %v", got, want)
	}
}
