// Package modules runs what each module of modules/ brings along: its own tests, the usage that its README shows, and its
// examples, with the real providers' schemas.
package modules

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/googleprovider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// atATime is how many modules are tested at the same time: each holds a schema of hundreds of megabytes.
const atATime = 2

func TestModules(t *testing.T) {
	t.Parallel()
	slots := make(chan struct{}, atATime)
	for _, module := range synapsedtest.NewPlainWorkspace(t, nil).CopyModules(t) {
		t.Run(module, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			testModule(t, module)
		})
	}
}

func testModule(t *testing.T, module string) {
	w := synapsedtest.NewPlainWorkspace(t, nil)
	w.Hurry()
	w.CopyModules(t)
	root := w.Dir
	w.Dir = filepath.Join(root, "modules", module)
	for _, file := range []string{"variables.tf", "outputs.tf", "versions.tf", "README.md"} {
		require.FileExists(t, filepath.Join(w.Dir, file))
	}
	usages := usagesOf(t, filepath.Join(w.Dir, "README.md"))
	tests, err := filepath.Glob(filepath.Join(w.Dir, "tests", "*.tftest.hcl"))
	require.NoError(t, err)
	require.NotEmpty(t, tests, "the module has tests")
	if requires(t, w.Dir, "hashicorp/google") {
		googleprovider.Require(t, w)
	} else {
		w.UseProvider(t, "")
	}

	t.Run("is valid", func(t *testing.T) { validate(t, w) })
	t.Run("passes its tests", func(t *testing.T) { w.Run(t, "test") })
	for i, usage := range usages {
		t.Run(fmt.Sprintf("is used in its README as block %d says", i+1), func(t *testing.T) {
			w.Dir = filepath.Join(root, fmt.Sprintf("usage-%d", i+1))
			require.NoError(t, os.Mkdir(w.Dir, 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(w.Dir, "main.tf"), withLocalSources(usage, "../modules"), 0o600))
			validate(t, w)
		})
	}
	examples, err := filepath.Glob(filepath.Join(root, "modules", module, "examples", "*"))
	require.NoError(t, err)
	for _, example := range examples {
		t.Run("example "+filepath.Base(example), func(t *testing.T) {
			w.Dir = example
			validate(t, w)
		})
	}
}

// validate checks the configuration of a workspace's directory.
func validate(t *testing.T, w *synapsedtest.Workspace) {
	t.Helper()
	w.Run(t, "init", "-input=false", "-backend=false")
	w.Run(t, "validate")
}

// requires says whether a file of a configuration names a provider.
func requires(t *testing.T, dir, provider string) bool {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "versions.tf"))
	require.NoError(t, err)
	return bytes.Contains(content, []byte(`"`+provider+`"`))
}

var (
	hclBlock = regexp.MustCompile("(?s)```(?:hcl|terraform)\n(.*?)```")
	// The address of a module of this repository, as README files have it, with the version that must follow.
	fromRegistry = regexp.MustCompile(`"registry\.example\.com/apex-innovations/([a-z-]+)/[a-z]+"\n\s*version\s*=\s*"~> [0-9.]+"`)
)

// usagesOf returns the configurations in a README that use a module from the registry.
func usagesOf(t *testing.T, readme string) [][]byte {
	t.Helper()
	content, err := os.ReadFile(readme)
	require.NoError(t, err)
	var usages [][]byte
	for _, block := range hclBlock.FindAllSubmatch(content, -1) {
		if fromRegistry.Match(block[1]) {
			usages = append(usages, block[1])
		}
	}
	require.NotEmpty(t, usages, "%s shows how the module is used, with source = \"registry.example.com/apex-innovations/…\" and a version in the next line", readme)
	return usages
}

// withLocalSources replaces the addresses of modules with paths.
func withLocalSources(configuration []byte, modules string) []byte {
	return fromRegistry.ReplaceAll(configuration, []byte(`"`+modules+`/$1"`))
}

func TestTheUsageInAREADMEIsFoundAndUsesTheModuleOfTheTree(t *testing.T) {
	t.Parallel()
	readme := filepath.Join(t.TempDir(), "README.md")
	require.NoError(t, os.WriteFile(readme, []byte("# A\n\n```hcl\nmodule \"a\" {\n  source  = \"registry.example.com/apex-innovations/cloud-sql/google\"\n"+
		"  version = \"~> 1.0\"\n\n  name = \"a\"\n}\n```\n\n```console\n$ terraform apply\n```\n\n```hcl\nname = \"no configuration\"\n```\n"), 0o600))
	usages := usagesOf(t, readme)
	require.Len(t, usages, 1)
	require.Equal(t, "module \"a\" {\n  source  = \"../modules/cloud-sql\"\n\n  name = \"a\"\n}\n", string(withLocalSources(usages[0], "../modules")))
}
