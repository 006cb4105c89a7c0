package impl

// tally sums up what links ask for on an object by name, so that what follows from
// one of many costs no more with each of them.
type tally struct {
	observing, exposing int
	asked               int // that asked for it, allowed or not
	capacity            uint64
}

// ask changes what a link asks for on an object by name, and what is summed up and
// charged of it.
func (x *Exchange) ask(ol *objectLink, asked, allowed asks) {
	x.work++
	ol.object.tally.add(ol, -1)
	ol.asked, ol.asks = asked, allowed
	ol.object.tally.add(ol, 1)
	x.chargeRecord(ol)
}

// leave has a record count and cost no longer.
func (x *Exchange) leave(ol *objectLink) {
	ol.object.tally.add(ol, -1)
	x.charge(&ol.charge, nil, 0, 0)
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
	count(&t.asked, ol.asked.any())
	if sign > 0 {
		t.capacity += uint64(ol.capacity)
	} else {
		t.capacity -= uint64(ol.capacity)
	}
}
