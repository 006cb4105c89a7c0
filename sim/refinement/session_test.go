package refinement

import "testing"

// What overtakes a message is of another channel, and only where messages overtake.
func TestSession_MessagesOvertakeThoseOfOtherChannels(t *testing.T) {
	sent := []message{{data: []byte("open 2"), channel: 2}, {data: []byte("close 2"), channel: 2}, {data: []byte("open 3"), channel: 3}}
	for _, test := range []struct {
		unordered bool
		data      string
		arrives   bool
	}{
		{false, "open 2", true}, {false, "close 2", false}, {false, "open 3", false}, {false, "close 3", false},
		{true, "open 2", true}, {true, "close 2", false}, {true, "open 3", true}, {true, "close 3", false},
	} {
		s := session{unordered: test.unordered}
		s.queues[parentEnd] = sent
		m, err := s.receive(childEnd, []byte(test.data))
		if (err == nil) != test.arrives {
			t.Errorf("unordered %v, %s: %v", test.unordered, test.data, err)
		}
		if err == nil && (string(m.data) != test.data || len(s.queues[parentEnd]) != len(sent)-1) {
			t.Errorf("unordered %v, %s: %s arrives, and %d are left", test.unordered, test.data, m.data, len(s.queues[parentEnd]))
		}
	}
}
