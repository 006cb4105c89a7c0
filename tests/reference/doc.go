// Package reference runs the reference's own tests against a router.
//
// The tests of the crate hakuban 0.8.5 (tests/basic.rs and tests/introspective.rs, 37 in all) start a router each: one, two stacked, or
// a star. They find it at target/debug/hakuban-router below the folder in which they run; here that is ours. They are built from the
// registry's source, in a folder of the cache. Two times are longer, because a busy machine needs the crate's for itself: each story gets
// a minute instead of two seconds, and where a client waits for what others do it waits for 500 ms instead of 100.
//
//	make reference-suite                                     # all 37, once
//	make reference-suite REFERENCE_RUNS=20                   # 20 times in a row
//	make reference-suite REFERENCE_FLAGS='-router rust'      # with the reference's own router
//	make reference-suite REFERENCE_FLAGS='-histories 7,8'    # other orders in which the clients of a test act
//
// The tests run one after another, because each takes the ports from 10000 up. What a failed one leaves behind is ended before the next.
package reference
