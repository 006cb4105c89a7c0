package wire

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Descriptor is the identity of an object: a JSON value and a set of tags, each a JSON value too.
//
// Invariant: descriptors name the same object if and only if their Keys are equal.
type Descriptor struct {
	// Key is the object's identity: a JSON array of the tags' identities, sorted bytewise, each once, then the json's identity.
	// The array's end shows where json starts, so no two objects have one Key.
	Key string
	// Tags are the tags' spellings, in the order of their identities. Of equal tags the first one's spelling is kept.
	Tags []string
	// TagIdentities are the identities of Tags, in the same order.
	TagIdentities []string
	// JSON is the spelling of the object's own JSON value.
	JSON string
}

// tag is one tag's two texts.
type tag struct{ spelling, identity string }

// NewDescriptor makes the descriptor of an object that a peer named; see [Canonical]. nil limits means [DefaultLimits].
// The error is a [*DecodeError] whose reason tells which of the texts was refused and whose offset is within that text.
func NewDescriptor(tags []string, json string, limits *Limits) (Descriptor, error) {
	return newDescriptor(tags, json, limits.orDefault(), false)
}

// NewDescriptorStrict makes the descriptor of an object that our own user named; see [CanonicalStrict].
func NewDescriptorStrict(tags []string, json string, limits *Limits) (Descriptor, error) {
	return newDescriptor(tags, json, limits.orDefault(), true)
}

func newDescriptor(texts []string, json string, limits *Limits, strict bool) (Descriptor, error) {
	if len(texts) > limits.Tags {
		return Descriptor{}, &DecodeError{
			Reason: "tags: " + strconv.Itoa(len(texts)) + " elements, the limit is " + strconv.Itoa(limits.Tags),
		}
	}
	tags := make([]tag, len(texts))
	for i, text := range texts {
		spelling, identity, err := canonical(text, limits, strict)
		if err != nil {
			return Descriptor{}, within(err, "tag "+strconv.Itoa(i))
		}
		tags[i] = tag{spelling, identity}
	}
	spelling, identity, err := canonical(json, limits, strict)
	if err != nil {
		return Descriptor{}, within(err, "json")
	}
	// In whole too: it is sent on in one message with others, to peers that hold us to the same limits.
	size := len(spelling)
	for i := range tags {
		size += len(tags[i].spelling)
	}
	if size > limits.Descriptor {
		return Descriptor{}, &DecodeError{
			Reason: "tags and json: " + strconv.Itoa(size) + " bytes in all, the limit is " + strconv.Itoa(limits.Descriptor),
		}
	}
	slices.SortStableFunc(tags, func(a, b tag) int { return strings.Compare(a.identity, b.identity) })
	tags = slices.CompactFunc(tags, func(a, b tag) bool { return a.identity == b.identity })
	d := Descriptor{Key: key(tags, identity), JSON: spelling}
	if len(tags) > 0 {
		d.Tags = make([]string, len(tags))
		d.TagIdentities = make([]string, len(tags))
	}
	for i := range tags {
		d.Tags[i], d.TagIdentities[i] = tags[i].spelling, tags[i].identity
	}
	return d, nil
}

func within(err error, where string) error {
	inner := err.(*DecodeError)
	return &DecodeError{Offset: inner.Offset, Reason: where + ": " + inner.Reason}
}

func key(tags []tag, identity string) string {
	length := len("[]") + len(tags) + len(identity)
	for i := range tags {
		length += len(tags[i].identity)
	}
	var b strings.Builder
	b.Grow(length)
	b.WriteByte('[')
	for i := range tags {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(tags[i].identity)
	}
	b.WriteByte(']')
	b.WriteString(identity)
	return b.String()
}

// DescriptorFromKey returns the descriptor with that Key, spelled by its identities. It refuses, with a [*DecodeError], every
// text that is not the Key of some descriptor.
func DescriptorFromKey(key string) (Descriptor, error) {
	if !utf8.ValidString(key) {
		return Descriptor{}, &DecodeError{Offset: invalidAt([]byte(key)), Reason: "key: not UTF-8"}
	}
	p := parser{text: key, exact: true, fold: true}
	d := Descriptor{Key: key}
	if p.peek() != '[' {
		return Descriptor{}, &DecodeError{Offset: 0, Reason: "key: '[' wanted"}
	}
	p.offset++
	for p.peek() != ']' {
		start := p.offset
		if len(d.Tags) > 0 {
			if p.peek() != ',' {
				return Descriptor{}, &DecodeError{Offset: p.offset, Reason: "key: ',' or ']' wanted"}
			}
			p.offset++
		}
		tag, err := p.identity()
		if err != nil {
			return Descriptor{}, err
		}
		if len(d.Tags) > 0 && d.Tags[len(d.Tags)-1] >= tag {
			return Descriptor{}, &DecodeError{Offset: start, Reason: "key: tags out of order"}
		}
		d.Tags = append(d.Tags, tag)
	}
	p.offset++
	json, err := p.identity()
	if err != nil {
		return Descriptor{}, err
	}
	if p.offset < len(key) {
		return Descriptor{}, &DecodeError{Offset: p.offset, Reason: "key: text after the json"}
	}
	d.JSON, d.TagIdentities = json, d.Tags
	return d, nil
}

// identity reads a value that is spelled as identities are.
func (p *parser) identity() (string, error) {
	start := p.offset
	p.out = p.out[:0]
	if !p.value() {
		return "", p.err
	}
	if text := p.text[start:p.offset]; text == string(p.out) && len(p.moves) == 0 {
		return text, nil
	}
	return "", &DecodeError{Offset: start, Reason: "key: not spelled as an identity"}
}
