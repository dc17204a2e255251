package client

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// SplitAction acts on a traffic split: approve, resume, rollback, promote, retry, freeze or unfreeze, as the types of
// [synapse.SplitEvent] are called. It returns the split as it is then. What the split's state does not allow has
// [synapse.CodeConflict].
//
// An approval is sent once, unless the request names the step: repeated, it could be taken for that of the next step.
func (c *Client) SplitAction(ctx context.Context, name, action string, request synapse.SplitRequest) (*synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus], error) {
	header := http.Header{}
	if action != string(synapse.SplitApprove) || request.Step != nil {
		header.Set(idempotencyHeader, uuid.NewString())
	}
	key := synapse.Key{Kind: synapse.KindTrafficSplit, Name: name}
	return send[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](ctx, c, &call{
		method: http.MethodPost, path: key.Path() + "/" + action, body: request, header: header,
	})
}

// ErrorBudget reads how much of an SLO's error budget is left.
func (c *Client) ErrorBudget(ctx context.Context, slo string) (*synapse.ErrorBudget, error) {
	budget := &synapse.ErrorBudget{}
	key := synapse.Key{Kind: synapse.KindSLO, Name: slo}
	if err := c.do(ctx, &call{method: http.MethodGet, path: key.Path() + "/error-budget"}, budget); err != nil {
		return nil, err
	}
	return budget, nil
}
