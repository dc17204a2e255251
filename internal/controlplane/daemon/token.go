package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// AdminTokenFile is the file in the data directory that the first start writes the admin token to.
const AdminTokenFile = "admin.token"

// ensureAdminToken makes the token of the first start. The file is written before the store, so that a crash in between
// is mended by the next start. A store that has tokens already is left alone when the file is missing: its owner moved it.
func ensureAdminToken(ctx context.Context, s store.Tokens, dir string, now time.Time) (path string, created bool, err error) {
	path = filepath.Join(dir, AdminTokenFile)
	secret, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		tokens, err := s.ListTokens(ctx)
		if err != nil || len(tokens) > 0 {
			return path, false, err
		}
		secret = []byte(api.NewSecret())
		if err := atomicfile.Write(path, append(secret, '\n')); err != nil {
			return path, false, fmt.Errorf("writing the admin token: %w", err)
		}
	} else if err != nil {
		return path, false, fmt.Errorf("reading the admin token: %w", err)
	}
	err = s.InsertToken(ctx, synapse.Token{Name: "admin", Role: synapse.RoleAdmin, CreatedAt: now}, api.HashSecret(strings.TrimSpace(string(secret))))
	if errors.Is(err, store.ErrExists) {
		return path, false, nil
	}
	return path, err == nil, err
}

// authenticate finds tokens by their secrets, for the console.
func authenticate(s store.Tokens, now func() time.Time) func(context.Context, string) (synapse.Token, bool) {
	return func(ctx context.Context, secret string) (synapse.Token, bool) {
		token, err := s.TokenByHash(ctx, api.HashSecret(secret))
		if err != nil || token.ExpiresAt != nil && !now().Before(*token.ExpiresAt) {
			return synapse.Token{}, false
		}
		return token, true
	}
}
