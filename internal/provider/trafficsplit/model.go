package trafficsplit

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/requesttimeouts"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/window"
)

// Model is a traffic split as Terraform holds it.
type Model struct {
	envelope.Common
	Route            *Route                 `tfsdk:"route"`
	Backends         map[string]Backend     `tfsdk:"backends"`
	Weights          map[string]types.Int64 `tfsdk:"weights"`
	Progression      *Progression           `tfsdk:"progression"`
	Affinity         *Affinity              `tfsdk:"affinity"`
	Pins             map[string]string      `tfsdk:"pins"`
	Match            []Match                `tfsdk:"match"`
	Mirror           *Mirror                `tfsdk:"mirror"`
	Limits           *requesttimeouts.Model `tfsdk:"request_timeouts"`
	CurrentWeights   types.Map              `tfsdk:"current_weights"`
	RegionWeights    types.Map              `tfsdk:"region_weights"`
	Step             types.Int64            `tfsdk:"step"`
	Wave             types.Int64            `tfsdk:"wave"`
	StableBackend    types.String           `tfsdk:"stable_backend"`
	ObservedRevision types.String           `tfsdk:"observed_revision"`
	Salt             types.String           `tfsdk:"salt"`
	LastDecision     types.Object           `tfsdk:"last_decision"`
}

// Route selects requests.
type Route struct {
	Host       types.String `tfsdk:"host"`
	PathPrefix types.String `tfsdk:"path_prefix"`
	Methods    []string     `tfsdk:"methods"`
}

// Backend is one that may serve requests.
type Backend struct {
	Role             types.String `tfsdk:"role"`
	Deployment       types.String `tfsdk:"deployment"`
	URL              types.String `tfsdk:"url"`
	ReplacePrefix    types.String `tfsdk:"replace_prefix"`
	RewriteResponses types.Bool   `tfsdk:"rewrite_responses"`
}

// Progression moves the traffic to the candidate.
type Progression struct {
	Revision  types.String      `tfsdk:"revision"`
	Steps     []Step            `tfsdk:"steps"`
	Waves     []Wave            `tfsdk:"waves"`
	Soak      envelope.Duration `tfsdk:"soak"`
	Analysis  *Analysis         `tfsdk:"analysis"`
	OnFailure types.String      `tfsdk:"on_failure"`
	Windows   []window.Window   `tfsdk:"windows"`
	OnUpdate  types.String      `tfsdk:"on_update"`
}

// Step is one weight of the candidate.
type Step struct {
	Weight types.Int64       `tfsdk:"weight"`
	Hold   envelope.Duration `tfsdk:"hold"`
	Gate   types.String      `tfsdk:"gate"`
}

// Wave is a group of regions.
type Wave struct {
	Regions []string          `tfsdk:"regions"`
	Soak    envelope.Duration `tfsdk:"soak"`
}

// Analysis says when a candidate is good enough.
type Analysis struct {
	Interval    envelope.Duration `tfsdk:"interval"`
	MinRequests types.Int64       `tfsdk:"min_requests"`
	OnNoData    types.String      `tfsdk:"on_no_data"`
	Checks      []Check           `tfsdk:"checks"`
}

// Check is one figure with its limits.
type Check struct {
	SLO          types.String  `tfsdk:"slo"`
	Query        types.String  `tfsdk:"query"`
	Max          types.Float64 `tfsdk:"max"`
	Baseline     types.Float64 `tfsdk:"baseline"`
	FailureLimit types.Int64   `tfsdk:"failure_limit"`
}

// Affinity keeps a user at one backend.
type Affinity struct {
	Key      types.String `tfsdk:"key"`
	Name     types.String `tfsdk:"name"`
	SameSite types.String `tfsdk:"same_site"`
	Salt     types.String `tfsdk:"salt"`
}

// Match sends requests with a header to a backend.
type Match struct {
	Header  types.String `tfsdk:"header"`
	Value   types.String `tfsdk:"value"`
	Backend types.String `tfsdk:"backend"`
}

// Mirror sends copies of requests to a backend.
type Mirror struct {
	Backend types.String `tfsdk:"backend"`
	Percent types.Int64  `tfsdk:"percent"`
	Methods []string     `tfsdk:"methods"`
}
