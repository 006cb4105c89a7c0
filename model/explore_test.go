package model

import (
	"testing"
	"time"
)

func TestExplore(t *testing.T) {
	for _, c := range Configurations() {
		start := time.Now()
		r := c.Explore()
		el := time.Since(start)
		t.Logf("%s %+v %v %.0f/s", c.Name, r, el, float64(r.Generated)/el.Seconds())
	}
}
