package synapse

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func validTenant() TenantSpec {
	s := TenantSpec{}
	s.SetDefaults()
	return s
}

func validDeployment() DeploymentSpec {
	s := DeploymentSpec{Image: "registry.example.com/auth:v1", Regions: map[string]DeploymentRegion{"eu": {}}}
	s.SetDefaults()
	return s
}

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	region, service := RegionSpec{}, ServiceSpec{}
	region.SetDefaults()
	service.SetDefaults()
	tenant, deployment := validTenant(), validDeployment()
	for name, spec := range map[string]Spec{"region": &region, "tenant": &tenant, "service": &service, "deployment": &deployment} {
		require.Empty(t, spec.Validate(), name)
		before, err := json.Marshal(spec)
		require.NoError(t, err)
		spec.SetDefaults()
		after, err := json.Marshal(spec)
		require.NoError(t, err)
		require.JSONEq(t, string(before), string(after), "defaults of a %s are stable", name)
	}
}

func TestValidationPointsAtTheField(t *testing.T) {
	t.Parallel()
	tenant := func(change func(*TenantSpec)) Spec { s := validTenant(); change(&s); return &s }
	deployment := func(change func(*DeploymentSpec)) Spec { s := validDeployment(); change(&s); return &s }
	for _, tc := range []struct {
		name    string
		spec    Spec
		pointer string
		says    string
	}{
		{"an unknown runtime", &RegionSpec{Runtime: "moon"}, "/spec/runtime", `"moon" is not one of local`},
		{"a privileged port", &RegionSpec{Runtime: RuntimeLocal, Local: LocalRegion{GatewayPort: 80}}, "/spec/local/gateway_port", "between 1024 and 65535"},
		{"one port twice", &RegionSpec{Runtime: RuntimeLocal, Local: LocalRegion{GatewayPort: 8000, DatabasePort: 8000}}, "/spec/local/database_port", "the gateway's port"},
		{"an unknown tier", tenant(func(s *TenantSpec) { s.Tier = "gold" }), "/spec/tier", "free, standard, enterprise"},
		{"a home that is not allowed", tenant(func(s *TenantSpec) { s.HomeRegion, s.AllowedRegions = "us", []string{"eu"} }), "/spec/home_region", "not one of allowed_regions"},
		{"a region twice", tenant(func(s *TenantSpec) { s.AllowedRegions = []string{"eu", "eu"} }), "/spec/allowed_regions/1", "twice"},
		{"an address without a prefix length", tenant(func(s *TenantSpec) { s.AllowedCIDRs = []string{"10.0.0.1"} }), "/spec/allowed_cidrs/0", "10.0.0.0/8"},
		{"a range with host bits", tenant(func(s *TenantSpec) { s.AllowedCIDRs = []string{"10.0.0.1/8"} }), "/spec/allowed_cidrs/0", "write 10.0.0.0/8"},
		{"a negative quota", tenant(func(s *TenantSpec) { s.Quotas.RequestsPerSecond = -1 }), "/spec/quotas/requests_per_second", "out of range"},
		{"a burst without a rate", tenant(func(s *TenantSpec) { s.Quotas.Burst = 5 }), "/spec/quotas/burst", "set both"},
		{"a duration without a unit", tenant(func(s *TenantSpec) { s.Offboarding.GracePeriod = "30" }), "/spec/offboarding/grace_period", "with a unit"},
		{"a negative duration", tenant(func(s *TenantSpec) { s.Offboarding.GracePeriod = "-1s" }), "/spec/offboarding/grace_period", "out of range"},
		{"a display name over two lines", tenant(func(s *TenantSpec) { s.DisplayName = "a\nb" }), "/spec/display_name", "one line"},
		{"no image", deployment(func(s *DeploymentSpec) { s.Image = "" }), "/spec/image", "required"},
		{"a tag where a digest is required", deployment(func(s *DeploymentSpec) { s.RequireDigest = true }), "/spec/image", "@sha256:"},
		{"no region", deployment(func(s *DeploymentSpec) { s.Regions = nil }), "/spec/regions", "at least one"},
		{"fewer at most than at least", deployment(func(s *DeploymentSpec) { s.Regions["eu"] = DeploymentRegion{MinReplicas: 3, MaxReplicas: 2} }), "/spec/regions/eu/max_replicas", "less than min_replicas"},
		{"the platform's own variable", deployment(func(s *DeploymentSpec) { s.Env = map[string]string{"PORT": "1"} }), "/spec/env/PORT", "set by the platform"},
		{"a deadline of nothing", deployment(func(s *DeploymentSpec) { s.Rollout.ProgressDeadline = "0s" }), "/spec/rollout/progress_deadline", "out of range"},
		{"a protocol that is not known", &ServiceSpec{Port: 8080, Protocol: "https", HealthPath: "/healthz"}, "/spec/protocol", "http, h2c, grpc"},
		{"a health path that is none", &ServiceSpec{Port: 8080, Protocol: ProtocolHTTP, HealthPath: "healthz"}, "/spec/health_path", "absolute path"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			errs := tc.spec.Validate()
			require.Len(t, errs, 1)
			require.Equal(t, tc.pointer, errs[0].Pointer)
			require.Equal(t, CodeInvalid, errs[0].Code)
			require.Contains(t, errs[0].Message, tc.says)
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"a": true, "acme": true, "eu-west-1": true, strings.Repeat("a", MaxNameLength): true,
		"": false, "1a": false, "-a": false, "a-": false, "A": false, "a_b": false, "a.b": false, "a/b": false, "ä": false,
		strings.Repeat("a", MaxNameLength+1): false,
	} {
		require.Equal(t, ok, ValidateName("/name", name) == nil, "%q", name)
	}
}

func TestTheDataOfATenantIsNeverMovedInPlace(t *testing.T) {
	t.Parallel()
	before, after := validTenant(), validTenant()
	after.Isolation.Database = DatabaseSilo
	errs := after.ValidateUpdate(before)
	require.Len(t, errs, 1)
	require.Equal(t, FieldError{
		Pointer: "/spec/isolation/database", Code: CodeImmutable,
		Message: "the data cannot be moved from pool to silo in place: create a tenant of another name, copy the data, then delete this one",
	}, errs[0])
	require.Empty(t, before.ValidateUpdate(before))
}

func TestRevisionChangesExactlyWithWhatAReplicaRuns(t *testing.T) {
	t.Parallel()
	base := validDeployment()
	revision := base.Revision("sha256:a")
	changed := func(change func(*DeploymentSpec)) string {
		s := validDeployment()
		change(&s)
		return s.Revision("sha256:a")
	}

	require.NotEqual(t, revision, base.Revision("sha256:b"))
	require.NotEqual(t, revision, changed(func(s *DeploymentSpec) { s.Env = map[string]string{"A": "1"} }))
	require.NotEqual(t, revision, changed(func(s *DeploymentSpec) { s.Tenant = "acme" }))
	require.NotEqual(t, revision, changed(func(s *DeploymentSpec) {
		s.Regions["eu"] = DeploymentRegion{MinReplicas: 1, MaxReplicas: 1, Env: map[string]string{"A": "1"}}
	}))

	require.Equal(t, revision, changed(func(s *DeploymentSpec) { s.Regions["eu"] = DeploymentRegion{MinReplicas: 3, MaxReplicas: 5} }))
	require.Equal(t, revision, changed(func(s *DeploymentSpec) { s.Regions["us"] = DeploymentRegion{MinReplicas: 1, MaxReplicas: 1} }))
	require.Equal(t, revision, changed(func(s *DeploymentSpec) { s.Rollout.MaxSurge = 7 }))
	require.Equal(t, revision, changed(func(s *DeploymentSpec) { s.Image = "mirror.example.com/auth:v1" }))
}

func TestPointersSurviveEscaping(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tokens := rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "tokens")
		pointer := ""
		for _, token := range tokens {
			pointer += "/" + EscapePointer(token)
		}
		require.Equal(t, tokens, SplitPointer(pointer))
	})
}

func TestStatusSettles(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		observed, generation int64
		phase                Phase
		want                 bool
	}{
		{2, 2, PhaseReady, true},
		{3, 2, PhaseReady, true},
		{2, 2, PhaseFailed, true},
		{1, 2, PhaseReady, false},
		{2, 2, PhaseProgressing, false},
		{2, 2, PhaseDegraded, false},
	} {
		s := Status{ObservedGeneration: tc.observed, Phase: tc.phase}
		require.Equal(t, tc.want, s.Settled(tc.generation), "%+v", tc)
	}
}

func TestRolesInclude(t *testing.T) {
	t.Parallel()
	roles := []Role{RoleViewer, RoleOperator, RoleAdmin}
	for i, a := range roles {
		for j, b := range roles {
			require.Equal(t, i >= j, a.Includes(b), "%s includes %s", a, b)
		}
		require.False(t, a.Includes(""))
		require.False(t, Role("").Includes(a))
	}
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"acme", "auth/v1", "a/b/c", "/", "", "A/b", "a/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		for _, info := range Kinds() {
			key, err := ParseID(info.Kind, id)
			if err != nil {
				continue
			}
			require.Equal(t, id, key.ID())
			require.Empty(t, ValidateName("/name", key.Name))
			require.Equal(t, info.Parent != "", key.Parent != "")
		}
	})
}

// FuzzSpecs checks that no spec that can be decoded makes validation panic.
func FuzzSpecs(f *testing.F) {
	f.Add([]byte(`{"image":"a","regions":{"eu":{"min_replicas":1}},"allowed_regions":["eu"],"quotas":{"burst":1}}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		for _, spec := range []Spec{&RegionSpec{}, &TenantSpec{}, &ServiceSpec{}, &DeploymentSpec{}} {
			if json.Unmarshal(body, spec) == nil {
				spec.SetDefaults()
				spec.Validate()
				spec.References()
			}
		}
	})
}
