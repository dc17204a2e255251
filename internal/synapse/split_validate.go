package synapse

import (
	"maps"
	"math"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	maxSplitBackends   = 3
	maxSplitSteps      = 50
	maxSplitChecks     = 20
	maxSplitHold       = 30 * 24 * time.Hour
	maxSplitRules      = 10_000
	minAnalysisPeriod  = time.Second
	maxAnalysisPeriod  = time.Hour
	maxAnalysisSamples = 10_000_000
)

// MaxRevisionLength is the length of the longest revision of a progression, in bytes.
const MaxRevisionLength = 63

var (
	hostPattern   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)
	tokenPattern  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$") // RFC 9110, 5.6.2
	methodPattern = regexp.MustCompile(`^[A-Z]+$`)
)

// Validate implements [Spec].
func (s *TrafficSplitSpec) Validate() []FieldError {
	errs := s.Route.validate("/spec/route")
	errs = append(errs, s.validateBackends()...)
	switch {
	case len(s.Weights) > 0 && s.Progression != nil:
		errs = append(errs, invalid("/spec/weights", "give weights or a progression, not both: with a progression the control plane owns the weights"))
	case len(s.Weights) == 0 && s.Progression == nil:
		errs = append(errs, invalid("/spec/weights", "give weights, or a progression that moves them"))
	case s.Progression != nil:
		if n := len(s.Candidates()); n != 1 {
			errs = append(errs, invalid("/spec/backends", "a progression moves the traffic to one candidate, and there are %d: give one backend the role candidate", n))
		}
		errs = append(errs, s.Progression.validate("/spec/progression")...)
	default:
		errs = append(errs, s.validateWeights()...)
	}
	if s.Affinity != nil {
		errs = append(errs, s.Affinity.validate("/spec/affinity")...)
	}
	errs = append(errs, s.Timeouts.Validate("/spec/request_timeouts")...)
	if n := len(s.Pins); n > maxSplitRules {
		errs = append(errs, invalid("/spec/pins", "at most %d pins are allowed, not %d", maxSplitRules, n))
	}
	for _, tenant := range slices.Sorted(maps.Keys(s.Pins)) {
		errs = append(errs, ValidateName(at("/spec/pins", tenant), tenant)...)
		errs = append(errs, s.knownBackend(at("/spec/pins", tenant), s.Pins[tenant])...)
	}
	return append(errs, s.validateRules()...)
}

// knownBackend checks a field that names a backend.
func (s *TrafficSplitSpec) knownBackend(pointer, name string) []FieldError {
	if _, known := s.Backends[name]; known {
		return nil
	}
	return []FieldError{invalid(pointer, "there is no backend %q: the backends are %s", name, strings.Join(slices.Sorted(maps.Keys(s.Backends)), ", "))}
}

func (s *TrafficSplitSpec) validateBackends() []FieldError {
	const pointer = "/spec/backends"
	var errs []FieldError
	roles := map[SplitRole]int{}
	for _, name := range slices.Sorted(maps.Keys(s.Backends)) {
		backend := s.Backends[name]
		roles[backend.Role]++
		errs = append(errs, ValidateName(at(pointer, name), name)...)
		errs = append(errs, backend.validate(at(pointer, name))...)
	}
	if roles[RoleStable] != 1 {
		errs = append(errs, invalid(pointer, "exactly one backend must have the role stable, and there are %d", roles[RoleStable]))
	}
	if len(s.Backends) > maxSplitBackends {
		errs = append(errs, invalid(pointer, "at most one stable backend and two candidates are allowed, not %d backends: with more, growing one weight would move keys between the others", len(s.Backends)))
	}
	return errs
}

func (b SplitBackend) validate(pointer string) []FieldError {
	errs := validateOneOf(at(pointer, "role"), b.Role, RoleStable, RoleCandidate)
	switch {
	case (b.Deployment == "") == (b.URL == ""):
		errs = append(errs, invalid(pointer, "give either a deployment or a url"))
	case b.Deployment != "":
		if _, err := ParseID(KindServiceDeployment, b.Deployment); err != nil {
			errs = append(errs, invalid(at(pointer, "deployment"), "%v", err))
		}
	default:
		errs = append(errs, validateBackendURL(at(pointer, "url"), b.URL)...)
	}
	return append(errs, validatePathPrefix(at(pointer, "replace_prefix"), b.ReplacePrefix)...)
}

func validateBackendURL(pointer, text string) []FieldError {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || len(text) > 2048:
		return []FieldError{invalid(pointer, "is not the base URL of a backend: write http://HOST:PORT or https://HOST/PATH")}
	case u.User != nil:
		return []FieldError{invalid(pointer, "must not contain a user or password")}
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return []FieldError{invalid(pointer, "must not have a query or fragment: requests bring their own")}
	case isLinkLocal(u.Hostname()):
		return []FieldError{invalid(pointer, "%s is a link-local address, where clouds serve the credentials of their machines: a route to it would give them to users. Name the backend by another address", u.Hostname())}
	}
	return nil
}

// metadataHosts are the names and other addresses of metadata servers.
var metadataHosts = []string{"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal", "fd00:ec2::254"}

// isLinkLocal reports whether a host is a link-local address (RFC 3927, RFC 4291, 2.5.6), or a cloud's metadata server.
func isLinkLocal(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if slices.Contains(metadataHosts, host) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.Unmap().IsLinkLocalUnicast() || slices.Contains(metadataHosts, ip.WithZone("").String()))
}

func (r SplitRoute) validate(pointer string) []FieldError {
	errs := validatePathPrefix(at(pointer, "path_prefix"), r.PathPrefix)
	if r.Host != "" && (len(r.Host) > 253 || !hostPattern.MatchString(r.Host)) {
		errs = append(errs, invalid(at(pointer, "host"), "%q is not a host name: write it without scheme and port, such as api.example.com", r.Host))
	}
	for i, method := range r.Methods {
		if !methodPattern.MatchString(method) {
			errs = append(errs, invalid(at(pointer, "methods", i), "%q is not a method: write it in capital letters, such as GET", method))
		}
		if slices.Index(r.Methods, method) != i {
			errs = append(errs, invalid(at(pointer, "methods", i), "%s is listed twice", method))
		}
	}
	return errs
}

// validatePathPrefix accepts / and clean paths of whole segments: what a gateway compares must have one spelling.
func validatePathPrefix(pointer, prefix string) []FieldError {
	if strings.HasPrefix(prefix, "/") && path.Clean(prefix) == prefix && len(prefix) <= 1024 &&
		!strings.ContainsAny(prefix, "?#%*\\ ") && !strings.ContainsFunc(prefix, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil
	}
	return []FieldError{invalid(pointer, "%q is not a path prefix: write / or whole segments without a slash at the end, such as /auth or /api/v2", prefix)}
}

func (s *TrafficSplitSpec) validateWeights() []FieldError {
	var errs []FieldError
	sum := 0
	for _, name := range slices.Sorted(maps.Keys(s.Weights)) {
		weight := s.Weights[name]
		errs = append(errs, s.knownBackend(at("/spec/weights", name), name)...)
		if weight < 0 || weight > 100 {
			errs = append(errs, invalid(at("/spec/weights", name), "%d is not a percentage: it must be between 0 and 100", weight))
		}
		sum += weight
	}
	if sum != 100 && len(errs) == 0 {
		errs = append(errs, invalid("/spec/weights", "the weights sum to %d: they are percent and must sum to 100", sum))
	}
	return errs
}

func (a *Affinity) validate(pointer string) []FieldError {
	errs := validateOneOf(at(pointer, "key"), a.Key, AffinityTenant, AffinityHeader, AffinityCookie)
	errs = append(errs, validateText(at(pointer, "salt"), a.Salt, 200)...)
	if a.Key == AffinityCookie {
		errs = append(errs, validateOneOf(at(pointer, "same_site"), a.SameSite, SameSiteLax, SameSiteStrict, SameSiteNone)...)
	} else if a.SameSite != "" {
		errs = append(errs, invalid(at(pointer, "same_site"), "is about a cookie, and the key is %s: leave it out", a.Key))
	}
	switch {
	case a.Key == AffinityTenant && a.Name != "":
		errs = append(errs, invalid(at(pointer, "name"), "with the key tenant there is no name to give: leave it out"))
	case (a.Key == AffinityHeader || a.Key == AffinityCookie) && (!tokenPattern.MatchString(a.Name) || len(a.Name) > 100):
		errs = append(errs, invalid(at(pointer, "name"), "%q is not the name of a %s", a.Name, a.Key))
	}
	return errs
}

// validateRules checks header matches and the mirror.
func (s *TrafficSplitSpec) validateRules() []FieldError {
	var errs []FieldError
	if n := len(s.Match); n > 100 {
		errs = append(errs, invalid("/spec/match", "at most 100 rules are allowed, not %d", n))
	}
	for i, rule := range s.Match {
		if !tokenPattern.MatchString(rule.Header) {
			errs = append(errs, invalid(at("/spec/match", i, "header"), "%q is not the name of a header", rule.Header))
		}
		errs = append(errs, validateText(at("/spec/match", i, "value"), rule.Value, 1000)...)
		errs = append(errs, s.knownBackend(at("/spec/match", i, "backend"), rule.Backend)...)
	}
	m := s.Mirror
	if m == nil {
		return errs
	}
	errs = append(errs, s.knownBackend("/spec/mirror/backend", m.Backend)...)
	errs = append(errs, validateCount("/spec/mirror/percent", m.Percent, 1, 100)...)
	for i, method := range m.Methods {
		if !slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, method) {
			errs = append(errs, invalid(at("/spec/mirror/methods", i), "%q cannot be mirrored: a copy must not change anything, so only GET, HEAD and OPTIONS are", method))
		}
	}
	return errs
}

func (p *Progression) validate(pointer string) []FieldError {
	var errs []FieldError
	if len(p.Revision) > MaxRevisionLength || !labelPattern.MatchString(p.Revision) {
		errs = append(errs, invalid(at(pointer, "revision"), "%q is not a revision: write 1 to %d letters, digits, dots, hyphens, underscores or slashes, such as v2 or a commit", p.Revision, MaxRevisionLength))
	}
	errs = append(errs, p.validateSteps(at(pointer, "steps"))...)
	errs = append(errs, p.validateWaves(at(pointer, "waves"))...)
	errs = append(errs, validateDuration(at(pointer, "soak"), p.Soak, 0, maxSplitHold)...)
	errs = append(errs, p.Analysis.validate(at(pointer, "analysis"))...)
	errs = append(errs, validateOneOf(at(pointer, "on_failure"), p.OnFailure, FailureRollback, FailurePause)...)
	errs = append(errs, validateOneOf(at(pointer, "on_update"), p.OnUpdate, UpdateNextStep, UpdateRestart, UpdateReject)...)
	for i, window := range p.Windows {
		errs = append(errs, window.validate(at(pointer, "windows", i))...)
	}
	return errs
}

func (p *Progression) validateSteps(pointer string) []FieldError {
	var errs []FieldError
	if n := len(p.Steps); n == 0 || n > maxSplitSteps {
		return []FieldError{invalid(pointer, "a progression has 1 to %d steps, not %d: the last one is 100", maxSplitSteps, n)}
	}
	before := 0
	for i, step := range p.Steps {
		if step.Weight < 1 || step.Weight > 100 {
			errs = append(errs, invalid(at(pointer, i, "weight"), "%d is not a weight of a step: it must be between 1 and 100 percent", step.Weight))
		} else if step.Weight <= before {
			errs = append(errs, invalid(at(pointer, i, "weight"), "the steps must grow: %d follows %d", step.Weight, before))
		}
		before = step.Weight
		errs = append(errs, validateDuration(at(pointer, i, "hold"), step.Hold, 0, maxSplitHold)...)
		errs = append(errs, validateOneOf(at(pointer, i, "gate"), step.Gate, GateAuto, GateManual)...)
	}
	if len(errs) == 0 && before != 100 {
		errs = append(errs, invalid(at(pointer, len(p.Steps)-1, "weight"), "the last step must be 100, not %d: a progression ends with the candidate serving everything", before))
	}
	return errs
}

func (p *Progression) validateWaves(pointer string) []FieldError {
	var errs []FieldError
	seen := map[string]bool{}
	for i, wave := range p.Waves {
		if len(wave.Regions) == 0 {
			errs = append(errs, invalid(at(pointer, i, "regions"), "a wave needs a region"))
		}
		for j, region := range wave.Regions {
			errs = append(errs, ValidateName(at(pointer, i, "regions", j), region)...)
			if seen[region] {
				errs = append(errs, invalid(at(pointer, i, "regions", j), "region %q is in two waves", region))
			}
			seen[region] = true
		}
		errs = append(errs, validateDuration(at(pointer, i, "soak"), wave.Soak, 0, maxSplitHold)...)
	}
	return errs
}

func (a *SplitAnalysis) validate(pointer string) []FieldError {
	errs := validateDuration(at(pointer, "interval"), a.Interval, minAnalysisPeriod, maxAnalysisPeriod)
	errs = append(errs, validateCount(at(pointer, "min_requests"), a.MinRequests, 1, maxAnalysisSamples)...)
	errs = append(errs, validateOneOf(at(pointer, "on_no_data"), a.OnNoData, NoDataWait, NoDataPause, NoDataRollback)...)
	if n := len(a.Checks); n == 0 || n > maxSplitChecks {
		errs = append(errs, invalid(at(pointer, "checks"), "an analysis has 1 to %d checks, not %d: without a metric nothing could tell a good candidate from a bad one", maxSplitChecks, n))
	}
	for i, check := range a.Checks {
		errs = append(errs, check.validate(at(pointer, "checks", i))...)
	}
	return errs
}

func (c SplitCheck) validate(pointer string) []FieldError {
	var errs []FieldError
	isNumber := func(v *float64) bool { return v == nil || !math.IsNaN(*v) && !math.IsInf(*v, 0) }
	switch {
	case (c.SLO == "") == (c.Query == ""):
		errs = append(errs, invalid(pointer, "give either an slo or a query"))
	case c.SLO != "":
		errs = append(errs, ValidateName(at(pointer, "slo"), c.SLO)...)
		if c.Max != nil && !(*c.Max >= 0 && *c.Max < 100) {
			errs = append(errs, invalid(at(pointer, "max"), "%v is not a limit: with an slo it is percent of bad requests, at least 0 and below 100", *c.Max))
		}
	case c.Max == nil && c.Baseline == nil:
		errs = append(errs, invalid(at(pointer, "max"), "is required with a query, or baseline: nothing says which values are good"))
	case len(c.Query) > 10_000:
		errs = append(errs, invalid(at(pointer, "query"), "has at most 10,000 characters, not %d", len(c.Query)))
	}
	if !isNumber(c.Max) {
		errs = append(errs, invalid(at(pointer, "max"), "must be a finite number"))
	}
	if !isNumber(c.Baseline) || c.Baseline != nil && *c.Baseline < 0 {
		errs = append(errs, invalid(at(pointer, "baseline"), "must be a number of at least 0: by how much the candidate may be worse than the stable backend"))
	}
	errs = append(errs, validateCount(at(pointer, "failure_limit"), c.FailureLimit, 0, 1000)...)
	return errs
}
