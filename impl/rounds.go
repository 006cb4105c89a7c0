package impl

// Objects that could have another exposer are looked at in rounds: each object once per 0.5 to 1.5 s. Time is cut into
// moments, so that many objects are looked at in one tick. Once every object has been looked at since anything changed,
// rounds end until something does: objects that cannot move cost nothing.

const (
	moment = 1 << 24 // nanoseconds, 17 ms

	// The pause between two looks at an object, in moments: spread by a hash of object and round, but the same in every run.
	shortestPause = 30
	longestPause  = 88

	roundLength = longestPause + 1 // in moments
)

// rounds is a ring of moments, each with the objects that are to be looked at then. Moments are counted on a clock that
// stands still while no object is to be looked at, and that is never late by more than a round.
type rounds struct {
	ring   [2 * roundLength]fifo[*object]
	count  int   // of objects
	offset int64 // of the clock, in moments
	next   int64 // the first moment that is not over
	until  int64 // the last moment of the round that sees what changed last
}

// balancing is an object's place in the rounds.
type balancing struct {
	entry[*object]
	moment int64
	round  uint64
}

func (b *balancing) init(o *object) { *b = balancing{entry: entry[*object]{value: o}} }

// pause is how many moments pass before the next look at an object.
func (b *balancing) pause() int64 {
	hash := (b.value.number*0x9e3779b97f4a7c15 ^ b.round) * 0xbf58476d1ce4e5b9
	hash = (hash ^ hash>>31) * 0x94d049bb133111eb
	hash ^= hash >> 32
	b.round++
	return shortestPause + int64(hash%(longestPause-shortestPause))
}

// rest reports whether no object is to be looked at.
func (r *rounds) rest() bool { return r.count == 0 || r.next > r.until }

// clock is the moment of a time.
func (r *rounds) clock(mono int64) int64 {
	now := mono/moment - r.offset
	latest := r.next + roundLength - 1
	if r.rest() {
		latest = r.next - 1
	}
	if now > latest {
		r.offset += now - latest
		now = latest
	}
	return now
}

// at is the ring's place of a moment.
func (r *rounds) at(moment int64) *fifo[*object] {
	size := int64(len(r.ring))
	return &r.ring[(moment%size+size)%size]
}

func (r *rounds) put(b *balancing, mono int64) {
	b.moment = r.clock(mono) + 1 + b.pause()
	r.at(b.moment).push(&b.entry)
	r.count++
}

func (r *rounds) take(b *balancing) {
	r.at(b.moment).remove(&b.entry)
	r.count--
}

// stir begins another round: something changed that may let objects move, or goes on changing for a time.
func (r *rounds) stir(mono, lasts int64) {
	r.until = max(r.until, r.clock(mono)+lasts/moment+roundLength)
}

// deadline is when the next look is due; false: none is.
func (r *rounds) deadline() (int64, bool) {
	if r.rest() {
		return 0, false
	}
	for m := r.next; m <= r.until && m < r.next+int64(len(r.ring)); m++ {
		if r.at(m).length > 0 {
			return (m + r.offset) * moment, true
		}
	}
	return 0, false
}

// due is the next object to look at, of those whose moment has come; nil: none.
func (r *rounds) due(mono int64) *balancing {
	for now := r.clock(mono); r.next <= min(now, r.until); r.next++ {
		if first := r.at(r.next).first; first != nil {
			return &first.value.balance
		}
	}
	return nil
}

// settleBalance queues an object for the rounds, or takes it out.
func (x *Exchange) settleBalance(o *object) {
	x.balance.stir(x.now.Mono, 0)
	switch due := x.rebalances(o); {
	case due && !o.balance.queued:
		x.balance.put(&o.balance, x.now.Mono)
	case !due && o.balance.queued:
		x.balance.take(&o.balance)
	}
}

// tick looks at objects whose moment has come, as many as a slice has. The others are due at once.
func (x *Exchange) tick() {
	for range x.config.Slice {
		b := x.balance.due(x.now.Mono)
		if b == nil {
			return
		}
		x.work++
		x.balance.take(b)
		x.balance.put(b, x.now.Mono)
		x.rebalance(b.value)
		if b.queued && b.value.elected.Kind == ElectedNobody { // it is asked again, whatever happens
			x.balance.stir(x.now.Mono, 0)
		}
	}
}

// limitLoad bounds the load of a link. Objects may move until the limit is at its last point, and after.
func (x *Exchange) limitLoad(l *link, limit loadLimit) {
	l.limit = limit
	x.weigh(l, l.load)
	lasts := int64(0)
	if len(limit) > 0 {
		lasts = max(0, limit[len(limit)-1].mono-x.now.Mono)
	}
	x.balance.stir(x.now.Mono, lasts)
}
