// Package cabi holds the C interface of cmd/libhakuban to that of the reference.
//
// scenario/ is a C program that knows nothing but the reference's interface. Built once, it runs on the reference's libhakuban.so, made
// from the crate, and on ours; testdata/scenarios.txt is what it prints on both, and testdata/deviations.txt what ours prints where it
// differs on purpose. Scenarios of two processes run with each library on either end, through a router of either kind, and print what
// testdata/linked.txt says: what two of the reference print through its router.
//
// own/ is a C program that checks what is ours alone: misuse, forks, the functions beyond the reference. The sanitizers watch both.
//
//	go test ./tests/cabi                           # skips, with a reason, what the machine lacks
//	HAKUBAN_REQUIRE_INTEROP=1 go test ./tests/cabi # a skip is a failure
//	go test ./tests/cabi -run 'Reference|Linked' -update  # writes both from the reference
//
// Needed: a C compiler; and for the reference what tests/interop needs.
package cabi
