package measure_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
)

func TestCheckQueryAcceptsWhatGivesOneNumber(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		`1`,
		`sum(rate(errors_total{split="{{split}}", backend="{{backend}}", region=~"{{regions}}"}[{{window}}]))`,
		"histogram_quantile(0.99,\n  sum by (le) (rate(seconds_bucket[{{window}}:5s])))",
		`scalar(up offset {{window}})`,
	} {
		require.NoError(t, measure.CheckQuery(query), query)
	}
}

func TestCheckQuerySaysWhereAndWhat(t *testing.T) {
	t.Parallel()
	for query, wanted := range map[string]string{
		"":                              "empty",
		" \n":                           "empty",
		"sum(":                          "line 1, column 5",
		"sum(\n  {{backend}} }":         "line 2, column 15",
		`up{b="{{backend}}"} up`:        "line 1, column 21",
		`up{b="ü{{backend}}"} up`:       "line 1, column 22",
		`rate(x[{{windows}}])`:          "unknown placeholder at line 1, column 8",
		`rate(x{r="{{ region }}"}[1m])`: "unknown placeholder at line 1, column 11",
		`errors[{{window}}]`:            "range",
		`"text"`:                        "text",
		"no_such_function(up)":          "unknown function",
	} {
		require.ErrorContains(t, measure.CheckQuery(query), wanted, query)
	}
}

func FuzzCheckQuery(f *testing.F) {
	for _, seed := range []string{"", "up", "{{window}}", `sum(rate(x{r=~"{{regions}}"}[{{window}}]))`, "{{", "((", `"`, "\xff", "x[{{window}}:{{window}}]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if err := measure.CheckQuery(query); err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.NotEmpty(t, strings.TrimSpace(query))
	})
}
