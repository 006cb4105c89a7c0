package sim

// eventKind is what happens at an instant of the world.
type eventKind uint8

const (
	eventDeliver  eventKind = iota + 1 // the head of a pipe arrives: session, end (the receiving one)
	eventPull                          // a writer has room: session, end
	eventAttach                        // an end begins: session, end
	eventDetach                        // an end learns that the session is over: session, end
	eventLose                          // the connection breaks: session
	eventDial                          // a child tries to connect: node
	eventTick                          // a core's deadline: node
	eventTake                          // an application takes: node, id = contract
	eventRelease                       // an application releases: node, id = offer
	eventRead                          // an application reads: node, id = offer
	eventRestart                       // a crashed exchange starts again: node
	eventHeed                          // applications ask for less: node, or one below it
	eventContinue                      // a core takes the next slice of a message: session, end
)

// event is one entry of the heap. Events at the same time happen in the order
// in which they were scheduled.
type event struct {
	time    int64
	number  uint64
	id      uint64
	session int32
	node    int16
	life    int32
	end     uint8
	kind    eventKind
}

func (e *event) before(other *event) bool {
	return e.time < other.time || e.time == other.time && e.number < other.number
}

// heap is a binary heap of events.
type heap []event

func (h *heap) push(e event) {
	s := append(*h, e)
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(&s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = e
	*h = s
}

func (h *heap) pop() event {
	s := *h
	top, last := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	if len(s) == 0 {
		return top
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(s) {
			break
		}
		if child+1 < len(s) && s[child+1].before(&s[child]) {
			child++
		}
		if !s[child].before(&last) {
			break
		}
		s[i] = s[child]
		i = child
	}
	s[i] = last
	return top
}
