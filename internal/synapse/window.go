package synapse

import (
	"slices"
	"strings"
	"time"
)

// Window is a span of time that comes every week or day.
type Window struct {
	Days     []string `json:"days,omitempty" doc:"Days on which it opens: mon, tue, wed, thu, fri, sat, sun. Default: all."`
	From     string   `json:"from" doc:"When it opens, HH:MM."`
	To       string   `json:"to" doc:"When it closes, HH:MM; 24:00 is the end of the day. Earlier than from: on the day after."`
	Timezone string   `json:"timezone,omitempty" doc:"IANA time zone of from and to. Default: UTC."`
}

func weekdays() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

func (w *Window) setDefaults() {
	setDefault(&w.Timezone, "UTC")
	if len(w.Days) == 0 {
		w.Days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	}
}

// clock reads HH:MM as minutes since midnight.
func clock(text string) (minutes int, ok bool) {
	if text == "24:00" {
		return 24 * 60, true
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, false
	}
	return t.Hour()*60 + t.Minute(), true
}

func (w Window) validate(pointer string) []FieldError {
	var errs []FieldError
	for i, day := range w.Days {
		errs = append(errs, validateOneOf(at(pointer+"/days", i), day, weekdays()...)...)
	}
	from, fromOK := clock(w.From)
	to, toOK := clock(w.To)
	if !fromOK || from == 24*60 {
		errs = append(errs, invalid(pointer+"/from", "%q is not a time of day: write HH:MM, such as 09:00", w.From))
	}
	if !toOK {
		errs = append(errs, invalid(pointer+"/to", "%q is not a time of day: write HH:MM, such as 17:00, or 24:00", w.To))
	}
	if fromOK && toOK && from == to {
		errs = append(errs, invalid(pointer+"/to", "the window never opens: it closes at %s, when it opens. For the whole day write 00:00 and 24:00", w.To))
	}
	if _, err := time.LoadLocation(w.Timezone); err != nil || strings.EqualFold(w.Timezone, "local") {
		errs = append(errs, invalid(pointer+"/timezone", "%q is not a time zone of the IANA database, such as Europe/Berlin or UTC", w.Timezone))
	}
	return errs
}

// Open reports whether the window is open at a time. The window must be valid.
func (w Window) Open(now time.Time) bool {
	location, err := time.LoadLocation(w.Timezone)
	if err != nil {
		return false
	}
	local := now.In(location)
	minute := local.Hour()*60 + local.Minute()
	from, _ := clock(w.From)
	to, _ := clock(w.To)
	on := func(day time.Weekday) bool { return slices.Contains(w.Days, weekdays()[day]) }
	today := local.Weekday()
	if from < to {
		return on(today) && from <= minute && minute < to
	}
	yesterday := (today + 6) % 7
	return on(today) && minute >= from || on(yesterday) && minute < to
}

// windowsOpen reports whether one of the windows is open, or there is none.
func windowsOpen(windows []Window, now time.Time) bool {
	return len(windows) == 0 || slices.ContainsFunc(windows, func(w Window) bool { return w.Open(now) })
}
