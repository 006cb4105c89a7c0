// Package faults runs a tree of real processes in network namespaces of their own, and breaks one thing after another.
//
//	go test -v ./tests/faults     each fault happens to one part; how long it takes to heal is not judged
//	make faults                   each fault happens to each part, then 200 processes are killed in a row; writes docs/reliability.md
//
// It needs Linux, root, and the programs ip, tc and nft. Where there is Rust, the bystanders are of the Rust crate.
//
//	 root ──────────┬────────────────┬───────────┐
//	  │             │                │           │
//	middle       observer        bystanders: an exposer and an observer of another object
//	  │
//	exposer
//
// After each fault has healed: the observer must see a state that was sent after the healing, within the bound; no observer may ever see a version
// go back; the bystanders must not be held up, but by a fault of the root; and in the end nothing may be left in a router.
package faults
