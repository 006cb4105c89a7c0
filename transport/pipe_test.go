package transport

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"hakuban"
)

func TestPipe_CarriesStatesBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top, middle, bottom := hakuban.NewExchange(nil), hakuban.NewExchange(nil), hakuban.NewExchange(nil)
		for _, x := range []*hakuban.Exchange{top, middle, bottom} {
			defer x.Close()
		}
		upper, err := Pipe(top, middle, nil)
		if err != nil {
			t.Fatal(err)
		}
		lower, err := Pipe(middle, bottom, &Options{Name: "bottom", LoadLimit: []hakuban.LoadPoint{{Load: 7}}})
		if err != nil {
			t.Fatal(err)
		}
		for name, exchanges := range map[string][2]*hakuban.Exchange{"up": {top, bottom}, "down": {bottom, top}} {
			p := newPair(t, exchanges[0], exchanges[1], hakuban.MustObject(name))
			for i := range 20 {
				p.pass(t, fmt.Sprint(name, i))
			}
			p.observe.Close()
			p.expose.Close()
		}
		synctest.Wait()
		var names []string
		for _, link := range middle.Snapshot().Links {
			names = append(names, fmt.Sprint(link.LocalName, " ", link.RemoteName, " ", link.LoadLimit))
		}
		if got, want := fmt.Sprint(names), "[go-client router 0 router bottom 7]"; got != want {
			t.Errorf("links %s, want %s", got, want)
		}
		for _, x := range []*hakuban.Exchange{top, middle, bottom} {
			if n := len(x.Snapshot().Objects); n != 0 {
				t.Errorf("%d objects are left", n)
			}
		}
		if _, err := Pipe(top, middle, nil); !errors.Is(err, hakuban.ErrUpstream) {
			t.Errorf("a second upstream: %v", err)
		}
		upper.Close()
		upper.Close()
		if n := len(middle.Snapshot().Links); n != 1 {
			t.Errorf("%d links of the middle one", n)
		}
		bottom.Close()
		<-lower.Done()
		if !errors.Is(lower.Err(), hakuban.ErrClosed) {
			t.Errorf("Err %v", lower.Err())
		}
		again, err := Pipe(top, middle, nil)
		if err != nil {
			t.Fatalf("after Close: %v", err)
		}
		again.Close()
	})
}

func TestPipe_NotToItself(t *testing.T) {
	x := newExchange(t)
	if _, err := Pipe(x, x, nil); err == nil {
		t.Error("an exchange is its own upstream")
	}
	if n := len(x.Snapshot().Links); n != 0 {
		t.Errorf("%d links are left", n)
	}
}
