package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/readmetest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/ports"
)

// TestDocuments does what README.md says, on a demo of its own: it starts it with `make demo`, runs each command, plans
// each piece of HCL, starts it a second time and takes it down.
func TestDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs everything")
	}
	if _, set := os.LookupEnv("TF_ACC"); !set {
		t.Skip("needs a terraform or tofu: run it with `make go-test`")
	}
	repository, err := filepath.Abs("../..")
	require.NoError(t, err)
	d := Demo{
		Dir: demoDir(t), Repository: repository, Terraform: os.Getenv("TF_ACC_TERRAFORM_PATH"),
		Listen: freeAddress(t), EntryAddress: freeAddress(t), DatabaseAddress: freeAddress(t), Out: t.Output(),
	}
	if d.Terraform == "" {
		d.Terraform = "terraform"
	}
	readme, err := os.ReadFile(filepath.Join(repository, "README.md"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Down(context.Background(), true)) }) // t.Context() has ended by then

	elsewhere := strings.NewReplacer("127.0.0.1:7700", d.Listen, "127.0.0.1:7780", d.EntryAddress,
		"127.0.0.1:7432", d.DatabaseAddress, "/var/lib/synapse-demo", d.Dir)
	ran := map[string]int{}
	for _, block := range readmetest.Fences(string(readme)) {
		ran[block.Language]++
		where := fmt.Sprintf("README.md:%d", block.Line)
		switch block.Language {
		case "console":
			for _, s := range readmetest.Sessions(elsewhere.Replace(block.Text)) {
				if strings.HasPrefix(s.Command, "make staging") {
					continue // internal/staging does these
				}
				output := d.shell(t, s.Command)
				require.Empty(t, readmetest.Unlike(output, s.Shown), "%s shows a line that `%s` does not print:\n%s", where, s.Command, output)
			}
		case "hcl":
			d.plan(t, where, elsewhere.Replace(block.Text))
		}
	}
	require.NotZero(t, ran["console"], "README.md shows no command")
	require.NotZero(t, ran["hcl"], "README.md shows no HCL")

	t.Run("a second make demo works", func(t *testing.T) { require.NoError(t, d.Up(t.Context())) })
	t.Run("make demo-down leaves nothing", func(t *testing.T) {
		var out bytes.Buffer
		d.Out = &out
		require.NoError(t, d.Down(t.Context(), false), out.String())
		require.Contains(t, out.String(), "Nothing is left")
		require.NoDirExists(t, d.Dir)
	})
}

// shell runs a command of the document as it is there, make's own targets with this demo's arguments.
func (d Demo) shell(t *testing.T, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
	cmd.Dir = d.Repository
	cmd.Env = append(os.Environ(), "TERRAFORM="+d.Terraform, fmt.Sprintf("DEMO_ARGS=--dir %s --listen %s --entry-address %s --database-address %s",
		d.Dir, d.Listen, d.EntryAddress, d.DatabaseAddress))
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", command, output)
	return strings.ReplaceAll(string(output), "\r", "")
}

// plan plans a piece of HCL against the running demo, which checks it on the server, too.
func (d Demo) plan(t *testing.T, where, hcl string) {
	t.Helper()
	work := d
	work.Dir = t.TempDir()
	require.NoError(t, os.MkdirAll(work.workDir(quickstart), 0o700))
	versions, err := os.ReadFile(filepath.Join(d.Repository, "examples", "quickstart", "versions.tf"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(work.workDir(quickstart), "versions.tf"), versions, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(work.workDir(quickstart), "main.tf"), []byte(hcl), 0o600))
	script := fmt.Sprintf(". %s && %s init -input=false && %s plan -input=false", d.envFile(), d.Terraform, d.Terraform)
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir = work.workDir(quickstart)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", where, output)
}

// demoDir is a directory that PostgreSQL's user can pass through, unlike t.TempDir's.
func demoDir(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "synapse-demo-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(parent, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(parent)) })
	return filepath.Join(parent, "demo")
}

// freeAddress returns an address that no outgoing connection takes until the demo listens on it.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := ports.Free()
	require.NoError(t, err)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
