package main

import (
	"encoding/binary"
	"syscall/js"
)

var uint8Array = js.Global().Get("Uint8Array")

// bytesOf copies a Uint8Array.
func bytesOf(value js.Value) []byte {
	data := make([]byte, value.Length())
	js.CopyBytesToGo(data, value)
	return data
}

// array copies bytes into a Uint8Array.
func array(data []byte) js.Value {
	value := uint8Array.New(len(data))
	js.CopyBytesToJS(value, data)
	return value
}

// integersOf reads integers of 64 bits, which cross as bytes: a number of JavaScript has 53.
func integersOf(value js.Value) []int64 {
	data := bytesOf(value)
	integers := make([]int64, len(data)/8)
	for n := range integers {
		integers[n] = int64(binary.LittleEndian.Uint64(data[8*n:]))
	}
	return integers
}

func littleEndian(integers []int64) (data []byte) {
	for _, integer := range integers {
		data = binary.LittleEndian.AppendUint64(data, uint64(integer))
	}
	return data
}

func textsOf(value js.Value) (texts []string) {
	for n := range value.Length() {
		texts = append(texts, value.Index(n).String())
	}
	return texts
}

func texts(texts []string) []any {
	values := []any{}
	for _, text := range texts {
		values = append(values, text)
	}
	return values
}
