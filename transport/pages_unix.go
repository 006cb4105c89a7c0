//go:build linux || darwin

package transport

import "syscall"

// newPages returns memory that takes room as it is written to, and that [freePages] gives back to the system.
func newPages(size int) []byte {
	pages, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil { // the heap may have what the system has not
		return make([]byte, size)
	}
	return pages
}

func freePages(pages []byte) {
	_ = syscall.Munmap(pages) // fails for memory of the heap, which the collector takes
}
