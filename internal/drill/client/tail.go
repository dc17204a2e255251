package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Tail reads along a file that a client writes. It holds nothing open.
type Tail struct {
	path   string
	offset int64
}

// NewTail returns a reader of a client's file, which need not exist yet.
func NewTail(path string) *Tail { return &Tail{path: path} }

// Poll returns the samples that came since the last call. A line that is only written in part is left for the next call.
func (t *Tail) Poll() ([]Sample, error) {
	file, err := os.Open(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the measuring client's samples: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.NewSectionReader(file, t.offset, 1<<40))
	if err != nil {
		return nil, fmt.Errorf("reading the measuring client's samples: %w", err)
	}
	complete := content[:bytes.LastIndexByte(content, '\n')+1]
	var samples []Sample
	for line := range bytes.Lines(complete) {
		var sample Sample
		if err := json.Unmarshal(line, &sample); err != nil {
			return nil, fmt.Errorf("reading the measuring client's samples: %w", err)
		}
		samples = append(samples, sample)
	}
	t.offset += int64(len(complete))
	return samples, nil
}
