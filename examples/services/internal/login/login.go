// Package login is the login of a tenant's users: the part of the monolith that became the auth service. Both serve it,
// on the same tables, so that traffic can move from one to the other while users stay logged in.
package login

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/apex-innovations/terraform-provider-synapse/examples/services/internal/app"
)

// sessionTTL is how long a session lasts.
const sessionTTL = 12 * time.Hour

// Passwords are at least as long as NIST SP 800-63B asks; the upper bound only limits the work of hashing.
const minPassword, maxPassword = 8, 256

// Tables are the tables that login needs.
func Tables() []app.Table {
	return []app.Table{
		{Name: "users", Unique: []string{"email"}, Columns: `
			id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			email         text NOT NULL,
			password_hash text NOT NULL,
			created_at    timestamptz NOT NULL DEFAULT now()`},
		{Name: "sessions", Unique: []string{"token_hash"}, Columns: `
			id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			user_id    bigint NOT NULL,
			token_hash bytea NOT NULL,
			expires_at timestamptz NOT NULL`},
	}
}

// login serves POST /users, POST /login and GET /session.
type login struct {
	db         *app.Databases
	iterations int
	fails      func() bool // whether the next login or session check fails on purpose
	decoy      string      // hash that the password of an unknown user is compared with
}

// Serve adds POST /users, POST /login and GET /session to a server.
func Serve(s *app.Server, db *app.Databases, config app.Config) error {
	return serve(s, db, config.FailPercent, defaultIterations)
}

func serve(s *app.Server, db *app.Databases, failPercent, iterations int) error {
	decoy, err := hashPassword(rand.Text(), iterations)
	if err != nil {
		return err
	}
	fails := func() bool { return mathrand.IntN(100) < failPercent }
	l := &login{db: db, iterations: iterations, fails: fails, decoy: decoy}
	s.Handle("POST /users", l.register)
	s.Handle("POST /login", l.login)
	s.Handle("GET /session", l.session)
	return nil
}

type credentials struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

func readCredentials(r *http.Request) (credentials, error) {
	var c credentials
	if err := app.Decode(r, &c); err != nil {
		return c, err
	}
	address, err := mail.ParseAddress(c.Email)
	if err != nil || address.Address != c.Email || len(c.Email) > 254 {
		return c, app.BadRequest("email %q is not an address such as ada@example.com", c.Email)
	}
	if n := len(c.Password); n < minPassword || n > maxPassword {
		return c, app.BadRequest("password has %d bytes: it must have %d to %d", n, minPassword, maxPassword)
	}
	c.Email = strings.ToLower(c.Email)
	return c, nil
}

type user struct {
	ID    int64  `json:"id"`
	Email string `json:"email"`
}

func (l *login) register(w http.ResponseWriter, r *http.Request, t app.Tenant) error {
	c, err := readCredentials(r)
	if err != nil {
		return err
	}
	hash, err := hashPassword(c.Password, l.iterations)
	if err != nil {
		return err
	}
	created := user{Email: c.Email}
	err = l.db.InTenant(r.Context(), t, func(tx pgx.Tx) error {
		return tx.QueryRow(r.Context(), "INSERT INTO users (email, password_hash) VALUES ($1, $2) RETURNING id",
			c.Email, hash).Scan(&created.ID)
	})
	if err != nil {
		return err
	}
	return app.Write(w, http.StatusCreated, created)
}

type session struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (l *login) login(w http.ResponseWriter, r *http.Request, t app.Tenant) error {
	c, err := readCredentials(r)
	if err != nil {
		return err
	}
	if l.fails() {
		return errOnPurpose()
	}
	id, err := l.authenticate(r, t, c)
	if err != nil {
		return err
	}
	s := session{Token: rand.Text()}
	err = l.db.InTenant(r.Context(), t, func(tx pgx.Tx) error {
		if _, err := tx.Exec(r.Context(), "DELETE FROM sessions WHERE user_id = $1 AND expires_at < now()", id); err != nil {
			return err
		}
		return tx.QueryRow(r.Context(), `INSERT INTO sessions (user_id, token_hash, expires_at)
			VALUES ($1, $2, now() + make_interval(secs => $3)) RETURNING expires_at`,
			id, hashToken(s.Token), sessionTTL.Seconds()).Scan(&s.ExpiresAt)
	})
	if err != nil {
		return err
	}
	return app.Write(w, http.StatusOK, s)
}

func errOnPurpose() error {
	return app.Refuse(http.StatusInternalServerError, "this version fails on purpose (FAIL_PERCENT)")
}

// authenticate returns the user's id. The password is hashed between two transactions, not within one, since it takes
// a tenth of a second; and also when there is no such user, so that the time taken tells nobody who has an account.
func (l *login) authenticate(r *http.Request, t app.Tenant, c credentials) (int64, error) {
	var id int64
	hash := l.decoy
	err := l.db.InTenant(r.Context(), t, func(tx pgx.Tx) error {
		return tx.QueryRow(r.Context(), "SELECT id, password_hash FROM users WHERE email = $1", c.Email).Scan(&id, &hash)
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, err
	}
	unknown := err != nil
	matches, err := checkPassword(c.Password, hash)
	if err != nil {
		return 0, err
	}
	if unknown || !matches {
		return 0, app.Refuse(http.StatusUnauthorized, "email or password is wrong")
	}
	return id, nil
}

func (l *login) session(w http.ResponseWriter, r *http.Request, t app.Tenant) error {
	if l.fails() {
		return errOnPurpose()
	}
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return app.Refuse(http.StatusUnauthorized, "send the token of POST /login as Authorization: Bearer TOKEN")
	}
	var u user
	err := l.db.InTenant(r.Context(), t, func(tx pgx.Tx) error {
		return tx.QueryRow(r.Context(), `SELECT u.id, u.email FROM sessions s JOIN users u ON u.id = s.user_id
			WHERE s.token_hash = $1 AND s.expires_at > now()`, hashToken(token)).Scan(&u.ID, &u.Email)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return app.Refuse(http.StatusUnauthorized, "the session does not exist or has ended: log in again")
	}
	if err != nil {
		return err
	}
	return app.Write(w, http.StatusOK, u)
}

// hashToken is what is stored of a session's token: whoever reads the table cannot use it. A token has 128 random bits
// and more, so a fast hash is enough.
func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
