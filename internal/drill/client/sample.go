package client

import "time"

// Kind says what a sample is of.
type Kind string

// The kinds of samples.
const (
	KindRequest Kind = "request" // a request through the global entry
	KindMarker  Kind = "marker"  // a write through the database write endpoint
)

// Sample is one request or one write, and what became of it.
type Sample struct {
	Kind Kind `json:"kind"`
	// Seq counts the requests and the writes, each from 1. A marker has it in the database.
	Seq int64 `json:"seq"`
	// SentAt is when it was sent, in Unix nanoseconds. Between samples of one client it does not jump with the clock.
	SentAt int64 `json:"sent"`
	// Took is the time until the answer, or until it was given up, in nanoseconds.
	Took time.Duration `json:"took"`
	// OK says that a request had a good answer in time, or that a write was acknowledged.
	OK bool `json:"ok"`
	// Error is the class of what went wrong, in a few words: timeout, status 503, refused.
	Error string `json:"error,omitempty"`
}

// Sent is when it was sent.
func (s Sample) Sent() time.Time { return time.Unix(0, s.SentAt) }

// Answered is when its answer was there, or when it was given up.
func (s Sample) Answered() time.Time { return time.Unix(0, s.SentAt).Add(s.Took) }
