package pgserver

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// installation makes a directory with programs that say they are of a version.
func installation(t *testing.T, dir, version string, programs ...string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for _, program := range programs {
		script := fmt.Sprintf("#!/bin/sh\necho '%s (PostgreSQL) %s'\n", program, version)
		require.NoError(t, os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755))
	}
	return dir
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	newest := installation(t, filepath.Join(root, "16", "bin"), "16.1 (Debian)", programs()...)
	older := installation(t, filepath.Join(root, "9", "bin"), "9.6.24", programs()...)
	middle := installation(t, filepath.Join(root, "15", "bin"), "15.4", programs()...)
	client := installation(t, filepath.Join(root, "client"), "17.0", "pg_basebackup")
	everywhere := []string{filepath.Join(root, "*", "bin")}

	t.Run("the newest of the distributions' directories is found", func(t *testing.T) {
		found, err := find("", everywhere)
		require.NoError(t, err)
		require.Equal(t, Binaries{Dir: newest, Major: 16}, found)
		require.Equal(t, filepath.Join(newest, "initdb"), found.Path("initdb"))
	})
	t.Run("PATH goes before them", func(t *testing.T) {
		found, err := find(client+":relative:"+middle, everywhere)
		require.NoError(t, err)
		require.Equal(t, middle, found.Dir)
	})
	t.Run("without a server the error says what to install", func(t *testing.T) {
		_, err := find(client, nil)
		for _, hint := range []string{"apt-get install -y postgresql", "dnf install postgresql-server", "brew install postgresql", EnvBinaries} {
			require.ErrorContains(t, err, hint)
		}
	})
	t.Run("one that is too old is named", func(t *testing.T) {
		_, err := find(older, nil)
		require.ErrorContains(t, err, older+"/postgres is of version 9: too old")
	})
	t.Run("the environment variable decides alone", func(t *testing.T) {
		t.Setenv(EnvBinaries, middle)
		found, err := Find()
		require.NoError(t, err)
		require.Equal(t, 15, found.Major)
		t.Setenv(EnvBinaries, client)
		_, err = Find()
		require.ErrorContains(t, err, EnvBinaries+"="+client)
	})
}

func FuzzParseMajor(f *testing.F) {
	for _, output := range []string{"postgres (PostgreSQL) 15.4 (Debian 15.4-1.pgdg120+1)\n", "postgres (PostgreSQL) 18beta1", "", "(PostgreSQL) 99999"} {
		f.Add(output)
	}
	f.Fuzz(func(t *testing.T, output string) {
		if major, err := parseMajor(output); err == nil && (major < 0 || major > 9999) {
			t.Errorf("parseMajor(%q) = %d", output, major)
		}
	})
}
