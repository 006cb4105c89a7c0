package main

import (
	"errors"

	"hakuban"
)

// listener is nothing that there is in wasm.
type listener struct{}

func listen(*hakuban.Exchange, string) (*listener, error) {
	return nil, errors.New("there are no listeners in wasm")
}

// URL is never asked for.
func (*listener) URL() string { return "" }

func (*listener) snapshot() map[string]any { return nil }
