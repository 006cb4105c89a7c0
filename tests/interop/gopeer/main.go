// Gopeer is the peer program of the interop tests with our library in the place of the reference's: the same commands on
// stdin, the same answers and events on stdout (peer/src/command.rs lists them), so that every scenario can be told by
// peers of either kind. It reads no monitor objects, and its snapshots have only what the tests look at.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"hakuban"
)

// request is a command line. Fields beyond those of its command are zero.
type request struct {
	ID       uint64
	Do       string
	URL      string
	Contract string
	Kind     string
	Object   *struct {
		Tags []string
		JSON string
	}
	Tag          *string
	Capacity     *uint32
	Take, Read   string
	Keep         bool
	Rebalance    *struct{} // ours moves objects at its own pace
	Type         string
	Count        int
	Sink, Stream uint64
	Data         []byte
	Format       []string
	Version      []int64
	Synchronized uint64
}

func main() {
	p := &peer{
		output:  json.NewEncoder(os.Stdout),
		handles: map[string]*handle{},
		sinks:   map[uint64]*heldSink{},
		streams: map[uint64]*heldStream{},
	}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return // the process ends when stdin does
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			p.print(map[string]any{"error": fmt.Sprintf("not a command: %v", err)})
			continue
		}
		if p.exchange == nil {
			// The reference's library rebalances when told to; ours when made to. What begins as a parent without, has none.
			rebalance := r.Do != "listen" || r.Rebalance != nil
			p.exchange = hakuban.NewExchange(&hakuban.Options{Rebalance: rebalance, RebalanceThreshold: hakuban.DefaultRebalanceThreshold})
		}
		answer, err := p.run(&r)
		if err != nil {
			p.print(map[string]any{"id": r.ID, "error": err.Error()})
			continue
		}
		if answer == nil {
			answer = map[string]any{}
		}
		p.print(map[string]any{"id": r.ID, "ok": answer})
	}
}
