package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/googleprovider"
	"github.com/apex-innovations/terraform-provider-synapse/internal/readmetest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

// TestStagingComesAndGoesAsTheREADMESays does what README.md says of `make staging`, in a directory of its own.
func TestStagingComesAndGoesAsTheREADMESays(t *testing.T) {
	t.Parallel()
	if _, set := os.LookupEnv("TF_ACC"); !set {
		t.Skip("needs a terraform or tofu: run it with `make go-test`")
	}
	w := synapsedtest.NewPlainWorkspace(t, nil)
	w.CopyModules(t) // skips where the CLI is too old for them
	googleprovider.Require(t, w)
	repository, err := filepath.Abs("../..")
	require.NoError(t, err)
	// An address of this machine that no other test uses: the lab listens only after a while.
	s := Staging{Dir: filepath.Join(t.TempDir(), "staging"), Listen: "127.0.0.7:8900", Out: t.Output()}
	t.Cleanup(func() { require.NoError(t, s.Down(t.Context(), true)) })

	readme, err := os.ReadFile(filepath.Join(repository, "README.md"))
	require.NoError(t, err)
	done := 0
	for _, block := range readmetest.Fences(string(readme)) {
		if block.Language != "console" {
			continue
		}
		for _, session := range readmetest.Sessions(strings.ReplaceAll(block.Text, "127.0.0.1:8900", s.Listen)) {
			if !strings.HasPrefix(session.Command, "make staging") {
				continue
			}
			command := exec.CommandContext(t.Context(), "bash", "-c", session.Command)
			command.Dir = repository
			command.Env = append(os.Environ(), "TERRAFORM="+w.Terraform, fmt.Sprintf("STAGING_ARGS=--dir %s --listen %s", s.Dir, s.Listen))
			output, err := command.CombinedOutput()
			require.NoError(t, err, "%s\n%s", session.Command, output)
			require.Empty(t, readmetest.Unlike(string(output), session.Shown), "README.md:%d shows a line that `%s` does not print:\n%s", block.Line, session.Command, output)
			done++
		}
	}
	require.Equal(t, 2, done, "README.md shows make staging and make staging-down")
	require.NoDirExists(t, s.Dir)
}

func TestADirectoryOfSomebodyElseIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600))
	s := Staging{Dir: dir, Repository: "../..", Out: t.Output()}
	require.ErrorContains(t, s.Up(t.Context()), "was not made by this command")
	require.NoError(t, s.Down(t.Context(), true), "there is nothing of ours to take down")
	require.FileExists(t, filepath.Join(dir, "mine"))
}
