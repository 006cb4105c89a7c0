package typescript

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"hakuban/impl"
	"hakuban/wire"
)

// objects and tags are what contracts are on: spelled as users and peers may, some alike but for their type.
var (
	objects = []struct {
		tags []string
		json string
	}{
		{nil, `1`},
		{[]string{`"a"`}, `1.0`},
		{[]string{`"b"`, `"a"`}, ` {"y": [1e2, -0], "x":"\u00e9😀"}`},
		{[]string{`{"b":2,"a":1}`, `"a"`}, `18446744073709551615`},
	}
	tags = []string{`"a"`, ` "b"`, `{"a":1,"b":2}`}
)

// step is one input of the leaf, as the client's tools/core.ts takes it, and what the Go core answered.
type step struct {
	Do       string   `json:"do"`
	Micros   string   `json:"micros"`
	Wall     string   `json:"wall"`
	Number   uint64   `json:"number"` // of a contract, or of an offer in the order they were taken
	Does     string   `json:"does,omitempty"`
	On       string   `json:"on,omitempty"`
	Tags     []string `json:"tags"`
	JSON     string   `json:"json,omitempty"`
	Capacity uint32   `json:"capacity"`
	Budget   int      `json:"budget"`
	Data     []byte   `json:"data"`
	Version  []string `json:"version"`
	Format   []string `json:"format"`
	Flag     string   `json:"flag,omitempty"`

	effects []string
}

// end is one exchange with what its application has.
type end struct {
	core      *impl.Exchange
	link      impl.LinkID // 0: none
	contracts []impl.ContractID
	exposes   map[impl.ContractID]bool
	offers    []impl.OfferID // taken and not released
	sinks     map[impl.OfferID]bool
	inbox     [][]byte // messages on their way here
}

// world is an upstream with two leaves, of which the first one's inputs are the client's too.
type world struct {
	random   *rand.Rand
	now      impl.Now
	upstream *end // its link is that to the first leaf
	sideLink impl.LinkID
	sideway  [][]byte // messages on their way from the second leaf to the upstream
	leaf     *end
	side     *end
	lastID   uint64
	taken    map[impl.OfferID]uint64 // the leaf's offers, by the order they were taken
	steps    []step
}

func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 1)), now: impl.Now{Mono: 1_000_000, Wall: 1_700_000_000_000_000_000}, taken: map[impl.OfferID]uint64{}}
	make := func(config impl.Config) *end {
		return &end{core: impl.New(config), exposes: map[impl.ContractID]bool{}, sinks: map[impl.OfferID]bool{}}
	}
	w.upstream = make(impl.Config{Rebalance: seed%2 == 0, RebalanceThreshold: impl.DefaultRebalanceThreshold})
	w.leaf, w.side = make(impl.Config{Upstream: true}), make(impl.Config{Upstream: true})
	return w
}

// run lets a number of things happen, mostly at the leaf.
func (w *world) run(count int) {
	for range count {
		w.now.Mono += int64(w.random.IntN(2)*w.random.IntN(3_000)) * 1000
		w.now.Wall += int64(w.random.IntN(3_000_000)) - 100_000 // this clock may go back
		switch w.random.IntN(20) {
		case 0, 1, 2:
			w.deliver(w.leaf)
		case 3, 4, 5:
			w.deliver(w.upstream)
		case 6:
			w.deliver(w.side)
			w.deliverSide()
		case 7, 8, 9:
			w.pull(w.leaf, w.random.IntN(2)*w.random.IntN(200))
		case 10, 11:
			w.pull(w.upstream, w.random.IntN(2)*w.random.IntN(400))
		case 12:
			w.pull(w.side, 1<<16)
		case 13:
			if w.random.IntN(8) == 0 || w.leaf.link == 0 {
				w.relink()
			}
		case 14, 15:
			w.act(w.side)
		case 16:
			if _, due := w.upstream.core.Deadline(); due {
				w.step(w.upstream, impl.Input{Kind: impl.InputTick})
			}
			if w.random.IntN(10) == 0 {
				w.act(w.upstream)
			}
		default:
			w.act(w.leaf)
		}
	}
}

// relink ends the links, or makes them: what is on its way is lost.
func (w *world) relink() {
	if w.leaf.link != 0 {
		w.step(w.leaf, impl.Input{Kind: impl.InputDetach, Link: w.leaf.link})
		w.unlink()
		return
	}
	w.lastID++
	w.leaf.link, w.upstream.link = impl.LinkID(w.lastID), impl.LinkID(w.lastID)
	w.step(w.leaf, impl.Input{Kind: impl.InputAttach, Link: w.leaf.link, Role: impl.ToUpstream, Name: "leaf"})
	w.step(w.upstream, impl.Input{Kind: impl.InputAttach, Link: w.upstream.link, Role: impl.ToDownstream, Name: "router"})
	if w.side.link == 0 {
		w.lastID++
		w.side.link, w.sideLink = impl.LinkID(w.lastID), impl.LinkID(w.lastID)
		w.step(w.side, impl.Input{Kind: impl.InputAttach, Link: w.side.link, Role: impl.ToUpstream, Name: "side"})
		w.step(w.upstream, impl.Input{Kind: impl.InputAttach, Link: w.sideLink, Role: impl.ToDownstream, Name: "router"})
	}
}

// unlink is the upstream's end of the leaf's link, which has ended.
func (w *world) unlink() {
	w.leaf.link, w.leaf.inbox, w.upstream.inbox = 0, nil, nil
	w.step(w.upstream, impl.Input{Kind: impl.InputDetach, Link: w.upstream.link})
	w.upstream.link = 0
}

// deliver brings the first message on its way to an end; one to the leaf may be corrupted, rarely.
func (w *world) deliver(e *end) {
	if len(e.inbox) == 0 {
		return
	}
	data := e.inbox[0]
	e.inbox = e.inbox[1:]
	if e == w.leaf && w.random.IntN(30) == 0 {
		data = w.corrupt(data)
	}
	w.step(e, impl.Input{Kind: impl.InputReceive, Link: e.link, Data: data})
}

func (w *world) deliverSide() {
	if len(w.sideway) > 0 {
		w.step(w.upstream, impl.Input{Kind: impl.InputReceive, Link: w.sideLink, Data: w.sideway[0]})
		w.sideway = w.sideway[1:]
	}
}

func (w *world) corrupt(data []byte) []byte {
	data = slices.Clone(data)
	at := w.random.IntN(len(data))
	switch w.random.IntN(4) {
	case 0:
		return data[:at]
	case 1:
		return slices.Insert(data, at, byte(w.random.IntN(256)))
	case 2:
		return slices.Delete(data, at, at+1)
	}
	data[at] ^= 1 << w.random.IntN(8)
	return data
}

func (w *world) pull(e *end, budget int) {
	if e == w.upstream && w.sideLink != 0 {
		w.step(e, impl.Input{Kind: impl.InputPull, Link: w.sideLink, Budget: budget})
	}
	if e.link != 0 {
		w.step(e, impl.Input{Kind: impl.InputPull, Link: e.link, Budget: budget})
	}
}

// act does something that an application may do.
func (w *world) act(e *end) {
	open := len(e.contracts) < 3 || w.random.IntN(10) == 0
	contract := func() impl.ContractID { return e.contracts[w.random.IntN(len(e.contracts))] }
	switch choice := w.random.IntN(10); {
	case open && len(e.contracts) < 8:
		w.open(e)
	case len(e.contracts) == 0:
	case choice == 0:
		id := contract()
		e.contracts = slices.DeleteFunc(e.contracts, func(other impl.ContractID) bool { return other == id })
		w.step(e, impl.Input{Kind: impl.InputClose, Contract: id})
	case choice == 1:
		if id := contract(); e.exposes[id] {
			w.step(e, impl.Input{Kind: impl.InputSetCapacity, Contract: id, Capacity: uint32(w.random.IntN(3))})
		}
	case choice < 4:
		w.step(e, impl.Input{Kind: impl.InputTake, Contract: contract()})
	case len(e.offers) == 0:
	case choice == 4:
		at := w.random.IntN(len(e.offers))
		id := e.offers[at]
		e.offers = slices.Delete(e.offers, at, at+1)
		w.step(e, impl.Input{Kind: impl.InputRelease, Offer: id})
	case choice < 7:
		w.step(e, impl.Input{Kind: impl.InputRead, Offer: w.offer(e, false)})
	default:
		w.publish(e)
	}
}

// offer is one that was taken: a sink or a stream as is wanted, if there is one, but not always.
func (w *world) offer(e *end, sink bool) impl.OfferID {
	fitting := slices.DeleteFunc(slices.Clone(e.offers), func(id impl.OfferID) bool { return e.sinks[id] != sink })
	if len(fitting) == 0 || w.random.IntN(20) == 0 {
		fitting = e.offers
	}
	return fitting[len(fitting)-1-w.random.IntN(min(len(fitting), 3))] // an old one was revoked, mostly
}

func (w *world) open(e *end) {
	w.lastID++
	input := impl.Input{Kind: impl.InputOpen, Contract: impl.ContractID(w.lastID), Capacity: uint32(w.random.IntN(3))}
	input.ContractKind = impl.ContractKind(1 + w.random.IntN(4))
	object := objects[w.random.IntN(len(objects))]
	if input.ContractKind == impl.ObserveTag || input.ContractKind == impl.ExposeTag {
		object.tags, object.json = nil, tags[w.random.IntN(len(tags))]
	}
	var err error
	if input.Descriptor, err = wire.NewDescriptor(object.tags, object.json, nil); err != nil {
		panic("BUG: " + err.Error())
	}
	e.contracts = append(e.contracts, input.Contract)
	e.exposes[input.Contract] = input.ContractKind == impl.ExposeObject || input.ContractKind == impl.ExposeTag
	w.step(e, input)
}

func (w *world) publish(e *end) {
	state := &impl.State{Format: [][]string{nil, {"JSON"}, {"JSON", "é"}}[w.random.IntN(3)]}
	for range w.random.IntN(5) / 2 {
		state.Version = append(state.Version, []int64{1, 2, 3, int64(w.random.IntN(30)), int64(len(w.steps)), math.MaxInt64, -7}[min(w.random.IntN(25), 4+w.random.IntN(2)*w.random.IntN(3))])
	}
	state.Data = make([]byte, w.random.IntN(60)*w.random.IntN(60))
	for i := range state.Data {
		state.Data[i] = byte(i%97) ^ byte(w.random.IntN(2)*w.random.IntN(2)*w.random.IntN(2)*255)
	}
	flag := impl.Synchronized{Now: w.random.IntN(3) > 0}
	if !flag.Now {
		flag.Mono = w.now.Mono - int64(w.random.IntN(5_000)-500)*1000
	}
	w.step(e, impl.Input{Kind: impl.InputPublish, Offer: w.offer(e, true), State: state, Synchronized: flag})
}

// step steps an exchange and passes on what it wrote. Of the leaf it also notes the input, and the effects as text.
func (w *world) step(e *end, input impl.Input) {
	var texts []string
	ended := impl.LinkID(0)
	for _, effect := range e.core.Step(w.now, input) {
		switch effect.Kind {
		case impl.EffectWrite:
			data := effect.Message.Bytes()
			switch {
			case e == w.leaf:
				w.upstream.inbox = append(w.upstream.inbox, data)
			case e == w.side:
				w.sideway = append(w.sideway, data)
			case effect.Link == w.sideLink:
				w.side.inbox = append(w.side.inbox, data)
			default:
				w.leaf.inbox = append(w.leaf.inbox, data)
			}
		case impl.EffectTaken:
			if effect.Offer != 0 {
				e.offers = append(e.offers, effect.Offer)
				e.sinks[effect.Offer] = e.exposes[effect.Contract]
				if e == w.leaf {
					w.taken[effect.Offer] = uint64(len(w.taken) + 1)
				}
			}
		case impl.EffectEnd:
			ended = effect.Link
		}
		if e == w.leaf {
			texts = append(texts, w.text(&effect))
		}
	}
	if e == w.leaf {
		w.note(input, texts)
	}
	switch {
	case ended == 0:
	case e == w.leaf:
		w.unlink()
	case ended == w.sideLink || e == w.side:
		panic("BUG: the side's link ended by itself")
	default:
		panic("BUG: the upstream ended the leaf's link: the Go leaf broke the protocol")
	}
}

// text is an effect as the client's tools/core.ts writes it.
func (w *world) text(effect *impl.Effect) string {
	switch effect.Kind {
	case impl.EffectReady:
		return "ready"
	case impl.EffectWrite:
		return "write " + base64.StdEncoding.EncodeToString(effect.Message.Bytes())
	case impl.EffectDrained:
		return "drained"
	case impl.EffectEnd:
		return "ended"
	case impl.EffectOffered:
		return fmt.Sprint("offered ", effect.Contract)
	case impl.EffectTaken:
		if effect.Offer == 0 {
			return "taken nothing"
		}
		return fmt.Sprintf("taken %d %s", w.taken[effect.Offer], effect.Descriptor.Key)
	case impl.EffectRevoked:
		return fmt.Sprint("revoked ", w.taken[effect.Offer])
	case impl.EffectChanged:
		return fmt.Sprint("changed ", w.taken[effect.Offer])
	case impl.EffectState:
		return "state " + stateText(effect.State) + " " + flagText(effect.Synchronized)
	}
	for err, name := range map[error]string{impl.ErrRevoked: "RevokedError", impl.ErrStale: "StaleError", impl.ErrClosed: "ClosedError", impl.ErrTooLarge: "TooLargeError"} {
		if errors.Is(effect.Err, err) {
			return "refused " + name
		}
	}
	return "refused " + effect.Err.Error()
}

func stateText(state *impl.State) string {
	if state == nil {
		return "none"
	}
	version := ""
	for i, element := range state.Version {
		if i > 0 {
			version += ","
		}
		version += strconv.FormatInt(element, 10)
	}
	format, err := json.Marshal(append([]string{}, state.Format...))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return fmt.Sprintf("[%s] %s %s", version, format, base64.StdEncoding.EncodeToString(state.Data))
}

func flagText(flag impl.Synchronized) string {
	if flag.Now {
		return "now"
	}
	return strconv.FormatInt(floor(flag.Mono), 10)
}

// floor is nanoseconds in microseconds: whole ones, but for long ago.
func floor(nanoseconds int64) int64 { return nanoseconds / 1000 }

// note adds an input of the leaf to those that the client will be given.
func (w *world) note(input impl.Input, effects []string) {
	s := step{
		Micros: strconv.FormatInt(w.now.Mono/1000, 10), Wall: strconv.FormatInt(w.now.Wall, 10),
		Number: uint64(input.Contract), Capacity: input.Capacity, Budget: input.Budget, Data: input.Data, effects: effects,
		Tags: []string{}, Version: []string{}, Format: []string{},
	}
	switch input.Kind {
	case impl.InputAttach:
		s.Do = "attach"
	case impl.InputDetach:
		s.Do = "detach"
	case impl.InputReceive:
		s.Do = "receive"
	case impl.InputPull:
		s.Do = "pull"
	case impl.InputOpen:
		s.Do, s.JSON, s.Tags = "open", input.Descriptor.JSON, append(s.Tags, input.Descriptor.Tags...)
		s.Does = []string{"observe", "expose"}[(input.ContractKind-1)%2]
		s.On = []string{"object", "tag"}[(input.ContractKind-1)/2]
	case impl.InputClose:
		s.Do = "close"
	case impl.InputSetCapacity:
		s.Do = "set capacity"
	case impl.InputTake:
		s.Do = "take"
	case impl.InputRelease:
		s.Do, s.Number = "release", w.taken[input.Offer]
	case impl.InputRead:
		s.Do, s.Number = "read", w.taken[input.Offer]
	case impl.InputPublish:
		s.Do, s.Number, s.Data = "publish", w.taken[input.Offer], input.State.Data
		s.Format, s.Flag = append(s.Format, input.State.Format...), flagText(input.Synchronized)
		for _, element := range input.State.Version {
			s.Version = append(s.Version, strconv.FormatInt(element, 10))
		}
	default:
		panic(fmt.Sprintf("BUG: the leaf has no input of kind %d", input.Kind))
	}
	w.steps = append(w.steps, s)
}
