package functions

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Beyond these, floating-point numbers could not tell whole numbers or remainders apart.
const (
	largestTotal = 1_000_000_000
	largestShare = 1e15
)

// apportion is provider::synapse::apportion.
type apportion struct{}

func newApportion() function.Function { return apportion{} }

// Metadata implements [function.Function].
func (apportion) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "apportion"
}

// Definition implements [function.Function].
func (apportion) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Spreads a total over shares, in whole numbers that sum to it.",
		MarkdownDescription: "Spreads a total, such as 100 percent, over regions or backends in proportion to their shares, in whole numbers that sum to the total: the largest remainder method. " +
			"Between equal remainders, the name that sorts first gets more. When all shares are 0, all are equal.",
		Parameters: []function.Parameter{
			// As a number and not as an integer, for an error that says what to write.
			function.NumberParameter{Name: "total", MarkdownDescription: "What is spread: a whole number of at least 0."},
			function.MapParameter{Name: "shares", ElementType: types.Float64Type, MarkdownDescription: "Share of each name, at least 0: capacities, populations, or any other numbers."},
		},
		Return: function.MapReturn{ElementType: types.Int64Type},
	}
}

// Run implements [function.Function].
func (apportion) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var number *big.Float
	var given map[string]*float64
	if resp.Error = req.Arguments.Get(ctx, &number, &given); resp.Error != nil {
		return
	}
	total, exact := number.Int64()
	if exact != big.Exact || total < 0 || total > largestTotal {
		resp.Error = function.NewArgumentFuncError(0, fmt.Sprintf("The total is %s; it must be a whole number between 0 and %d.", number.Text('g', 10), largestTotal))
		return
	}
	if len(given) == 0 {
		resp.Error = function.NewArgumentFuncError(1, "There are no shares: name at least one that the total can go to.")
		return
	}
	shares := make(map[string]float64, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		share := given[name]
		if share == nil || !(*share >= 0 && *share <= largestShare) {
			resp.Error = function.NewArgumentFuncError(1, fmt.Sprintf("The share of %q must be a number between 0 and %g.", name, largestShare))
			return
		}
		shares[name] = *share
	}
	resp.Error = resp.Result.Set(ctx, synapse.Apportion(int(total), shares))
}
