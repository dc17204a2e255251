package functions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// cohort is provider::synapse::cohort.
type cohort struct{}

func newCohort() function.Function { return cohort{} }

// Metadata implements [function.Function].
func (cohort) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "cohort"
}

// Definition implements [function.Function].
func (cohort) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Cohort of a key in a traffic split.",
		MarkdownDescription: "Returns the cohort of a key, from 0 to 9999: the same number that the gateways compute. The candidate of a split serves the cohorts below its weight in percent, times 100; " +
			"a second candidate, those from the top. So `provider::synapse::cohort(synapse_traffic_split.login.salt, \"acme\") < 500` tells whether the tenant acme moves in the first 5 percent.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "salt", MarkdownDescription: "Salt of the split: its attribute `salt`."},
			function.StringParameter{Name: "key", MarkdownDescription: "What keeps a user at one backend: the name of the tenant, or the value of the header or cookie."},
		},
		Return: function.Int64Return{},
	}
}

// Run implements [function.Function].
func (cohort) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var salt, key string
	if resp.Error = req.Arguments.Get(ctx, &salt, &key); resp.Error != nil {
		return
	}
	resp.Error = resp.Result.Set(ctx, int64(synapse.Cohort(salt, key)))
}
