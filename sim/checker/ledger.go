package checker

import (
	"errors"
	"math"
	"slices"

	"hakuban/impl"
	"hakuban/sim/mark"
	"hakuban/wire"
)

// Ledger remembers what the applications did and saw.
type Ledger struct {
	Objects map[string]*Object // by key
	marks   *mark.Set
	lives   []life
}

type life struct {
	number    int
	config    impl.Config
	contracts map[impl.ContractID]*Contract
	offers    map[impl.OfferID]*Offer
	released  string                // key of the object of the offer released last, when its contract is open
	limit     []wire.LoadPoint      // told to the upstream attached last
	limits    map[impl.LinkID]limit // told by the links that greeted
	exposures map[impl.LinkID]exposures
	began     int // exposures, of links and of local contracts
	name      string
}

// Contract is a local contract that is open.
type Contract struct {
	ID       impl.ContractID
	Kind     impl.ContractKind
	Key      string // of its object; empty: a tag contract
	Tag      string // empty: an object contract
	Capacity uint32
	Began    int      // its place in the order in which exposures began
	Held     []*Offer // taken, not released
	released map[string]bool
}

// Offer is a sink or a stream that was taken and not released.
type Offer struct {
	ID       impl.OfferID
	Contract *Contract
	Key      string
	Sink     bool
	Revoked  bool

	Seen         *impl.State // by the last read of a stream
	Synchronized impl.Synchronized
	LastAt       int64 // greatest last-at shown with that version
	HasSeen      bool
	Published    []int64 // on a sink: the newest
	Now          bool    // its flag
}

// Object is one object with everything that was ever published for it.
type Object struct {
	Key      string
	Newest   []int64
	versions map[uint64]*Publication
	exposers int // taken sinks, not revoked
}

// Publication is everything published under one version of one object.
type Publication struct {
	Version []int64
	Data    []uint64 // hashes, each once
	Crashed bool     // its publisher crashed since
	life    [2]int
}

func newLedger(marks *mark.Set) *Ledger {
	return &Ledger{Objects: map[string]*Object{}, marks: marks}
}

func (l *Ledger) begin(exchange, number int, config *impl.Config) {
	for len(l.lives) <= exchange {
		l.lives = append(l.lives, life{})
	}
	for _, o := range l.lives[exchange].offers {
		if o.Sink && !o.Revoked {
			l.Objects[o.Key].exposers--
		}
	}
	l.lives[exchange] = life{number: number, config: *config, contracts: map[impl.ContractID]*Contract{}, offers: map[impl.OfferID]*Offer{}, limits: map[impl.LinkID]limit{}, exposures: map[impl.LinkID]exposures{}}
}

// object returns the ledger's page for an object.
func (l *Ledger) object(key string) *Object {
	o := l.Objects[key]
	if o == nil {
		o = &Object{Key: key, versions: map[uint64]*Publication{}}
		l.Objects[key] = o
	}
	return o
}

// before resolves what a step is about and enters what happened, before the
// checkers see it.
func (l *Ledger) before(s *Step) {
	live := &l.lives[s.Exchange]
	for i := range s.Effects {
		switch s.Effects[i].Kind {
		case impl.EffectState, impl.EffectRefused:
			s.Answer = &s.Effects[i]
		}
	}
	if s.Answer != nil && s.Answer.Kind == impl.EffectRefused && limited(s) {
		return
	}
	switch s.Input.Kind {
	case impl.InputOpen:
		live.began++
		c := &Contract{ID: s.Input.Contract, Began: live.began, Kind: s.Input.ContractKind, Capacity: s.Input.Capacity, released: map[string]bool{}}
		if c.Kind == impl.ObserveObject || c.Kind == impl.ExposeObject {
			c.Key = s.Input.Descriptor.Key
		} else {
			c.Tag = s.Input.Descriptor.JSON
		}
		live.contracts[c.ID] = c
	case impl.InputAttach:
		if s.Input.Role == impl.ToUpstream {
			live.limit, live.name = s.Input.LoadLimit, s.Input.Name
		}
	case impl.InputReceive:
		live.heard(s)
	case impl.InputSetCapacity:
		if c := live.contracts[s.Input.Contract]; c != nil {
			c.Capacity = s.Input.Capacity
		}
	case impl.InputRead, impl.InputPublish, impl.InputRelease:
		s.Offer = live.offers[s.Input.Offer]
		if s.Offer != nil {
			s.Object = l.object(s.Offer.Key)
		}
	}
	if s.Input.Kind == impl.InputPublish && s.Answer != nil && s.Offer != nil {
		l.published(s)
	}
}

// limit is the load limit of a link of the exchange looked at, in units.
func (l *Ledger) limit(look *Look, link impl.LinkID) (float64, bool) {
	return l.lives[look.Exchange].limits[link].at(look.Now.Mono)
}

// covers reports whether a contract is about an object.
func (c *Contract) covers(o *impl.ObjectSnapshot) bool {
	return c.Key == o.Descriptor.Key || c.Tag != "" && slices.Contains(o.Descriptor.Tags, c.Tag)
}

// published enters a publication.
func (l *Ledger) published(s *Step) {
	if s.Answer.Kind == impl.EffectRefused {
		if errors.Is(s.Answer.Err, impl.ErrStale) {
			l.marks.Hit(mark.StaleRefused)
		} else {
			l.marks.Hit(mark.RevokedRefused)
		}
		return
	}
	version := s.Input.State.Version
	if s.Answer.State != nil {
		version = s.Answer.State.Version
	}
	if len(version) > 1 && version[0] == 1<<63-1 && len(s.Input.State.Version) == 0 {
		l.marks.Hit(mark.SuccessorOfMaximum)
	}
	hash := hashState(s.Input.State)
	key := hashVersion(version)
	p := s.Object.versions[key]
	if p == nil {
		p = &Publication{Version: slices.Clone(version), life: [2]int{s.Exchange, s.Life}}
		s.Object.versions[key] = p
	} else if !slices.Contains(p.Data, hash) {
		l.marks.Hit(mark.VersionTie)
	}
	if slices.Equal(version, s.Offer.Published) {
		l.marks.Hit(mark.EqualVersionPublished)
	}
	if !slices.Contains(p.Data, hash) {
		p.Data = append(p.Data, hash)
	}
	if slices.Compare(version, s.Object.Newest) > 0 {
		s.Object.Newest = p.Version
	}
	s.Offer.Published = p.Version
	s.Offer.Now = s.Input.Synchronized.Now
}

// after enters what the checkers compare with the past.
func (l *Ledger) after(s *Step) {
	live := &l.lives[s.Exchange]
	switch s.Input.Kind {
	case impl.InputRead:
		if s.Offer != nil && s.Answer != nil && s.Answer.Kind == impl.EffectState {
			l.readMarks(s)
			s.Offer.see(s.Answer.State, s.Answer.Synchronized)
		}
	case impl.InputRelease:
		live.released = ""
		if s.Offer != nil {
			delete(live.offers, s.Offer.ID)
			c := s.Offer.Contract
			c.Held = slices.DeleteFunc(c.Held, func(o *Offer) bool { return o == s.Offer })
			c.released[s.Offer.Key] = true
			if live.contracts[c.ID] != nil {
				live.released = s.Offer.Key
			}
			l.revoke(s.Offer)
		}
	case impl.InputClose:
		if c := live.contracts[s.Input.Contract]; c != nil {
			for _, o := range c.Held {
				l.revoke(o)
			}
			delete(live.contracts, c.ID)
		}
	case impl.InputDetach:
		delete(live.exposures, s.Input.Link)
	}
	for i := range s.Effects {
		switch e := &s.Effects[i]; e.Kind {
		case impl.EffectEnd:
			delete(live.exposures, e.Link)
		case impl.EffectTaken:
			l.taken(live, s.Input.Contract, e)
		case impl.EffectRevoked:
			if o := live.offers[e.Offer]; o != nil {
				l.marks.Hit(mark.RevokedTaken)
				l.revoke(o)
			}
		}
	}
}

// see notes what a read of a stream showed.
func (o *Offer) see(state *impl.State, flag impl.Synchronized) {
	if o.Seen == nil || state == nil || !slices.Equal(o.Seen.Version, state.Version) {
		o.LastAt = math.MinInt64
	}
	if !flag.Now {
		o.LastAt = max(o.LastAt, flag.Mono)
	}
	o.Seen, o.Synchronized, o.HasSeen = state, flag, true
}

func (l *Ledger) taken(live *life, id impl.ContractID, e *impl.Effect) {
	c := live.contracts[id]
	if e.Offer == 0 || c == nil {
		return
	}
	o := &Offer{ID: e.Offer, Contract: c, Key: e.Descriptor.Key, Sink: c.Kind == impl.ExposeObject || c.Kind == impl.ExposeTag}
	live.offers[o.ID] = o
	c.Held = append(c.Held, o)
	if c.released[o.Key] {
		l.marks.Hit(mark.TakenTwice)
	}
	if o.Sink {
		object := l.object(o.Key)
		object.exposers++
		if object.exposers > 1 {
			l.marks.Hit(mark.ExposerOverlap)
		}
	}
}

func (l *Ledger) revoke(o *Offer) {
	if !o.Revoked && o.Sink {
		l.object(o.Key).exposers--
	}
	o.Revoked = true
}

func (l *Ledger) readMarks(s *Step) {
	state := s.Answer.State
	switch {
	case state == nil:
		l.marks.Hit(mark.ReadNothing)
		return
	case s.Answer.Synchronized.Now:
		l.marks.Hit(mark.ReadNow)
	default:
		l.marks.Hit(mark.ReadLastAt)
	}
	if p := s.Object.find(state.Version); p != nil && l.lives[p.life[0]].number != p.life[1] {
		l.marks.Hit(mark.ReadOfCrashed)
	}
	if seen := s.Offer.Seen; seen != nil && slices.Equal(seen.Version, state.Version) && s.Offer.Synchronized.Now != s.Answer.Synchronized.Now {
		l.marks.Hit(mark.ReadFlagOnly)
	}
}

// find returns what was published under a version; nil: nothing.
func (o *Object) find(version []int64) *Publication { return o.versions[hashVersion(version)] }

// hashVersion tells versions apart.
func hashVersion(version []int64) uint64 {
	h := uint64(len(version)) + 1
	for _, x := range version {
		h = (h ^ uint64(x)) * 0x9e3779b97f4a7c15
		h ^= h >> 32
	}
	return h
}

// hashState tells data and formats apart.
func hashState(state *impl.State) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range state.Data {
		h = (h ^ uint64(b)) * 1099511628211
	}
	for _, f := range state.Format {
		h = (h ^ 0x100) * 1099511628211
		for i := range len(f) {
			h = (h ^ uint64(f[i])) * 1099511628211
		}
	}
	return h
}
