package client

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Platform describes the control plane.
func (c *Client) Platform(ctx context.Context) (*synapse.Platform, error) {
	platform := &synapse.Platform{}
	if err := c.do(ctx, &call{method: http.MethodGet, path: "/v1/platform"}, platform); err != nil {
		return nil, err
	}
	return platform, nil
}

// IssueCredentials makes credentials for a tenant's data. They end by themselves; [Client.RevokeCredentials] ends them
// at once.
func (c *Client) IssueCredentials(ctx context.Context, tenant string, request synapse.CredentialsRequest) (*synapse.Credentials, error) {
	credentials := &synapse.Credentials{}
	err := c.do(ctx, &call{
		method: http.MethodPost, path: tenantKey(tenant).Path() + "/credentials", body: request,
		header: http.Header{idempotencyHeader: {uuid.NewString()}},
	}, credentials)
	if err != nil {
		return nil, err
	}
	return credentials, nil
}

// RevokeCredentials ends credentials at once. Credentials that ended already are no error.
func (c *Client) RevokeCredentials(ctx context.Context, tenant, id string) error {
	err := c.do(ctx, &call{method: http.MethodDelete, path: tenantKey(tenant).Path() + "/credentials/" + id}, nil)
	if IsNotFound(err) {
		return nil
	}
	return err
}

// RestoreTenant brings a deleted tenant back, as long as its data is kept.
func (c *Client) RestoreTenant(ctx context.Context, tenant string) (*synapse.Object[synapse.TenantSpec, synapse.TenantStatus], error) {
	return send[synapse.TenantSpec, synapse.TenantStatus](ctx, c, &call{
		method: http.MethodPost, path: tenantKey(tenant).Path() + "/restore",
		header: http.Header{idempotencyHeader: {uuid.NewString()}},
	})
}

func tenantKey(name string) synapse.Key { return synapse.Key{Kind: synapse.KindTenant, Name: name} }
