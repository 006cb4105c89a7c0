package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// recordingPatience bounds how long the router waits, once, for who takes a recording: a pipe that nobody reads ends the recording, not the
// router.
const recordingPatience = 2 * time.Second

// recordingFile is what a router records to.
type recordingFile struct{ *os.File }

// Write implements io.Writer. An error ends the recording.
func (f *recordingFile) Write(line []byte) (int, error) {
	_ = f.SetWriteDeadline(time.Now().Add(recordingPatience)) // what has no deadline is a regular file, which does not block
	n, err := f.File.Write(line)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("nobody took it for %v", recordingPatience)
	}
	return n, err
}

// createRecording opens a file to record to. It does not overwrite: the recording of a run that crashed is worth more than the next.
func createRecording(flag, name string) (*recordingFile, error) {
	// Without waiting for the reader of a named pipe, and with deadlines where they can be had.
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		var path *fs.PathError
		switch {
		case errors.Is(err, syscall.ENXIO):
			err = errors.New("nobody reads the pipe")
		case errors.As(err, &path):
			err = path.Err
		}
		return nil, fmt.Errorf("%s %q: a file that can be written was expected: %w", flag, name, err)
	}
	if status, err := file.Stat(); err == nil && status.Mode().IsRegular() && status.Size() > 0 {
		_ = file.Close() // nothing was written
		return nil, fmt.Errorf("%s %q: the file has content already: name another, or remove it", flag, name)
	}
	return &recordingFile{file}, nil
}
