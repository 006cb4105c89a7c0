//go:build unix

package main

import (
	"unicode/utf8"

	"hakuban"
)

// tag is behind a handle of a tag descriptor.
type tag struct {
	hakuban.Tag
	text text
}

// object is behind a handle of an object descriptor.
type object struct {
	hakuban.Object
	text text

	loan loan
	tags []handle // lent; guarded by loan.mu
	all  *array   // of tags; nil: not asked for yet
}

// text is a JSON text that was lent, once asked for.
type text struct {
	loan
	bytes *byte
}

func (t *text) lend(json string) *byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return nil
	}
	if t.bytes == nil {
		t.bytes = lendText(&t.loan, json)
	}
	return t.bytes
}

func newTag(json string) result {
	if err := checkText(json); err != nil {
		return resultOf(err)
	}
	named, err := hakuban.ParseTag(json)
	if err != nil {
		return result{status: statusInvalidJSON, err: err}
	}
	return added(&tag{Tag: named}, kindTag)
}

func newObject(json string, tags []handle) result {
	if err := checkText(json); err != nil {
		return resultOf(err)
	}
	texts := make([]string, len(tags))
	for i, h := range tags {
		named, err := lookup[*tag](&handles, h, kindTag)
		if err != nil {
			return resultOf(err)
		}
		texts[i] = named.JSON()
	}
	named, err := hakuban.ParseObject(json, texts...)
	if err != nil {
		return result{status: statusInvalidJSON, err: err}
	}
	return added(&object{Object: named}, kindObject)
}

func checkText(text string) error {
	if !utf8.ValidString(text) {
		return failed(statusInvalidString, "%q is not UTF-8", text)
	}
	return nil
}

// descriptorJSON lends the host the JSON text of a descriptor of either kind.
func descriptorJSON(h handle, kind kind) (*byte, error) {
	if kind == kindTag {
		named, err := lookup[*tag](&handles, h, kind)
		if err != nil {
			return nil, err
		}
		return named.text.lend(named.JSON()), nil
	}
	named, err := lookup[*object](&handles, h, kind)
	if err != nil {
		return nil, err
	}
	return named.text.lend(named.JSON()), nil
}

// objectTags lends the host an array of handles of the object's tags.
func objectTags(h handle) (array, error) {
	named, err := lookup[*object](&handles, h, kindObject)
	if err != nil {
		return array{}, err
	}
	return named.lendTags()
}

func (o *object) lendTags() (array, error) {
	o.loan.mu.Lock()
	defer o.loan.mu.Unlock()
	if o.loan.over {
		return array{}, nil
	}
	if o.all != nil {
		return *o.all, nil
	}
	for _, each := range o.Tags() {
		lent, err := handles.lend(&tag{Tag: each}, kindTag)
		if err != nil {
			endTags(o.tags)
			o.tags = nil
			return array{}, err
		}
		o.tags = append(o.tags, lent)
	}
	all := lendSlice(&o.loan, o.tags)
	o.all = &all
	return all, nil
}

func endTags(tags []handle) {
	for _, lent := range tags {
		if named, err := lookup[*tag](&handles, lent, kindTag); err == nil {
			named.drop()
		}
		handles.end(lent, kindTag)
	}
}

func (t *tag) drop()      { t.text.end() }
func (t *tag) clone() any { return &tag{Tag: t.Tag} }

func (o *object) drop() {
	o.text.end()
	o.loan.end()
	endTags(o.tags) // which nobody lends any more
}

func (o *object) clone() any { return &object{Object: o.Object} }
