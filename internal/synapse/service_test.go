package synapse

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAServiceNeedsATenantAsItsSpecSays(t *testing.T) {
	t.Parallel()
	var spec ServiceSpec
	spec.SetDefaults()
	require.Equal(t, TenantOptional, spec.Tenant)
	require.Empty(t, spec.Validate())
	spec.Tenant = "sometimes"
	errs := spec.Validate()
	require.Len(t, errs, 1)
	require.Equal(t, "/spec/tenant", errs[0].Pointer)

	order := []TenantNeed{TenantOptional, TenantRequired, TenantProven}
	for i, need := range order {
		for j, other := range order {
			require.Equal(t, i >= j, need.Includes(other), "%s, %s", need, other)
		}
	}
	require.True(t, TenantNeed("").Includes(TenantOptional), "objects of older versions have none")
	require.False(t, TenantNeed("").Includes(TenantRequired))
}

func TestAServicesAnswersAreRewrittenUnlessItSaysNo(t *testing.T) {
	t.Parallel()
	var spec ServiceSpec
	require.True(t, spec.RewritesResponses(), "objects of older versions say nothing")
	spec.SetDefaults()
	require.True(t, *spec.RewriteResponses)
	keep := ServiceSpec{RewriteResponses: new(bool)}
	keep.SetDefaults()
	require.False(t, keep.RewritesResponses())
}
