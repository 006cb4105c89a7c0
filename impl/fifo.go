package impl

// fifo is a queue of elements that can leave from anywhere, so that what became
// moot while a link was slow leaves no trace behind. Each element is in at most
// one fifo, once.
type fifo[T any] struct {
	first, last *entry[T]
	length      int
}

// entry is the place of one value in a fifo; values embed it.
type entry[T any] struct {
	value          T
	previous, next *entry[T]
	queued         bool
}

// values returns the values in order, in a slice of their own.
func (f *fifo[T]) values() []T {
	values := make([]T, 0, f.length)
	for e := f.first; e != nil; e = e.next {
		values = append(values, e.value)
	}
	return values
}

// push appends an entry unless it is queued already.
func (f *fifo[T]) push(e *entry[T]) {
	if e.queued {
		return
	}
	e.queued = true
	e.previous, e.next = f.last, nil
	if f.last == nil {
		f.first = e
	} else {
		f.last.next = e
	}
	f.last = e
	f.length++
}

// remove takes an entry out if it is queued.
func (f *fifo[T]) remove(e *entry[T]) {
	if !e.queued {
		return
	}
	if e.previous == nil {
		f.first = e.next
	} else {
		e.previous.next = e.next
	}
	if e.next == nil {
		f.last = e.previous
	} else {
		e.next.previous = e.previous
	}
	e.previous, e.next, e.queued = nil, nil, false
	f.length--
}
