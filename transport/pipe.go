package transport

import (
	"errors"
	"sync"

	"hakuban"
)

// Conduit is a link between two exchanges of one process.
type Conduit struct {
	ends    [2]*hakuban.Link // upstream's, downstream's
	running sync.WaitGroup
}

var errPipeClosed = errors.New("the pipe was closed")

// Pipe links two exchanges within the process, with the messages and rules of any link, but no network. It ends when either exchange
// closes, or by [Conduit.Close], and does not come back. It uses two goroutines. [WithName] and [WithLoadLimit] are about the
// downstream end.
func Pipe(upstream, downstream *hakuban.Exchange, list ...Option) (*Conduit, error) {
	if upstream == nil || downstream == nil {
		return nil, errNoExchange
	}
	o, err := newOptions(list)
	if err != nil {
		return nil, err
	}
	name := o.name
	if name == "" {
		name = defaultConnectorName
	}
	up, err := upstream.AttachDownstream(hakuban.LinkOptions{Name: defaultListenerName})
	if err != nil {
		return nil, err
	}
	down, err := downstream.AttachUpstream(hakuban.LinkOptions{Name: name, LoadLimit: o.loadLimit})
	if err != nil {
		up.Detach(err)
		return nil, err
	}
	p := &Conduit{ends: [2]*hakuban.Link{up, down}}
	p.running.Go(func() { p.carry(up, down) })
	p.running.Go(func() { p.carry(down, up) })
	return p, nil
}

// Done is closed when the link has ended at both ends, at the latest soon after it has at one.
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
	var buffer []byte
	for {
		select {
		case <-from.Ready():
		case <-from.Done():
			p.end(from.Err())
			return
		}
		for more := true; more; {
			messages, again, err := from.Pull(buffer, pullBudget)
			if err != nil {
				break // from is done
			}
			for _, message := range messages {
				if err := to.Receive(message); err != nil {
					p.end(err)
					return
				}
			}
			clear(messages)
			more = again
		}
	}
}
