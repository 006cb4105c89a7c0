package hakuban

import (
	"encoding/json"
	"io"
	"log/slog"

	"hakuban/impl"
)

// recording writes inputs to a file, each before it is stepped: the input that ends a process is on the tape too.
type recording struct {
	writer io.Writer
	logger *slog.Logger
}

func newRecording(writer io.Writer, logger *slog.Logger, config impl.Config) *recording {
	r := &recording{writer, logger}
	if !r.line(impl.RecordingHeader{Version: impl.RecordingVersion, Config: config}) {
		return nil
	}
	return r
}

// input writes one input and reports whether recording goes on.
func (r *recording) input(now impl.Now, input *impl.Input) bool {
	return r.line(impl.RecordedInput{Now: now, Input: *input})
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
