package synapse

import (
	"maps"
	"slices"
	"strings"
)

// SplitRole says what a backend is in a traffic split.
type SplitRole string

// The roles of backends. A split has one stable backend and one or two candidates: with more, no assignment of keys to
// backends that depends on the weights alone could keep every key in place while one weight grows.
const (
	RoleStable    SplitRole = "stable"    // serves what no other backend does, and all after a rollback
	RoleCandidate SplitRole = "candidate" // takes over
)

// TrafficSplitSpec is what is wanted of a traffic split: one route, and who serves it.
type TrafficSplitSpec struct {
	Route       SplitRoute              `json:"route" doc:"The requests that the split is about."`
	Backends    map[string]SplitBackend `json:"backends" doc:"Who may serve them: one stable backend and one or two candidates."`
	Weights     map[string]int          `json:"weights,omitempty" doc:"Percent of the traffic by backend, 100 in sum. Exactly one of weights and progression is given."`
	Progression *Progression            `json:"progression,omitempty" doc:"Moves the traffic to the one candidate step by step. Exactly one of weights and progression is given."`
	Affinity    *Affinity               `json:"affinity,omitempty" doc:"What keeps a user at one backend. Default: every request is drawn anew."`
	Pins        map[string]string       `json:"pins,omitempty" doc:"Backend by tenant, whatever the weights say."`
	Match       []SplitMatch            `json:"match,omitempty" doc:"Backend by request header, whatever pins and weights say. The first that matches decides."`
	Mirror      *Mirror                 `json:"mirror,omitempty" doc:"Sends copies of requests to a backend and drops its answers."`
	Timeouts    *Timeouts               `json:"request_timeouts,omitempty" doc:"Time limits of requests on the route. Default: those of the service of a deployment, and else that of each field."`
}

// SplitRoute selects requests by what they ask for. At a gateway, the route with a host precedes those without, then the
// longer path_prefix precedes. A split precedes the services' own paths.
type SplitRoute struct {
	Host       string   `json:"host,omitempty" doc:"Host name of the requests, without a port. Default: any."`
	PathPrefix string   `json:"path_prefix,omitempty" doc:"Path of the requests, or whole leading segments of it. Default: /."`
	Methods    []string `json:"methods,omitempty" doc:"Methods of the requests. Default: all."`
}

// SplitBackend is one that may serve a split's requests: a deployment, or an external URL.
type SplitBackend struct {
	Role       SplitRole `json:"role" doc:"stable or candidate."`
	Deployment string    `json:"deployment,omitempty" doc:"Deployment as SERVICE/NAME. Exactly one of deployment and url is given."`
	URL        string    `json:"url,omitempty" doc:"Base URL of a backend outside the platform, such as the monolith. Exactly one of deployment and url is given."`
	// ReplacePrefix takes the place of the route's path prefix, as URLRewrite's ReplacePrefixMatch in the Gateway API.
	ReplacePrefix string `json:"replace_prefix,omitempty" doc:"What the backend sees in place of the route's path_prefix. Default: / for a deployment, path_prefix itself for a url."`
	// RewriteResponses is a pointer because what is not said means true.
	RewriteResponses *bool `json:"rewrite_responses,omitempty" doc:"Whether paths in responses are mapped to the client's, in Location, Content-Location, Refresh and the paths of cookies. Default: true."`
}

// RewritesResponses reports whether the paths in the backend's answers become the client's.
func (b SplitBackend) RewritesResponses() bool {
	return b.RewriteResponses == nil || *b.RewriteResponses
}

// SplitGate says how a step is left.
type SplitGate string

// The gates of steps.
const (
	GateAuto   SplitGate = "auto"   // when its hold is over and the analysis is content
	GateManual SplitGate = "manual" // when, beyond that, somebody approves
)

// OnUpdate says what a change of a progression does while it runs.
type OnUpdate string

// What a change of a running progression does.
const (
	UpdateNextStep OnUpdate = "next_step" // goes on from the live weight with the first step above it
	UpdateRestart  OnUpdate = "restart"   // begins again with the first step
	UpdateReject   OnUpdate = "reject"    // is refused
)

// OnNoData says what an analysis does that sees too few requests, or no figures at all.
type OnNoData string

// What happens without enough data. No step is taken in any case.
const (
	NoDataWait     OnNoData = "wait"     // look again at the next interval
	NoDataPause    OnNoData = "pause"    // once the step's hold is over
	NoDataRollback OnNoData = "rollback" // once the step's hold is over
)

// Progression moves a route's traffic to the candidate.
type Progression struct {
	Revision  string        `json:"revision" doc:"Names this run. A new value starts one; the same value after a completion or rollback does nothing, and one that was rolled back starts again only after a retry."`
	Steps     []SplitStep   `json:"steps" doc:"Growing weights of the candidate. The last one is 100."`
	Waves     []SplitWave   `json:"waves,omitempty" doc:"Groups of regions that go through the steps one after the other. Regions in no wave go with the last one. Default: all at once."`
	Soak      Duration      `json:"soak,omitempty" doc:"How long the analysis goes on after the candidate serves everything. Default: 0s."`
	Analysis  SplitAnalysis `json:"analysis" doc:"What must hold for the traffic to move on."`
	OnFailure OnFailure     `json:"on_failure,omitempty" doc:"What a failed analysis does: rollback (all traffic to the stable backend) or pause (leave it, for a look). Default: rollback."`
	Windows   []Window      `json:"windows,omitempty" doc:"When steps forward may be taken. A rollback may be at any time. Default: always."`
	OnUpdate  OnUpdate      `json:"on_update,omitempty" doc:"What a change of the progression does while it runs: next_step (goes on above the live weight), restart, or reject. Default: next_step."`
}

// SplitStep is one weight of the candidate.
type SplitStep struct {
	Weight int       `json:"weight" doc:"Percent of the traffic for the candidate."`
	Hold   Duration  `json:"hold,omitempty" doc:"How long the weight stays at least. Default: the interval of the analysis."`
	Gate   SplitGate `json:"gate,omitempty" doc:"auto goes on when the analysis is content; manual waits for an approval too. Default: auto."`
}

// SplitWave is a group of regions.
type SplitWave struct {
	Regions []string `json:"regions" doc:"Regions that go through the steps together."`
	Soak    Duration `json:"soak,omitempty" doc:"How long the analysis goes on after the wave's last step before the next wave begins. Default: 0s."`
}

// SplitAnalysis says when a candidate is good enough.
type SplitAnalysis struct {
	Interval    Duration     `json:"interval,omitempty" doc:"Time between two analyses, and the time that one looks back at. Default: 1m."`
	MinRequests int          `json:"min_requests,omitempty" doc:"Requests to the candidate that an analysis needs. It looks back further for them, to the beginning of the step at most. Default: 100."`
	OnNoData    OnNoData     `json:"on_no_data,omitempty" doc:"What happens when there are fewer requests, or no data: wait, or, once the step's hold is over, pause or rollback. Requests without a response are data. Default: wait."`
	Checks      []SplitCheck `json:"checks" doc:"What is looked at. All must hold."`
}

// SplitCheck is one figure that is compared with its limits.
type SplitCheck struct {
	SLO   string `json:"slo,omitempty" doc:"SLO whose indicator is measured at the candidate, as percent of bad requests. Exactly one of slo and query is given."`
	Query string `json:"query,omitempty" doc:"PromQL that gives one number. {{split}}, {{backend}}, {{regions}} (a regular expression) and {{window}} are replaced. Needs a control plane that is connected to Prometheus."`
	// Max is nil for "not given": the limit is then what the SLO's objective leaves.
	Max      *float64 `json:"max,omitempty" doc:"The largest good value. Default with slo: 100 minus its objective; with query, max or baseline is required."`
	Baseline *float64 `json:"baseline,omitempty" doc:"How much larger the value may be than the stable backend's. Default: not compared."`
	// FailureLimit is the number of failed analyses of the check in one step that are put up with.
	FailureLimit int `json:"failure_limit,omitempty" doc:"Analyses in one step that this check may fail before it counts. Default: 0."`
}

// Label names the check in messages.
func (c SplitCheck) Label() string {
	if c.SLO != "" {
		return "SLO " + c.SLO
	}
	return "query"
}

// AffinityKey says what keeps a user at one backend.
type AffinityKey string

// The keys of affinity.
const (
	AffinityTenant AffinityKey = "tenant"
	AffinityHeader AffinityKey = "header"
	AffinityCookie AffinityKey = "cookie"
)

// SameSite says to which requests from other sites browsers add a cookie: RFC 6265bis, 4.1.2.7.
type SameSite string

// The values of SameSite.
const (
	SameSiteLax    SameSite = "lax"    // to those that open a page
	SameSiteStrict SameSite = "strict" // to none
	SameSiteNone   SameSite = "none"   // to all, over HTTPS
)

// Affinity keeps requests with the same key at the same backend, in all regions and after restarts: see [Cohort].
type Affinity struct {
	Key      AffinityKey `json:"key" doc:"tenant, header or cookie."`
	Name     string      `json:"name,omitempty" doc:"Name of the header or cookie. A cookie that is missing is set by the gateway. Default for a cookie: synapse_cohort."`
	SameSite SameSite    `json:"same_site,omitempty" doc:"Which cross-site requests browsers send the cookie with: strict (none), lax (top-level navigation) or none (all; needs HTTPS). Default for a cookie: lax."`
	Salt     string      `json:"salt,omitempty" doc:"Makes the cohorts of one split independent of another's. Default: one chosen by the control plane; with the key tenant, one that fits the weights best for the tenants there are."`
}

// SplitMatch sends requests with a header to a backend.
type SplitMatch struct {
	Header  string `json:"header" doc:"Name of the header."`
	Value   string `json:"value" doc:"Its whole value."`
	Backend string `json:"backend" doc:"Backend that serves the request."`
}

// Mirror sends copies of requests to a backend.
type Mirror struct {
	Backend string   `json:"backend" doc:"Backend that gets the copies. Its answers are dropped."`
	Percent int      `json:"percent,omitempty" doc:"Percent of the requests that are copied. Default: 100."`
	Methods []string `json:"methods,omitempty" doc:"Methods that are copied: GET, HEAD and OPTIONS, which change nothing. Default: GET and HEAD."`
}

// SetDefaults implements [Spec].
func (s *TrafficSplitSpec) SetDefaults() {
	setDefault(&s.Route.PathPrefix, "/")
	s.Route.Host = strings.ToLower(s.Route.Host)
	backends := make(map[string]SplitBackend, len(s.Backends))
	for name, backend := range s.Backends {
		if backend.RewriteResponses == nil {
			rewrite := true
			backend.RewriteResponses = &rewrite
		}
		if backend.Deployment != "" {
			setDefault(&backend.ReplacePrefix, "/")
		} else {
			setDefault(&backend.ReplacePrefix, s.Route.PathPrefix)
		}
		backends[name] = backend
	}
	s.Backends = backends
	if a := s.Affinity; a != nil && a.Key == AffinityCookie {
		setDefault(&a.Name, "synapse_cohort")
		setDefault(&a.SameSite, SameSiteLax)
	}
	if m := s.Mirror; m != nil {
		setDefault(&m.Percent, 100)
		if len(m.Methods) == 0 {
			m.Methods = []string{"GET", "HEAD"}
		}
	}
	if p := s.Progression; p != nil {
		setDefault(&p.Soak, "0s")
		setDefault(&p.Analysis.Interval, "1m")
		setDefault(&p.Analysis.MinRequests, 100)
		setDefault(&p.Analysis.OnNoData, NoDataWait)
		setDefault(&p.OnFailure, FailureRollback)
		setDefault(&p.OnUpdate, UpdateNextStep)
		for i := range p.Steps {
			setDefault(&p.Steps[i].Hold, p.Analysis.Interval)
			setDefault(&p.Steps[i].Gate, GateAuto)
		}
		for i := range p.Waves {
			setDefault(&p.Waves[i].Soak, "0s")
		}
		for i := range p.Windows {
			p.Windows[i].setDefaults()
		}
	}
}

// References implements [Spec].
func (s *TrafficSplitSpec) References() []Reference {
	var refs []Reference
	for _, name := range slices.Sorted(maps.Keys(s.Backends)) {
		if backend := s.Backends[name]; backend.Deployment != "" {
			if key, err := ParseID(KindServiceDeployment, backend.Deployment); err == nil {
				refs = append(refs, Reference{"/spec/backends/" + EscapePointer(name) + "/deployment", key})
			}
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(s.Pins)) {
		refs = append(refs, Reference{"/spec/pins/" + EscapePointer(tenant), Key{Kind: KindTenant, Name: tenant}})
	}
	if s.Progression == nil {
		return refs
	}
	for i, check := range s.Progression.Analysis.Checks {
		if check.SLO != "" {
			refs = append(refs, Reference{at("/spec/progression/analysis/checks", i, "slo"), Key{Kind: KindSLO, Name: check.SLO}})
		}
	}
	for i, wave := range s.Progression.Waves {
		for j, region := range wave.Regions {
			refs = append(refs, Reference{at("/spec/progression/waves", i, "regions", j), Key{Kind: KindRegion, Name: region}})
		}
	}
	return refs
}

// Stable returns the name of the stable backend, or "" when there is none.
func (s *TrafficSplitSpec) Stable() string {
	for _, name := range slices.Sorted(maps.Keys(s.Backends)) {
		if s.Backends[name].Role == RoleStable {
			return name
		}
	}
	return ""
}

// Candidates returns the names of the candidates, in order.
func (s *TrafficSplitSpec) Candidates() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.Backends)) {
		if s.Backends[name].Role == RoleCandidate {
			names = append(names, name)
		}
	}
	return names
}
