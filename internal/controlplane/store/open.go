package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

const dsnForms = "write sqlite:///path/file.db, a path, or postgres://user@host:port/database"

// Open opens the database that dsn names, brings its schema up to date and returns it as a store. dsn is
// sqlite:///path/file.db or a plain path, which is created when missing, or postgres://user:password@host:port/database.
// It fails when the schema was written by a newer release. No error contains the password.
func Open(ctx context.Context, dsn string, log *slog.Logger) (Store, error) {
	path, err := parseDSN(dsn)
	switch {
	case err != nil:
		return nil, err
	case path != "":
		return openSQLite(ctx, path, log)
	}
	return openPostgres(ctx, dsn, log)
}

// parseDSN returns the path of an SQLite database, or nothing for PostgreSQL.
func parseDSN(dsn string) (path string, err error) {
	scheme, _, found := strings.Cut(dsn, "://")
	switch {
	case dsn == "":
		return "", errors.New("the database is not named: " + dsnForms)
	case !found:
		return dsn, nil
	case scheme == "sqlite":
		return sqlitePath(dsn)
	case scheme == "postgres" || scheme == "postgresql":
		return "", nil
	}
	return "", fmt.Errorf("there is no support for databases of scheme %q: %s", scheme, dsnForms)
}

// sqlitePath returns the path in a DSN of the form sqlite:///path/file.db.
func sqlitePath(dsn string) (string, error) {
	u, err := url.Parse(dsn)
	switch {
	case err != nil:
		// What url.Parse says repeats the whole DSN, which is none of the log's business.
		return "", errors.New("the SQLite DSN is not a URL: write sqlite:///path/file.db, with % signs as %25")
	case u.Host != "" || u.User != nil:
		return "", errors.New("the SQLite DSN names a host: write three slashes and an absolute path, sqlite:///path/file.db")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("the SQLite DSN has parameters, which are not supported: write sqlite:///path/file.db, with ? as %3F and # as %23")
	case u.Path == "" || u.Path == "/":
		return "", errors.New("the SQLite DSN names no file: write sqlite:///path/file.db")
	}
	return u.Path, nil
}
