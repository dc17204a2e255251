package main

import (
	"container/heap"
	"slices"
)

// route is a way through several places.
type route struct {
	Stops   []string `json:"stops"`
	Minutes int      `json:"minutes"`
}

// shortest finds the fastest route by Dijkstra's algorithm (Numerische Mathematik 1, 1959), or reports that there is
// none. Legs take at least one minute.
func shortest(legs []leg, from, to string) (route, bool) {
	out := map[string][]leg{}
	for _, l := range legs {
		out[l.From] = append(out[l.From], l)
	}
	settled := map[string]string{} // place → the place before it on the fastest route
	open := &frontier{{To: from, From: from}}
	for open.Len() > 0 {
		nearest := heap.Pop(open).(leg)
		if _, seen := settled[nearest.To]; seen {
			continue
		}
		settled[nearest.To] = nearest.From
		if nearest.To == to {
			return route{Stops: walkBack(settled, from, to), Minutes: nearest.Minutes}, true
		}
		for _, next := range out[nearest.To] {
			heap.Push(open, leg{From: nearest.To, To: next.To, Minutes: nearest.Minutes + next.Minutes})
		}
	}
	return route{}, false
}

func walkBack(before map[string]string, from, to string) []string {
	stops := []string{to}
	for at := to; at != from; {
		at = before[at]
		stops = append(stops, at)
	}
	slices.Reverse(stops)
	return stops
}

// frontier is a heap of places reached, by the minutes from the start.
type frontier []leg

func (f frontier) Len() int           { return len(f) }
func (f frontier) Less(i, j int) bool { return f[i].Minutes < f[j].Minutes }
func (f frontier) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *frontier) Push(x any)        { *f = append(*f, x.(leg)) }
func (f *frontier) Pop() any {
	last := len(*f) - 1
	x := (*f)[last]
	*f = (*f)[:last]
	return x
}
