package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestRefusedBodies(t *testing.T) {
	t.Parallel()
	s := newService(t)
	operator := s.as(synapse.RoleOperator)
	s.region("eu")
	s.service("auth")
	before := s.snapshot()

	for name, test := range map[string]struct {
		path, body string
		status     int
		pointers   []string
	}{
		"no body":                    {"/v1/tenants", "", 400, nil},
		"text that is not JSON":      {"/v1/tenants", "{name: acme}", 400, nil},
		"two documents":              {"/v1/tenants", `{"name":"acme","spec":{}}{}`, 400, nil},
		"invalid UTF-8":              {"/v1/tenants", "{\"name\":\"ac\xffme\",\"spec\":{}}", 400, nil},
		"deep nesting":               {"/v1/tenants", strings.Repeat("[", 100_000), 400, nil},
		"a list":                     {"/v1/tenants", "[]", 422, []string{""}},
		"a missing spec":             {"/v1/tenants", `{"name":"acme"}`, 422, []string{"/spec"}},
		"an unknown field":           {"/v1/tenants", `{"name":"acme","spec":{"tear":"free"}}`, 422, []string{"/spec/tear"}},
		"another case of a field":    {"/v1/tenants", `{"Name":"acme","spec":{}}`, 422, []string{"/Name"}},
		"a field given twice":        {"/v1/tenants", `{"name":"acme","name":"acme","spec":{}}`, 422, []string{"/name"}},
		"a fraction for an integer":  {"/v1/tenants", `{"name":"acme","spec":{"quotas":{"requests_per_second":1,"burst":1.5}}}`, 422, []string{"/spec/quotas/burst"}},
		"too large an integer":       {"/v1/tenants", `{"name":"acme","spec":{"quotas":{"burst":99999999999999999999}}}`, 422, []string{"/spec/quotas/burst"}},
		"too large a number":         {"/v1/tenants", `{"name":"acme","spec":{"quotas":{"storage_gib":1e999}}}`, 422, []string{"/spec/quotas/storage_gib"}},
		"null":                       {"/v1/tenants", `{"name":"acme","spec":{"tier":null}}`, 422, []string{"/spec/tier"}},
		"a zero byte":                {"/v1/tenants", `{"name":"acme","spec":{"display_name":"a\u0000b"}}`, 422, []string{"/spec/display_name"}},
		"a zero byte in a key":       {"/v1/tenants", `{"name":"acme","labels":{"a\u0000":"b"},"spec":{}}`, 422, []string{"/labels"}},
		"wrong types, all at once":   {"/v1/tenants", `{"name":1,"labels":[],"spec":{"tier":true,"allowed_regions":["eu",7],"deletion_protection":"yes"}}`, 422, []string{"/name", "/labels", "/spec/tier", "/spec/allowed_regions/1", "/spec/deletion_protection"}},
		"wrong values, all at once":  {"/v1/tenants", `{"name":"Acme","labels":{"-":"x"},"spec":{"tier":"gold","home_region":"nowhere","quotas":{"burst":-1}}}`, 422, []string{"/name", "/labels/-", "/spec/tier", "/spec/quotas/burst", "/spec/home_region"}},
		"a parent where none can be": {"/v1/tenants", `{"name":"acme","parent":"x","spec":{}}`, 422, []string{"/parent"}},
		"a child without a parent":   {"/v1/service-deployments", `{"name":"v1","spec":{"image":"auth:v1","regions":{"eu":{}}}}`, 422, []string{"/parent"}},
		"a parent that is not there": {"/v1/service-deployments", deploymentDraft("nobody", "v1", `"regions":{"eu":{}}`), 422, []string{"/parent"}},
		"a region that is not there": {"/v1/service-deployments", deploymentDraft("auth", "v1", `"regions":{"eu":{},"us":{}}`), 422, []string{"/spec/regions/us"}},
		"keys that need escaping":    {"/v1/service-deployments", deploymentDraft("auth", "v1", `"regions":{"eu":{"env":{"a/b.c~":"1"}}}`), 422, []string{"/spec/regions/eu/env/a~1b.c~0"}},
	} {
		t.Run(name+" is refused at its place", func(t *testing.T) {
			a := operator.do(http.MethodPost, test.path, test.body)
			p := read[synapse.Problem](a, test.status)
			require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
			require.ElementsMatch(t, test.pointers, pointers(p), string(a.body))
			for _, field := range p.Errors {
				require.NotEmpty(t, field.Message)
			}
		})
	}
	t.Run("a missing reference names the object", func(t *testing.T) {
		p := operator.do(http.MethodPost, "/v1/tenants", tenantDraft("acme", `"home_region":"us"`)).problem(422, synapse.CodeReferenceNotFound)
		require.Equal(t, &synapse.Key{Kind: synapse.KindRegion, Name: "us"}, p.Errors[0].Reference)
	})
	t.Run("a body of more than 1 MiB is refused", func(t *testing.T) {
		operator.do(http.MethodPost, "/v1/tenants", tenantDraft("acme", `"display_name":"`+strings.Repeat("x", 1<<20)+`"`)).problem(413, synapse.CodeInvalid)
	})
	t.Run("a body of another type is refused", func(t *testing.T) {
		operator.do(http.MethodPost, "/v1/tenants", tenantDraft("acme", ""), "Content-Type", "text/plain").problem(415, synapse.CodeInvalid)
	})
	require.Equal(t, before, s.snapshot(), "a refused request changed the store")
}

func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for query, pointer := range map[string]string{
		"/v1/tenants?limit=0":                       "/query/limit",
		"/v1/tenants?limit=2001":                    "/query/limit",
		"/v1/tenants?limit=many":                    "/query/limit",
		"/v1/tenants?cursor=garbage":                "/query/cursor",
		"/v1/tenants?cursor=%ff%00":                 "/query/cursor",
		"/v1/tenants?label=novalue":                 "/query/label",
		"/v1/tenants?label=a%3D1&label=a%3D2":       "/query/label",
		"/v1/tenants?label=a%3D%00":                 "/query/label/a",
		"/v1/tenants?parent=acme":                   "/query/parent",
		"/v1/service-deployments?parent=%ff":        "/query/parent",
		"/v1/tenants?unknown=1":                     "/query/unknown",
		"/v1/tenants?include_deleting=perhaps":      "/query/include_deleting",
		"/v1/tenants/acme?wait=forever":             "/query/wait",
		"/v1/tenants/acme?wait=ready&timeout=61s":   "/query/timeout",
		"/v1/tenants/acme?wait=ready&timeout=-1s":   "/query/timeout",
		"/v1/tenants/acme?wait=ready&generation=-1": "/query/generation",
	} {
		t.Run(query+" is refused at its parameter", func(t *testing.T) {
			p := s.as(synapse.RoleViewer).do(http.MethodGet, query, nil).problem(422, synapse.CodeInvalid)
			require.Equal(t, []string{pointer}, pointers(p))
		})
	}
}
