package typescript

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"hakuban/wire"
)

// events are what the reference was captured sending, and what the Go decoder was fuzzed with.
func events(t *testing.T) (list [][]byte) {
	t.Helper()
	read := func(pattern string, parse func([]byte)) {
		paths, err := filepath.Glob(filepath.Join("..", "..", "wire", "testdata", pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: no such files, %v", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			parse(text)
		}
	}
	read("vectors/[^c]*.json", func(text []byte) { // not canonical-ids.json, nor two more
		var scenario struct{ Frames []struct{ Hex string } }
		if err := json.Unmarshal(text, &scenario); err != nil {
			t.Fatal(err)
		}
		for _, frame := range scenario.Frames {
			data, err := hex.DecodeString(frame.Hex)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, data)
		}
	})
	quoted := regexp.MustCompile(`\[\]byte\((".*")\)`)
	read("fuzz/FuzzDecodeEvent/*", func(text []byte) {
		for _, match := range quoted.FindAllSubmatch(text, -1) {
			data, err := strconv.Unquote(string(match[1]))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, []byte(data))
		}
	})
	return slices.DeleteFunc(list, func(data []byte) bool { return len(data) == 0 })
}

// The client takes and refuses the events that Go does, and understands the same by them.
func TestDecode_IsThatOfGo(t *testing.T) {
	client := startNode(t, bundleOrSkip(t, "tools/core.ts"))
	r := &world{random: rand.New(rand.NewPCG(2, 2))}
	var steps []step
	taken := 0
	for _, original := range events(t) {
		for change := range 40 {
			data := original
			for range min(change, 1+change%3) {
				if len(data) > 0 {
					data = r.corrupt(data)
				}
			}
			s := step{Do: "decode", Micros: "0", Wall: "0", Data: data, effects: []string{"refused DecodeError"}}
			if event, err := wire.DecodeEvent(data, nil); err == nil {
				s.effects[0] = "decoded " + base64.StdEncoding.EncodeToString(wire.AppendEvent(nil, &event))
				taken++
			}
			steps = append(steps, s)
		}
	}
	for i, effects := range client.run(steps) {
		if fmt.Sprint(effects) != fmt.Sprint(steps[i].effects) {
			t.Errorf("%x: the client's is %q, Go's is %q", steps[i].Data, effects, steps[i].effects)
		}
	}
	if len(steps) < 10_000 || taken < len(steps)/10 || taken > len(steps)*9/10 {
		t.Errorf("of %d events %d were taken: they test too little", len(steps), taken)
	}
}
