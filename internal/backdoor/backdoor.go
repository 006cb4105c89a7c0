// Package backdoor gives tests in other packages what package hakuban does not export.
package backdoor

import (
	"time"

	"hakuban/impl"
)

// Snapshot returns what the Snapshot of an exchange returns, as a hakuban.Snapshot, from its core's snapshot, the moment the exchange
// was made, and how long it had existed. Package hakuban sets it.
var Snapshot func(core *impl.Snapshot, start time.Time, uptime time.Duration) any
