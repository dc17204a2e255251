package googleprovider

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

func TestATestIsSkippedAndSaysWhyWhereTheProviderCannotBeHad(t *testing.T) {
	t.Parallel()
	cli := filepath.Join(t.TempDir(), "terraform")
	require.NoError(t, os.WriteFile(cli, []byte("#!/bin/sh\nprintf 'Initializing\\n│ Error: no such\\n│ registry\\n'\nexit 1\n"), 0o700))
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { // a skipped test ends its goroutine
		defer close(done)
		Require(r, &synapsedtest.Workspace{Terraform: cli, Env: map[string]string{}})
	}()
	<-done
	require.Equal(t, "hashicorp/google cannot be had here: terraform init: exit status 1: no such registry", r.said)
}

func TestWhereTheProviderCanBeHadAWorkspaceInitialisesWithItAndOurs(t *testing.T) {
	t.Parallel()
	w := synapsedtest.NewPlainWorkspace(t, map[string]string{"google.tf": configuration, "synapse.tf": `terraform {
  required_providers {
    synapse = { source = "apex-innovations/synapse" }
  }
}
`})
	// A configuration has one such block; this is the other half of a module.
	require.NoError(t, os.Mkdir(filepath.Join(w.Dir, "ours"), 0o700))
	require.NoError(t, os.Rename(filepath.Join(w.Dir, "synapse.tf"), filepath.Join(w.Dir, "ours", "main.tf")))
	require.NoError(t, os.WriteFile(filepath.Join(w.Dir, "ours.tf"), []byte("module \"ours\" {\n  source = \"./ours\"\n}\n"), 0o600))
	Require(t, w)
	w.Run(t, "init", "-input=false")
	w.Run(t, "validate")
	installed, err := filepath.Glob(filepath.Join(w.Dir, ".terraform", "providers", "*", "hashicorp", "google", "*", runtime.GOOS+"_"+runtime.GOARCH))
	require.NoError(t, err)
	require.Len(t, installed, 1)
	info, err := os.Lstat(installed[0])
	require.NoError(t, err)
	require.Equal(t, os.ModeSymlink, info.Mode().Type(), "it is a link, not a copy")
}

// recorder keeps why a test was skipped, and is not skipped itself.
type recorder struct {
	testing.TB

	said string
}

func (r *recorder) Skipf(format string, args ...any) {
	r.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
