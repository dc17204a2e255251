package client

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// CreateToken issues an API token. Its secret is in this answer only.
func (c *Client) CreateToken(ctx context.Context, request synapse.TokenRequest) (*synapse.IssuedToken, error) {
	issued := &synapse.IssuedToken{}
	// Without an idempotency key: a token whose answer was lost must not be issued a second time unseen.
	if err := c.do(ctx, &call{method: http.MethodPost, path: "/v1/tokens", body: request}, issued); err != nil {
		return nil, err
	}
	return issued, nil
}

// Tokens lists the API tokens, by name.
func (c *Client) Tokens(ctx context.Context) ([]synapse.Token, error) {
	var list struct {
		Items []synapse.Token `json:"items"`
	}
	err := c.do(ctx, &call{method: http.MethodGet, path: "/v1/tokens"}, &list)
	return list.Items, err
}

// RevokeToken ends an API token at once. A token that does not exist is ended already.
func (c *Client) RevokeToken(ctx context.Context, name string) error {
	return c.do(ctx, &call{method: http.MethodDelete, path: "/v1/tokens/" + name}, nil)
}

// PurgeTenant destroys the data of a deleted tenant before its grace period ends.
func (c *Client) PurgeTenant(ctx context.Context, tenant string) error {
	_, err := send[synapse.TenantSpec, synapse.TenantStatus](ctx, c, &call{
		method: http.MethodPost, path: tenantKey(tenant).Path() + "/purge",
		header: http.Header{idempotencyHeader: {uuid.NewString()}},
	})
	return err
}
