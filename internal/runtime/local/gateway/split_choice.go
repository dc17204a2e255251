package gateway

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// cohortCookieAge is how long a browser keeps the cookie of its cohort: longer than a migration's usual step.
const cohortCookieAge = 30 * 24 * time.Hour

// choice is who serves a request on a split's route.
type choice struct {
	backend *backend
	// instead is the candidate in whose place the stable backend serves, or nil.
	instead *backend
	// cookie is the value of a header Set-Cookie for the client, or empty.
	cookie string
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
	cohort, cookie := s.cohort(r, t)
	chosen := s.backends[s.cohorts.Backend(cohort)]
	if chosen != s.stable && (len(chosen.endpoints()) == 0 || !chosen.serves(t)) {
		return choice{backend: s.stable, instead: chosen, cookie: cookie}
	}
	return choice{backend: chosen, cookie: cookie}
}

// cohort returns the cohort of a request, at random when it has no key, and the cookie to set when it should have had one.
func (s *split) cohort(r *http.Request, t *tenant) (cohort int, cookie string) {
	key := ""
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
			key, cookie = s.cookie(r)
		}
	}
	if key == "" {
		return mathrand.IntN(synapse.CohortCount), ""
	}
	return synapse.Cohort(s.affinity.Salt, key), cookie
}

// cookie returns the key of a request by its cookie. A client without one gets a key, and a cookie that keeps it.
func (s *split) cookie(r *http.Request) (key, set string) {
	if sent, err := r.Cookie(s.affinity.Name); err == nil && sent.Value != "" {
		return sent.Value, ""
	}
	key = rand.Text()
	cookie := http.Cookie{ //nolint:gosec // G124: the gateways of the local runtime speak plain HTTP on loopback
		Name: s.affinity.Name, Value: key, Path: s.prefix, MaxAge: int(cohortCookieAge / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	return key, cookie.String()
}
