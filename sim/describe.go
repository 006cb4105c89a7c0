package sim

import (
	"fmt"
	"strings"

	"hakuban/impl"
	"hakuban/wire"
)

// DescribeInput says in words what an input is.
func DescribeInput(in *impl.Input) string {
	switch in.Kind {
	case impl.InputAttach:
		role := "to its upstream"
		if in.Role == impl.ToDownstream {
			role = "from downstream"
		}
		return fmt.Sprintf("attach link %d %s%s", in.Link, role, describeLimit(in.LoadLimit))
	case impl.InputDetach:
		return fmt.Sprintf("detach link %d", in.Link)
	case impl.InputReceive:
		return fmt.Sprintf("receive on link %d: %s", in.Link, describeMessage(in.Data))
	case impl.InputPull:
		return fmt.Sprintf("pull on link %d, budget %d", in.Link, in.Budget)
	case impl.InputOpen:
		return fmt.Sprintf("open contract %d: %s %s%s", in.Contract, describeKind(in.ContractKind), describeDescriptor(in.Descriptor), describeCapacity(in))
	case impl.InputClose:
		return fmt.Sprintf("close contract %d", in.Contract)
	case impl.InputSetCapacity:
		return fmt.Sprintf("set capacity of contract %d to %d", in.Contract, in.Capacity)
	case impl.InputTake:
		return fmt.Sprintf("take from contract %d", in.Contract)
	case impl.InputRelease:
		return fmt.Sprintf("release offer %d", in.Offer)
	case impl.InputPublish:
		return fmt.Sprintf("publish on offer %d: %s, %s", in.Offer, describeState(in.State), describeFlag(in.Synchronized))
	case impl.InputRead:
		return fmt.Sprintf("read offer %d", in.Offer)
	case impl.InputTick:
		return "tick"
	case impl.InputContinue:
		return fmt.Sprintf("continue with the message on link %d", in.Link)
	}
	return fmt.Sprintf("input of unknown kind %d", in.Kind)
}

// DescribeEffect says in words what an effect is.
func DescribeEffect(e *impl.Effect) string {
	switch e.Kind {
	case impl.EffectReady:
		return fmt.Sprintf("link %d has something to send", e.Link)
	case impl.EffectWrite:
		return fmt.Sprintf("write on link %d: %s", e.Link, describeMessage(e.Message.Bytes()))
	case impl.EffectDrained:
		return fmt.Sprintf("link %d is owed nothing more", e.Link)
	case impl.EffectEnd:
		return fmt.Sprintf("end link %d: %v", e.Link, e.Err)
	case impl.EffectOffered:
		return fmt.Sprintf("contract %d has an offer", e.Contract)
	case impl.EffectTaken:
		if e.Offer == 0 {
			return fmt.Sprintf("nothing to take from contract %d", e.Contract)
		}
		return fmt.Sprintf("contract %d takes offer %d of %s", e.Contract, e.Offer, describeDescriptor(e.Descriptor))
	case impl.EffectRevoked:
		return fmt.Sprintf("offer %d is revoked", e.Offer)
	case impl.EffectChanged:
		return fmt.Sprintf("stream %d has something new", e.Offer)
	case impl.EffectState:
		return fmt.Sprintf("offer %d: %s, %s", e.Offer, describeState(e.State), describeFlag(e.Synchronized))
	case impl.EffectRefused:
		return fmt.Sprintf("refused: %v", e.Err)
	}
	return fmt.Sprintf("effect of unknown kind %d", e.Kind)
}

func describeKind(kind impl.ContractKind) string {
	switch kind {
	case impl.ObserveObject:
		return "observe object"
	case impl.ExposeObject:
		return "expose object"
	case impl.ObserveTag:
		return "observe tag"
	case impl.ExposeTag:
		return "expose tag"
	}
	return fmt.Sprintf("contract of unknown kind %d", kind)
}

func describeCapacity(in *impl.Input) string {
	if in.ContractKind == impl.ExposeObject || in.ContractKind == impl.ExposeTag {
		return fmt.Sprintf(" with capacity %d", in.Capacity)
	}
	return ""
}

func describeDescriptor(d wire.Descriptor) string {
	if len(d.Tags) == 0 {
		return d.JSON
	}
	return d.JSON + " tagged " + strings.Join(d.Tags, ", ")
}

func describeLimit(points []wire.LoadPoint) string {
	if len(points) == 0 {
		return ""
	}
	return fmt.Sprintf(" with load limit %v", points)
}

func describeState(state *impl.State) string {
	if state == nil {
		return "no state"
	}
	version := "default version"
	if len(state.Version) > 0 {
		version = fmt.Sprintf("version %v", state.Version)
	}
	return fmt.Sprintf("%s, format %q, %s", version, state.Format, describeData(state.Data))
}

func describeFlag(flag impl.Synchronized) string {
	if flag.Now {
		return "now"
	}
	return fmt.Sprintf("last at %.3f ms", float64(flag.Mono)/1e6)
}

func describeData(data []byte) string {
	if len(data) > 48 {
		return fmt.Sprintf("%d bytes %q…", len(data), data[:40])
	}
	return fmt.Sprintf("%q", data)
}

// describeMessage decodes a websocket message, which may be anything.
func describeMessage(data []byte) string {
	if len(data) == 0 {
		return "an empty message"
	}
	event, err := wire.DecodeEvent(data, nil)
	if err != nil {
		return fmt.Sprintf("%d bytes that are no event (%v)", len(data), err)
	}
	text := fmt.Sprintf("%s %s", event.Kind, event.Channel)
	if event.Kind != wire.EventMessage {
		return text
	}
	for _, t := range event.Message.Initialize {
		text += fmt.Sprintf(", as %s %s", t.Kind, describeDescriptor(wire.Descriptor{Tags: t.Tags, JSON: t.JSON}))
	}
	for _, a := range event.Message.Control {
		text += ", " + a.Kind.String()
		switch a.Kind {
		case wire.ActionSetName:
			text += " " + a.Name
		case wire.ActionSetLoadLimit:
			text += fmt.Sprintf(" %v", a.LoadLimit)
		default:
			text += " " + describeDescriptor(wire.Descriptor{Tags: a.Tags, JSON: a.JSON})
			if a.Capacity != 0 {
				text += fmt.Sprintf(" capacity %d", a.Capacity)
			}
		}
	}
	for _, a := range event.Message.States {
		flag := "now"
		if a.Synchronized != 0 {
			flag = fmt.Sprintf("%d µs ago", a.Synchronized)
		}
		if a.Kind == wire.StatePatch {
			text += fmt.Sprintf(", patch to version %v with %d bytes, %s", a.Version, len(a.Diff), flag)
		} else {
			text += ", flag " + flag
		}
	}
	return text
}
