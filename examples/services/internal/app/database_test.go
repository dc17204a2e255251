package app_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/apptest"
)

const (
	waitLong = 10 * time.Second
	waitTick = 5 * time.Millisecond
)

func notes() []app.Table {
	return []app.Table{{Name: "notes", Columns: "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL", Unique: []string{"text"}}}
}

func TestInTenant(t *testing.T) {
	t.Parallel()
	platform := apptest.Start(t)
	for _, isolation := range []app.Isolation{app.Pool, app.Bridge, app.Silo} {
		t.Run("two tenants of isolation "+string(isolation)+" do not see each other's rows", func(t *testing.T) {
			db := platform.Databases(t, notes())
			one := platform.Tenant(t, "one_"+string(isolation), isolation)
			two := platform.Tenant(t, "two_"+string(isolation), isolation)
			// The same text in both: what identifies a row does so within a tenant.
			write(t, db, one, "same")
			write(t, db, two, "same")
			write(t, db, one, "of one")
			require.Equal(t, []string{"of one", "same"}, read(t, db, one))
			require.Equal(t, []string{"same"}, read(t, db, two))
		})
		t.Run("many replicas may use a new tenant of isolation "+string(isolation)+" at once", func(t *testing.T) {
			tenant := platform.Tenant(t, "crowd_"+string(isolation), isolation)
			var group errgroup.Group
			for range 6 { // with a connection each, far below PostgreSQL's 100
				db := platform.Databases(t, append(notes(), app.Table{
					Name: "crowd_" + string(isolation), Columns: "id bigint", Unique: []string{"id"},
				}))
				group.Go(func() error {
					return db.InTenant(t.Context(), tenant, func(tx pgx.Tx) error {
						_, err := tx.Exec(t.Context(), "SELECT count(*) FROM notes")
						return err
					})
				})
			}
			require.NoError(t, group.Wait())
		})
	}
	t.Run("a connection does not stay a tenant's", func(t *testing.T) {
		config, err := pgx.ParseConfig(platform.URL)
		require.NoError(t, err)
		db := platform.Databases(t, nil)
		tenant := platform.Tenant(t, "brief", app.Bridge)
		var role, path string
		require.NoError(t, db.InTenant(t.Context(), tenant, func(tx pgx.Tx) error {
			// Ends the transaction on the connection, to see what the next user of the connection would start with.
			_, err := tx.Exec(t.Context(), "COMMIT")
			return errors.Join(err, tx.QueryRow(t.Context(), "SELECT current_user, current_setting('search_path')").Scan(&role, &path))
		}))
		require.Equal(t, config.User, role)
		require.NotContains(t, path, "brief")
	})
	t.Run("an error takes everything back", func(t *testing.T) {
		db := platform.Databases(t, notes())
		tenant := platform.Tenant(t, "undo", app.Bridge)
		failure := errors.New("changed my mind")
		err := db.InTenant(t.Context(), tenant, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO notes (text) VALUES ('gone')")
			return errors.Join(err, failure)
		})
		require.ErrorIs(t, err, failure)
		require.Empty(t, read(t, db, tenant))
	})
	t.Run("a tenant that was deleted and made again gets its tables again", func(t *testing.T) {
		db := platform.Databases(t, notes())
		tenant := platform.Tenant(t, "phoenix", app.Bridge)
		write(t, db, tenant, "old")
		platform.Exec(t, "", "DROP SCHEMA tenant_phoenix CASCADE; CREATE SCHEMA tenant_phoenix AUTHORIZATION tenant_phoenix")
		require.Empty(t, read(t, db, tenant))
	})
	t.Run("a role that the service may not become is an error", func(t *testing.T) {
		db := platform.Databases(t, notes())
		tenant := platform.Tenant(t, "locked", app.Bridge)
		platform.Exec(t, "", "REVOKE tenant_locked FROM synapse_app")
		err := db.InTenant(t.Context(), tenant, func(pgx.Tx) error { return nil })
		require.ErrorContains(t, err, `becoming role "tenant_locked"`)
	})
}

func write(t *testing.T, db *app.Databases, tenant app.Tenant, text string) {
	t.Helper()
	require.NoError(t, db.InTenant(t.Context(), tenant, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO notes (text) VALUES ($1)", text)
		return err
	}))
}

func read(t *testing.T, db *app.Databases, tenant app.Tenant) []string {
	t.Helper()
	var texts []string
	require.NoError(t, db.InTenant(t.Context(), tenant, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT text FROM notes ORDER BY text")
		if err != nil {
			return err
		}
		texts, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	}))
	return texts
}
