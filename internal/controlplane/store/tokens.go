package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Without a conflict target: a secret that another token has is refused as well.
const insertToken = `INSERT INTO tokens (name, secret_hash, role, created_at, expires_at)
	VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`

// InsertToken implements [Tokens].
func (d *database) InsertToken(ctx context.Context, t synapse.Token, secretHash string) error {
	if !storable(t.Name, string(t.Role), secretHash) {
		return fmt.Errorf("insert token %q: it contains a zero byte or text that is not UTF-8", t.Name)
	}
	return d.writer.do(ctx, func(tx *transaction) error {
		inserted, err := affected(tx.querier.exec(ctx, insertToken, t.Name, secretHash, string(t.Role),
			encodeTime(t.CreatedAt), encodeOptionalTime(t.ExpiresAt)))
		if err != nil {
			return fmt.Errorf("insert token %q: %w", t.Name, err)
		}
		if inserted == 0 {
			return fmt.Errorf("token %q: %w", t.Name, ErrExists)
		}
		return nil
	})
}

const (
	tokenByHash = `SELECT name, role, created_at, expires_at FROM tokens WHERE secret_hash = $1`
	listTokens  = `SELECT name, role, created_at, expires_at FROM tokens ORDER BY name`
	deleteToken = `DELETE FROM tokens WHERE name = $1`
)

// TokenByHash implements [Tokens].
func (d *database) TokenByHash(ctx context.Context, secretHash string) (synapse.Token, error) {
	if !storable(secretHash) {
		return synapse.Token{}, fmt.Errorf("token: %w", ErrNotFound)
	}
	t, err := scanToken(func(dest ...any) error {
		return d.querier.queryRow(ctx, tokenByHash, []any{secretHash}, dest...)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return synapse.Token{}, fmt.Errorf("token: %w", ErrNotFound)
	}
	if err != nil {
		return synapse.Token{}, fmt.Errorf("read token: %w", err)
	}
	return t, nil
}

// ListTokens implements [Tokens].
func (d *database) ListTokens(ctx context.Context) ([]synapse.Token, error) {
	tokens, err := collect(ctx, d.querier, scanToken, listTokens)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

// DeleteToken implements [Tokens].
func (d *database) DeleteToken(ctx context.Context, name string) error {
	if !storable(name) {
		return fmt.Errorf("token %q: %w", name, ErrNotFound)
	}
	return d.writer.do(ctx, func(tx *transaction) error {
		deleted, err := affected(tx.querier.exec(ctx, deleteToken, name))
		if err != nil {
			return fmt.Errorf("delete token %q: %w", name, err)
		}
		if deleted == 0 {
			return fmt.Errorf("token %q: %w", name, ErrNotFound)
		}
		return nil
	})
}

func scanToken(scan func(dest ...any) error) (t synapse.Token, err error) {
	var created string
	var expires sql.NullString
	if err := scan(&t.Name, &t.Role, &created, &expires); err != nil {
		return synapse.Token{}, err
	}
	if t.CreatedAt, err = decodeTime(created); err != nil {
		return synapse.Token{}, err
	}
	t.ExpiresAt, err = decodeOptionalTime(expires)
	return t, err
}
