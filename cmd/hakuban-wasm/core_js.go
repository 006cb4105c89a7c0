package main

import (
	"errors"
	"fmt"
	"math"
	"syscall/js"

	"hakuban/impl"
	"hakuban/wire"
)

// core is an exchange at a leaf, as JavaScript drives it.
type core struct {
	x        *impl.Exchange
	limits   impl.Limits
	function js.Func // that steps it
	lastLink impl.LinkID
	buffer   []byte // of pulls
}

func newCore(limits js.Value) *core {
	c := &core{limits: limitsOf(limits)}
	c.x = impl.New(impl.Config{Limits: c.limits, Upstream: true})
	c.function = js.FuncOf(func(_ js.Value, arguments []js.Value) any { return c.step(arguments[0]) })
	return c
}

// limitsOf reads the limits of the client in TypeScript, which has fewer.
func limitsOf(value js.Value) impl.Limits {
	limit := func(name string) int { return int(value.Get(name).Float()) }
	limits := impl.Limits{LinkObjects: limit("linkObjects"), LinkBytes: limit("linkBytes"), Wire: wire.Limits{
		Message: limit("message"), State: limit("state"), Diff: limit("state"), Descriptor: limit("descriptor"), Tags: limit("tags"),
		Version: limit("version"), Formats: limit("formats"), Format: limit("format"), Name: limit("name"), LoadPoints: limit("loadPoints"),
		Actions: limit("actions"), States: limit("states"), Elements: limit("elements"),
	}}
	return limits.WithDefaults()
}

var kinds = map[string]impl.InputKind{
	"attach": impl.InputAttach, "detach": impl.InputDetach, "receive": impl.InputReceive, "pull": impl.InputPull,
	"open": impl.InputOpen, "close": impl.InputClose, "set capacity": impl.InputSetCapacity, "take": impl.InputTake,
	"release": impl.InputRelease, "publish": impl.InputPublish, "read": impl.InputRead,
}

var contractKinds = map[string]impl.ContractKind{
	"observe object": impl.ObserveObject, "expose object": impl.ExposeObject, "observe tag": impl.ObserveTag, "expose tag": impl.ExposeTag,
}

// step carries out one input. What it is asked besides: the name that the peer of a link has told, and that the core is needed no more.
func (c *core) step(value js.Value) any {
	now := impl.Now{
		Mono: int64(value.Get("micros").Float()) * 1000,
		Wall: int64(value.Get("seconds").Float())*1_000_000_000 + int64(value.Get("nanos").Float()),
	}
	switch what := value.Get("kind").String(); what {
	case "remote name":
		link, ok := c.x.SnapshotLink(now, impl.LinkID(value.Get("link").Int()))
		if !ok || !link.HasName {
			return js.Undefined()
		}
		return link.RemoteName
	case "free":
		c.function.Release()
		return js.Undefined()
	default:
		input, err := c.input(kinds[what], value)
		if err != nil {
			return js.ValueOf([]any{refused(err)})
		}
		var effects []any
		for _, effect := range c.x.Step(now, input) {
			effects = append(effects, c.effect(&effect))
		}
		return js.ValueOf(effects)
	}
}

// input reads an input. The id of a link that is attached is made here, and told by an effect of its own.
func (c *core) input(kind impl.InputKind, value js.Value) (input impl.Input, err error) {
	input.Kind = kind
	switch kind {
	case impl.InputAttach:
		c.lastLink++
		input.Link, input.Role, input.Name = c.lastLink, impl.ToUpstream, value.Get("name").String()
		points := value.Get("loadLimit")
		for n := range points.Length() {
			point := points.Index(n)
			input.LoadLimit = append(input.LoadLimit, wire.LoadPoint{
				Seconds: float32(point.Get("seconds").Float()),
				Load:    uint32(point.Get("load").Float()),
			})
		}
	case impl.InputDetach:
		input.Link = impl.LinkID(value.Get("link").Int())
	case impl.InputReceive:
		input.Link, input.Data = impl.LinkID(value.Get("link").Int()), bytesOf(value.Get("data"))
	case impl.InputPull:
		input.Link, input.Budget, input.Buffer = impl.LinkID(value.Get("link").Int()), value.Get("budget").Int(), c.buffer[:0]
	case impl.InputOpen:
		input.Contract, input.Capacity = impl.ContractID(value.Get("contract").Int()), uint32(value.Get("capacity").Float())
		input.ContractKind = contractKinds[value.Get("contractKind").String()]
		input.Descriptor, err = wire.NewDescriptorStrict(textsOf(value.Get("tags")), value.Get("json").String(), &c.limits.Wire)
	case impl.InputSetCapacity:
		input.Contract, input.Capacity = impl.ContractID(value.Get("contract").Int()), uint32(value.Get("capacity").Float())
	case impl.InputClose, impl.InputTake:
		input.Contract = impl.ContractID(value.Get("contract").Int())
	case impl.InputRelease, impl.InputRead:
		input.Offer = impl.OfferID(value.Get("offer").Int())
	case impl.InputPublish:
		input.Offer = impl.OfferID(value.Get("offer").Int())
		numbers := integersOf(value.Get("numbers"))
		input.State = &impl.State{Version: numbers[1:], Format: textsOf(value.Get("format")), Data: bytesOf(value.Get("data"))}
		input.Synchronized = impl.Synchronized{Now: value.Get("now").Bool()}
		if !input.Synchronized.Now {
			input.Synchronized.Mono = nanos(numbers[0])
		}
	default:
		err = fmt.Errorf("unknown input %q", value.Get("kind").String())
	}
	return input, err
}

var effectKinds = map[impl.EffectKind]string{
	impl.EffectReady: "ready", impl.EffectDrained: "drained", impl.EffectOffered: "offered", impl.EffectRevoked: "revoked",
	impl.EffectChanged: "changed",
}

// effect describes an effect.
func (c *core) effect(effect *impl.Effect) map[string]any {
	described := map[string]any{
		"kind": effectKinds[effect.Kind], "link": float64(effect.Link), "contract": float64(effect.Contract), "offer": float64(effect.Offer),
	}
	switch effect.Kind {
	case impl.EffectWrite:
		described["kind"], described["message"] = "write", array(effect.Message.Bytes())
	case impl.EffectEnd:
		described["kind"], described["reason"] = "ended", effect.Err.Error()
	case impl.EffectTaken:
		described["kind"], described["tags"], described["json"] = "taken", texts(effect.Descriptor.Tags), effect.Descriptor.JSON
	case impl.EffectState:
		numbers := []int64{effect.Synchronized.Mono / 1000}
		described["kind"], described["now"] = "state", effect.Synchronized.Now
		if state := effect.State; state != nil {
			numbers = append(numbers, state.Version...)
			described["data"], described["format"] = array(state.Data), texts(state.Format)
		}
		described["numbers"] = array(littleEndian(numbers))
	case impl.EffectRefused:
		return refused(effect.Err)
	}
	return described
}

// refused describes a refusal by the name of its class in JavaScript.
func refused(err error) map[string]any {
	name := "TypeError"
	var decode *wire.DecodeError
	switch {
	case errors.Is(err, impl.ErrRevoked):
		name = "RevokedError"
	case errors.Is(err, impl.ErrStale):
		name = "StaleError"
	case errors.Is(err, impl.ErrClosed):
		name = "ClosedError"
	case errors.Is(err, impl.ErrTooLarge):
		name = "TooLargeError"
	case errors.Is(err, impl.ErrUpstream):
		name = "Error"
	case errors.As(err, &decode):
		name = "DecodeError"
	}
	return map[string]any{"kind": "refused", "name": name, "reason": err.Error()}
}

// nanos is a number of microseconds in nanoseconds, or the nearest that there is.
func nanos(micros int64) int64 {
	switch {
	case micros > math.MaxInt64/1000:
		return math.MaxInt64
	case micros < math.MinInt64/1000:
		return math.MinInt64
	}
	return micros * 1000
}
