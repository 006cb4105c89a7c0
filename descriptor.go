package hakuban

import (
	"encoding/json"
	"fmt"
	"strings"

	"hakuban/wire"
)

// Object names an object: a JSON value and a set of tags, each a JSON value too.
//
// Objects are equal (==, and as map keys) exactly when every exchange of the tree holds them equal: keys of JSON objects and tags
// have no order, an integer differs from the same number written as a float (1 and 1.0), and the spelling of a string or of
// white space does not count. The zero Object names nothing.
//
// In JSON an Object is {"tags":[…],"json":…}, and a [Tag] its value: both can be part of names, of states and of logs. The zero ones
// cannot.
type Object struct {
	key string
}

// Tag names a tag: a JSON value. Tags are equal as [Object] values are. The zero Tag names nothing.
type Tag struct {
	text string
}

// NewObject names the object that json, marshalled by encoding/json, and tags identify. A tag is a [Tag], or a value that is
// marshalled in the same way.
//
// Note what encoding/json does: float64(1) becomes 1, which is an integer. Where 1.0 is meant, say json.RawMessage("1.0").
// Refused are, besides what cannot be marshalled: JSON objects with a key given twice, strings that are not UTF-8, and texts beyond
// the limits of [DefaultLimits] (1 MiB of JSON, 1024 tags, 127 levels). encoding/json writes bytes that are not UTF-8 as \ufffd,
// so that escape is refused from whatever writes it; the character itself is not, nor the escape by [ParseObject].
func NewObject(json any, tags ...any) (Object, error) {
	text, err := marshal(json)
	if err != nil {
		return Object{}, err
	}
	texts := make([]string, len(tags))
	for i, tag := range tags {
		if texts[i], err = marshal(tag); err != nil {
			return Object{}, fmt.Errorf("tag %d: %w", i, err)
		}
	}
	return ParseObject(text, texts...)
}

// MustObject is [NewObject] for values known to be good, such as constants. It panics on an error.
func MustObject(json any, tags ...any) Object {
	object, err := NewObject(json, tags...)
	if err != nil {
		panic(err)
	}
	return object
}

// ParseObject names the object of a JSON text and the JSON texts of its tags.
func ParseObject(json string, tags ...string) (Object, error) {
	descriptor, err := wire.NewDescriptorStrict(tags, json, nil)
	if err != nil {
		return Object{}, fmt.Errorf("%w: %w", ErrDescriptor, err)
	}
	return Object{descriptor.Key}, nil
}

// JSON returns the canonical text of the object's own value; of the zero Object, "".
func (o Object) JSON() string { return o.descriptor().JSON }

// Tags returns the object's tags in a fixed order.
func (o Object) Tags() []Tag {
	texts := o.descriptor().Tags
	tags := make([]Tag, len(texts))
	for i, text := range texts {
		tags[i] = Tag{text}
	}
	return tags
}

// HasTag reports whether the object carries the tag.
func (o Object) HasTag(tag Tag) bool {
	for _, text := range o.descriptor().Tags {
		if text == tag.text {
			return true
		}
	}
	return false
}

// Decode stores the object's own value, without the tags, in the value that into points at, as encoding/json does.
func (o Object) Decode(into any) error { return json.Unmarshal([]byte(o.JSON()), into) }

// String returns the tags as a JSON array and then the value: ["some-tag"]"xxx".
func (o Object) String() string { return o.key }

// MarshalJSON returns {"tags":[…],"json":…}: the tags in their order, and the value.
func (o Object) MarshalJSON() ([]byte, error) {
	descriptor, err := objectDescriptor(o)
	if err != nil {
		return nil, err
	}
	return []byte(`{"tags":[` + strings.Join(descriptor.Tags, ",") + `],"json":` + descriptor.JSON + `}`), nil
}

// UnmarshalJSON takes what MarshalJSON returns. The tags can be left out.
func (o *Object) UnmarshalJSON(text []byte) error {
	var parts struct {
		Tags []json.RawMessage `json:"tags"`
		JSON json.RawMessage   `json:"json"`
	}
	if err := json.Unmarshal(text, &parts); err != nil {
		return fmt.Errorf("%w: %w", ErrDescriptor, err)
	}
	tags := make([]string, len(parts.Tags))
	for i, tag := range parts.Tags {
		tags[i] = string(tag)
	}
	object, err := ParseObject(string(parts.JSON), tags...)
	if err == nil {
		*o = object
	}
	return err
}

func (o Object) descriptor() wire.Descriptor {
	if o.key == "" {
		return wire.Descriptor{}
	}
	descriptor, err := wire.DescriptorFromKey(o.key)
	if err != nil {
		panic("BUG: an object's key does not parse: " + err.Error())
	}
	return descriptor
}

// NewTag names the tag that json, marshalled by encoding/json, identifies. See [NewObject].
func NewTag(json any) (Tag, error) {
	text, err := marshal(json)
	if err != nil {
		return Tag{}, err
	}
	return ParseTag(text)
}

// MustTag is [NewTag] for values known to be good, such as constants. It panics on an error.
func MustTag(json any) Tag {
	tag, err := NewTag(json)
	if err != nil {
		panic(err)
	}
	return tag
}

// ParseTag names the tag of a JSON text.
func ParseTag(json string) (Tag, error) {
	_, identity, err := wire.CanonicalStrict(json, nil)
	if err != nil {
		return Tag{}, fmt.Errorf("%w: %w", ErrDescriptor, err)
	}
	return Tag{identity}, nil
}

// JSON returns the tag's canonical text; of the zero Tag, "".
func (t Tag) JSON() string { return t.text }

// Decode stores the tag's value in the value that into points at, as encoding/json does.
func (t Tag) Decode(into any) error { return json.Unmarshal([]byte(t.text), into) }

// String returns the tag's canonical text.
func (t Tag) String() string { return t.text }

// MarshalJSON returns the tag's canonical text.
func (t Tag) MarshalJSON() ([]byte, error) {
	descriptor, err := t.descriptor()
	return []byte(descriptor.JSON), err
}

// UnmarshalJSON takes the tag's JSON text.
func (t *Tag) UnmarshalJSON(text []byte) error {
	tag, err := ParseTag(string(text))
	if err == nil {
		*t = tag
	}
	return err
}

func (t Tag) descriptor() (wire.Descriptor, error) {
	if t.text == "" {
		return wire.Descriptor{}, fmt.Errorf("%w: the zero Tag", ErrDescriptor)
	}
	return wire.NewDescriptorStrict(nil, t.text, nil)
}

// marshal is json.Marshal that keeps <, > and & as they are, and different values different.
func marshal(value any) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("%w: %w", ErrDescriptor, err)
	}
	// All that is not UTF-8 is written as this escape. Escaped backslashes are taken out first: after one, ufffd is but text.
	if strings.Contains(strings.ReplaceAll(text.String(), `\\`, ""), `\ufffd`) {
		return "", fmt.Errorf("%w: a string that is not UTF-8", ErrDescriptor)
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}
