package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"time"

	"hakuban"
	"hakuban/transport"
)

// instrumentTag is the tag of the objects that producers produce. The JSON of such an object is the instrument's name.
const instrumentTag = "instrument"

// pause is how often an instrument is read.
const pause = 500 * time.Millisecond

// quiet tells of what is amiss only: the page shows the rest.
var quiet = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))

//go:embed instruments.json
var instrumentsJSON []byte

// instrument says how an instrument that is not there would behave: a slow wave with a small one on it.
type instrument struct {
	Name          string
	Middle, Swing float64
	Period        float64 // of the slow wave, in seconds
}

// at is what the instrument shows at a time. It depends on nothing else, so that a producer goes on where another stopped.
func (i *instrument) at(t time.Time) float64 {
	seconds := float64(t.UnixMilli()%86_400_000) / 1000
	turn := 2 * math.Pi * seconds / i.Period
	return i.Middle + i.Swing*(0.8*math.Sin(turn)+0.2*math.Sin(7.3*turn))
}

// reading is the state of an instrument's object.
type reading struct {
	Value float64 `json:"value"`
	By    string  `json:"by"` // the producer's name
}

func instruments() (map[string]*instrument, error) {
	var all []*instrument
	if err := json.Unmarshal(instrumentsJSON, &all); err != nil {
		return nil, err
	}
	byName := map[string]*instrument{}
	for _, i := range all {
		byName[i.Name] = i
	}
	return byName, nil
}

// produce reads those instruments that this process is elected for, until stdin ends: with the board.
func produce(ctx context.Context, url, name string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // however it ends
		cancel()
	}()
	known, err := instruments()
	if err != nil {
		return err
	}
	x := hakuban.NewExchange(nil)
	defer x.Close()
	if _, err := transport.Connect(x, url, &transport.Options{Name: name, Logger: quiet}); err != nil {
		return err
	}
	expose := x.ExposeTag(hakuban.MustTag(instrumentTag))
	defer expose.Close()
	expose.Each(ctx, func(ctx context.Context, sink *hakuban.Sink) {
		var which string
		if json.Unmarshal([]byte(sink.Object().JSON()), &which) != nil || known[which] == nil {
			fmt.Fprintln(os.Stderr, "no such instrument:", sink.Object().JSON())
			<-ctx.Done()
			return
		}
		ticker := time.NewTicker(pause)
		defer ticker.Stop()
		for {
			state := hakuban.NewState(reading{known[which].at(time.Now()), name}).EncodeJSON()
			if err := sink.Send(state); err != nil {
				return // another is elected
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return nil
}
