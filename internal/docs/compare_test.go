package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		one, two map[string]string
		want     []string
	}{
		"equal directories do not differ":          {map[string]string{"a.md": "1", "sub/b.md": "2"}, map[string]string{"a.md": "1", "sub/b.md": "2"}, nil},
		"another content differs":                  {map[string]string{"a.md": "1"}, map[string]string{"a.md": "2"}, []string{"a.md"}},
		"a file of one of them differs":            {map[string]string{"z.md": "1"}, map[string]string{"sub/b.md": "2"}, []string{"sub/b.md", "z.md"}},
		"what is not Markdown does not count":      {map[string]string{"openapi.yaml": "1"}, nil, nil},
		"a directory that does not exist is empty": {nil, map[string]string{"a.md": "1"}, []string{"a.md"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := compare(write(t, test.one), write(t, test.two))
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

// write returns a directory with the files, which exists only if there are any.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "docs")
	for path, content := range files {
		path = filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return dir
}
