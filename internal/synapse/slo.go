package synapse

import (
	"slices"
	"time"
)

// SLI is the kind of a service level indicator.
type SLI string

// The kinds of indicators, both measured at the gateways.
const (
	SLIRatio   SLI = "ratio"   // good: a whole answer that is no server error (status 5xx), while the client waits
	SLILatency SLI = "latency" // good: an answer whose head came within the threshold
)

// SLOSpec is what is wanted of a service level objective.
type SLOSpec struct {
	Service   string      `json:"service" doc:"Service whose requests are counted."`
	SLI       SLI         `json:"sli" doc:"ratio (bad: a server error, no response while the client waited, or a response that was cut off) or latency (good: response headers within threshold)."`
	Objective float64     `json:"objective" doc:"Percent of the requests that must be good, such as 99.9."`
	Threshold Duration    `json:"threshold,omitempty" doc:"With latency: the longest good time from the request to the response headers, not to the last byte. One of the bounds of the gateways' histogram."`
	Window    Duration    `json:"window,omitempty" doc:"Time over which the objective must hold. Default: 720h, 30 days."`
	Alerting  SLOAlerting `json:"alerting,omitzero" doc:"Alert rules on the rate at which the error budget is used up."`
}

// SLOAlerting says what the alerts look like.
type SLOAlerting struct {
	Disabled     bool              `json:"disabled,omitempty" doc:"Write recording rules only."`
	PageLabels   map[string]string `json:"page_labels,omitempty" doc:"Labels of alerts that need somebody now. Default: severity = page."`
	TicketLabels map[string]string `json:"ticket_labels,omitempty" doc:"Labels of alerts that can wait for office hours. Default: severity = ticket."`
	Annotations  map[string]string `json:"annotations,omitempty" doc:"Annotations of all alerts, such as a runbook's address: Prometheus templates, of one line or several."`
}

// The most characters of an alert's label and of an annotation, which may be a page of a runbook.
const (
	maxAlertLabel = 1000
	maxAnnotation = 10_000
)

// SLOStatus is what was seen of an SLO.
type SLOStatus struct {
	Status
	RulesYAML string `json:"rules_yaml,omitempty" doc:"Prometheus recording and alert rules, as a rule file."`
}

// ErrorBudget is how much of an SLO's error budget is left.
type ErrorBudget struct {
	SLO       string    `json:"slo" doc:"Name of the SLO."`
	Objective float64   `json:"objective" doc:"Percent of the requests that must be good."`
	Window    Duration  `json:"window" doc:"Time over which the objective must hold."`
	Since     time.Time `json:"since" doc:"From when on there are figures: later than the window's beginning when they are not kept that long."`
	Requests  float64   `json:"requests" doc:"Requests since then."`
	Bad       float64   `json:"bad" doc:"Bad requests since then."`
	// Remaining is below 0 when the objective is missed.
	Remaining float64 `json:"remaining" doc:"Percent of the error budget of these requests that is left; below 0 when the objective is missed."`
	BurnRate  float64 `json:"burn_rate" doc:"How many times faster than allowed the budget was used up in the last hour."`
	Source    string  `json:"source" doc:"Where the figures are from: gateways or prometheus."`
}

// LatencyBuckets are the upper bounds of the gateways' latency histograms, from a loopback round trip to a slow report. An
// SLO's threshold is one of them: what lies between two bounds is not counted apart.
func LatencyBuckets() []time.Duration {
	return []time.Duration{
		500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
		25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	}
}

// SetDefaults implements [Spec].
func (s *SLOSpec) SetDefaults() {
	setDefault(&s.Window, "720h")
	if s.Alerting.PageLabels == nil {
		s.Alerting.PageLabels = map[string]string{"severity": "page"}
	}
	if s.Alerting.TicketLabels == nil {
		s.Alerting.TicketLabels = map[string]string{"severity": "ticket"}
	}
}

// References implements [Spec].
func (s *SLOSpec) References() []Reference {
	return []Reference{{"/spec/service", Key{Kind: KindService, Name: s.Service}}}
}

// Validate implements [Spec].
func (s *SLOSpec) Validate() []FieldError {
	errs := ValidateName("/spec/service", s.Service)
	errs = append(errs, validateOneOf("/spec/sli", s.SLI, SLIRatio, SLILatency)...)
	if !(s.Objective >= 50 && s.Objective <= 99.999) { // written so that NaN is refused too
		errs = append(errs, invalid("/spec/objective", "%v is out of range: it must be between 50 and 99.999 percent, such as 99.9", s.Objective))
	}
	errs = append(errs, validateDuration("/spec/window", s.Window, time.Hour, 90*24*time.Hour)...)
	switch {
	case s.SLI == SLIRatio && s.Threshold != "":
		errs = append(errs, invalid("/spec/threshold", "a ratio has no threshold: leave it out, or choose the sli latency"))
	case s.SLI == SLILatency && s.Threshold == "":
		errs = append(errs, invalid("/spec/threshold", "is required with the sli latency: the longest good answer, one of %v", LatencyBuckets()))
	case s.SLI == SLILatency && !slices.Contains(LatencyBuckets(), s.Threshold.Value()):
		errs = append(errs, invalid("/spec/threshold", "%q is not a bound of the gateways' latency histogram: choose one of %v", string(s.Threshold), LatencyBuckets()))
	}
	errs = append(errs, validatePromLabels("/spec/alerting/page_labels", s.Alerting.PageLabels, maxAlertLabel)...)
	errs = append(errs, validatePromLabels("/spec/alerting/ticket_labels", s.Alerting.TicketLabels, maxAlertLabel)...)
	return append(errs, validatePromLabels("/spec/alerting/annotations", s.Alerting.Annotations, maxAnnotation)...)
}
