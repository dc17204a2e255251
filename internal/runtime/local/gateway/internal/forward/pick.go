package forward

import (
	"math/rand/v2"
	"slices"
)

// Pick acquires one of endpoints that is not in tried: the one with fewer requests in flight of two random ones
// (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001). An endpoint that failed a moment ago
// is taken only when no other is left. Pick returns nil when every endpoint was tried or is retired.
func Pick(endpoints, tried []*Endpoint) *Endpoint {
	n := len(endpoints)
	if n < 2 {
		return First(endpoints, tried)
	}
	a := rand.IntN(n)
	b := (a + 1 + rand.IntN(n-1)) % n
	if endpoints[b].InFlight() < endpoints[a].InFlight() {
		a, b = b, a
	}
	if e := endpoints[a]; !skip(e, tried) && e.acquire() {
		return e
	}
	return firstFrom(b, endpoints, tried)
}

// First acquires the first of endpoints that is not in tried, with the same exceptions as [Pick].
func First(endpoints, tried []*Endpoint) *Endpoint { return firstFrom(0, endpoints, tried) }

func firstFrom(start int, endpoints, tried []*Endpoint) *Endpoint {
	n := len(endpoints)
	for i := range n {
		if e := endpoints[(start+i)%n]; !skip(e, tried) && e.acquire() {
			return e
		}
	}
	for i := range n {
		if e := endpoints[(start+i)%n]; !slices.Contains(tried, e) && e.acquire() {
			return e
		}
	}
	return nil
}

func skip(e *Endpoint, tried []*Endpoint) bool {
	return e.failedRecently() || slices.Contains(tried, e)
}
