package engine

import (
	"cmp"
	"fmt"
	"net/http"
	"path"
	"time"
)

// Fault makes requests go wrong.
type Fault struct {
	// Method is a pattern of method ids as path.Match has it, for example "compute.*.insert".
	Method string `json:"method"`
	// Name is a pattern of the names of objects, for example "projects/p/global/networks/*"; empty is any. For a create it
	// is the collection's.
	Name string `json:"name,omitempty"`
	// Status is the HTTP status of the answer, 400 to 599, or with Operation that of the operation's error; 0 fails
	// nothing, for faults that only delay.
	Status int `json:"status,omitempty"`
	// Reason and Message are the error's; empty takes usual ones.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Operation lets the request succeed, and its operation fail.
	Operation bool `json:"operation,omitempty"`
	// Delay makes the operation last longer, or a request without one.
	Delay time.Duration `json:"delay,omitempty"`
	// Times is how many requests it hits; 0 is all.
	Times int `json:"times,omitempty"`
	// RetryAfter is in seconds.
	RetryAfter int `json:"retry_after,omitempty"`
}

// Validate says what is wrong with a fault.
func (f Fault) Validate() error {
	if _, err := path.Match(f.Method, "x"); err != nil || f.Method == "" {
		return fmt.Errorf("method %q is no pattern of method ids; write for example \"compute.networks.insert\" or \"sql.*.*\"", f.Method)
	}
	if _, err := path.Match(f.Name, "x"); err != nil {
		return fmt.Errorf("name %q is no pattern: %w", f.Name, err)
	}
	if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
		return fmt.Errorf("status %d is no error; write one from 400 to 599", f.Status)
	}
	if f.Status == 0 && f.Delay <= 0 {
		return fmt.Errorf("this fault does nothing; give it a status, or a delay")
	}
	if f.Operation && f.Status == 0 {
		return fmt.Errorf("an operation that fails needs a status")
	}
	if f.Delay < 0 || f.Times < 0 || f.RetryAfter < 0 {
		return fmt.Errorf("delay, times and retry_after must not be negative")
	}
	return nil
}

func (f *Fault) error() *Error {
	message := cmp.Or(f.Message, map[int]string{
		http.StatusTooManyRequests:    "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of the service.",
		http.StatusServiceUnavailable: "The service is currently unavailable.",
	}[f.Status], fmt.Sprintf("Injected failure with status %d.", f.Status))
	return &Error{Code: f.Status, Reason: f.Reason, Message: message, RetryAfter: f.RetryAfter}
}

// take returns the first fault that hits a call, and counts it.
func (c *Cloud) take(call *Call) *Fault {
	for _, fault := range c.faults {
		if ok, _ := path.Match(fault.Method, call.Method.ID); !ok || fault.spent {
			continue
		}
		if ok, _ := path.Match(fault.Name, call.Name()); fault.Name != "" && !ok {
			continue
		}
		if fault.Times > 0 {
			fault.hits++
			fault.spent = fault.hits == fault.Times
		}
		taken := fault.Fault
		return &taken
	}
	return nil
}

type armedFault struct {
	Fault

	hits  int
	spent bool
}
