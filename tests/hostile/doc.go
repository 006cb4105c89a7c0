// Package hostile sends bad input to the real router, a process, with a healthy exposer and observer beside it, and states
// for each what happens: that the link ends and why, or that the input is harmless. After each the process lives, its memory
// is bounded, and the healthy pair's states arrive.
//
// Bad input is tried at three layers, each where it can be told apart best:
//
//   - codec: wire (TestDecode_…, TestDescriptor…) and wire/diff (the table of malformed diffs)
//   - core: impl (TestReceive_WhatEndsALink, TestReceive_WhatIsTolerated)
//   - live: transport (TestHostile_…) at the level of frames and requests, and this package at that of messages and floods
//
// The failures that were measured on the reference (docs/protocol.md, last section) are here by name.
package hostile
