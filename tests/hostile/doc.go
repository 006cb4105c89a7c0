// Package hostile sends bad input to the real router, a process, with a healthy exposer and observer beside it, and states
// for each what happens: that the link ends, with what close code and why, or that the input is harmless. Always: the process
// lives; the healthy pair exchanges states before, during and after, each within a deadline (a minute, for machines that are
// busy with other tests: go test -v shows the slowest, less than a second on one that is not); no other link ends; the router's
// memory has stayed below a bound that stands in the test; and no line of its log is long. The router is never built with the race
// detector, whose memory would hide what is bounded; tests/interop builds it so where the tests are.
//
// Bad input is tried at several layers, each where it can be told apart best. TestCount counts it:
//
//   - codec, at least 150: wire (hostileEvents, TestDescriptor_RefusedTexts) and wire/diff (TestPatch_RefusesEveryMalformedDiff)
//   - core, at least 80: impl (TestReceive_WhatEndsALink, TestReceive_WhatIsTolerated)
//   - transport, at least 60: transport (TestHostile_…), within one process: frames and requests, also of a bad upstream
//   - live, at least 200: this package
//
// Where the reference breaks (docs/protocol.md, last section) is here by name:
//
//   - length prefixes beyond memory, load limits of no sense, malformed diffs, 8 bytes that grow to 4 GiB: TestMessages_…,
//     TestStates_…, and on a fresh socket TestFrames_EndTheirLinkOnly
//   - channels that nobody reads: TestFlood_MessagesOnChannelsThatNobodyReads, TestFlood_ChannelsThatNobodyReadsOf,
//     TestFlood_AReaderThatReadsNothing
//   - an exposer faster than the router, data doubled by every state: TestFlood_…
//   - what it survives, we survive: deep JSON, odd numbers, texts and pings, slow and half-open websockets: TestMessages_…,
//     TestFlood_TextsAndPings, TestSlow_…
package hostile
