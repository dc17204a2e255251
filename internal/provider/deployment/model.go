package deployment

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Model is a deployment as Terraform holds it.
type Model struct {
	envelope.Common
	Service         types.String      `tfsdk:"service"`
	Image           types.String      `tfsdk:"image"`
	RequireDigest   types.Bool        `tfsdk:"require_digest"`
	Tenant          types.String      `tfsdk:"tenant"`
	Regions         map[string]Region `tfsdk:"regions"`
	Env             map[string]string `tfsdk:"env"`
	Autoscaling     *Autoscaling      `tfsdk:"autoscaling"`
	Rollout         *Rollout          `tfsdk:"rollout"`
	WaitFor         types.String      `tfsdk:"wait_for"`
	ImageDigest     types.String      `tfsdk:"image_digest"`
	DesiredRevision types.String      `tfsdk:"desired_revision"`
	LiveRevision    types.String      `tfsdk:"live_revision"`
	Status          types.Map         `tfsdk:"status"`
}

// Region is what is wanted in one region.
type Region struct {
	MinReplicas types.Int64       `tfsdk:"min_replicas"`
	MaxReplicas types.Int64       `tfsdk:"max_replicas"`
	Env         map[string]string `tfsdk:"env"`
}

// Autoscaling says when more than the minimum of replicas runs.
type Autoscaling struct {
	TargetInFlight types.Int64 `tfsdk:"target_in_flight"`
}

// Rollout says how a change is rolled out.
type Rollout struct {
	MaxSurge         types.Int64       `tfsdk:"max_surge"`
	MaxUnavailable   types.Int64       `tfsdk:"max_unavailable"`
	ProgressDeadline envelope.Duration `tfsdk:"progress_deadline"`
	MinReady         envelope.Duration `tfsdk:"min_ready"`
	OnFailure        types.String      `tfsdk:"on_failure"`
}

// RegionStatus is what was seen in one region.
type RegionStatus struct {
	Revision types.String `tfsdk:"revision"`
	Replicas types.Int64  `tfsdk:"replicas"`
	Ready    types.Int64  `tfsdk:"ready"`
	Phase    types.String `tfsdk:"phase"`
	Message  types.String `tfsdk:"message"`
}

// Parent implements [envelope.Model].
func (m *Model) Parent() *types.String { return &m.Service }

// Waits implements [envelope.Model].
func (m *Model) Waits() bool { return m.WaitFor.ValueString() != waitForAccepted }

// ToAPI implements [envelope.Model].
func (m *Model) ToAPI() synapse.DeploymentSpec {
	spec := synapse.DeploymentSpec{
		Image: m.Image.ValueString(), RequireDigest: m.RequireDigest.ValueBool(), Tenant: m.Tenant.ValueString(),
		Env: m.Env, Regions: make(map[string]synapse.DeploymentRegion, len(m.Regions)),
	}
	for name, region := range m.Regions {
		spec.Regions[name] = synapse.DeploymentRegion{
			MinReplicas: int(region.MinReplicas.ValueInt64()), MaxReplicas: int(region.MaxReplicas.ValueInt64()), Env: region.Env,
		}
	}
	if m.Autoscaling != nil {
		spec.Autoscaling.TargetInFlight = int(m.Autoscaling.TargetInFlight.ValueInt64())
	}
	if m.Rollout != nil {
		spec.Rollout = synapse.Rollout{
			MaxSurge: int(m.Rollout.MaxSurge.ValueInt64()), MaxUnavailable: int(m.Rollout.MaxUnavailable.ValueInt64()),
			ProgressDeadline: synapse.Duration(m.Rollout.ProgressDeadline.ValueString()),
			MinReady:         synapse.Duration(m.Rollout.MinReady.ValueString()),
			OnFailure:        synapse.OnFailure(m.Rollout.OnFailure.ValueString()),
		}
	}
	return spec
}

// FromAPI implements [envelope.Model].
func (m *Model) FromAPI(ctx context.Context, deployment *synapse.Object[synapse.DeploymentSpec, synapse.DeploymentStatus]) diag.Diagnostics {
	spec, status := deployment.Spec, deployment.Status
	m.Image, m.RequireDigest, m.Tenant = types.StringValue(spec.Image), types.BoolValue(spec.RequireDigest), envelope.Text(spec.Tenant)
	m.Env = envelope.KeepEmptyMap(m.Env, spec.Env)
	regions := make(map[string]Region, len(spec.Regions))
	for name, region := range spec.Regions {
		regions[name] = Region{
			MinReplicas: types.Int64Value(int64(region.MinReplicas)), MaxReplicas: types.Int64Value(int64(region.MaxReplicas)),
			Env: envelope.KeepEmptyMap(m.Regions[name].Env, region.Env),
		}
	}
	m.Regions = regions
	m.Autoscaling = &Autoscaling{TargetInFlight: types.Int64Value(int64(spec.Autoscaling.TargetInFlight))}
	m.Rollout = &Rollout{
		MaxSurge: types.Int64Value(int64(spec.Rollout.MaxSurge)), MaxUnavailable: types.Int64Value(int64(spec.Rollout.MaxUnavailable)),
		ProgressDeadline: envelope.NewDuration(spec.Rollout.ProgressDeadline),
		MinReady:         envelope.NewDuration(spec.Rollout.MinReady),
		OnFailure:        envelope.Text(spec.Rollout.OnFailure),
	}
	if m.WaitFor.IsNull() { // an import: the API does not know it
		m.WaitFor = types.StringValue(waitForComplete)
	}
	m.ImageDigest = envelope.Text(status.ImageDigest)
	m.DesiredRevision, m.LiveRevision = envelope.Text(status.DesiredRevision), envelope.Text(status.LiveRevision)
	var diags diag.Diagnostics
	m.Status, diags = types.MapValueFrom(ctx, statusObject().Type(), regionStatuses(status.Regions))
	return diags
}

// Foretells implements what the plan asks: digest and revision follow from an image that is given by digest, or that keeps the
// digest it has. A tag that is to be resolved may point elsewhere when the plan is applied.
func (m *Model) Foretells(prior *Model) bool {
	return strings.Contains(m.Image.ValueString(), "@") || prior != nil && prior.Image.Equal(m.Image) && !prior.ImageDigest.IsNull()
}

// Foretell returns digest and revision as synapsed will have them. Of one that computes revisions in another way, nothing is
// foretold.
func (m *Model) Foretell(status *synapse.DeploymentStatus) map[string]string {
	spec := m.ToAPI()
	spec.SetDefaults()
	kept := m.ImageDigest.IsUnknown() || m.ImageDigest.ValueString() == status.ImageDigest
	if status.ImageDigest == "" || !kept || spec.Revision(status.ImageDigest) != status.DesiredRevision {
		return nil
	}
	return map[string]string{"image_digest": status.ImageDigest, "desired_revision": status.DesiredRevision}
}

func regionStatuses(regions map[string]synapse.DeploymentRegionStatus) map[string]RegionStatus {
	result := make(map[string]RegionStatus, len(regions))
	for name, region := range regions {
		result[name] = RegionStatus{
			Revision: envelope.Text(region.Revision), Replicas: types.Int64Value(int64(region.Replicas)), Ready: types.Int64Value(int64(region.Ready)),
			Phase: envelope.Text(region.Phase), Message: envelope.Text(region.Message),
		}
	}
	return result
}

// Explain says why a rollout is not complete: the deployment's own message, and what each region that is not ready
// says beyond it, such as an image that cannot be pulled or the last log lines of a crash loop.
func (m *Model) Explain(status *synapse.DeploymentStatus) string {
	lines := []string{}
	if message := status.Message(); message != "" {
		lines = append(lines, message)
	}
	for _, name := range slices.Sorted(maps.Keys(status.Regions)) {
		region := status.Regions[name]
		if region.Phase != synapse.PhaseReady && region.Message != "" && !strings.Contains(status.Message(), region.Message) {
			lines = append(lines, fmt.Sprintf("Region %s (%s, %d of %d replicas ready): %s", name, region.Phase, region.Ready, region.Replicas, region.Message))
		}
	}
	if live := status.LiveRevision; live != "" && live != status.DesiredRevision {
		lines = append(lines, fmt.Sprintf("Revision %s goes on serving; %s was wanted.", live, status.DesiredRevision))
	}
	return strings.Join(lines, "\n")
}
