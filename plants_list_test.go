package hakuban

import (
	"testing"

	"hakuban/internal/plant"
)

// plants are bugs that the tests of this package must find.
var plants = []plant.Plant{
	{Name: "the context given to Each's function outlives the loop's", Tests: "TestEach_", CI: true, Changes: []plant.Change{{
		File: "contract.go",
		Old:  "		o, err := c.next(ctx, ctx)\n		if err != nil {\n			return\n		}\n		running.Go",
		New:  "		o, err := c.next(ctx, context.WithoutCancel(ctx))\n		if err != nil {\n			return\n		}\n		running.Go",
	}}},
	{Name: "the second of two waiters is not woken", Tests: "TestNext_", CI: true, Changes: []plant.Change{{
		File: "contract.go",
		Old:  "		signal(c.offered) // there may be more, and others who wait\n",
	}}},
	{Name: "a released claim still attaches", Tests: "TestUpstream_", CI: true, Changes: []plant.Change{{
		File: "link.go",
		Old:  "	case claim != nil && x.upstream != claim:\n",
		New:  "	case claim != nil && x.upstream != nil && x.upstream != claim:\n",
	}}},
	{Name: "a released claim attaches beside another's", Tests: "TestUpstream_", Changes: []plant.Change{{
		File: "link.go",
		Old:  "	case claim != nil && x.upstream != claim:\n",
		New:  "	case claim != nil && x.upstream == nil:\n",
	}}},
	{Name: "a claim releases another's", Tests: "TestUpstream_", Changes: []plant.Change{{
		File: "link.go",
		Old:  "	if u.x.upstream == u {\n",
		New:  "	if u.x.upstream != nil {\n",
	}}},
	{Name: "the place of an upstream is not free when its link has ended", Tests: "TestUpstream_", Changes: []plant.Change{{
		File: "link.go",
		Old:  "	if l.claim != nil {\n		l.claim.release()\n	}\n",
	}}},
	{Name: "the timer is never moved forward", Tests: "TestTimer_", CI: true, Changes: []plant.Change{{
		File: "exchange.go",
		Old:  "x.armed != 0 && x.armed <= deadline",
		New:  "x.armed != 0",
	}}},
	{Name: "the timer is armed once", Tests: "TestTimer_", Changes: []plant.Change{{
		File: "exchange.go",
		Old:  "		x.apply(&impl.Input{Kind: impl.InputTick})\n",
		New:  "		x.core.Step(now, impl.Input{Kind: impl.InputTick})\n",
	}}},
	{Name: "a closed contract is asked for its next", Tests: "TestContract_", CI: true, Changes: []plant.Change{{
		File: "contract.go",
		Old:  "	if c.err != nil {\n		return nil, c.err\n	}\n	a := c.x.apply",
		New:  "	if c.x.closed {\n		return nil, c.err\n	}\n	a := c.x.apply",
	}}},
	{Name: "what a closed contract gave goes on", Tests: "TestClose_", CI: true, Changes: []plant.Change{{
		File: "contract.go",
		Old:  "	for _, o := range taken {\n		o.end(ErrClosed)\n	}\n",
	}}},
	{Name: "a closed contract remembers what it gave", Tests: "TestClose_", Changes: []plant.Change{{
		File: "contract.go",
		Old:  "	for _, o := range taken {\n		o.forget()\n	}\n",
	}}},
	{Name: "who waits is not told that the contract closes", Tests: "TestClose_", Changes: []plant.Change{{
		File: "contract.go",
		Old:  "		case <-c.closed:\n",
	}}},
	{Name: "an offer's context does not end with it", Tests: "TestClose_", Changes: []plant.Change{{
		File: "offer.go",
		Old:  "	close(o.done)\n	if o.cancel != nil {\n		o.cancel(err)\n	}\n",
		New:  "	close(o.done)\n",
	}}},
	{Name: "leaving a loop's body does not release", Tests: "TestRelease_", Changes: []plant.Change{{
		File: "contract.go",
		Old:  "	defer o.release()\n	return body()\n",
		New:  "	return body()\n",
	}}},
	{Name: "a state that was never encoded is sent", Tests: "TestSend|TestPublish|TestSink", Changes: []plant.Change{{
		File: "sink.go",
		Old:  "	if err := state.check(); err != nil {\n		return err\n	}\n",
		New:  "	if state.err != nil {\n		return state.err\n	}\n",
	}}},
}

// Each plant has its place in the code.
func TestPlants_HaveTheirPlace(t *testing.T) { plant.Placed(t, plants) }
