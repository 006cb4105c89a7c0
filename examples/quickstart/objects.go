package main

import "hakuban"

// The two objects that the processes share. Any JSON value names an object.
var (
	thermometer = hakuban.MustObject(map[string]any{"room": "kitchen", "sensor": "thermometer"}, "kitchen")
	receipt     = hakuban.MustObject(map[string]any{"receipt": "thermometer"})
)

// reading is a state of the thermometer. Any bytes are a state; JSON is at hand.
type reading struct {
	Number  int     `json:"number"`
	Celsius float64 `json:"celsius"`
}

var readings = []reading{{1, 20.5}, {2, 21}, {3, 21.5}, {4, 21.25}, {5, 22}}
