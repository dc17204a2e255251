package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/atomicfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// AdminTokenFile is the file in the data directory that the first start writes the admin token to.
const AdminTokenFile = "admin.token"

// ensureAdminToken makes the token of the first start, and another one when none is left by which somebody may administer the
// control plane. The file is written before the store, so that a crash in between is mended by the next start. Otherwise the file says
// nothing: the token in it may have been revoked.
func ensureAdminToken(ctx context.Context, s store.Tokens, dir string, now time.Time, log *slog.Logger) error {
	tokens, err := s.ListTokens(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, AdminTokenFile)
	secret, err := os.ReadFile(path)
	missing := errors.Is(err, os.ErrNotExist)
	if err != nil && !missing {
		return fmt.Errorf("reading the admin token: %w", err)
	}
	if slices.ContainsFunc(tokens, func(t synapse.Token) bool { return t.Role == synapse.RoleAdmin && isValid(t, now) }) {
		if _, err := s.TokenByHash(ctx, hashOf(secret)); !missing && errors.Is(err, store.ErrNotFound) {
			log.Warn("the token in the file is no longer valid: remove the file, or write a valid token to it", "file", path)
		}
		return nil
	}
	if missing || len(tokens) > 0 {
		secret = []byte(api.NewSecret())
		if err := atomicfile.Write(path, append(secret, '\n')); err != nil {
			return fmt.Errorf("writing the admin token: %w", err)
		}
	}
	token := synapse.Token{Name: freeName(tokens), Role: synapse.RoleAdmin, CreatedAt: now}
	if err := s.InsertToken(ctx, token, hashOf(secret)); err != nil {
		return err
	}
	log.Info("an admin token was written, since there was none", "name", token.Name, "file", path)
	return nil
}

// hashOf is the hash of the secret in a token file.
func hashOf(content []byte) string { return api.HashSecret(strings.TrimSpace(string(content))) }

func isValid(t synapse.Token, now time.Time) bool {
	return t.ExpiresAt == nil || now.Before(*t.ExpiresAt)
}

// freeName is admin, or admin-2 and so on where there is such a token.
func freeName(tokens []synapse.Token) string {
	name := "admin"
	for n := 2; slices.ContainsFunc(tokens, func(t synapse.Token) bool { return t.Name == name }); n++ {
		name = fmt.Sprintf("admin-%d", n)
	}
	return name
}

// authenticate finds tokens by their secrets, for the console.
func authenticate(s store.Tokens, now func() time.Time) func(context.Context, string) (synapse.Token, bool) {
	return func(ctx context.Context, secret string) (synapse.Token, bool) {
		token, err := s.TokenByHash(ctx, api.HashSecret(secret))
		if err != nil || !isValid(token, now()) {
			return synapse.Token{}, false
		}
		return token, true
	}
}
