package gateway

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"net/http"
	"slices"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// choice is who serves a request on a split's route.
type choice struct {
	backend *backend
	// instead is the candidate in whose place the stable backend serves, or nil.
	instead *backend
	// cookie is for the client to keep.
	cookie affinityCookie
}

// choose decides by header rules, then the tenant's pin, then the cohort. Only a choice by cohort falls back to the stable
// backend: who asked for a backend gets that one or none.
func (s *split) choose(r *http.Request, t *tenant) choice {
	for _, rule := range s.match {
		if slices.Contains(r.Header[rule.header], rule.value) {
			return choice{backend: rule.backend}
		}
	}
	if t != nil && len(s.pins) > 0 {
		if pinned := s.pins[t.name]; pinned != nil {
			return choice{backend: pinned}
		}
	}
	chosen, cookie := s.byCohort(r, t)
	if chosen != s.stable && (len(chosen.endpoints()) == 0 || !chosen.serves(t)) {
		return choice{backend: s.stable, instead: chosen, cookie: cookie}
	}
	return choice{backend: chosen, cookie: cookie}
}

// byCohort returns the backend of a request's cohort, and the cookie to set when it should have had one. Without a key the
// cohort is drawn, but for a preflight: a browser sends no cookie with it, and asks about the backend that it gets most likely.
func (s *split) byCohort(r *http.Request, t *tenant) (*backend, affinityCookie) {
	key, cookie := "", affinityCookie{}
	if a := s.affinity; a != nil {
		switch a.Key {
		case synapse.AffinityTenant:
			if t != nil {
				key = t.name
			}
		case synapse.AffinityHeader:
			if values := r.Header[s.header]; len(values) > 0 {
				key = values[0]
			}
		case synapse.AffinityCookie:
			if key = cookieOf(r.Header, s.affinity.Name); key == "" && !isPreflight(r) {
				key = rand.Text()
				cookie = affinityCookie{s, key}
			}
		}
	}
	switch {
	case key != "":
		return s.backends[s.cohorts.Backend(synapse.Cohort(s.affinity.Salt, key))], cookie
	case isPreflight(r):
		return s.largest, cookie
	}
	return s.backends[s.cohorts.Backend(mathrand.IntN(synapse.CohortCount))], cookie
}
