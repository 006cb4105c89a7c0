// Command hakuban-wasm is the deterministic core of an exchange, package impl, for JavaScript: clients/typescript/wasm puts it in the
// place of the core in TypeScript, under the same classes. It is built for GOOS=js GOARCH=wasm only.
//
// Its argument names a global function, which it calls once, with a function that makes a core. That returns a function that steps the
// core: of an object that describes the input, it returns an array of objects that describe the effects.
package main

import (
	"os"
	"syscall/js"
)

func main() {
	if len(os.Args) != 2 {
		panic("the name of the function to call was expected as the argument")
	}
	js.Global().Get(os.Args[1]).Invoke(js.FuncOf(func(_ js.Value, arguments []js.Value) any { return newCore(arguments[0]).function }))
	select {} // what follows are calls
}
