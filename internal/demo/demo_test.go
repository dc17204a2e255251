package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

func TestDefaultDir(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		uid  int
		env  map[string]string
		want string
	}{
		"root's is where PostgreSQL's user can go":  {0, map[string]string{"HOME": "/root"}, "/var/lib/synapse-demo"},
		"a user's is in the home directory":         {1000, map[string]string{"HOME": "/home/ada"}, "/home/ada/.local/state/synapse-demo"},
		"a user's state directory is respected":     {1000, map[string]string{"HOME": "/home/ada", "XDG_STATE_HOME": "/state"}, "/state/synapse-demo"},
		"a relative state directory is not allowed": {1000, map[string]string{"HOME": "/home/ada", "XDG_STATE_HOME": "state"}, "/home/ada/.local/state/synapse-demo"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, defaultDir(func(key string) string { return test.env[key] }, test.uid))
		})
	}
}

func TestPrepareDir(t *testing.T) {
	t.Parallel()
	t.Run("a directory of somebody else is refused and left alone", func(t *testing.T) {
		t.Parallel()
		d := Demo{Dir: t.TempDir()}
		precious := filepath.Join(d.Dir, "precious")
		require.NoError(t, os.WriteFile(precious, nil, 0o600))
		require.ErrorContains(t, d.prepareDir(), "was not made by the demo")

		var out bytes.Buffer
		d.Out = &out
		require.NoError(t, d.Down(t.Context(), false))
		require.Contains(t, out.String(), "There is no demo")
		require.FileExists(t, precious)
	})
	t.Run("a directory of the demo is used again", func(t *testing.T) {
		t.Parallel()
		d := Demo{Dir: filepath.Join(t.TempDir(), "demo")}
		require.NoError(t, d.prepareDir())
		require.NoError(t, d.prepareDir())
	})
}

func TestInstaller(t *testing.T) {
	t.Parallel()
	missing := errors.New("PostgreSQL is missing")
	tests := map[string]struct {
		root      bool
		tools     string // programs on PATH
		fails     string // command that fails
		installed bool   // before
		ran       []string
		err       string
	}{
		"nothing is done where PostgreSQL is there": {installed: true},
		"root installs the package": {root: true, tools: "apt-get",
			ran: []string{"env DEBIAN_FRONTEND=noninteractive apt-get update",
				"env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql"}},
		"a user with sudo installs it, too": {tools: "apt-get sudo",
			ran: []string{"sudo --non-interactive true",
				"sudo --non-interactive env DEBIAN_FRONTEND=noninteractive apt-get update",
				"sudo --non-interactive env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql"}},
		"a user whose sudo asks for a password is told what to do": {tools: "apt-get sudo", fails: "sudo --non-interactive true",
			ran: []string{"sudo --non-interactive true"}, err: "takes root"},
		"a user without sudo is told what to do":   {tools: "apt-get", err: "takes root"},
		"another distribution's user is told, too": {root: true, err: missing.Error()},
		"a failing apt-get is reported with the cause": {root: true, tools: "apt-get", fails: "env DEBIAN_FRONTEND=noninteractive apt-get update",
			ran: []string{"env DEBIAN_FRONTEND=noninteractive apt-get update"}, err: "apt-get failed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			installed := test.installed
			var ran []string
			i := installer{
				root:     test.root,
				lookPath: func(name string) bool { return strings.Contains(" "+test.tools+" ", " "+name+" ") },
				find: func() (pgserver.Binaries, error) {
					if !installed {
						return pgserver.Binaries{}, missing
					}
					return pgserver.Binaries{Dir: "/usr/bin", Major: 15}, nil
				},
				run: func(_ context.Context, name string, args ...string) error {
					command := name + " " + strings.Join(args, " ")
					ran = append(ran, command)
					if command == test.fails {
						return errors.New("exit status 1")
					}
					installed = installed || strings.HasSuffix(command, "postgresql")
					return nil
				},
			}
			err := i.ensure(t.Context(), new(bytes.Buffer))
			require.Equal(t, test.ran, ran)
			if test.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, missing)
			require.ErrorContains(t, err, test.err)
		})
	}
}

func TestWithoutTerraform(t *testing.T) {
	t.Parallel()
	got := withoutTerraform([]string{"PATH=/bin", "TF_CLI_CONFIG_FILE=/x", "TF_WORKSPACE=other", "TF_LOG=debug", "SYNAPSE_TOKEN=other", "HOME=/"})
	require.Equal(t, []string{"PATH=/bin", "TF_LOG=debug", "HOME=/"}, got)
}
