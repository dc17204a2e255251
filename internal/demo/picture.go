package main

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func (d Demo) client() (*client.Client, error) {
	token, err := os.ReadFile(d.tokenFile())
	if err != nil {
		return nil, fmt.Errorf("reading the token that synapsed wrote: %w", err)
	}
	return client.New(client.Config{Endpoint: d.endpoint(), Token: strings.TrimSpace(string(token)), UserAgent: "synapse-demo"})
}

// picture prints what the control plane says is there.
func (d Demo) picture(ctx context.Context) error {
	api, err := d.client()
	if err != nil {
		return err
	}
	for _, part := range []func(context.Context, *client.Client) ([][]string, error){regionRows, tenantRows, deploymentRows} {
		rows, err := part(ctx, api)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(d.Out, 0, 0, 2, ' ', 0)
		for _, row := range rows {
			_, _ = fmt.Fprintln(table, strings.Join(row, "\t"))
		}
		_, _ = fmt.Fprintln(table)
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// rows makes a table of a list.
func rows[T any](header []string, list iter.Seq2[T, error], row func(T) []string) ([][]string, error) {
	all := [][]string{header}
	for object, err := range list {
		if err != nil {
			return nil, err
		}
		all = append(all, row(object))
	}
	return all, nil
}

func regionRows(ctx context.Context, api *client.Client) ([][]string, error) {
	return rows([]string{"REGION", "HEALTH", "GATEWAY", "DATABASE", "DATABASE PORT"},
		client.List[synapse.RegionSpec, synapse.RegionStatus](ctx, api, synapse.KindRegion, client.ListOptions{}),
		func(r *synapse.Object[synapse.RegionSpec, synapse.RegionStatus]) []string {
			return []string{r.Name, r.Status.Health, r.Status.GatewayURL, string(r.Status.DatabaseRole), fmt.Sprint(r.Status.DatabasePort)}
		})
}

func tenantRows(ctx context.Context, api *client.Client) ([][]string, error) {
	return rows([]string{"TENANT", "PHASE", "ISOLATION", "DATABASE", "SCHEMA", "ROLE", "SERVED IN"},
		client.List[synapse.TenantSpec, synapse.TenantStatus](ctx, api, synapse.KindTenant, client.ListOptions{}),
		func(t *synapse.Object[synapse.TenantSpec, synapse.TenantStatus]) []string {
			return []string{
				t.Name, string(t.Status.Phase), string(t.Spec.Isolation.Database), t.Status.Database, t.Status.Schema, t.Status.Role,
				strings.Join(slices.Sorted(maps.Keys(t.Status.Endpoints)), ", "),
			}
		})
}

func deploymentRows(ctx context.Context, api *client.Client) ([][]string, error) {
	return rows([]string{"DEPLOYMENT", "PHASE", "IMAGE", "DIGEST", "REVISION", "REPLICAS READY"},
		client.List[synapse.DeploymentSpec, synapse.DeploymentStatus](ctx, api, synapse.KindServiceDeployment, client.ListOptions{}),
		func(o *synapse.Object[synapse.DeploymentSpec, synapse.DeploymentStatus]) []string {
			var ready []string
			for _, region := range slices.Sorted(maps.Keys(o.Status.Regions)) {
				state := o.Status.Regions[region]
				ready = append(ready, fmt.Sprintf("%s %d/%d", region, state.Ready, state.Replicas))
			}
			return []string{
				o.Key().ID(), string(o.Status.Phase), o.Status.Image, short(o.Status.ImageDigest), o.Status.LiveRevision,
				strings.Join(ready, ", "),
			}
		})
}

// short is the part of a digest that people compare.
func short(digest string) string {
	const length = len("sha256:") + 12
	return digest[:min(len(digest), length)]
}

// addresses are all that the platform listens on.
func (d Demo) addresses(ctx context.Context) ([]string, error) {
	all := []string{d.Listen, d.EntryAddress, d.DatabaseAddress}
	api, err := d.client()
	if err != nil {
		return nil, err
	}
	for region, err := range client.List[synapse.RegionSpec, synapse.RegionStatus](ctx, api, synapse.KindRegion, client.ListOptions{}) {
		if err != nil {
			return nil, err
		}
		for _, port := range []int{region.Status.GatewayPort, region.Status.DatabasePort} {
			if port != 0 {
				all = append(all, fmt.Sprintf("127.0.0.1:%d", port))
			}
		}
	}
	return all, nil
}
