package bench

import (
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fileVariable names the file that the report is written to.
const fileVariable = "SYNAPSE_BENCH"

// report is the content of bench.json.
type report struct {
	Date    time.Time      `json:"date"`
	Go      string         `json:"go"`
	CPUs    int            `json:"cpus"`
	Results map[string]any `json:"results"`
}

// section adds the results of one measurement to the report's file.
func section(t *testing.T, name string, results any) {
	t.Helper()
	file := os.Getenv(fileVariable)
	r := report{Results: map[string]any{}}
	if before, err := os.ReadFile(file); err == nil {
		require.NoError(t, json.Unmarshal(before, &r))
	}
	r.Date, r.Go, r.CPUs = time.Now().UTC().Truncate(time.Second), runtime.Version(), runtime.NumCPU()
	r.Results[name] = results
	content, err := json.MarshalIndent(&r, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(content, '\n'), 0o600))
	shown, err := json.MarshalIndent(results, "", "  ")
	require.NoError(t, err)
	t.Logf("%s: %s", name, shown)
}

// onlyWhenAsked skips a measurement in an ordinary test run: it takes minutes and says nothing on a busy machine.
func onlyWhenAsked(t *testing.T) {
	t.Helper()
	if os.Getenv(fileVariable) == "" {
		t.Skip("measurements run with make bench, which sets " + fileVariable)
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
