package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Config is what the API is made of.
type Config struct {
	Backend object.Backend
	Kinds   object.Kinds
	Log     *slog.Logger
	// Platform describes the running control plane. The API fills in the version of the API and the regions.
	Platform func(ctx context.Context) synapse.Platform
	// Credentials issues access to tenants' data.
	Credentials Credentials
	// Budgets measures error budgets.
	Budgets Budgets
	// Failovers looks at regions, for readiness and for failovers on request.
	Failovers Failovers
	// Reports writes the report of a drill's run for people, in Markdown.
	Reports func(*synapse.DrillReport) []byte
	// Console serves the web console under /console/. It authenticates its users itself. Optional.
	Console http.Handler
	// Registry serves the image registry under /v2/. Optional.
	Registry http.Handler
	// Ready returns why the daemon can not serve yet, or nil. Optional.
	Ready func(ctx context.Context) error
	// Closing, when closed, ends waiting requests and refuses new ones, because the daemon shuts down. Optional.
	Closing <-chan struct{}
	Limits  Limits
	// Metrics is where the API registers its metrics, and what /metrics serves.
	Metrics *prometheus.Registry
	// GatewayMetrics gathers the metrics of all gateways by region, which /metrics serves too. What could be had is returned
	// beside an error. Optional.
	GatewayMetrics func(ctx context.Context) (map[string][]*dto.MetricFamily, error)
}

// Limits protect the daemon from too many requests. Zero values mean no limit.
type Limits struct {
	RequestsPerSecond float64 // on average
	Burst             int     // above the average, at once; at least 1 when RequestsPerSecond is set
	Concurrent        int     // requests in work at the same time, those that wait included
}

// Credentials issues short-lived access to tenants' data. It is implemented by the runtime. Its errors may be
// runtime.PendingError (try again) and runtime.PermanentError.
type Credentials interface {
	// Issue makes credentials for a living tenant that work for ttl.
	Issue(ctx context.Context, tenant synapse.Object[synapse.TenantSpec, synapse.TenantStatus], ttl time.Duration) (synapse.Credentials, error)
	// Revoke ends credentials before their time. It returns nil for those that do not exist.
	Revoke(ctx context.Context, tenant, id string) error
}
