package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestAdmission(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator := s.as(synapse.RoleOperator)
	s.region("eu")
	s.region("us")
	s.service("auth")
	s.tenant("pooled", "")
	s.tenant("european", `"isolation":{"compute":"silo"},"allowed_regions":["eu"]`)
	s.tenant("worldly", `"isolation":{"compute":"silo"}`)

	t.Run("a deployment names only tenants with compute of their own", func(t *testing.T) {
		p := operator.do(http.MethodPost, "/v1/service-deployments", deploymentDraft("auth", "v1", `"tenant":"pooled","regions":{"eu":{}}`)).problem(422, synapse.CodeInvalid)
		require.Equal(t, []string{"/spec/tenant"}, pointers(p))
	})
	t.Run("a deployment stays within its tenant's regions", func(t *testing.T) {
		p := operator.do(http.MethodPost, "/v1/service-deployments", deploymentDraft("auth", "v1", `"tenant":"european","regions":{"eu":{},"us":{}}`)).problem(422, synapse.CodeInvalid)
		require.Equal(t, []string{"/spec/regions/us"}, pointers(p))
		require.Equal(t, 201, operator.do(http.MethodPost, "/v1/service-deployments", deploymentDraft("auth", "european", `"tenant":"european","regions":{"eu":{}}`)).status)
		require.Equal(t, 201, operator.do(http.MethodPost, "/v1/service-deployments", deploymentDraft("auth", "worldly", `"tenant":"worldly","regions":{"eu":{},"us":{}}`)).status)
	})
	t.Run("a missing tenant is reported once", func(t *testing.T) {
		p := operator.do(http.MethodPost, "/v1/service-deployments", deploymentDraft("auth", "v1", `"tenant":"nobody","regions":{"eu":{}}`)).problem(422, synapse.CodeReferenceNotFound)
		require.Equal(t, []string{"/spec/tenant"}, pointers(p))
	})
	for name, test := range map[string]struct{ tenant, spec, pointer string }{
		"a region where its deployment runs can not be taken from a tenant": {"worldly", `"isolation":{"compute":"silo"},"allowed_regions":["eu"]`, "/spec/allowed_regions"},
		"compute of its own can not be taken from a tenant that uses it":    {"european", `"allowed_regions":["eu"]`, "/spec/isolation/compute"},
	} {
		t.Run(name, func(t *testing.T) {
			p := operator.do(http.MethodPut, "/v1/tenants/"+test.tenant, tenantDraft(test.tenant, test.spec), "If-Match", "*").problem(422, synapse.CodeInvalid)
			require.Equal(t, []string{test.pointer}, pointers(p))
			require.Contains(t, p.Detail, "auth/"+test.tenant)
		})
	}
	t.Run("regions can be added to a tenant, and unused ones taken away", func(t *testing.T) {
		for _, allowed := range []string{`["eu","us"]`, `["eu"]`} {
			a := operator.do(http.MethodPut, "/v1/tenants/european", tenantDraft("european", `"isolation":{"compute":"silo"},"allowed_regions":`+allowed), "If-Match", "*")
			require.Equal(t, 200, a.status, string(a.body))
		}
	})
}

func TestRegionPorts(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator := s.as(synapse.RoleOperator)
	create := func(name, ports string) answer {
		return operator.do(http.MethodPost, "/v1/regions", `{"name":"`+name+`","spec":{"runtime":"local","local":{`+ports+`}}}`)
	}
	require.Equal(t, 201, create("eu", `"gateway_port":9001,"database_port":9002`).status)
	chosen := s.region("us")
	reach(s, chosen.Meta, func(status *synapse.RegionStatus) { status.GatewayPort = 9003 })

	for name, test := range map[string]struct{ ports, pointer string }{
		"another region's gateway port":             {`"gateway_port":9001`, "/spec/local/gateway_port"},
		"another region's database port":            {`"gateway_port":9002`, "/spec/local/gateway_port"},
		"a port that the runtime chose for another": {`"database_port":9003`, "/spec/local/database_port"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			require.Equal(t, []string{test.pointer}, pointers(create("asia", test.ports).problem(422, synapse.CodeInvalid)))
		})
	}
	t.Run("a region may keep its own ports", func(t *testing.T) {
		a := operator.do(http.MethodPut, "/v1/regions/eu", `{"name":"eu","spec":{"runtime":"local","local":{"gateway_port":9001,"database_port":9004}}}`, "If-Match", "*")
		require.Equal(t, 200, a.status, string(a.body))
	})
	t.Run("free ports are accepted", func(t *testing.T) {
		require.Equal(t, 201, create("asia", `"gateway_port":9002`).status)
	})
}
