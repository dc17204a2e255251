package synapse

import (
	"fmt"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
)

const (
	// scheduleHorizon is how far ahead a schedule is looked at. It spans a leap year, so that 29 February is found.
	scheduleHorizon = 5 * 366 * 24 * time.Hour
	// scheduleTries is how many times of a schedule are tried against the windows: those of every minute for a week are
	// enough to meet each weekly window.
	scheduleTries = 7*24*60 + 1
)

// parseCron reads the five fields of crontab(5), or a descriptor such as @weekly.
func parseCron(s *DrillSchedule) (cron.Schedule, *time.Location, error) {
	if strings.Contains(s.Cron, "TZ=") {
		return nil, nil, fmt.Errorf("names a time zone: give it as timezone")
	}
	schedule, err := cron.ParseStandard(s.Cron)
	if err != nil {
		return nil, nil, fmt.Errorf("is not a schedule: %w; write minute, hour, day of month, month and day of week, such as 0 3 * * 1, or @weekly", err)
	}
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return nil, nil, fmt.Errorf("has no time zone: %w", err)
	}
	return schedule, zone, nil
}

// NextTime returns the next time of the schedule after a moment, whatever the windows say; false when there is none.
func (s *DrillSchedule) NextTime(after time.Time) (time.Time, bool) {
	schedule, zone, err := parseCron(s)
	if err != nil {
		return time.Time{}, false
	}
	next := schedule.Next(after.In(zone))
	if next.IsZero() || next.Sub(after) > scheduleHorizon {
		return time.Time{}, false
	}
	return next.UTC(), true
}

// NextRun returns the next time of the drill's schedule after a moment that its windows allow; false when there is none.
func (s *DrillSpec) NextRun(after time.Time) (time.Time, bool) {
	if s.Schedule == nil {
		return time.Time{}, false
	}
	next := after
	for range scheduleTries {
		var found bool
		if next, found = s.Schedule.NextTime(next); !found || next.Sub(after) > scheduleHorizon {
			return time.Time{}, false
		}
		if s.Windows.Closed(next) == "" {
			return next, true
		}
		// Nothing opens within a blocked span of dates: go on at its end.
		for _, blocked := range s.Windows.Dates {
			if until, covered := blocked.covers(next); covered {
				next = until.Add(-time.Second)
			}
		}
	}
	return time.Time{}, false
}

// Closed says why no run may begin at a time, or is empty when one may.
func (w DrillWindows) Closed(now time.Time) string {
	for _, blocked := range w.Dates {
		if _, covered := blocked.covers(now); covered {
			return because(fmt.Sprintf("runs are blocked from %s until %s", blocked.From, blocked.To), blocked.Reason)
		}
	}
	for i, window := range w.Block {
		if window.Open(now) {
			return fmt.Sprintf("windows.block[%d] is open: %s", i, window.describe())
		}
	}
	if !windowsOpen(w.Allow, now) {
		return "no window of windows.allow is open"
	}
	return ""
}

func (w Window) describe() string {
	return fmt.Sprintf("%s from %s to %s %s", strings.Join(w.Days, ", "), w.From, w.To, w.Timezone)
}
