package sim

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"hakuban/impl"
)

// Sequencer writes what several exchanges of one process record into one file,
// each line in the order in which it was written: an input is written before it
// is stepped, so what causes an input stands before it.
type Sequencer struct {
	mu  sync.Mutex
	out io.Writer
}

// NewSequencer makes a sequencer that writes to out, a line in each write.
func NewSequencer(out io.Writer) *Sequencer { return &Sequencer{out: out} }

// Exchange returns what exchange n records to: hakuban.Options.Record.
func (s *Sequencer) Exchange(n int) io.Writer { return sequenced{s, n} }

type sequenced struct {
	*Sequencer
	exchange int
}

// Write takes one line, which is a JSON object, and names the exchange in it.
func (s sequenced) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := fmt.Fprintf(s.out, `{"exchange":%d,%s`, s.exchange, line[1:])
	return len(line), err
}

// Recording is what one exchange of a tree was given.
type Recording struct {
	Name   string // of its file
	Cut    bool   // the last line is incomplete and was left out
	config impl.Config
	inputs []recorded

	exchange int   // its number among those of a Sequencer
	skew     int64 // how much the clocks of the recordings may differ
}

type recorded struct {
	impl.RecordedInput
	at   int64 // when, on a clock that the recordings share
	line int   // of the file
}

// maxSkew is how much the wall clocks of exchanges may differ.
const maxSkew = second

// ReadRecordings reads the recordings in a file: that of one exchange, or those
// of several that a [Sequencer] wrote, in the order of their numbers.
func ReadRecordings(name string, r io.Reader) (recordings []*Recording, err error) {
	lines := recordingReader{lines: bufio.NewReader(r)}
	of := make(map[int]*Recording)
	for {
		entry, err := lines.next()
		if errors.Is(err, io.EOF) && len(recordings) > 0 {
			recordings[0].Cut = lines.cut
			slices.SortFunc(recordings, func(a, b *Recording) int { return cmp.Compare(a.exchange, b.exchange) })
			return recordings, nil
		} else if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		exchange, at := 0, entry.Now.Wall
		if entry.Exchange != nil {
			exchange, at = *entry.Exchange, int64(lines.line)
		}
		recording := of[exchange]
		if recording == nil {
			if err := checkVersion(entry.Version); err != nil {
				return nil, fmt.Errorf("recording line %d, which should be a header: %w", lines.line, err)
			}
			recording = &Recording{Name: name, config: entry.Config, exchange: exchange}
			if entry.Exchange == nil {
				recording.skew = maxSkew
			}
			of[exchange], recordings = recording, append(recordings, recording)
			continue
		}
		recording.inputs = append(recording.inputs, recorded{entry.RecordedInput, at, lines.line})
	}
}
