package process

import "time"

const (
	firstDelay = 250 * time.Millisecond
	maxDelay   = 30 * time.Second
	// stableRun is how long a process has to run for its earlier exits to be forgotten.
	stableRun = 10 * time.Second
)

// delay is how long to wait before a start that follows so many restarts.
func delay(restarts int) time.Duration {
	d := firstDelay
	for range restarts {
		if d *= 2; d >= maxDelay {
			return maxDelay
		}
	}
	return d
}

// exited returns the record of a process that was seen to have ended.
func (r record) exited(now time.Time, code *int) record {
	if now.Sub(r.StartedAt) >= stableRun {
		r.Restarts = 0
	}
	r.State, r.ExitedAt, r.ExitCode = Exited, now, code
	r.NextStart = now.Add(delay(r.Restarts))
	return r
}

// killed returns the record of a process that ended under a hold: that is no failure of its own, and it starts again as soon
// as it may.
func (r record) killed(now time.Time, code *int) record {
	r = r.exited(now, code)
	r.NextStart, r.Killed = time.Time{}, true
	return r
}
