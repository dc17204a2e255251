package registry

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/gcplabtest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/googleprovider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// TestThePlatformIsInstalledFromTheRegistryAsItsREADMESays takes the configuration of the README as it is, but for the address of
// the registry and the project.
func TestThePlatformIsInstalledFromTheRegistryAsItsREADMESays(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(root, "modules", "platform", "README.md"))
	require.NoError(t, err)
	usage := regexp.MustCompile("(?s)```hcl\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, usage)
	configuration := strings.NewReplacer(
		"registry.example.com", "HOST", "apex-prod", gcplabtest.ProjectID, "123456789012", gcplabtest.ProjectNumber,
	).Replace(string(usage[1]))
	require.Contains(t, configuration, `"HOST/apex-innovations/platform/google"`)

	p := &published{tree: filepath.Join(t.TempDir(), "tree"), commands: commands{synapsedtest.Build(t, "./cmd/synapse-registry")}}
	p.commands.run(t, "modules", "--tree="+p.tree, "--version=1.2.3")
	p.serve(t)
	lab := gcplabtest.Start(t, 0)
	w := p.workspace(t, synapsedtest.NewPlainWorkspace(t, nil).Terraform, configuration)
	googleprovider.Require(t, w)
	w.Hurry()
	maps.Copy(w.Env, lab.Env())
	require.Contains(t, w.Run(t, "init", "-input=false"), "platform/google 1.2.3")
	w.Run(t, "apply", "-input=false", "-auto-approve")
	w.Run(t, "plan", "-input=false", "-detailed-exitcode")
	require.Contains(t, lab.Left(), "container.googleapis.com/projects/"+gcplabtest.ProjectID+"/locations/us-east4/clusters/apex-us-east4")
}
