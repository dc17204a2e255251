package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations
var migrationFiles embed.FS

// sqliteReaders is how many lists and reads run at once; SQLite's readers never block each other or the writer.
const sqliteReaders = 8

// sqliteBusyTimeout is how long a statement waits for another process that holds the lock, such as a backup.
const sqliteBusyTimeout = 5 * time.Second

func sqliteDialect() (dialect, error) {
	migrations, err := fs.Sub(migrationFiles, "migrations/sqlite")
	if err != nil {
		return dialect{}, fmt.Errorf("find the migrations of SQLite: %w", err)
	}
	return dialect{
		goose: "sqlite3", migrations: migrations,
		// IMMEDIATE takes the write lock at once, as a transaction that first reads cannot wait for it later.
		begin:     []string{"BEGIN IMMEDIATE"},
		transient: sqliteTransient,
	}, nil
}

// sqliteTransient: another process holds the lock for longer than busy_timeout.
func sqliteTransient(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	const primary = 0xff // the low byte; the others say more of the cause
	code := e.Code() & primary
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}

func openSQLite(ctx context.Context, path string, log *slog.Logger) (_ Store, err error) {
	if path == ":memory:" {
		return nil, errors.New("the store needs a file, not :memory:: what is written must outlive the process")
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("find the SQLite database: %w", err)
	}
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	d, err := sqliteDialect()
	if err != nil {
		return nil, err
	}
	// temp_store is for the journal of savepoints, which SQLite would otherwise write to a file.
	writes, err := sqlitePool(path, 1, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"temp_store(MEMORY)", "cache_size(-16384)", "journal_size_limit(67108864)")
	if err != nil {
		return nil, err
	}
	reads, err := sqlitePool(path, sqliteReaders, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, writes.Close())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, reads.Close(), writes.Close())
		}
	}()
	mode, err := journalMode(ctx, writes)
	if err != nil {
		if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_NOTADB {
			return nil, fmt.Errorf("%s is not an SQLite database: name another file, or remove it", path)
		}
		return nil, fmt.Errorf("open the SQLite database %s: %w", path, err)
	}
	if mode != "wal" {
		return nil, fmt.Errorf("the file system of %s does not support SQLite's write-ahead log (journal_mode is %s): put the file on a local disk", path, mode)
	}
	if err := migrate(ctx, d, writes, log); err != nil {
		return nil, fmt.Errorf("SQLite database %s: %w", path, err)
	}
	return newDatabase(d, reads, writes, log), nil
}

// journalMode makes the first connection, which sets up the write-ahead log. While another process does the same SQLite
// refuses at once and does not wait for the busy_timeout.
func journalMode(ctx context.Context, db *sql.DB) (mode string, err error) {
	for deadline := time.Now().Add(sqliteBusyTimeout); ; {
		err = db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
		if err == nil || !sqliteTransient(err) || time.Now().After(deadline) {
			return mode, err
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// createPrivate creates the file for its owner alone when it is missing: it holds hashes of tokens. SQLite gives its
// companion files the same mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the directory of the SQLite database %s does not exist: create it first", path)
	}
	if err != nil {
		return fmt.Errorf("open the SQLite database: %w", err)
	}
	return f.Close()
}

func sqlitePool(path string, connections int, pragmas ...string) (*sql.DB, error) {
	busy := fmt.Sprintf("busy_timeout(%d)", sqliteBusyTimeout.Milliseconds())
	// _txlock is for the migrations, whose transactions database/sql begins.
	parameters := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{busy}, pragmas...)}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + parameters.Encode()
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("configure SQLite: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}
