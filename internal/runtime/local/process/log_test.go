package process_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/process"
)

func TestTailLog(t *testing.T) {
	t.Parallel()
	var long bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&long, "line %d of many\n", i)
	}
	for name, test := range map[string]struct {
		log   string
		lines int
		want  []string
	}{
		"nothing of an empty log":             {"", 3, nil},
		"all of a short log":                  {"a\nb\n", 3, []string{"a", "b"}},
		"the last lines of a longer one":      {"a\nb\nc\nd", 2, []string{"c", "d"}},
		"the last lines of a very long one":   {long.String(), 2, []string{"line 9998 of many", "line 9999 of many"}},
		"no lines when none are wanted":       {"a\n", 0, nil},
		"nothing that a terminal would obey":  {"\x1b[2Ja\x07\tb\x00\xff\r\n", 1, []string{"[2Ja b"}},
		"a bounded part of an endless line":   {strings.Repeat("x", 1<<20), 9, []string{strings.Repeat("x", 2048)}},
		"whole lines where it begins to read": {strings.Repeat("y", 64<<10) + "\nz\n", 9, []string{"z"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log")
			require.NoError(t, os.WriteFile(path, []byte(test.log), 0o600))
			require.Equal(t, test.want, process.TailLog(path, test.lines))
		})
	}
	t.Run("nothing of a log that is not there", func(t *testing.T) {
		t.Parallel()
		require.Nil(t, process.TailLog(filepath.Join(t.TempDir(), "log"), 3))
	})
}

func TestALargeLogIsPutAsideAtTheNextStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stopAll(t, dir)
	wanted := spec(t, dir, "one", "wait")
	require.NoError(t, os.WriteFile(wanted.LogFile, nil, 0o600))
	require.NoError(t, os.Truncate(wanted.LogFile, 10<<20))
	_, err := open(t, dir).Ensure(t.Context(), wanted)
	require.NoError(t, err)
	eventually(t, hasLog(wanted, "waiting"))
	info, err := os.Stat(wanted.LogFile + ".1")
	require.NoError(t, err)
	require.EqualValues(t, 10<<20, info.Size())
}
