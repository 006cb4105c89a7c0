// Package interop tests this project against the reference, the Rust crate hakuban 0.8.5, over real websockets.
//
// It builds the reference's router and a small program around the reference's library (peer/), drives both from Go,
// and runs one table of scenarios through trees of routers of either kind. README.md lists the scenarios.
package interop
