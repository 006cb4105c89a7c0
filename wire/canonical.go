package wire

import (
	"strconv"
	"unicode/utf8"
)

// Canonical parses one JSON text as the reference does. It returns the spelling, which is the text that the reference would
// send for it, and the identity: texts are equal to the reference when their identities are. The identity is the spelling
// with -0.0 written as 0.0. The error is a [*DecodeError]; nil limits means [DefaultLimits], of which Descriptor applies to
// text and spelling.
//
// Space and escapes do not matter, nor does the order of keys; of equal keys the last wins. 1 and 1.0 are different, as are
// 0 and -0, which is a float. Integers are exact within int64 and uint64 and floats beyond them.
//
// The reference reads some floats of 16 and more digits inexactly, even those that it wrote: spelling the spelling may give yet
// another text, at each exchange that an id passes. Canonical does the same, for it would name another object otherwise.
func Canonical(text string, limits *Limits) (spelling, identity string, err error) {
	return canonical(text, limits.orDefault(), false)
}

// CanonicalStrict is [Canonical] for texts of our own users. It also refuses what a user cannot have meant, or cannot rely on:
// duplicate keys, and floats that the reference changes when it reads what it wrote. A spelling it returns is its own spelling.
func CanonicalStrict(text string, limits *Limits) (spelling, identity string, err error) {
	return canonical(text, limits.orDefault(), true)
}

func canonical(text string, limits *Limits, strict bool) (spelling, identity string, err error) {
	if len(text) > limits.Descriptor {
		return "", "", tooLong(text, limits)
	}
	if !utf8.ValidString(text) {
		return "", "", &DecodeError{Offset: invalidAt([]byte(text)), Reason: "not UTF-8"}
	}
	p := parser{text: text, out: make([]byte, 0, len(text)), strict: strict}
	if !p.document() {
		return "", "", p.err
	}
	spelling = p.spelling()
	// What we send must not exceed the limit of a peer like us.
	if len(spelling) > limits.Descriptor {
		return "", "", tooLong(spelling, limits)
	}
	if !p.sawNegativeZero {
		return spelling, spelling, nil
	}
	p = parser{text: text, out: p.out[:0], fold: true}
	if !p.document() {
		panic("BUG: the same text was refused the second time: " + p.err.Error())
	}
	return spelling, p.spelling(), nil
}

func tooLong(text string, limits *Limits) error {
	return &DecodeError{
		Offset: limits.Descriptor,
		Reason: "descriptor: " + strconv.Itoa(len(text)) + " bytes, the limit is " + strconv.Itoa(limits.Descriptor),
	}
}
