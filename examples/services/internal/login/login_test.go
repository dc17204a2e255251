package login

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/apptest"
)

func newService(t *testing.T, db *app.Databases, failPercent int) *app.Server {
	t.Helper()
	server := app.NewServer(app.Config{Service: "auth"}, db, slog.New(slog.DiscardHandler))
	require.NoError(t, serve(server, db, failPercent, fewIterations))
	return server
}

func TestLogin(t *testing.T) {
	t.Parallel()
	platform := apptest.Start(t)
	db := platform.Databases(t, Tables())
	service := newService(t, db, 0)
	acme := platform.Tenant(t, "acme", app.Pool)
	globex := platform.Tenant(t, "globex", app.Pool)
	const ada = `{"email": "Ada@example.com", "password": "correct horse"}`
	post := func(t *testing.T, tenant app.Tenant, path, body string, want int) string {
		t.Helper()
		status, answer := apptest.Do(t, service, tenant, http.MethodPost, path, body)
		require.Equal(t, want, status, answer)
		return answer
	}
	post(t, acme, "/users", ada, http.StatusCreated)

	t.Run("a user logs in and the session's token says who it is", func(t *testing.T) {
		var s session
		require.NoError(t, json.Unmarshal([]byte(post(t, acme, "/login", ada, http.StatusOK)), &s))
		status, answer := apptest.Do(t, service, acme, http.MethodGet, "/session", "", "Authorization", "Bearer "+s.Token)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, answer, "ada@example.com")

		status, _ = apptest.Do(t, service, globex, http.MethodGet, "/session", "", "Authorization", "Bearer "+s.Token)
		require.Equal(t, http.StatusUnauthorized, status, "a token of one tenant is none of another")
	})
	t.Run("neither the password nor the token is stored", func(t *testing.T) {
		var s session
		require.NoError(t, json.Unmarshal([]byte(post(t, acme, "/login", ada, http.StatusOK)), &s))
		require.NoError(t, db.InTenant(t.Context(), acme, func(tx pgx.Tx) error {
			var found int
			err := tx.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM users u WHERE u::text LIKE '%correct horse%')
				+ (SELECT count(*) FROM sessions WHERE token_hash = convert_to($1, 'UTF8'))`, s.Token).Scan(&found)
			require.Zero(t, found)
			return err
		}))
	})
	t.Run("a session that has ended is refused", func(t *testing.T) {
		var s session
		require.NoError(t, json.Unmarshal([]byte(post(t, acme, "/login", ada, http.StatusOK)), &s))
		require.NoError(t, db.InTenant(t.Context(), acme, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE sessions SET expires_at = now() WHERE token_hash = $1", hashToken(s.Token))
			return err
		}))
		status, _ := apptest.Do(t, service, acme, http.MethodGet, "/session", "", "Authorization", "Bearer "+s.Token)
		require.Equal(t, http.StatusUnauthorized, status)
	})
	t.Run("the same address may be a user of two tenants", func(t *testing.T) {
		post(t, globex, "/users", ada, http.StatusCreated)
	})
	refused := map[string]struct {
		path, body string
		status     int
	}{
		"a user that exists is a conflict":     {"/users", ada, http.StatusConflict},
		"a wrong password is refused":          {"/login", `{"email": "ada@example.com", "password": "wrong horse"}`, http.StatusUnauthorized},
		"an unknown user is refused":           {"/login", `{"email": "bob@example.com", "password": "wrong horse"}`, http.StatusUnauthorized},
		"an address that is none is refused":   {"/users", `{"email": "ada", "password": "correct horse"}`, http.StatusBadRequest},
		"a name with an address is refused":    {"/users", `{"email": "Ada <ada@example.com>", "password": "correct horse"}`, http.StatusBadRequest},
		"a short password is refused":          {"/users", `{"email": "bob@example.com", "password": "horse"}`, http.StatusBadRequest},
		"a body that is not JSON is refused":   {"/users", `email=ada`, http.StatusBadRequest},
		"a field that is not known is refused": {"/login", `{"user": "ada@example.com"}`, http.StatusBadRequest},
	}
	for name, test := range refused {
		t.Run(name, func(t *testing.T) { post(t, acme, test.path, test.body, test.status) })
	}
	t.Run("a session needs a token", func(t *testing.T) {
		status, _ := apptest.Do(t, service, acme, http.MethodGet, "/session", "")
		require.Equal(t, http.StatusUnauthorized, status)
	})
	t.Run("FAIL_PERCENT fails logins and session checks, and nothing else", func(t *testing.T) {
		failing := newService(t, db, 100)
		status, _ := apptest.Do(t, failing, acme, http.MethodPost, "/login", ada)
		require.Equal(t, http.StatusInternalServerError, status)
		status, _ = apptest.Do(t, failing, acme, http.MethodGet, "/session", "")
		require.Equal(t, http.StatusInternalServerError, status)
		status, _ = apptest.Do(t, failing, acme, http.MethodGet, "/healthz", "")
		require.Equal(t, http.StatusOK, status)
	})
}
