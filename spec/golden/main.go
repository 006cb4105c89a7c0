// Command golden turns what TLC found into a golden file.
//
//	golden -name S -spec hakuban.tla -spec MC.tla ... -log tlc.log < states.dump > S.json
//
// The dump is that of TLC's -dump, the log what it printed with -coverage.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"hakuban/model"
)

// golden is a golden file.
type golden struct {
	Name      string         `json:"name"`
	TLC       string         `json:"tlc"`
	Generated int            `json:"generated"`
	Distinct  int            `json:"distinct"`
	Depth     int            `json:"depth"`
	Actions   map[string]int `json:"actions"` // generated, by action of MC.tla without its "Do"
	Digest    string         `json:"digest"`  // of the states: see model.Digest and model/text.go
	Spec      string         `json:"spec"`    // SHA-256 of the specification's files, one after the other
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "golden:", err)
		os.Exit(1)
	}
}

func run() error {
	var g golden
	var files []string
	flag.StringVar(&g.Name, "name", "", "the configuration")
	flag.Func("spec", "a file of the specification (repeated)", func(file string) error {
		files = append(files, file)
		return nil
	})
	log := flag.String("log", "", "what TLC printed")
	flag.Parse()
	hash := sha256.New()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		hash.Write(text)
	}
	g.Spec = fmt.Sprintf("%x", hash.Sum(nil))
	states, digest, err := readDump(os.Stdin)
	if err != nil {
		return err
	}
	g.Digest = digest.String()
	if err := g.readLog(*log); err != nil {
		return err
	}
	if states != g.Distinct {
		return fmt.Errorf("the dump has %d states, TLC found %d", states, g.Distinct)
	}
	out, err := json.MarshalIndent(&g, "", "\t")
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s\n", out)
	return err
}

var (
	versionLine  = regexp.MustCompile(`(?m)^TLC2 Version (.*)$`)
	foundLine    = regexp.MustCompile(`(?m)^(\d+) states generated, (\d+) distinct states found, 0 states left on queue`)
	depthLine    = regexp.MustCompile(`(?m)^The depth of the complete state graph search is (\d+)\.`)
	coverageLine = regexp.MustCompile(`^<(\w+) line .* of module MC(?: \([\d ]+\))?>: (\d+):(\d+)$`)
)

func (g *golden) readLog(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	version, found, depth := versionLine.FindSubmatch(text), foundLine.FindSubmatch(text), depthLine.FindSubmatch(text)
	if version == nil || found == nil || depth == nil {
		return errors.New("TLC did not finish")
	}
	g.TLC = string(version[1])
	g.Generated, _ = strconv.Atoi(string(found[1]))
	g.Distinct, _ = strconv.Atoi(string(found[2]))
	g.Depth, _ = strconv.Atoi(string(depth[1]))
	// The last coverage report counts: earlier ones are of a search under way.
	parts := strings.Split(string(text), "The coverage statistics at")
	g.Actions = make(map[string]int)
	for line := range strings.Lines(parts[len(parts)-1]) {
		match := coverageLine.FindStringSubmatch(strings.TrimSpace(line))
		if match == nil || match[1] == "MCInit" {
			continue
		}
		count, _ := strconv.Atoi(match[3])
		if count > 0 {
			g.Actions[strings.TrimPrefix(match[1], "Do")] += count
		}
	}
	return nil
}

// readDump digests the states of a dump.
func readDump(r io.Reader) (states int, digest model.Digest, err error) {
	lines := bufio.NewReaderSize(r, 1<<20)
	var text []byte
	flush := func() error {
		if len(text) == 0 {
			return nil
		}
		canonical, err := canonicalState(text)
		if err != nil {
			return fmt.Errorf("state %d: %v", states+1, err)
		}
		digest.Add(canonical)
		states++
		text = text[:0]
		return nil
	}
	for {
		line, err := lines.ReadString('\n')
		if strings.HasPrefix(line, "State ") {
			if err := flush(); err != nil {
				return 0, digest, err
			}
		} else {
			text = append(text, line...)
		}
		if err == io.EOF {
			return states, digest, flush()
		}
		if err != nil {
			return 0, digest, err
		}
	}
}

// canonicalState is the canonical text (model/text.go) of a conjunction of
// variables and their values.
func canonicalState(text []byte) ([]byte, error) {
	p := parser{text: text}
	var variables []string
	for p.next("/\\") {
		name := p.name()
		if name == "" || !p.next("=") {
			return nil, p.fail("a variable and =")
		}
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		variables = append(variables, name+"="+value+"\n")
	}
	if p.space(); p.at != len(p.text) {
		return nil, p.fail("/\\ or the end")
	}
	slices.Sort(variables)
	return []byte(strings.Join(variables, "")), nil
}

// parser reads TLA+ values as TLC prints them.
type parser struct {
	text []byte
	at   int
}

func (p *parser) fail(expected string) error {
	return fmt.Errorf("byte %d: expected %s, seen %.20q", p.at, expected, p.text[p.at:])
}

func (p *parser) space() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\n' || p.text[p.at] == '\r') {
		p.at++
	}
}

// next takes a token if it is there.
func (p *parser) next(token string) bool {
	p.space()
	if len(p.text)-p.at < len(token) || string(p.text[p.at:p.at+len(token)]) != token {
		return false
	}
	p.at += len(token)
	return true
}

// name takes letters, digits, signs and underscores.
func (p *parser) name() string {
	p.space()
	from := p.at
	for p.at < len(p.text) {
		c := p.text[p.at]
		if c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			break
		}
		p.at++
	}
	return string(p.text[from:p.at])
}

func (p *parser) value() (string, error) {
	switch {
	case p.next("<<"):
		items, err := p.list(">>", p.value)
		return "<<" + strings.Join(items, ",") + ">>", err
	case p.next("{"):
		items, err := p.list("}", p.value)
		slices.Sort(items)
		return "{" + strings.Join(items, ",") + "}", err
	case p.next("["):
		items, err := p.list("]", func() (string, error) {
			key := p.name()
			if key == "" || !p.next("|->") {
				return "", p.fail("a field and |->")
			}
			value, err := p.value()
			return key + "|->" + value, err
		})
		slices.Sort(items)
		return "[" + strings.Join(items, ",") + "]", err
	case p.next(`"`):
		from := p.at
		for p.at < len(p.text) && p.text[p.at] != '"' {
			p.at++
		}
		if p.at == len(p.text) {
			return "", p.fail(`"`)
		}
		p.at++
		return `"` + string(p.text[from:p.at]), nil
	}
	if word := p.name(); word != "" {
		return word, nil
	}
	return "", p.fail("a value")
}

func (p *parser) list(end string, item func() (string, error)) ([]string, error) {
	var items []string
	if p.next(end) {
		return nil, nil
	}
	for {
		text, err := item()
		if err != nil {
			return nil, err
		}
		items = append(items, text)
		if p.next(end) {
			return items, nil
		}
		if !p.next(",") {
			return nil, p.fail(", or " + end)
		}
	}
}
