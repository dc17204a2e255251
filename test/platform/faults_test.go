package platform

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/gcplabtest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/googleprovider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const oneCluster = `
provider "google" {}

module "network" {
  source = "./modules/network"

  project_id = "` + gcplabtest.ProjectID + `"
  name       = "apex"
  regions    = { europe-west1 = { cidr = "10.0.0.0/20", pods_cidr = "10.64.0.0/14", services_cidr = "10.128.0.0/20" } }
}

module "cluster" {
  source = "./modules/gke-cluster"

  project_id          = "` + gcplabtest.ProjectID + `"
  project_number      = "` + gcplabtest.ProjectNumber + `"
  name                = "apex"
  region              = "europe-west1"
  network             = module.network.network
  subnet              = module.network.subnets["europe-west1"]
  deletion_protection = false
}
`

// TestWhatFailsInTheMiddleIsMadeByTheNextApply has Google at its worst: a service that is away for a moment, one that is asked too
// often, and a cluster that fails after its creation began.
func TestWhatFailsInTheMiddleIsMadeByTheNextApply(t *testing.T) {
	t.Parallel()
	w := synapsedtest.NewPlainWorkspace(t, map[string]string{"main.tf": oneCluster})
	w.CopyModules(t)
	googleprovider.Require(t, w)
	w.Hurry()
	lab := gcplabtest.Start(t, operationTime)
	maps.Copy(w.Env, lab.Env())
	require.NoError(t, lab.Inject(
		engine.Fault{Method: "compute.networks.insert", Status: 503, Times: 1},
		engine.Fault{Method: "compute.routers.patch", Status: 403, Reason: "rateLimitExceeded", Times: 1},
		engine.Fault{Method: "container.projects.locations.clusters.create", Operation: true, Status: 503, Message: "The region has no room.", Times: 1},
	))
	w.Run(t, "init", "-input=false")
	// Two at most: what the provider does not try again by itself, and what comes after that.
	failed := 0
	for failed < 3 {
		output, err := w.Try(t.Context(), "apply", "-input=false", "-auto-approve")
		if err == nil {
			break
		}
		failed++
		require.Regexp(t, "The region has no room|rateLimitExceeded", output, "it says what went wrong")
	}
	require.Contains(t, []int{1, 2}, failed)
	w.Run(t, "plan", "-input=false", "-detailed-exitcode")
	w.Run(t, "destroy", "-input=false", "-auto-approve")
	require.Empty(t, lab.Left())
	refused := 0
	for _, request := range lab.Log() {
		if request.Status == 503 || request.Status == 403 {
			refused++
		}
	}
	require.Equal(t, 2, refused, "each fault was met, and once only")
}
