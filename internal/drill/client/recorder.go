package client

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// flushEvery is how long a sample stays in memory at most.
const flushEvery = 50 * time.Millisecond

// recorder writes samples to a file, a line of JSON each.
type recorder struct {
	mu   sync.Mutex
	file *os.File
	out  *bufio.Writer
	err  error
	// failed is called once, when the file cannot be written to.
	failed func()

	stop    chan struct{}
	stopped sync.WaitGroup
}

func newRecorder(path string, failed func()) (*recorder, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the file for the measuring client's samples: %w", err)
	}
	r := &recorder{file: file, out: bufio.NewWriterSize(file, 64<<10), failed: failed, stop: make(chan struct{})}
	r.stopped.Go(r.flushRegularly)
	return r, nil
}

func (r *recorder) add(sample Sample) {
	line, err := json.Marshal(sample)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		_, err = r.out.Write(append(line, '\n'))
	}
	r.check(err)
}

// check notes the first error. The caller holds mu.
func (r *recorder) check(err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("writing the measuring client's samples: %w", err)
		r.failed()
	}
}

func (r *recorder) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check(r.out.Flush())
}

func (r *recorder) flushRegularly() {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-ticker.C:
			r.flush()
		}
	}
}

// close writes what is left and reports whether everything is in the file.
func (r *recorder) close() error {
	close(r.stop)
	r.stopped.Wait()
	r.flush()
	return errors.Join(r.err, r.file.Close())
}
