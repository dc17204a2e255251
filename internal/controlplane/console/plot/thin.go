package plot

import "time"

// Thin joins the points of each of count equal spans of time into one by join, so that a day of figures is no more to
// read than an hour.
func Thin[P any](points []P, at func(P) time.Time, from, to time.Time, count int, join func([]P) P) []P {
	if len(points) <= count || !to.After(from) {
		return points
	}
	span := max(to.Sub(from)/time.Duration(count), 1)
	var thinned []P
	for start := 0; start < len(points); {
		bin := at(points[start]).Sub(from) / span
		end := start + 1
		for end < len(points) && at(points[end]).Sub(from)/span == bin {
			end++
		}
		thinned = append(thinned, join(points[start:end]))
		start = end
	}
	return thinned
}
