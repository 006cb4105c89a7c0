package impl

// The part of [Exchange.Check] that walks the ledger: every charge is what it should
// be, and the sums are those of the charges.

// charged checks a charge, and adds it up.
func (c *check) charged(name string, is charge, to *books, account account, bytes int) {
	should := charge{}
	if to != nil {
		should = charge{to, account, bytes}
	}
	c.that(is == should, "%s: charged %d bytes of account %d, it should be %d of %d, or against another link", name, is.bytes, is.account, should.bytes, should.account)
	c.sum(is)
}

func (c *check) sum(is charge) {
	if is.books == nil {
		return
	}
	if c.sums[is.books] == nil {
		c.sums[is.books] = new([accounts]sum)
	}
	s := &c.sums[is.books][is.account]
	s.count++
	s.bytes += is.bytes
}

func (c *check) wanted(name string, is charge, wanted bool, size int) {
	to := &c.x.books
	if !wanted {
		to = nil
	}
	c.charged(name+", wanted", is, to, names, size)
}

// chargesOf checks what is charged for an object, but for its records and channels.
func (c *check) chargesOf(name string, o *object) {
	c.wanted(name, o.wanted, o.summarize().any(), objectSize(&o.descriptor))
	keeper, account := o.keeper()
	c.charged(name+", held", o.kept, keeper, account, o.held.size())
	answerer, observer, size := o.answerer(), o.observer(), 0
	for _, source := range o.sources {
		size += source.last.size()
	}
	c.charged(name+", channels", o.answers, answerer, answers, upstreamBytes+objectSize(&o.descriptor))
	if size == 0 {
		observer = nil
	}
	c.charged(name+", streamed", o.streamed, observer, held, size)
}

// channel checks what is charged for a channel.
func (c *check) channel(name string, channel *channel) {
	out := channel.isOut()
	to, account := &channel.link.books, held
	if out {
		account = pinned
	}
	if channel.last == nil || out && channel.last == channel.object.held {
		to = nil
	}
	c.charged(name+", last", channel.kept, to, account, channel.last.size())
	if channel.record != nil {
		c.charged(name+", channel", channel.charge, &channel.link.books, records, channelBytes)
		return
	}
	size := upstreamBytes + objectSize(&channel.object.descriptor)
	c.charged(name+", channel", channel.charge, &channel.link.books, held, size)
	full := size + channel.stateIn().size()
	observed, answered := channel.object.observer() != nil, channel.object.answerer() != nil
	c.that(channel.letIn.bytes == full || !observed && channel.letIn.bytes < full, "%s: %d of %d bytes are let in", name, channel.letIn.bytes, full)
	c.that(!observed && !answered || channel.letIn.bytes >= size, "%s: %d bytes are let in, the channel takes %d", name, channel.letIn.bytes, size)
	c.that(channel.up.bytes == channel.lifter.bytes && (channel.up.books == nil) == (channel.lifter.books == nil), "%s: %d bytes went upstream, %d are charged", name, channel.up.bytes, channel.lifter.bytes)
	c.sum(channel.letIn)
	c.sum(channel.up)
	c.sum(channel.lifter)
}

// ledger checks the sums.
func (c *check) ledger() {
	x := c.x
	c.that(len(x.grown) == 0 && len(x.squeezed) == 0, "a link that may take too much was not judged")
	all := []*books{&x.books}
	for _, id := range sortedKeys(x.links) {
		c.that(x.links[id].books.link == x.links[id], "link %d has the books of another", id)
		c.that(x.excess(x.links[id]) == nil, "link %d takes too much and goes on", id)
		all = append(all, &x.links[id].books)
	}
	for _, b := range all {
		is := c.sums[b]
		if is == nil {
			is = new([accounts]sum)
		}
		c.that(*is == b.sums, "the sums of a link's charges are %v, it has %v", *is, b.sums)
	}
}
