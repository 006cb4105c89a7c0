package sim

import (
	"encoding/binary"

	"hakuban/impl"
)

// Hash is a running hash of everything that cores answered. It is the same on
// every machine.
type Hash uint64

func (h *Hash) word(x uint64) {
	*h = Hash((uint64(*h) ^ x) * 0x9e3779b97f4a7c15)
	*h ^= *h >> 29
}

func (h *Hash) bytes(data []byte) {
	h.word(uint64(len(data)))
	for len(data) >= 8 {
		h.word(binary.LittleEndian.Uint64(data))
		data = data[8:]
	}
	var last uint64
	for i, b := range data {
		last |= uint64(b) << (8 * i)
	}
	h.word(last)
}

func (h *Hash) text(s string) {
	h.word(uint64(len(s)))
	var word uint64
	for i := range len(s) {
		word = word<<8 | uint64(s[i])
		if i%8 == 7 {
			h.word(word)
			word = 0
		}
	}
	h.word(word)
}

// Effects adds the effects of a step.
func (h *Hash) Effects(effects []impl.Effect) {
	h.word(uint64(len(effects)))
	for i := range effects {
		e := &effects[i]
		h.word(uint64(e.Kind) | uint64(e.Link)<<8 ^ uint64(e.Contract)<<24 ^ uint64(e.Offer)<<40)
		switch e.Kind {
		case impl.EffectWrite:
			h.bytes(e.Message.Bytes())
		case impl.EffectTaken:
			h.text(e.Descriptor.Key)
		case impl.EffectState:
			if e.State != nil {
				for _, x := range e.State.Version {
					h.word(uint64(x))
				}
				for _, f := range e.State.Format {
					h.text(f)
				}
				h.bytes(e.State.Data)
			}
			h.word(uint64(e.Synchronized.Mono))
			if e.Synchronized.Now {
				h.word(1)
			}
		case impl.EffectEnd, impl.EffectRefused:
			h.text(e.Err.Error())
		}
	}
}
