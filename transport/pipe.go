package transport

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"

	"hakuban"
)

// Conduit is a link between two exchanges of one process.
type Conduit struct {
	ends    [2]*hakuban.Link // upstream's, downstream's
	running sync.WaitGroup
}

// pullBudget is how many bytes of messages are pulled at a time: what is pulled can no longer be replaced by newer states.
const pullBudget = 64 << 10

var pulls = sync.Pool{New: func() any { buffer := make([]byte, 0, pullBudget); return &buffer }}

var errPipeClosed = errors.New("the pipe was closed")

// Pipe links two exchanges within the process, with the messages and rules of any link, but no network. It ends when either exchange
// closes, or by [Conduit.Close], and does not come back. It uses two goroutines.
func Pipe(upstream, downstream *hakuban.Exchange, options *Options) (*Conduit, error) {
	switch {
	case upstream == nil || downstream == nil:
		return nil, errNoExchange
	case upstream == downstream:
		return nil, errors.New("an exchange cannot be its own upstream")
	}
	o, err := completeOptions(options, forPipe)
	if err != nil {
		return nil, err
	}
	session := strconv.FormatUint(rand.Uint64(), 36) + strconv.FormatUint(rand.Uint64(), 36)
	up, err := upstream.AttachDownstream(hakuban.LinkOptions{Name: defaultListenerName, Session: session})
	if err != nil {
		return nil, err
	}
	down, err := downstream.AttachUpstream(hakuban.LinkOptions{Name: o.Name, LoadLimit: o.LoadLimit, Session: session})
	if err != nil {
		up.Detach(err)
		return nil, err
	}
	p := &Conduit{ends: [2]*hakuban.Link{up, down}}
	p.running.Go(func() { p.carry(up, down) })
	p.running.Go(func() { p.carry(down, up) })
	return p, nil
}

// Done is closed when the link has ended: soon after it has at either end.
func (p *Conduit) Done() <-chan struct{} { return p.ends[0].Done() }

// Err returns why the link ended, nil while it lives.
func (p *Conduit) Err() error { return p.ends[0].Err() }

// Close ends the link. Closing again does nothing.
func (p *Conduit) Close() {
	p.end(errPipeClosed)
	p.running.Wait()
}

func (p *Conduit) end(reason error) {
	for _, link := range p.ends {
		link.Detach(reason)
	}
}

// carry takes messages from one end to the other until the link ends.
func (p *Conduit) carry(from, to *hakuban.Link) {
	for {
		select {
		case <-from.Ready():
			if err := pass(from, to); err != nil {
				p.end(err)
				return
			}
		case <-from.Done():
			p.end(from.Err())
			return
		}
	}
}

// pass takes what there is.
func pass(from, to *hakuban.Link) error {
	buffer := pulls.Get().(*[]byte)
	defer pulls.Put(buffer)
	for more := true; more; {
		messages, again, err := from.Pull(*buffer, pullBudget)
		if err != nil {
			return err
		}
		for _, message := range messages {
			if err := to.Receive(message); err != nil {
				return err
			}
		}
		clear(messages)
		more = again
	}
	return nil
}
