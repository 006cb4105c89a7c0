package impl

// A recording is what an exchange was given, one JSON value in each line: a header, then the inputs in the order of its steps. Stepped
// again, a new exchange does the same.

// RecordingVersion is the version of the format. It changes when old recordings would be stepped otherwise.
const RecordingVersion = 3

// RecordingHeader is the first line of a recording.
type RecordingHeader struct {
	Version int    `json:"hakuban-recording"`
	Config  Config `json:"config"`
}

// RecordedInput is every other line of a recording.
type RecordedInput struct {
	Now   Now   `json:"now"`
	Input Input `json:"input"`
}
