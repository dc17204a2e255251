package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
)

// session is the writer's connection with the statements prepared on it.
type session struct {
	*prepared
	conn *sql.Conn
}

func openSession(ctx context.Context, db *sql.DB) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a connection: %w", err)
	}
	return &session{prepared: newPrepared(conn), conn: conn}, nil
}

// close ends the connection itself, so that no other transaction inherits its state.
func (s *session) close() {
	// SQLite keeps a closed connection, with its transaction and its lock, for as long as it has statements.
	s.prepared.close()
	// Returning ErrBadConn is how database/sql is told not to reuse a connection; it is no failure.
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = s.conn.Close()
}
