package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
)

// Spec says what the client sends, and where it writes down what it saw.
type Spec struct {
	// Run names the drill run. Each marker carries it.
	Run string `json:"run"`
	// EntryURL is the base URL of the global entry, and Path the path of the requests, with its query if it has one.
	EntryURL string `json:"entry_url"`
	Path     string `json:"path"`
	// Headers are those of the requests.
	Headers map[string]string `json:"headers,omitempty"`
	// RequestsPerSecond and WritesPerSecond are the rates. With 0 there are none of that kind.
	RequestsPerSecond int `json:"requests_per_second"`
	WritesPerSecond   int `json:"writes_per_second"`
	// MaxLatency is how long a request may take: one that takes longer is given up, and bad.
	MaxLatency time.Duration `json:"max_latency"`
	// DatabaseURL is that of the database write endpoint, with a login that may insert into synapse_drill.markers.
	DatabaseURL string `json:"database_url,omitempty"`
	// Output is the file that the samples go to. It must not exist: each client has a file of its own.
	Output string `json:"output"`
	// Until is when the client ends by itself, also when nobody is left to end it.
	Until time.Time `json:"until"`
}

// Write writes the spec to a file that only its owner may read: it holds a password.
func (s Spec) Write(path string) error {
	content, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding what the measuring client does: %w", err)
	}
	if err := atomicfile.Write(path, content); err != nil {
		return fmt.Errorf("writing what the measuring client does: %w", err)
	}
	return nil
}

// ReadSpec reads a file that [Spec.Write] wrote.
func ReadSpec(path string) (Spec, error) {
	var spec Spec
	content, err := os.ReadFile(path)
	if err != nil {
		return spec, fmt.Errorf("reading what the measuring client does: %w", err)
	}
	if err := json.Unmarshal(content, &spec); err != nil {
		return spec, fmt.Errorf("reading what the measuring client does from %s: %w", path, err)
	}
	return spec, nil
}

// validate reports what is missing.
func (s Spec) validate() error {
	entry, err := url.Parse(s.EntryURL)
	switch {
	case s.Run == "":
		return errors.New("the measuring client needs the name of a run")
	case s.Output == "":
		return errors.New("the measuring client needs a file for its samples")
	case s.Until.IsZero():
		return errors.New("the measuring client needs a time at which it ends by itself")
	case s.MaxLatency <= 0:
		return errors.New("the measuring client needs the longest time that a request may take, more than 0s")
	case s.RequestsPerSecond < 0 || s.WritesPerSecond < 0:
		return errors.New("the measuring client's rates must not be negative")
	case s.RequestsPerSecond > 0 && (err != nil || entry.Host == ""):
		return fmt.Errorf("the entry's URL %q is not one such as http://127.0.0.1:7780", s.EntryURL)
	case s.WritesPerSecond > 0 && s.DatabaseURL == "":
		return errors.New("the measuring client needs the URL of the database write endpoint to write markers")
	}
	return nil
}
