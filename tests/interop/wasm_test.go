package interop

import "testing"

// wasmMixes are the trees and peers of the scenarios that wasm tells: our library as a program in wasm, and its core under the classes of the
// client in TypeScript, below a router of either kind. The scenarios take turns.
var wasmMixes = [][]mix{{
	{Tree{Single, []Kind{Go}}, []Kind{Wasm, WasmClient}},
	{Tree{Single, []Kind{Rust}}, []Kind{WasmClient, Wasm}},
}}

func TestWasm(t *testing.T) {
	WasmPeer(t)
	WasmClientPeer(t)
	tellOfLeaves(t, wasmMixes)
}
