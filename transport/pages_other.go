//go:build !linux && !darwin

package transport

func newPages(size int) []byte { return make([]byte, size) }

func freePages([]byte) {}
