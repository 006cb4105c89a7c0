package hakuban

import (
	"encoding/json"
	"io"
	"log/slog"

	"hakuban/impl"
)

// recordingVersion is the version of the format: a header line, then a recordedInput in each line.
const recordingVersion = 3

type recordingHeader struct {
	Version int         `json:"hakuban-recording"`
	Config  impl.Config `json:"config"`
}

type recordedInput struct {
	Now   impl.Now    `json:"now"`
	Input *impl.Input `json:"input"`
}

// recording writes inputs to a file, each before it is stepped: the input that ends a process is on the tape too.
type recording struct {
	writer io.Writer
	logger *slog.Logger
}

func newRecording(writer io.Writer, logger *slog.Logger, config impl.Config) *recording {
	r := &recording{writer, logger}
	if !r.line(recordingHeader{recordingVersion, config}) {
		return nil
	}
	return r
}

// input writes one input and reports whether recording goes on.
func (r *recording) input(now impl.Now, input *impl.Input) bool {
	return r.line(recordedInput{now, input})
}

func (r *recording) line(value any) bool {
	line, err := json.Marshal(value)
	if err == nil {
		_, err = r.writer.Write(append(line, '\n'))
	}
	if err != nil {
		r.logger.Error("recording ended: an input could not be written", "error", err)
		return false
	}
	return true
}
