package checker

import "fmt"

// Forgotten: once every contract closed and the tree is at rest, nothing is
// left but the links.
type Forgotten struct{ base }

// Name implements [Checker].
func (*Forgotten) Name() string { return "forgotten" }

// Quiet implements [Quieter].
func (c *Forgotten) Quiet(q *Quiet) (int, error) {
	if q.Phase != Closed {
		return 0, nil
	}
	for i := range q.Exchanges {
		s := q.Exchanges[i].Snapshot
		if len(s.Objects)+len(s.Tags)+len(s.Contracts) > 0 {
			return i, fmt.Errorf("nobody needs anything, but %d objects, %d tags and %d contracts are left", len(s.Objects), len(s.Tags), len(s.Contracts))
		}
		for k := range s.Links {
			if s.Links[k].Load != 0 || len(s.Links[k].Told) > 0 {
				return i, fmt.Errorf("link %d is left with load %d and %d things told", s.Links[k].Link, s.Links[k].Load, len(s.Links[k].Told))
			}
		}
	}
	return 0, nil
}
