package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"time"
)

// machine is where and when a run was made.
type machine struct {
	at    time.Time
	cores int
	load  string // average of a minute before the run
	took  time.Duration
}

func describeMachine() *machine {
	m := &machine{at: time.Now().UTC(), cores: runtime.NumCPU(), load: "unknown"}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.load, _, _ = strings.Cut(string(text), " ")
	}
	return m
}

// document is JSON of about so many bytes, another for each seed.
func document(size int, seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	words := strings.Fields("state link object tag router observer exposer capacity version format anchor diff load limit root leaf")
	data := make([]byte, 0, size+200)
	for data = append(data, '['); len(data) < size; {
		data = fmt.Appendf(data, `{"id":%d,"name":"%s %s %d","value":%.3f},`, random.IntN(1e9), words[random.IntN(len(words))], words[random.IntN(len(words))], random.IntN(1000), random.Float64())
	}
	data[len(data)-1] = ']'
	return data
}
