// Package typescript holds the client in clients/typescript to the Go core: both are stepped through the same inputs, as leaves below a
// real upstream, and every message and every effect must be equal.
package typescript
