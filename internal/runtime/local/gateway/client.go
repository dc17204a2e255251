package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/admin"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Client talks to the admin port of a gateway or of the entry. C is [Config] or [EntryConfig].
type Client[C any] struct {
	address, tokenFile string
	http               *http.Client
}

// RegionClient talks to a region gateway.
type RegionClient = Client[Config]

// EntryClient talks to the global entry.
type EntryClient = Client[EntryConfig]

// NewClient returns a client of the admin port at address (host:port). The token is read from tokenFile at each call,
// so that the client may be made before the file.
func NewClient[C any](address, tokenFile string) *Client[C] {
	return &Client[C]{
		address:   address,
		tokenFile: tokenFile,
		// Every call is answered from memory, or after one write of a file.
		http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: 10 * time.Second}},
	}
}

// Apply makes the process serve from config. When it returns nil, the configuration is on disk, every new request is
// served from it, and none will be sent to an endpoint that it left out. A configuration that is invalid or older than
// the present one is refused with a [*synapse.Problem].
func (c *Client[C]) Apply(ctx context.Context, config C) error {
	body, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("encode the configuration: %w", err)
	}
	if err := c.call(ctx, http.MethodPut, "/config", body, nil); err != nil {
		return fmt.Errorf("apply the configuration at %s: %w", c.address, err)
	}
	return nil
}

// KeepConfig makes a region gateway that does not run serve from config when it starts.
func KeepConfig(file string, config Config) error {
	if err := config.Validate(); err != nil {
		return fmt.Errorf("the configuration of region %s cannot be kept: %w", config.Region, err)
	}
	return admin.WriteState(file, config)
}

// Generation returns the generation of the configuration that the process serves from; 0 before the first one.
func (c *Client[C]) Generation(ctx context.Context) (int64, error) {
	var applied admin.Applied
	if err := c.call(ctx, http.MethodGet, "/config", nil, &applied); err != nil {
		return 0, fmt.Errorf("read the generation at %s: %w", c.address, err)
	}
	return applied.Generation, nil
}

// InFlight returns the number of requests in flight by endpoint id (by region for the entry). An endpoint that left the
// configuration is listed as long as it has any: once it is absent, no request will be sent to it again.
func (c *Client[C]) InFlight(ctx context.Context) (map[string]int64, error) {
	var counts map[string]int64
	if err := c.call(ctx, http.MethodGet, "/in-flight", nil, &counts); err != nil {
		return nil, fmt.Errorf("read the requests in flight at %s: %w", c.address, err)
	}
	return counts, nil
}

// Observations returns what the process sees of the regions that it watches.
func (c *Client[C]) Observations(ctx context.Context) ([]runtime.Observation, error) {
	var observations []runtime.Observation
	if err := c.call(ctx, http.MethodGet, "/observations", nil, &observations); err != nil {
		return nil, fmt.Errorf("read the observations at %s: %w", c.address, err)
	}
	return observations, nil
}

// SetFaults makes faults all that are in force in the process. When it returns nil, they act, and others have ended. Each
// ends by itself at its time; a process that starts anew has none.
func (c *Client[C]) SetFaults(ctx context.Context, faults []runtime.Fault) error {
	body, err := json.Marshal(faults)
	if err != nil {
		return fmt.Errorf("encode the faults: %w", err)
	}
	if err := c.call(ctx, http.MethodPut, "/faults", body, nil); err != nil {
		return fmt.Errorf("set the faults at %s: %w", c.address, err)
	}
	return nil
}

// Metrics returns the metrics of the process, in order of their names.
func (c *Client[C]) Metrics(ctx context.Context) ([]*dto.MetricFamily, error) {
	var text []byte
	if err := c.call(ctx, http.MethodGet, "/metrics", nil, &text); err != nil {
		return nil, fmt.Errorf("read the metrics at %s: %w", c.address, err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the metrics at %s: %w", c.address, err)
	}
	sorted := make([]*dto.MetricFamily, 0, len(families))
	for _, name := range slices.Sorted(maps.Keys(families)) {
		sorted = append(sorted, families[name])
	}
	return sorted, nil
}

// Healthy returns nil when the process answers on its admin port.
func (c *Client[C]) Healthy(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.address+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("check the health at %s: %w", c.address, err)
	}
	if err := c.do(request, nil); err != nil {
		return fmt.Errorf("check the health at %s: %w", c.address, err)
	}
	return nil
}

func (c *Client[C]) call(ctx context.Context, method, path string, body []byte, answer any) error {
	token, err := admin.ReadToken(c.tokenFile)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	return c.do(request, answer)
}

func (c *Client[C]) do(request *http.Request, answer any) error {
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		problem := &synapse.Problem{}
		if json.Unmarshal(body, problem) != nil || problem.Status == 0 {
			return fmt.Errorf("unexpected answer %s", response.Status)
		}
		return problem
	}
	switch answer := answer.(type) {
	case nil:
		return nil
	case *[]byte:
		*answer = body
		return nil
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("decode the answer: %w", err)
	}
	return nil
}
