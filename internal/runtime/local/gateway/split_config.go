package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Split is one route and who serves it in this region. It precedes the services' own paths.
type Split struct {
	Name     string                  `json:"name"`
	Route    synapse.SplitRoute      `json:"route"`
	Backends map[string]SplitBackend `json:"backends"`
	// Stable names the backend that serves what no candidate does.
	Stable string `json:"stable"`
	// Candidates are the other backends with cohorts of their own, in order of their names; see [synapse.NewCohorts].
	Candidates []string `json:"candidates,omitempty"`
	// Affinity holds the salt that is in use. When it is nil, every request is drawn anew.
	Affinity *synapse.Affinity `json:"affinity,omitempty"`
	// Pins maps a tenant to its backend, whatever the weights say.
	Pins map[string]string `json:"pins,omitempty"`
	// Match comes before pins and weights; the first rule that matches decides.
	Match  []synapse.SplitMatch `json:"match,omitempty"`
	Mirror *synapse.Mirror      `json:"mirror,omitempty"`
	// Timeouts come before those of the backends' services, field by field.
	Timeouts *synapse.Timeouts `json:"timeouts,omitempty"`
}

// SplitBackend is one that may serve a split's requests.
type SplitBackend struct {
	// Service and Deployment name a deployment. Exactly one of it and URL is given.
	Service    string `json:"service,omitempty"`
	Deployment string `json:"deployment,omitempty"`
	// URL is the base URL of a backend outside the platform. It need not be on loopback.
	URL string `json:"url,omitempty"`
	// ReplacePrefix is what the backend sees in place of the route's path prefix.
	ReplacePrefix string `json:"replace_prefix"`
	// KeepResponses leaves the backend's own paths in its answers.
	KeepResponses bool `json:"keep_responses,omitempty"`
	// Weight is the backend's percent of the traffic.
	Weight int `json:"weight"`
}

// Validate says what is wrong with the split, all of it. A gateway refuses a configuration with a split that is invalid.
func (s *Split) Validate() error {
	errs := []error{checkName("split", s.Name), s.validateRoute(), s.validateWeights()}
	for _, name := range slices.Sorted(maps.Keys(s.Backends)) {
		errs = append(errs, checkName("backend", name))
		if err := s.Backends[name].validate(); err != nil {
			errs = append(errs, fmt.Errorf("backend %q: %w", name, err))
		}
	}
	if a := s.Affinity; a != nil {
		errs = append(errs, validateAffinity(a))
	}
	for _, tenant := range slices.Sorted(maps.Keys(s.Pins)) {
		errs = append(errs, checkName("pinned tenant", tenant), s.checkBackend(s.Pins[tenant]))
	}
	for _, rule := range s.Match {
		if !isToken(rule.Header) {
			errs = append(errs, fmt.Errorf("match: %q is not the name of a header", rule.Header))
		}
		errs = append(errs, s.checkBackend(rule.Backend))
	}
	if m := s.Mirror; m != nil {
		errs = append(errs, s.checkBackend(m.Backend))
		if m.Percent < 0 || m.Percent > 100 {
			errs = append(errs, fmt.Errorf("mirror: percent %d is not between 0 and 100", m.Percent))
		}
		if slices.ContainsFunc(m.Methods, isWrite) {
			errs = append(errs, fmt.Errorf("mirror: methods %v: only GET, HEAD and OPTIONS change nothing", m.Methods))
		}
	}
	errs = append(errs, validateTimeouts(s.Timeouts))
	return errors.Join(errs...)
}

func (s *Split) validateRoute() error {
	var errs []error
	if host := s.Route.Host; host != strings.ToLower(host) || strings.ContainsAny(host, ":/ ") {
		errs = append(errs, fmt.Errorf("host %q is not a host name in small letters without a port", host))
	}
	if err := checkPrefix(s.Route.PathPrefix); err != nil {
		errs = append(errs, fmt.Errorf("path_prefix: %w", err))
	}
	for _, method := range s.Route.Methods {
		if !isToken(method) { // RFC 9110, 9.1
			errs = append(errs, fmt.Errorf("%q is not a method", method))
		}
	}
	return errors.Join(errs...)
}

func (s *Split) validateWeights() error {
	errs := []error{s.checkBackend(s.Stable)}
	if !slices.IsSorted(s.Candidates) || len(s.Candidates) > 2 || slices.Contains(s.Candidates, s.Stable) {
		errs = append(errs, fmt.Errorf("candidates %v are not at most two backends beside the stable one, in order", s.Candidates))
	}
	sum := 0
	for _, name := range append([]string{s.Stable}, s.Candidates...) {
		weight := s.Backends[name].Weight
		if weight < 0 || weight > 100 {
			errs = append(errs, fmt.Errorf("backend %q: weight %d is not between 0 and 100", name, weight))
		}
		sum += weight
	}
	for _, name := range s.Candidates {
		errs = append(errs, s.checkBackend(name))
	}
	if sum != 100 {
		errs = append(errs, fmt.Errorf("the weights of the stable backend and the candidates sum to %d, not 100", sum))
	}
	return errors.Join(errs...)
}

func (s *Split) checkBackend(name string) error {
	if _, known := s.Backends[name]; !known {
		return fmt.Errorf("there is no backend %q", name)
	}
	return nil
}

func validateAffinity(a *synapse.Affinity) error {
	switch a.Key {
	case synapse.AffinityTenant:
		return nil
	case synapse.AffinityHeader, synapse.AffinityCookie: // both names are tokens: RFC 9110, 5.1 and RFC 6265, 4.1.1
		if !isToken(a.Name) {
			return fmt.Errorf("affinity: %q is not the name of a %s", a.Name, a.Key)
		}
		return nil
	}
	return fmt.Errorf("affinity: key %q is none of tenant, header and cookie", a.Key)
}

func (b SplitBackend) validate() error {
	var errs []error
	if b.URL != "" {
		if b.Service != "" || b.Deployment != "" {
			errs = append(errs, errors.New("it has a url and a deployment"))
		}
		if _, err := parseBackendURL(b.URL); err != nil {
			errs = append(errs, err)
		}
	} else {
		errs = append(errs, checkName("service", b.Service), checkName("deployment", b.Deployment))
	}
	if err := checkPrefix(b.ReplacePrefix); err != nil {
		errs = append(errs, fmt.Errorf("replace_prefix: %w", err))
	}
	return errors.Join(errs...)
}

// checkPrefix accepts / and clean paths of whole segments: what is compared with requests has one spelling.
func checkPrefix(prefix string) error {
	if !strings.HasPrefix(prefix, "/") || path.Clean(prefix) != prefix || !isHeaderValue(prefix) || strings.ContainsAny(prefix, " %?#*\\") {
		return fmt.Errorf("%q is neither / nor whole segments without a slash at the end, such as /auth", prefix)
	}
	return nil
}

func parseBackendURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the url cannot be parsed") // not err, which repeats a password
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("the url is not http://HOST or https://HOST, with a path at most")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return nil, errors.New("the url has a user, query or fragment")
	}
	if !isHeaderValue(u.Host) {
		return nil, errors.New("the url's host cannot be sent in a header")
	}
	return u, nil
}

// externalTarget is where a backend outside the platform is. The URL must be valid.
func externalTarget(u *url.URL) forward.Target {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return forward.Target{
		ID: u.Scheme + "://" + u.Host, Address: net.JoinHostPort(u.Hostname(), port), TLS: u.Scheme == "https", Host: u.Host,
	}
}

// externalTargets lists the backends outside the platform of a valid configuration.
func externalTargets(config *Config) []forward.Target {
	var all []forward.Target
	for _, s := range config.Splits {
		for _, b := range s.Backends {
			if u, err := parseBackendURL(b.URL); b.URL != "" && err == nil {
				all = append(all, externalTarget(u))
			}
		}
	}
	return all
}

// isToken reports whether text is a token: RFC 9110, 5.6.2.
func isToken(text string) bool {
	for i := range len(text) {
		c := text[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return text != ""
}
