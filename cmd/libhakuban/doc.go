// Command libhakuban is the library as other languages load it: libhakuban.so (and libhakuban.a), with the C interface that
// include/hakuban.h at the top of this module documents. build.sh makes both.
//
// It is a drop-in for the shared library of the reference, with an interface of its own beside. abi.c has the functions of the header:
// each refuses to go on in the child of a fork, and calls one of export.go, which turns a panic into a status. What they do is written
// in plain Go: handles in a table (handle.go), futures (future.go), and a file for each noun.
//
// Without cgo, or on a system without fork, nothing but this file is built.
package main

func main() {} // a library has one, which never runs
