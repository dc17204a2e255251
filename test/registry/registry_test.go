// Package registry checks from outside what synapse-registry publishes: Terraform and OpenTofu install modules and the
// provider from it, over TLS on loopback, as they would from any registry.
package registry

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapsedtest"
)

const root = "../.."

// published is a tree that is served.
type published struct {
	tree string
	// host is an address of this machine with a port, and ca the file that clients must trust.
	host, ca string
	commands commands
}

// commands runs synapse-registry.
type commands struct {
	program string
}

func (c commands) run(t *testing.T, args ...string) {
	t.Helper()
	output, err := c.try(t.Context(), args...)
	require.NoError(t, err, output)
}

func (c commands) try(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, c.program, args...)
	command.Dir = root
	output, err := command.CombinedOutput()
	return string(output), err
}

// publish publishes three versions of the modules in testdata, each of which says its version.
func publish(t *testing.T) *published {
	t.Helper()
	p := &published{tree: filepath.Join(t.TempDir(), "tree"), commands: commands{synapsedtest.Build(t, "./cmd/synapse-registry")}}
	for _, version := range []string{"1.0.0", "1.1.0", "2.0.0"} {
		from := t.TempDir()
		require.NoError(t, os.CopyFS(from, os.DirFS("testdata/modules")))
		file := filepath.Join(from, "door", "main.tf")
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, bytes.ReplaceAll(content, []byte(" door\""), []byte(" door of "+version+"\"")), 0o600))
		p.commands.run(t, "modules", "--tree="+p.tree, "--version="+version, "--from="+from)
	}
	return p
}

// serve serves the tree until the test ends.
func (p *published) serve(t *testing.T) {
	t.Helper()
	p.ca = filepath.Join(t.TempDir(), "ca.pem")
	command := exec.CommandContext(t.Context(), p.commands.program, "serve", "--tree="+p.tree, "--listen=127.0.0.1:0", "--ca-file="+p.ca)
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() { _ = command.Wait() }) // the test's context has ended it
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	p.host = regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(line)
	require.NotEmpty(t, p.host, line)
}

// workspace is a configuration that trusts the registry. HOST stands for its address.
func (p *published) workspace(t *testing.T, cli, configuration string) *synapsedtest.Workspace {
	t.Helper()
	w := synapsedtest.NewPlainWorkspace(t, map[string]string{"main.tf": strings.ReplaceAll(configuration, "HOST", p.host)})
	w.Terraform = cli
	maps.Copy(w.Env, map[string]string{"SSL_CERT_FILE": p.ca, "TF_REGISTRY_DISCOVERY_RETRY": "0", "NO_PROXY": "127.0.0.1"})
	return w
}

// forEachCLI runs a test with the CLI under test, and with OpenTofu where the repository's own was built.
func forEachCLI(t *testing.T, test func(t *testing.T, cli string)) {
	t.Helper()
	clis := map[string]string{}
	own, err := filepath.Abs(filepath.Join(root, "bin", "tools", "tofu"))
	require.NoError(t, err)
	for _, cli := range []string{own, synapsedtest.NewPlainWorkspace(t, nil).Terraform} {
		if _, err := exec.LookPath(cli); err == nil {
			clis[filepath.Base(cli)] = cli
		}
	}
	for name, cli := range clis {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, cli)
		})
	}
}

const house = `
module "house" {
  source  = "HOST/apex-innovations/house/google"
  version = "~> 1.0"
}

output "house" {
  value = module.house.description
}
`

func TestAModuleIsInstalledByVersionConstraintWithTheSiblingsItRefersTo(t *testing.T) {
	t.Parallel()
	p := publish(t)
	p.serve(t)
	forEachCLI(t, func(t *testing.T, cli string) {
		w := p.workspace(t, cli, house)
		require.Contains(t, w.Run(t, "init", "-input=false"), "house/google 1.1.0", "the newest that the constraint allows")
		w.Run(t, "apply", "-input=false", "-auto-approve")
		require.Contains(t, w.Run(t, "output", "house"), "a house with a red door of 1.1.0")
		w.Run(t, "plan", "-input=false", "-detailed-exitcode")

		exact := p.workspace(t, cli, strings.ReplaceAll(house, "~> 1.0", "= 2.0.0"))
		exact.Run(t, "init", "-input=false")
		none := p.workspace(t, cli, strings.ReplaceAll(house, "~> 1.0", "~> 3.0"))
		output, err := none.Try(t.Context(), "init", "-input=false")
		require.Error(t, err)
		require.Contains(t, flat(output), "newest available version is 2.0.0")
	})
}

// A host that cannot send the header is enough for OpenTofu. For Terraform it is so by the archive's own address only.
func TestAHostThatSendsNoHeaderServesOpenTofuAndArchives(t *testing.T) {
	t.Parallel()
	p := publish(t)
	server := httptest.NewTLSServer(http.FileServer(http.Dir(p.tree)))
	t.Cleanup(server.Close)
	p.host, p.ca = server.Listener.Addr().String(), filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(p.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	content, err := os.ReadFile(filepath.Join(p.tree, "v1/modules/apex-innovations/house/google/1.1.0/download"))
	require.NoError(t, err)
	var download struct{ Location string }
	require.NoError(t, json.Unmarshal(content, &download))
	forEachCLI(t, func(t *testing.T, cli string) {
		output, err := p.workspace(t, cli, house).Try(t.Context(), "init", "-input=false")
		if filepath.Base(cli) == "tofu" {
			require.NoError(t, err, output)
		} else {
			require.Error(t, err)
			require.Contains(t, flat(output), "failed to get download URL")
		}
		w := p.workspace(t, cli, "module \"house\" {\n  source = \"https://HOST"+download.Location+"\"\n}\n")
		w.Run(t, "init", "-input=false")
		w.Run(t, "apply", "-input=false", "-auto-approve")
	})
}

func TestAModuleThatWasTamperedWithIsRefused(t *testing.T) {
	t.Parallel()
	p := publish(t)
	tamper(t, filepath.Join(p.tree, "archives", "apex-innovations", "modules_1.1.0.zip"))
	p.serve(t)
	forEachCLI(t, func(t *testing.T, cli string) {
		output, err := p.workspace(t, cli, house).Try(t.Context(), "init", "-input=false")
		require.Error(t, err)
		require.Contains(t, flat(output), "Checksums did not match")
	})
}

const cohort = `
terraform {
  required_providers {
    synapse = {
      source  = "HOST/apex-innovations/synapse"
      version = "~> 1.0"
    }
  }
}

output "cohort" {
  value = provider::synapse::cohort("salt", "acme")
}
`

// publishProvider publishes two versions of the provider, which are the same program, as if a release build had left them.
func publishProvider(t *testing.T) *published {
	t.Helper()
	p := &published{tree: filepath.Join(t.TempDir(), "tree"), commands: commands{synapsedtest.Build(t, "./cmd/synapse-registry")}}
	program, err := os.ReadFile(synapsedtest.Build(t, "."))
	require.NoError(t, err)
	key := filepath.Join(t.TempDir(), "key.asc")
	p.commands.run(t, "key", key)
	for _, version := range []string{"1.0.0", "1.1.0"} {
		dist := t.TempDir()
		file, err := os.Create(filepath.Join(dist, "terraform-provider-synapse_"+version+"_"+runtime.GOOS+"_"+runtime.GOARCH+".zip"))
		require.NoError(t, err)
		archive := zip.NewWriter(file)
		header := &zip.FileHeader{Name: "terraform-provider-synapse_v" + version}
		header.SetMode(0o755)
		member, err := archive.CreateHeader(header)
		require.NoError(t, err)
		_, err = member.Write(program)
		require.NoError(t, errors.Join(err, archive.Close(), file.Close()))
		p.commands.run(t, "provider", "--tree="+p.tree, "--version="+version, "--signing-key="+key, "--dist="+dist)
	}
	return p
}

func TestTheProviderIsInstalledSignedFromItsRegistry(t *testing.T) {
	t.Parallel()
	p := publishProvider(t)
	p.serve(t)
	forEachCLI(t, func(t *testing.T, cli string) {
		w := p.workspace(t, cli, cohort)
		output := w.Run(t, "init", "-input=false")
		require.Regexp(t, `synapse v1\.1\.0 \((self-)?signed, key ID [0-9A-F]{16}\)`, output)
		lock, err := os.ReadFile(filepath.Join(w.Dir, ".terraform.lock.hcl"))
		require.NoError(t, err)
		require.Contains(t, string(lock), "zh:", "checksums of all platforms are pinned")
		w.Run(t, "apply", "-input=false", "-auto-approve")
		require.Regexp(t, `^\d+\s*$`, w.Run(t, "output", "cohort"))
	})
}

func TestAProviderThatWasTamperedWithIsRefused(t *testing.T) {
	t.Parallel()
	p := publishProvider(t)
	p.serve(t)
	const place = "v1/providers/apex-innovations/synapse/1.1.0"
	zips, err := filepath.Glob(filepath.Join(p.tree, place, "*.zip"))
	require.NoError(t, err)
	tamper(t, zips[0])
	forEachCLI(t, func(t *testing.T, cli string) {
		output, err := p.workspace(t, cli, cohort).Try(t.Context(), "init", "-input=false")
		require.Error(t, err)
		require.Contains(t, flat(output), "checksum")
	})
}

func TestAProviderWhoseSignatureIsAnothersIsRefused(t *testing.T) {
	t.Parallel()
	p := publishProvider(t)
	p.serve(t)
	const version = "v1/providers/apex-innovations/synapse/"
	another, err := os.ReadFile(filepath.Join(p.tree, version, "1.0.0", "terraform-provider-synapse_1.0.0_SHA256SUMS.sig"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(p.tree, version, "1.1.0", "terraform-provider-synapse_1.1.0_SHA256SUMS.sig"), another, 0o600))
	forEachCLI(t, func(t *testing.T, cli string) {
		output, err := p.workspace(t, cli, cohort).Try(t.Context(), "init", "-input=false")
		require.Error(t, err)
		require.Contains(t, flat(output), "signature")
	})
}

const service = `
module "auth" {
  source  = "HOST/apex-innovations/strangler-service/synapse"
  version = ">= 1.0.0, < 2.0.0"

  name    = "auth"
  image   = "registry.example.com/auth@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  regions = { europe-west1 = {} }
}
`

// The address of the registry is in its modules, so that it must be served before they are published.
func TestAModuleOfTheRepositoryTakesTheProviderFromTheSameRegistry(t *testing.T) {
	t.Parallel()
	synapsedtest.NewPlainWorkspace(t, nil).CopyModules(t) // skips where the CLI is too old for them
	p := publishProvider(t)
	p.serve(t)
	p.commands.run(t, "modules", "--tree="+p.tree, "--version=1.0.0", "--provider-host="+p.host)
	forEachCLI(t, func(t *testing.T, cli string) {
		w := p.workspace(t, cli, service)
		output := w.Run(t, "init", "-input=false")
		require.Contains(t, output, "Installed "+p.host+"/apex-innovations/synapse v1.1.0")
		w.Run(t, "validate")
	})
}

func TestTheModulesOfTheRepositoryCanBePublishedAndInstalled(t *testing.T) {
	t.Parallel()
	p := &published{tree: filepath.Join(t.TempDir(), "tree"), commands: commands{synapsedtest.Build(t, "./cmd/synapse-registry")}}
	p.commands.run(t, "modules", "--tree="+p.tree, "--version=1.0.0")
	p.serve(t)
	// Each file that is JSON by what it is for is JSON, and has nothing of this machine in it.
	here, err := filepath.Abs(root)
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(p.tree, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		require.NotContains(t, string(content), here, path)
		if name := entry.Name(); name == "versions" || name == "download" || filepath.Ext(name) == ".json" {
			require.True(t, json.Valid(content), path)
		}
		return err
	}))
	// No provider is needed to install modules, those that they refer to included.
	for _, module := range synapsedtest.NewPlainWorkspace(t, nil).CopyModules(t) {
		found, err := filepath.Glob(filepath.Join(p.tree, "v1", "modules", "apex-innovations", module, "*"))
		require.NoError(t, err)
		require.Len(t, found, 1, "module %s is there, for one system", module)
		t.Run(module, func(t *testing.T) {
			cli := synapsedtest.NewPlainWorkspace(t, nil).Terraform
			w := p.workspace(t, cli, fmt.Sprintf("module \"this\" {\n  source  = \"HOST/apex-innovations/%s/%s\"\n  version = \"~> 1.0\"\n}\n", module, filepath.Base(found[0])))
			w.Run(t, "get")
		})
	}
}

func TestTheCommandSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := commands{synapsedtest.Build(t, "./cmd/synapse-registry")}
	tree := "--tree=" + t.TempDir()
	notAKey := filepath.Join(t.TempDir(), "key.asc")
	require.NoError(t, os.WriteFile(notAKey, []byte("no key"), 0o600))
	tests := map[string]struct {
		args []string
		want string
	}{
		"no version":         {[]string{"modules", tree, "--from=test/registry/testdata/modules"}, "missing flags: --version=STRING"},
		"a bad version":      {[]string{"modules", tree, "--version=v1", "--from=test/registry/testdata/modules"}, `"v1" is no version`},
		"no packages":        {[]string{"provider", tree, "--version=1.0.0", "--dist=."}, "has no terraform-provider-synapse_1.0.0_OS_ARCH.zip"},
		"a key that is none": {[]string{"modules", tree, "--version=1.0.0", "--signing-key=" + notAKey, "--from=test/registry/testdata/modules"}, "key.asc: reading the key"},
		"a key that exists":  {[]string{"key", notAKey}, "exists"},
		"a bad platform":     {[]string{"provider", tree, "--version=1.0.0", "--platform=linux"}, "write it as linux_amd64"},
	}
	for name, test := range tests {
		output, err := c.try(t.Context(), test.args...)
		require.Error(t, err, name)
		require.Contains(t, flat(output), test.want, name)
	}
}

// tamper changes one byte in the middle of a file.
func tamper(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	content[len(content)/2] ^= 0xff
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

// flat is output without the frames and line breaks of diagnostics.
func flat(output string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)), " ")
}
