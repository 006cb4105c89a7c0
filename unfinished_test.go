package hakuban

import (
	"testing"
	"testing/synctest"
)

func budgetLinks(t *testing.T, total, message, n int) (*budget, []*Link) {
	x := NewExchange(&Options{Unfinished: total, Limits: Limits{Wire: WireLimits{Message: message}}})
	t.Cleanup(x.Close)
	links := make([]*Link, n)
	for i := range links {
		var err error
		if links[i], err = x.AttachDownstream(LinkOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return x.unfinished, links
}

// However many messages stop half way, what they hold is bounded, small messages pass, and one large one can be finished.
func TestReserve_IsBoundedAndNobodyStopsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total, message, links = 32 << 20, 8 << 20, 20
		b, all := budgetLinks(t, total, message, links+1)
		waiting := make(chan int, links)
		for i, l := range all[:links] {
			go func() {
				for size := 64 << 10; size <= message; size *= 2 {
					if l.Reserve(size) != nil {
						return
					}
				}
				waiting <- i
				<-l.Done() // and never finishes
				l.Unreserve()
			}()
		}
		synctest.Wait()
		finished := len(waiting)
		if b.used > total || finished == 0 || finished == links || b.elder == nil {
			t.Errorf("%d of %d bytes are held, %d of %d messages are whole", b.used, total, finished, links)
		}
		small := all[links]
		if err := small.Reserve(smallMessage); err != nil { // does not wait
			t.Fatal(err)
		}
		small.Unreserve()
		// Each that ends lets others go on, until all have had their turn.
		for range links {
			all[<-waiting].Detach(nil)
			synctest.Wait()
			if b.used > total {
				t.Errorf("%d of %d bytes are held", b.used, total)
			}
		}
		if b.used != 0 || b.elder != nil || len(b.queue) > 0 {
			t.Errorf("%d bytes are held when all have gone, %d wait", b.used, len(b.queue))
		}
	})
}

// A link that ends does not wait on, nor does it keep what it waited for.
func TestReserve_EndsWithItsLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, links := budgetLinks(t, 1<<20, 1<<20, 8)
		for _, l := range links {
			go func() {
				if l.Reserve(1<<20) == nil {
					<-l.Done()
				}
				l.Unreserve()
			}()
		}
		synctest.Wait()
		for _, l := range links {
			l.Detach(nil)
		}
		synctest.Wait()
		if b.used != 0 || len(b.queue) > 0 || b.elder != nil {
			t.Errorf("%d bytes are held, %d wait", b.used, len(b.queue))
		}
	})
}
