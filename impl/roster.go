package impl

// roster is a list of what there is, in no order, that can be gone through in slices: from the last place to the first. What
// leaves gives its place to the last one, which was passed already, so what stays all the time is passed at least once.
type roster[T seated] struct{ all []T }

// seated is what can be in a roster.
type seated interface {
	comparable
	seat() *int
}

func (r *roster[T]) add(t T) {
	*t.seat() = len(r.all)
	r.all = append(r.all, t)
}

func (r *roster[T]) remove(t T) {
	last, place := len(r.all)-1, *t.seat()
	r.all[place] = r.all[last]
	*r.all[place].seat() = place
	clear(r.all[last:])
	r.all = r.all[:last]
}

// copied is a roster of the copies of what is in one.
func (r *roster[T]) copied(copies map[T]T) (to roster[T]) {
	for _, t := range r.all {
		to.add(copies[t])
	}
	return to
}

func (o *object) seat() *int   { return &o.place }
func (t *tag) seat() *int      { return &t.place }
func (l *link) seat() *int     { return &l.place }
func (c *contract) seat() *int { return &c.place }
func (f *offer) seat() *int    { return &f.place }
func (t *told) seat() *int     { return &t.place }
