package impl

// tally sums up an object's records of links, so that what follows from one of
// many costs no more with each of them.
type tally struct {
	observing, exposing       int // links with a contract on the object itself
	anyObserving, anyExposing int // or on one of its tags
	both                      int // that observe and expose
	idle                      int
	asked                     int    // that asked for it, allowed or not
	capacity                  uint64 // of contracts on the object itself
}

// enter counts and charges a new record.
func (x *Exchange) enter(ol *objectLink) {
	ol.object.tally.add(ol, 1)
	x.chargeRecord(ol)
}

// leave does so no longer.
func (x *Exchange) leave(ol *objectLink) {
	ol.object.tally.add(ol, -1)
	x.charge(&ol.charge, nil, 0, 0)
}

// recount changes a record, and what is summed up and charged of it.
func (x *Exchange) recount(ol *objectLink, change func()) {
	x.work++
	ol.object.tally.add(ol, -1)
	change()
	ol.object.tally.add(ol, 1)
	x.chargeRecord(ol)
}

// add counts a record, with sign -1 no longer: before and after whatever changes it.
func (t *tally) add(ol *objectLink, sign int) {
	count := func(counter *int, holds bool) {
		if holds {
			*counter += sign
		}
	}
	count(&t.observing, ol.observes)
	count(&t.exposing, ol.exposes)
	count(&t.anyObserving, ol.anyObserves())
	count(&t.anyExposing, ol.anyExposes())
	count(&t.both, ol.anyObserves() && ol.anyExposes())
	count(&t.idle, ol.idle())
	count(&t.asked, ol.asked.any())
	if sign > 0 {
		t.capacity += uint64(ol.capacity)
	} else {
		t.capacity -= uint64(ol.capacity)
	}
}
