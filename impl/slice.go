package impl

// Work that may be long is taken in slices, so that no step takes long: a control message, and what a pull
// sends. A slice is counted, not timed. Between two slices of one work the exchange takes other inputs, and is
// as if the work had been asked for in as many messages.

// DefaultSlice is the number of things that a step looks at where a config does not say.
const DefaultSlice = 256

// taking is a control message of which a part is taken.
type taking struct {
	arrival *Arrival // nil: none
	next    int      // the first of its actions that is not taken
}

// beginTaking takes the first slice of a control message.
func (x *Exchange) beginTaking(l *link, a *Arrival) error {
	l.taking = taking{arrival: a}
	return x.receiveContracts(l)
}

// goOn takes another slice of the message that a link is taking.
func (x *Exchange) goOn(l *link) {
	if l.taking.arrival == nil {
		return
	}
	if err := x.receiveContracts(l); err != nil {
		x.end(l, err)
	}
}

// receiveContracts takes a slice of the actions of a message: all of these first, then what follows from them. Taken one by one,
// a contract replaced by another that covers the same object would end its election.
//
// spec: ReceiveContracts
func (x *Exchange) receiveContracts(l *link) error {
	defer x.settleTouched()
	t := &l.taking
	last := len(t.arrival.event.Message.Control)
	end := min(t.next+x.config.Slice, last)
	for ; t.next < end; t.next++ {
		if err := x.receiveContract(l, t.arrival, t.next); err != nil {
			return err
		}
	}
	if t.next == last {
		l.taking = taking{}
	}
	return nil
}

// Taking reports whether a part of a link's last message is still to be taken, by InputContinue. Until it is,
// the arrival and its data must not change, and the link takes no other message.
func (x *Exchange) Taking(id LinkID) bool {
	l := x.links[id]
	return l != nil && l.taking.arrival != nil
}

// Slice is how many things a step looks at.
func (x *Exchange) Slice() int { return x.config.Slice }
