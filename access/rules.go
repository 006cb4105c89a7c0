package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"hakuban"
)

// Anonymous is the principal of a peer that shows no credential. Anybody is the name in a rule that fits every principal with a
// credential. No token can be of a principal of either name.
const (
	Anonymous = "anonymous"
	Anybody   = "*"
)

// The bounds of a rules file.
const (
	maxRulesFile = 4 << 20 // bytes
	maxRules     = 10_000
	maxReach     = 10_000 // tags and prefixes of one rule
)

// Rules say which rights each principal has.
type Rules struct {
	rules []rule // in the order of the file: the first one that names a principal counts
}

type rule struct {
	principals []string
	rights     *hakuban.Rights
}

// ParseRules reads rules, a JSON object such as
//
//	{"rules": [
//	  {"principals": ["thermometer"], "expose": [{"tag": "room"}, {"prefix": ["site", 7]}], "capacity": 2, "version-ahead": "1m"},
//	  {"principals": ["screen", "anonymous"], "observe": "all", "refused": "leave-out"}
//	]}
//
// The first rule that names a principal has all its rights; "*" names every principal but the anonymous one. Without observe, or without
// expose, nothing may be observed, or exposed. The rest is optional: capacity (from 1 to 4294967295), version-ahead (a duration such as
// 500ms or 1m), refused ("end", the default, or "leave-out"). See [hakuban.Rights]. An error says where the text is wrong and what
// was expected.
func ParseRules(text []byte) (*Rules, error) {
	if len(text) > maxRulesFile {
		return nil, fmt.Errorf("%d bytes of rules: at most %d were expected", len(text), maxRulesFile)
	}
	var file struct {
		Rules []ruleText `json:"rules"`
	}
	if err := decodeStrictly(text, &file); err != nil {
		return nil, err
	}
	if len(file.Rules) > maxRules {
		return nil, fmt.Errorf("%d rules: at most %d were expected", len(file.Rules), maxRules)
	}
	rules := &Rules{}
	for i := range file.Rules {
		parsed, err := file.Rules[i].rule()
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
		rules.rules = append(rules.rules, parsed)
	}
	return rules, nil
}

// decodeStrictly decodes one JSON value that has no unknown fields.
func decodeStrictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.New("something follows the JSON value")
		}
	}
	if err != nil {
		at := min(int(decoder.InputOffset()), len(text))
		return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:at], []byte("\n")), err)
	}
	return nil
}

// ruleText is a rule as it is written.
type ruleText struct {
	Principals   []string  `json:"principals"`
	Observe      reachText `json:"observe"`
	Expose       reachText `json:"expose"`
	Capacity     *uint32   `json:"capacity"`
	VersionAhead *string   `json:"version-ahead"`
	Refused      *string   `json:"refused"`
}

func (t *ruleText) rule() (rule, error) {
	r := rule{principals: t.Principals, rights: &hakuban.Rights{Observe: t.Observe.reach, Expose: t.Expose.reach}}
	if len(t.Principals) == 0 {
		return rule{}, errors.New("no principals: a list of at least one name was expected")
	}
	for _, name := range t.Principals {
		if err := checkName(name); err != nil {
			return rule{}, err
		}
	}
	if t.Capacity != nil {
		if r.rights.Capacity = *t.Capacity; *t.Capacity == 0 {
			return rule{}, errors.New("a capacity of 0: a number from 1 to 4294967295 was expected; leave expose out to allow none")
		}
	}
	if t.VersionAhead != nil {
		ahead, err := time.ParseDuration(*t.VersionAhead)
		if err != nil || ahead <= 0 {
			return rule{}, fmt.Errorf("version-ahead %q: a duration above zero was expected, such as 500ms or 1m", *t.VersionAhead)
		}
		r.rights.VersionAhead = ahead
	}
	if t.Refused != nil {
		if *t.Refused != "end" && *t.Refused != "leave-out" {
			return rule{}, fmt.Errorf("refused %q: end or leave-out was expected", *t.Refused)
		}
		r.rights.LeaveOut = *t.Refused == "leave-out"
	}
	return r, nil
}

// reachText is a reach as it is written: "all", or a list of tags and prefixes.
type reachText struct{ reach hakuban.Reach }

// UnmarshalJSON implements json.Unmarshaler.
func (t *reachText) UnmarshalJSON(text []byte) error {
	var all string
	if json.Unmarshal(text, &all) == nil && all == "all" {
		t.reach.All = true
		return nil
	}
	var list []map[string]hakuban.Tag
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf(`"all", or a list of {"tag": …} and {"prefix": […]}, was expected: %w`, err)
	}
	if len(list) > maxReach {
		return fmt.Errorf("%d tags and prefixes: at most %d were expected", len(list), maxReach)
	}
	for _, element := range list {
		tag, isTag := element["tag"]
		prefix, isPrefix := element["prefix"]
		switch {
		case isTag && len(element) == 1:
			t.reach.Tags = append(t.reach.Tags, tag)
		case isPrefix && len(element) == 1 && prefix.JSON()[0] == '[':
			t.reach.Prefixes = append(t.reach.Prefixes, prefix)
		default:
			return errors.New(`{"tag": any value} or {"prefix": an array} was expected in a list`)
		}
	}
	return nil
}

// rightsOf returns the rights of a principal; false: no rule names it.
func (r *Rules) rightsOf(principal string) (*hakuban.Rights, bool) {
	for _, rule := range r.rules {
		if slices.Contains(rule.principals, principal) || principal != Anonymous && slices.Contains(rule.principals, Anybody) {
			return rule.rights, true
		}
	}
	return nil, false
}

func (r *Rules) count() int {
	if r == nil {
		return 0
	}
	return len(r.rules)
}
