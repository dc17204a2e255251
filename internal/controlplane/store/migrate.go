package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/pressly/goose/v3"
)

// migrate brings the schema up to date, or returns an error when a newer release wrote it.
func migrate(ctx context.Context, d dialect, db *sql.DB, log *slog.Logger) error {
	options := []goose.ProviderOption{goose.WithSlog(log), goose.WithDisableGlobalRegistry(true)}
	if d.locker != nil {
		options = append(options, goose.WithSessionLocker(d.locker))
	}
	provider, err := goose.NewProvider(goose.Dialect(d.goose), db, d.migrations, options...)
	if err != nil {
		return fmt.Errorf("set up migrations: %w", err)
	}
	// The provider is not closed: that would close db.
	for before := int64(-1); ; {
		current, newest, err := provider.GetVersions(ctx)
		if err != nil {
			return fmt.Errorf("read the version of the schema: %w", err)
		}
		switch {
		case current > newest:
			return fmt.Errorf("the schema has version %d and this release knows versions up to %d: install the release that wrote it, or a newer one",
				current, newest)
		case current == newest:
			return nil
		}
		_, failure := provider.Up(ctx)
		// Where nothing locks the schema, another process that migrates at the same time makes this one fail: what the
		// other has left is tried again, until nobody makes progress.
		if failure != nil && current == before {
			return fmt.Errorf("migrate the schema from version %d to %d: %w", current, newest, failure)
		}
		before = current
	}
}
