package api_test

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
)

var update = flag.Bool("update", false, "write docs/openapi.yaml anew")

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "docs", "openapi.yaml")
	document, err := api.OpenAPI()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, document, 0o644))
	}

	t.Run("the file in docs is the API as it is", func(t *testing.T) {
		onDisk, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(document), string(onDisk), "run: go test ./internal/controlplane/api -run OpenAPI -update")
	})
	t.Run("every call gives the same", func(t *testing.T) {
		again, err := api.OpenAPI()
		require.NoError(t, err)
		require.Equal(t, string(document), string(again))
	})
	t.Run("the daemon serves it without a token", func(t *testing.T) {
		s := newService(t)
		answer := s.as("").do(http.MethodGet, "/openapi.yaml", nil)
		require.Equal(t, http.StatusOK, answer.status)
		require.Equal(t, string(document), string(answer.body))
		require.Equal(t, http.StatusOK, s.as("").do(http.MethodGet, "/openapi.json", nil).status)
	})
}
