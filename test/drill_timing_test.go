package test

import (
	"net/http"
	"path"
	"testing"
	"time"

	"github.com/gruntwork-io/terratest/modules/logger"
	"github.com/gruntwork-io/terratest/modules/terraform"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// TestDrDrill applies the example to what the quickstart made: eu-west is lost, and the drill is passed.
func TestDrDrill(t *testing.T) {
	t.Parallel()
	d, w := drillStack(t)
	options := &terraform.Options{TerraformDir: w.Dir, TerraformBinary: w.Terraform, EnvVars: w.Env, NoColor: true, Logger: logger.Discard}
	terraform.ApplyContext(t, t.Context(), options)

	outputs := terraform.OutputAllContext(t, t.Context(), options)
	require.Equal(t, "passed", outputs["verdict"])
	require.EqualValues(t, 0, outputs["lost_markers"])
	require.Equal(t, "0s", outputs["rpo"])
	rto, err := time.ParseDuration(outputs["rto"].(string))
	require.NoError(t, err)
	require.Positive(t, rto, "a region was lost, and somebody noticed")
	require.Less(t, rto, 10*time.Second)
	require.Equal(t, 0, terraform.PlanExitCodeContext(t, t.Context(), options), "the plan after the apply is empty")
	requireWhole(t, d)
	for _, tenant := range []string{"acme", "globex", "initech"} {
		status, header, body := request(t, http.MethodGet, d.EntryURL+"/monolith/inventory", tenant, "")
		require.Equal(t, http.StatusOK, status, "%s: %s", tenant, body)
		if tenant != "globex" {
			require.Equal(t, "eu-west", header.Get("X-Synapse-Region"), "%s is served at home again", tenant)
		}
	}

	address := outputs["report_url"].(string)
	status, page := consolePage(t, d, address)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "passed")

	terraform.DestroyContext(t, t.Context(), options)
	report, err := d.Client().DrillReport(t.Context(), path.Base(address))
	require.NoError(t, err, "evidence outlives the drill")
	require.NoError(t, report.Verify())
	require.Equal(t, synapse.VerdictPassed, report.Verdict)
	status, _ = consolePage(t, d, address)
	require.Equal(t, http.StatusOK, status, "and so does its page")
}
