package provider_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// deploying is the configuration of auth/v1 with an image and an environment.
func deploying(h *providertest.Host, image, value string) providertest.Attributes {
	config := minimal(h)[deploymentType]
	config["image"] = providertest.Text(image)
	config["env"] = h.Make(deploymentType, "env", plain{"A": value})
	return config
}

const byDigest = "registry.example.com/auth@sha256:1111111111111111111111111111111111111111111111111111111111111111"

func TestThePlanKnowsTheRevision(t *testing.T) {
	t.Parallel()
	const tag, otherTag = "registry.example.com/auth:v1", "registry.example.com/auth:v2"
	for name, test := range map[string]struct {
		before, image, value string
		known                bool
	}{
		"of an image that stays, with another environment": {tag, tag, "2", true},
		"of an image that is given by digest":              {tag, byDigest, "1", true},
		"of a new deployment by digest":                    {"", byDigest, "1", true},
		"not of a tag that is to be resolved":              {tag, otherTag, "1", false},
		"not of a new deployment by tag":                   {"", tag, "1", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := providertest.NewServer(t)
			var prior *providertest.Resource
			if test.before != "" {
				h := newHost(t, server, nil)
				prior = create(t, h, deploymentType, deploying(h, test.before, "1"))
			}
			h := newHost(t, server, nil)
			plan := h.Plan(deploymentType, deploying(h, test.image, test.value), prior)
			requireNone(t, plan.Diagnostics)
			for _, attribute := range []string{"desired_revision", "image_digest"} {
				require.Equal(t, test.known, providertest.At(t, plan.Planned, attribute).IsKnown(), attribute)
			}
			applied := newHost(t, server, nil)
			// Terraform plans again right before it applies, also after something else was written, and takes no other answer.
			create(t, applied, serviceType, minimal(applied)[serviceType])
			again := applied.Plan(deploymentType, deploying(applied, test.image, test.value), prior)
			requireNone(t, again.Diagnostics)
			require.True(t, again.Planned.Equal(plan.Planned), "%s\n%s", again.Planned, plan.Planned)
			done, diagnostics := applied.Apply(t.Context(), deploymentType, again, prior)
			requireNone(t, diagnostics)
			if test.known {
				for _, attribute := range []string{"desired_revision", "image_digest"} {
					require.Equal(t, providertest.TextAt(t, plan.Planned, attribute), providertest.TextAt(t, done.State, attribute))
				}
			}
		})
	}
	t.Run("and nothing of a control plane that computes it in another way", func(t *testing.T) {
		t.Parallel()
		server := providertest.NewServer(t)
		h := newHost(t, server, nil)
		prior := create(t, h, deploymentType, deploying(h, tag, "1"))
		spec := deploying(h, tag, "2")
		plan := h.Plan(deploymentType, spec, prior)
		require.True(t, providertest.At(t, plan.Planned, "desired_revision").IsKnown())
		server.Resolve(func(*providertest.Object) {}) // an older one answers with the revision that it has
		plan = newHost(t, server, nil).Plan(deploymentType, spec, prior)
		require.False(t, providertest.At(t, plan.Planned, "desired_revision").IsKnown())
	})
}

func TestAPlanShowsWhatADryRunWarnsOf(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	prior := create(t, h, deploymentType, deploying(h, byDigest, "1"))
	server.Edit("/v1/service-deployments/auth/v1", func(o *providertest.Object) {
		o.Warnings = []synapse.FieldError{{Pointer: "/spec/env", Code: synapse.CodeServing, Message: `traffic split "login" sends 100 % of the traffic to this deployment`}}
	})
	plan := newHost(t, server, nil).Plan(deploymentType, deploying(h, byDigest, "2"), prior)
	d := one(t, plan.Diagnostics)
	require.Equal(t, tfprotov6.DiagnosticSeverityWarning, d.Severity)
	require.Equal(t, `AttributeName("env")`, d.Attribute.String())
	require.Equal(t, `The change of service deployment "auth/v1" reaches users at once`, d.Summary)
	require.Equal(t, `Traffic split "login" sends 100 % of the traffic to this deployment.`, d.Detail)

	server.Edit("/v1/service-deployments/auth/v1", func(o *providertest.Object) { o.Warnings[0].Code = "of_a_newer_control_plane" })
	d = one(t, newHost(t, server, nil).Plan(deploymentType, deploying(h, byDigest, "2"), prior).Diagnostics)
	require.Equal(t, `The change of service deployment "auth/v1" has a side effect`, d.Summary)
}

func TestTheRolesOfASplitAreCheckedThoughItsRevisionIsNotKnown(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	unknown := progressing(h, func(p plain) { p["revision"] = providertest.Unknown() })
	refuse(server, synapse.FieldError{Pointer: "/spec/backends/auth/role", Code: synapse.CodeInvalid, Message: `backend "auth" already serves everything`})
	d := one(t, h.Plan(splitType, unknown, nil).Diagnostics)
	require.Equal(t, `AttributeName("backends").ElementKeyString("auth").AttributeName("role")`, d.Attribute.String())
	require.Equal(t, `backends["auth"].role: backend "auth" already serves everything.`, strings.SplitN(d.Detail, "\n", 2)[0])
	server.Reject(nil)

	plan := newHost(t, server, nil).Plan(splitType, unknown, nil)
	requireNone(t, plan.Diagnostics)
	var attributes map[string]tftypes.Value
	require.NoError(t, providertest.At(t, plan.Planned, "progression").As(&attributes))
	require.False(t, attributes["revision"].IsKnown(), "what stands for it is not planned")
	last := server.Requests()[len(server.Requests())-1]
	require.True(t, last.DryRun())
}

func TestAMessageIsNotCapitalisedInTheMiddleOfASentence(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	refuse(server, synapse.FieldError{Pointer: "/spec/backends/v2/role", Code: synapse.CodeInvalid, Message: "v2 already serves"})
	h := newHost(t, server, nil)
	config := progressing(h)
	config["backends"] = h.Make(splitType, "backends", plain{"v1": plain{"role": "stable", "url": "http://a"}, "v2": plain{"role": "candidate", "url": "http://b"}})
	require.Contains(t, one(t, h.Plan(splitType, config, nil).Diagnostics).Detail, `backends["v2"].role: v2 already serves.`)
}

func TestARegionThatTheSameRunAddsToADeploymentIsNotMissed(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	prior := create(t, h, deploymentType, deploying(h, byDigest, "1"))
	server.Reject(func(r providertest.Request) *synapse.Problem {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.Path, "/v1/traffic-splits") {
			return nil
		}
		return &synapse.Problem{Status: 422, Title: "refused", Code: synapse.CodeRegionNotServed, Errors: []synapse.FieldError{{
			Pointer: "/spec/backends/auth/deployment", Code: synapse.CodeRegionNotServed, Message: `service deployment "auth/v1" serves eu, and not us`,
			Reference: &synapse.Key{Kind: synapse.KindServiceDeployment, Parent: "auth", Name: "v1"},
		}}}
	})
	alone := newHost(t, server, nil)
	d := one(t, alone.Plan(splitType, progressing(alone), nil).Diagnostics)
	require.Equal(t, `AttributeName("backends").ElementKeyString("auth").AttributeName("deployment")`, d.Attribute.String(), d.Detail)
	require.Contains(t, d.Detail, "and not us")
	require.Contains(t, d.Detail, "synapse_service_deployment.<label>.id")

	both := newHost(t, server, nil)
	config := deploying(both, byDigest, "1")
	config["regions"] = both.NestedMap(deploymentType, "regions", map[string]providertest.Attributes{"eu": {}, "us": {}})
	requireNone(t, both.Plan(deploymentType, config, prior).Diagnostics)
	requireNone(t, both.Plan(splitType, progressing(both), nil).Diagnostics)
}
