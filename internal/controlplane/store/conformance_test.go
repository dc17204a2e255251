package store_test

import (
	"crypto/rand"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store/storetest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver/pgservertest"
)

func newSQLite(t testing.TB) string { return filepath.Join(t.TempDir(), "store.db") }

func TestSQLiteConformsToTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, newSQLite)
}

func TestPostgreSQLConformsToTheContract(t *testing.T) {
	t.Parallel()
	database := pgservertest.Start(t)
	// An empty schema is as good as an empty database, and made a hundred times faster.
	storetest.Run(t, func(t testing.TB) string {
		conn, err := pgx.Connect(t.Context(), database)
		require.NoError(t, err)
		defer conn.Close(t.Context())
		schema := "test_" + strings.ToLower(rand.Text())
		_, err = conn.Exec(t.Context(), "CREATE SCHEMA "+schema)
		require.NoError(t, err)
		u, err := url.Parse(database)
		require.NoError(t, err)
		parameters := u.Query()
		parameters.Set("search_path", schema)
		u.RawQuery = parameters.Encode()
		return u.String()
	})
}
