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
	{Name: "a pong waits until a busy link has nothing to send", Tests: "TestPing_IsAnsweredOnABusyLink", CI: true, Changes: []plant.Change{{
		File: "session.go",
		Old:  "		case payload := <-s.pong: // which must not wait until a busy link has nothing to send\n",
		New:  "		case payload := <-chan string(nil):\n",
	}}},
	{Name: "the reader waits to answer a ping", Tests: "TestBlocked_", CI: true, Changes: []plant.Change{{
		File: "session.go",
		Old:  "	select {\n	case <-s.pong: // one answer to several pings will do\n	default:\n	}\n	s.pong <- payload\n",
		New:  "	s.pong <- payload\n",
	}}},
	{Name: "the reader's control frames wait on a buffer that is full", Tests: "TestCork_", CI: true, Changes: []plant.Change{{
		File: "cork.go",
		Old:  "len(*c.buffer)+len(p) > corkSize && len(p) > maxControlFrame {\n",
		New:  "len(*c.buffer)+len(p) > corkSize {\n",
	}}},
	{Name: "the cutoff is forgotten by the next piece", Tests: "TestCork_|TestFarewell_", CI: true, Changes: []plant.Change{{
		File: "cork.go",
		Old:  "	if !c.cutoff.IsZero() && c.cutoff.Before(deadline) {\n		deadline = c.cutoff\n	}\n",
	}}},
	{Name: "the cutoff is not for the write under way", Tests: "TestCork_|TestFarewell_", Changes: []plant.Change{{
		File: "cork.go",
		Old:  "	_ = c.Conn.SetWriteDeadline(cutoff) // fails on a connection that is closed: good\n",
	}}},
	{Name: "nobody is pinged", Tests: "TestSilence_", CI: true, Changes: []plant.Change{{
		File: "session.go",
		Old:  "	if left := s.silence.left(); left > 0 {\n		return left, nil\n	}\n",
		New:  "	if s != nil {\n		return s.silence.third, nil\n	}\n",
	}}},
	{Name: "who speaks is pinged", Tests: "TestSilence_", Changes: []plant.Change{{
		File: "session.go",
		Old:  "	s.silence.broken()\n",
	}}},
	{Name: "a pong does not count", Tests: "TestSilence_|TestTimeout_", Changes: []plant.Change{{
		File: "session.go",
		Old:  "	socket.SetPongHandler(func(string) error { s.heard(); return nil })\n",
	}}},
	{Name: "a message has no end", Tests: "TestSession_|TestHostile_Endless", Changes: []plant.Change{{
		File: "session.go",
		Old:  "	if s.inMessage {\n		return\n	}\n",
	}}},
}

// Each plant has its place in the code.
func TestPlants_HaveTheirPlace(t *testing.T) { plant.Placed(t, plants) }
