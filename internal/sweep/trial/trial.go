// Package trial names the environments that tests make in a real project. A name says when its environment was made, so that
// whoever finds something of it knows its age without asking anybody.
package trial

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	prefix = "synapse-t-"
	// digits of the minute, and of what tells apart environments of the same minute.
	minuteDigits, otherDigits = 4, 2
	base                      = 36
	// period is after how long the minutes begin anew: three years.
	period = base * base * base * base * time.Minute
	// skew is how far the clocks of who makes and who sweeps may be apart.
	skew = 24 * time.Hour
)

// form has the name with what separates it from the rest: "synapse-t-" is not enough, as anybody may call things so.
var form = regexp.MustCompile(`^synapse-t-([0-9a-z]{4})[0-9a-z]{2}(?:$|[^0-9a-z])`)

func epoch() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Name makes a name for an environment that is made now: 16 characters, as long as one may be.
func Name(now time.Time) string {
	minutes := int64(now.Sub(epoch())%period) / int64(time.Minute)
	return prefix + digits(minutes, minuteDigits) + digits(rand.Int64N(base*base), otherDigits)
}

func digits(number int64, width int) string {
	text := strconv.FormatInt(number, base)
	return strings.Repeat("0", max(width-len(text), 0)) + text
}

// Made says when the environment was made that something belongs to, by its name, and whether it belongs to any. It is the
// latest time that the name may stand for and that is not after now, give or take clocks that differ by less than a day.
func Made(name string, now time.Time) (time.Time, bool) {
	match := form.FindStringSubmatch(name)
	if match == nil {
		return time.Time{}, false
	}
	minutes, err := strconv.ParseInt(match[1], base, 64)
	if err != nil {
		return time.Time{}, false
	}
	made := epoch().Add(time.Duration(minutes) * time.Minute)
	return made.Add(max(now.Add(skew).Sub(made), 0).Truncate(period)), true
}
