package forward

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Target says where an endpoint is.
type Target struct {
	// ID identifies the endpoint.
	ID string
	// Address is its host:port.
	Address string
	// TLS says that it speaks HTTPS, with a certificate for Host, or else for the address.
	TLS bool
	// HTTP2 says that it speaks HTTP/2 in the clear, with prior knowledge. TLS must be false.
	HTTP2 bool
	// Host is the Host header that it gets, and the name that its certificate must be for; empty for what the client sent.
	Host string
}

// Set keeps endpoints across configurations, so that their counts and connections survive a change.
type Set struct {
	now     func() time.Time
	network Network

	mu       sync.Mutex
	live     map[Target]*Endpoint
	draining []*Endpoint // retired, with requests in flight when last seen
}

// NewSet returns an empty set.
func NewSet(now func() time.Time) *Set { return NewSetIn(Network{}, now) }

// NewSetIn returns an empty set of endpoints in a network.
func NewSetIn(network Network, now func() time.Time) *Set {
	return &Set{now: now, network: network, live: make(map[Target]*Endpoint)}
}

// Update returns the endpoints for targets: those that are there already, and new ones. The caller routes new requests
// to them and then calls retire, which lets no more requests to the endpoints that are no target any more. In that
// order a request that finds its endpoint retired finds another one by looking at the routes again.
func (s *Set) Update(targets []Target) (endpoints map[Target]*Endpoint, retire func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := make(map[Target]*Endpoint, len(targets))
	for _, target := range targets {
		endpoint, found := s.live[target]
		if !found {
			endpoint = newEndpoint(target, s.now, s.network, nil)
		}
		next[target] = endpoint
	}
	var leaving []*Endpoint
	for target, endpoint := range s.live {
		if _, stays := next[target]; !stays {
			leaving = append(leaving, endpoint)
		}
	}
	s.live = next
	s.draining = append(s.draining, leaving...)
	return maps.Clone(next), func() {
		for _, endpoint := range leaving {
			endpoint.Retire()
		}
	}
}

// InFlight counts requests by endpoint id: every endpoint of the last Update, and those that left and still have some.
func (s *Set) InFlight() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make(map[string]int64, len(s.live)+len(s.draining))
	for target, endpoint := range s.live {
		counts[target.ID] += endpoint.InFlight()
	}
	s.draining = slices.DeleteFunc(s.draining, func(e *Endpoint) bool { return e.isRetired() && e.InFlight() == 0 })
	for _, endpoint := range s.draining {
		counts[endpoint.ID()] += endpoint.InFlight()
	}
	return counts
}
