package transport

import (
	"testing"

	"hakuban/internal/plant"
)

// plants are bugs that the tests of this package must find.
var plants = []plant.Plant{
	{Name: "back-off is not reset after a link that lived", Tests: "TestBackoff", CI: true, Changes: []plant.Change{{
		File: "backoff.go",
		Old:  "		b.delay = 0\n		return 0\n",
		New:  "		return 0\n",
	}}},
	{Name: "jitter that compounds", Tests: "TestBackoff", CI: true, Changes: []plant.Change{{
		File: "backoff.go",
		Old:  "	b.delay = min(2*b.delay, b.most)\n",
		New:  "	b.delay = min(2*delay, b.most)\n",
	}}},
	{Name: "a link that lived is not made again at once", Tests: "TestReconnect_AtOnce", Changes: []plant.Change{{
		File: "connector.go",
		Old:  "			up = time.Since(made)\n",
		New:  "			_ = made\n",
	}}},
	{Name: "every link has lived", Tests: "TestReconnect_Waits|TestBackoff", Changes: []plant.Change{{
		File: "backoff.go",
		Old:  "	if up >= lived {\n",
		New:  "	if up >= 0 {\n",
	}}},
	{Name: "a pong that came while others waited is not sent", Tests: "TestPing_IsAnsweredOnABusyLink|TestBlocked_", CI: true, Changes: []plant.Change{{
		File: "outbox.go",
		Old:  "		if len(o.queue) == 0 && o.pong != nil {\n",
		New:  "		if len(o.queue) == 0 && false {\n",
	}}},
	{Name: "the reader waits to answer a ping", Tests: "TestBlocked_", CI: true, Changes: []plant.Change{{
		File: "outbox.go",
		Old:  "		o.pong = append([]byte{}, payload...)\n",
		New:  "		for o.flushing {\n			o.flushed.Wait()\n		}\n		o.control(opPong, []byte(payload))\n",
	}}},
	{Name: "the cutoff is forgotten by the next piece", Tests: "TestCarrier_|TestFarewell_", CI: true, Changes: []plant.Change{{
		File: "carrier.go",
		Old:  "	if !c.cutoff.IsZero() && c.cutoff.Before(deadline) {\n		deadline = c.cutoff\n	}\n",
	}}},
	{Name: "the cutoff is not for the write under way", Tests: "TestCarrier_|TestFarewell_", Changes: []plant.Change{{
		File: "carrier.go",
		Old:  "	_ = c.Conn.SetWriteDeadline(cutoff) // fails on a connection that is closed: good\n",
	}}},
	{Name: "nobody is pinged", Tests: "TestSilence_", CI: true, Changes: []plant.Change{{
		File: "session.go",
		Old:  "		s.outbox.ping(\"\")\n",
	}}},
	{Name: "who speaks is pinged", Tests: "TestSilence_", Changes: []plant.Change{{
		File: "session.go",
		Old:  "func (s *session) heard() {\n	s.silence.broken()\n",
		New:  "func (s *session) heard() {\n",
	}, {
		File: "session.go",
		Old:  "	s.silence.broken()\n	s.connection.hear()\n",
		New:  "	s.connection.hear()\n",
	}}},
	{Name: "a pong does not count", Tests: "TestSilence_|TestTimeout_", Changes: []plant.Change{{
		File: "session.go",
		Old:  "	s.heard()\n	if opcode == opPing {\n",
		New:  "	if opcode == opPing {\n		s.heard()\n",
	}}},
	{Name: "a message has no end", Tests: "TestSession_|TestHostile_Endless", Changes: []plant.Change{{
		File: "session.go",
		Old:  "	if !s.reader.within {\n		s.connection.hear()\n	}\n",
		New:  "	s.connection.hear()\n",
	}}},
}

// Each plant has its place in the code.
func TestPlants_HaveTheirPlace(t *testing.T) { plant.Placed(t, plants) }
