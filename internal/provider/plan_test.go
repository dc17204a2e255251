package provider_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestAPlanShowsTheDefaultsTheServerWouldChoose(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	for typeName, config := range minimal(h) {
		t.Run(typeName, func(t *testing.T) {
			plan := h.Plan(typeName, config, nil)
			requireNone(t, plan.Diagnostics)
			created, diagnostics := h.Apply(t.Context(), typeName, plan, nil)
			requireNone(t, diagnostics)
			for _, attribute := range h.Schema().ResourceSchemas[typeName].Block.Attributes {
				if attribute.Optional || attribute.Name == "id" || attribute.Name == "labels_all" {
					planned := providertest.At(t, plan.Planned, attribute.Name)
					require.True(t, planned.IsFullyKnown(), "%s is known in the plan", attribute.Name)
					require.True(t, planned.Equal(providertest.At(t, created.State, attribute.Name)), "%s is as planned", attribute.Name)
				}
			}
		})
	}
}

func TestDefaultsFollowWhatTheyDependOn(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	config := minimal(h)[tenantType]
	config["quotas"] = h.Nested(tenantType, "quotas", providertest.Attributes{"requests_per_second": providertest.Number(2.5)})
	created := create(t, h, tenantType, config)
	require.True(t, providertest.At(t, created.State, "quotas", "burst").Equal(providertest.Number(3)))

	config["quotas"] = h.Nested(tenantType, "quotas", providertest.Attributes{"requests_per_second": providertest.Number(10)})
	plan := h.Plan(tenantType, config, created)
	requireNone(t, plan.Diagnostics)
	require.True(t, providertest.At(t, plan.Planned, "quotas", "burst").Equal(providertest.Number(10)), "the default moves with the rate")

	delete(config, "quotas")
	plan = h.Plan(tenantType, config, created)
	require.True(t, providertest.At(t, plan.Planned, "quotas", "burst").Equal(providertest.Number(0)), "what is no longer configured goes back to its default")
}

func TestOneDurationWrittenInTwoWaysIsNoChange(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	config := minimal(h)[tenantType]
	offboarding := func(period string) {
		config["offboarding"] = h.Nested(tenantType, "offboarding", providertest.Attributes{"grace_period": providertest.Text(period)})
	}
	offboarding("60s")
	created := create(t, h, tenantType, config)
	offboarding("1m")
	plan := h.Plan(tenantType, config, created)
	requireNone(t, plan.Diagnostics)
	require.True(t, plan.Planned.Equal(created.State))
	offboarding("61s")
	require.False(t, h.Plan(tenantType, config, created).Planned.Equal(created.State))
}

func TestAPlanIsCheckedByTheServerOnlyWhenItCanBe(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	config := minimal(h)[tenantType]

	config["home_region"] = providertest.Unknown()
	plan := h.Plan(tenantType, config, nil)
	requireNone(t, plan.Diagnostics)
	require.Empty(t, server.Requests(), "what is not known cannot be checked")

	delete(config, "home_region")
	created := create(t, h, tenantType, config)
	server.Forget()
	requireNone(t, h.Plan(tenantType, config, created).Diagnostics)
	require.Empty(t, server.Requests(), "no change, no check")

	config["tier"] = providertest.Text("enterprise")
	requireNone(t, newHost(t, server, nil).Plan(tenantType, config, created).Diagnostics)
	require.Equal(t, 1, count(server, "PUT dry"))
	server.Forget()
	requireNone(t, h.Plan(tenantType, config, created).Diagnostics)
	require.Empty(t, server.Requests(), "a provider that has begun to apply leaves the check to the write itself")
}

// refuse answers every dry run with one bad field.
func refuse(server *providertest.Server, field synapse.FieldError) {
	server.Reject(func(r providertest.Request) *synapse.Problem {
		if !r.DryRun() {
			return nil
		}
		return &synapse.Problem{Status: http.StatusUnprocessableEntity, Title: "The request is not valid", Code: synapse.CodeInvalid, RequestID: "req-7", Errors: []synapse.FieldError{field}}
	})
}

func TestABadFieldIsADiagnosticAtItsAttribute(t *testing.T) {
	t.Parallel()
	for pointer, attribute := range map[string]string{
		"/spec/quotas/burst":                 `AttributeName("quotas").AttributeName("burst")`,
		"/spec/allowed_regions/3":            `AttributeName("allowed_regions")`,
		"/spec/home_region":                  `AttributeName("home_region")`,
		"/name":                              `AttributeName("name")`,
		"/labels/team":                       `AttributeName("labels").ElementKeyString("team")`,
		"/labels/a~1b":                       `AttributeName("labels").ElementKeyString("a/b")`,
		"/spec/offboarding/grace_period/odd": `AttributeName("offboarding").AttributeName("grace_period")`,
		"/spec/nowhere":                      ``,
		"":                                   ``,
	} {
		t.Run(pointer, func(t *testing.T) {
			t.Parallel()
			server := providertest.NewServer(t)
			refuse(server, synapse.FieldError{Pointer: pointer, Code: synapse.CodeInvalid, Message: "must be better"})
			h := newHost(t, server, nil)
			d := one(t, h.Plan(tenantType, minimal(h)[tenantType], nil).Diagnostics)
			require.Equal(t, tfprotov6.DiagnosticSeverityError, d.Severity)
			require.Equal(t, attribute, d.Attribute.String())
			says := "Must be better."
			if strings.Contains(attribute, ").") {
				says = ": must be better." // what follows on a path may begin with a name
			}
			require.Contains(t, d.Detail, says)
			require.Contains(t, d.Detail, "req-7", "the request can be found in the server's log")
		})
	}
	t.Run("in a map of objects and for the parent", func(t *testing.T) {
		t.Parallel()
		server := providertest.NewServer(t)
		h := newHost(t, server, nil)
		refuse(server, synapse.FieldError{Pointer: "/spec/regions/eu/env/PORT", Code: synapse.CodeInvalid, Message: "no"})
		d := one(t, h.Plan(deploymentType, minimal(h)[deploymentType], nil).Diagnostics)
		require.Equal(t, `AttributeName("regions").ElementKeyString("eu").AttributeName("env").ElementKeyString("PORT")`, d.Attribute.String())
		refuse(server, synapse.FieldError{Pointer: "/parent", Code: synapse.CodeInvalid, Message: "no"})
		d = one(t, h.Plan(deploymentType, minimal(h)[deploymentType], nil).Diagnostics)
		require.Equal(t, `AttributeName("service")`, d.Attribute.String())
	})
}

func TestAReferenceToWhatTheSameRunCreatesIsFine(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	missing := synapse.FieldError{Pointer: "/spec/home_region", Code: synapse.CodeReferenceNotFound, Message: "region \"eu\" does not exist",
		Reference: &synapse.Key{Kind: synapse.KindRegion, Name: "eu"}}
	server.Reject(func(r providertest.Request) *synapse.Problem {
		if strings.HasSuffix(r.Path, "/tenants") {
			return &synapse.Problem{Status: http.StatusUnprocessableEntity, Title: "bad", Code: synapse.CodeInvalid, Errors: []synapse.FieldError{missing}}
		}
		return nil
	})
	h := newHost(t, server, nil)
	config := minimal(h)[tenantType]
	config["home_region"] = providertest.Text("eu")

	d := one(t, h.Plan(tenantType, config, nil).Diagnostics)
	require.Equal(t, "Referenced object does not exist", d.Summary)
	require.Contains(t, d.Detail, "synapse_region.<label>.name")

	requireNone(t, h.Plan(regionType, minimal(h)[regionType], nil).Diagnostics)
	requireNone(t, h.Plan(tenantType, config, nil).Diagnostics)
}

func TestAnObjectThatExistsIsReportedWhenPlanning(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Add(synapse.KindServiceDeployment, synapse.Draft[synapse.DeploymentSpec]{Name: "v1", Parent: "auth", Spec: synapse.DeploymentSpec{
		Image: "x", Regions: map[string]synapse.DeploymentRegion{"eu": {}}}})
	h := newHost(t, server, nil)
	d := one(t, h.Plan(deploymentType, minimal(h)[deploymentType], nil).Diagnostics)
	require.Contains(t, d.Summary, "already exists")
	require.Contains(t, d.Detail, "terraform import synapse_service_deployment.example auth/v1")
	require.Contains(t, d.Detail, `id = "auth/v1"`)
}

func TestATaintedObjectIsPlannedAnewWithoutComplaint(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	created := create(t, newHost(t, server, nil), serviceType, providertest.Attributes{"name": providertest.Text("auth")})
	h := newHost(t, server, nil)
	_, diagnostics := h.Read(serviceType, created)
	requireNone(t, diagnostics)
	requireNone(t, h.Plan(serviceType, providertest.Attributes{"name": providertest.Text("auth")}, nil).Diagnostics)
}

func TestATokenThatMayOnlyReadCanPlan(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Reject(func(providertest.Request) *synapse.Problem {
		return &synapse.Problem{Status: http.StatusForbidden, Title: "Forbidden", Code: synapse.CodeForbidden}
	})
	h := newHost(t, server, nil)
	d := one(t, h.Plan(regionType, minimal(h)[regionType], nil).Diagnostics)
	require.Equal(t, tfprotov6.DiagnosticSeverityWarning, d.Severity)
	require.Contains(t, d.Detail, "role operator")
}

func TestAProtectedTenantIsNotPlannedAway(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	config := minimal(h)[tenantType]
	created := create(t, h, tenantType, config)

	t.Run("by destroying it", func(t *testing.T) {
		d := one(t, h.PlanDestroy(tenantType, created).Diagnostics)
		require.Contains(t, d.Summary, "protected from deletion")
		require.Contains(t, d.Detail, "deletion_protection = false")
	})
	t.Run("by switching the protection off in the same run", func(t *testing.T) {
		// Terraform plans a destruction from the state, whatever the configuration says.
		require.NotEmpty(t, h.PlanDestroy(tenantType, created).Diagnostics)
	})
	t.Run("by renaming it", func(t *testing.T) {
		renamed := providertest.Attributes{"name": providertest.Text("other")}
		d := one(t, h.Plan(tenantType, renamed, created).Diagnostics)
		require.Equal(t, `AttributeName("name")`, d.Attribute.String())
	})
	t.Run("by tainting it", func(t *testing.T) {
		h := newHost(t, server, nil)
		_, diagnostics := h.Read(tenantType, created)
		requireNone(t, diagnostics)
		d := one(t, h.Plan(tenantType, config, nil).Diagnostics)
		require.Contains(t, d.Detail, "terraform untaint")
	})
	t.Run("but without protection it is", func(t *testing.T) {
		config["deletion_protection"] = providertest.Flag(false)
		plan := h.Plan(tenantType, config, created)
		requireNone(t, plan.Diagnostics)
		updated, diagnostics := h.Apply(t.Context(), tenantType, plan, created)
		requireNone(t, diagnostics)
		destroy := h.PlanDestroy(tenantType, updated)
		requireNone(t, destroy.Diagnostics)
		gone, diagnostics := h.Apply(t.Context(), tenantType, destroy, updated)
		requireNone(t, diagnostics)
		require.Nil(t, gone)
		require.Equal(t, 0, server.Count())
	})
}

func TestAFailedRolloutStaysVisible(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	config := minimal(h)[deploymentType]
	created := create(t, h, deploymentType, config)
	server.Edit("/v1/service-deployments/auth/v1", func(o *providertest.Object) {
		o.SetPhase(synapse.PhaseFailed, "the image cannot be pulled")
		o.Status["live_revision"], o.Status["desired_revision"] = "r1", "r2"
	})

	h = newHost(t, server, nil)
	failed, diagnostics := h.Read(deploymentType, created)
	requireNone(t, diagnostics)
	require.Equal(t, "Failed", providertest.TextAt(t, failed.State, "phase"))
	plan := h.Plan(deploymentType, config, failed)
	requireNone(t, plan.Diagnostics)
	require.False(t, plan.Planned.Equal(failed.State), "the next plan has work to do")
	for _, name := range []string{"live_revision", "status", "phase"} {
		require.False(t, providertest.At(t, plan.Planned, name).IsKnown(), "%s will be known after the apply", name)
	}
	healed, diagnostics := h.Apply(t.Context(), deploymentType, plan, failed)
	requireNone(t, diagnostics)
	require.Equal(t, 1, count(server, "PUT"), "the server is asked to try again")
	require.Equal(t, "Ready", providertest.TextAt(t, healed.State, "phase"))
	require.True(t, h.Plan(deploymentType, config, healed).Planned.Equal(healed.State), "then nothing is left to do")
}
