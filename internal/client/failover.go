package client

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// FailoverAction acts on a failover policy: failover, failback or approve. It returns the policy as it is then: a transition
// goes on in the control plane. What the policy's state does not allow has [synapse.CodeConflict].
//
// It is sent once: repeated, a failover could follow the one that it began.
func (c *Client) FailoverAction(ctx context.Context, name, action string, request synapse.FailoverRequest) (*synapse.Object[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus], error) {
	key := synapse.Key{Kind: synapse.KindFailoverPolicy, Name: name}
	return send[synapse.FailoverPolicySpec, synapse.FailoverPolicyStatus](ctx, c, &call{
		method: http.MethodPost, path: key.Path() + "/" + action, body: request, header: http.Header{},
	})
}

// Readiness looks whether a failover of a policy would work now.
func (c *Client) Readiness(ctx context.Context, policy string) (*synapse.FailoverReadiness, error) {
	readiness := &synapse.FailoverReadiness{}
	key := synapse.Key{Kind: synapse.KindFailoverPolicy, Name: policy}
	if err := c.do(ctx, &call{method: http.MethodGet, path: key.Path() + "/readiness"}, readiness); err != nil {
		return nil, err
	}
	return readiness, nil
}

// ApproveDrill approves the definition of a drill that has this digest.
func (c *Client) ApproveDrill(ctx context.Context, name string, request synapse.DrillApprovalRequest) (*synapse.Object[synapse.DrillSpec, synapse.DrillStatus], error) {
	key := synapse.Key{Kind: synapse.KindDrill, Name: name}
	return send[synapse.DrillSpec, synapse.DrillStatus](ctx, c, &call{
		method: http.MethodPost, path: key.Path() + "/approve", body: request, header: retriable(),
	})
}

// AbortDrillRun ends a run. The control plane undoes what it did: wait for the run to be settled.
func (c *Client) AbortDrillRun(ctx context.Context, name string, request synapse.DrillAbortRequest) (*synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus], error) {
	key := synapse.Key{Kind: synapse.KindDrillRun, Name: name}
	return send[synapse.DrillRunSpec, synapse.DrillRunStatus](ctx, c, &call{
		method: http.MethodPost, path: key.Path() + "/abort", body: request, header: retriable(),
	})
}

// DrillReport reads the report of a run that has ended.
func (c *Client) DrillReport(ctx context.Context, run string) (*synapse.DrillReport, error) {
	report := &synapse.DrillReport{}
	key := synapse.Key{Kind: synapse.KindDrillRun, Name: run}
	if err := c.do(ctx, &call{method: http.MethodGet, path: key.Path() + "/report"}, report); err != nil {
		return nil, err
	}
	return report, nil
}

// retriable marks a request that may be sent again: the second one changes nothing.
func retriable() http.Header { return http.Header{idempotencyHeader: []string{uuid.NewString()}} }
