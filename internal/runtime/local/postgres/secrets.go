package postgres

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

// secrets is a directory of passwords, one in each file, which only the daemon's user can read.
type secrets struct{ dir string }

func openSecrets(dir string) (secrets, error) {
	for _, d := range []string{dir, filepath.Join(dir, "tenants")} {
		if err := makeDir(d, 0o700); err != nil {
			return secrets{}, err
		}
	}
	return secrets{dir}, nil
}

// ensure returns a password, and makes it when it is missing.
func (s secrets) ensure(name string) (password string, made bool, err error) {
	content, err := os.ReadFile(s.path(name))
	if err == nil {
		return string(content), false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("reading the password of %s: %w", name, err)
	}
	// 26 characters of base32 are 130 bits.
	password = rand.Text()
	if _, err := (*pgserver.User)(nil).WriteFile(s.path(name), password); err != nil {
		return "", false, fmt.Errorf("keeping the password of %s: %w", name, err)
	}
	return password, true, nil
}

func (s secrets) remove(name string) error {
	if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the password of %s: %w", name, err)
	}
	return nil
}

func (s secrets) path(name string) string { return filepath.Join(s.dir, name) }

// tenantSecret is the name of the password of the login that a tenant's own compute uses.
func tenantSecret(tenant string) string { return filepath.Join("tenants", tenant) }

// scramIterations is what PostgreSQL uses itself. Passwords here are random, so more would only slow down connecting.
const scramIterations = 4096

// scramVerifier is what PostgreSQL stores of a password (RFC 5803, and "Client Authentication Problems" in its manual).
// It is sent instead of the password, so that no statement, and thus no log, ever holds one.
func scramVerifier(password string, salt []byte) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramIterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("deriving the verifier of a password: %w", err)
	}
	stored := sha256.Sum256(keyedHash(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", scramIterations,
		encode(salt), encode(stored[:]), encode(keyedHash(salted, "Server Key"))), nil
}

// newVerifier is the verifier of a password with a random salt, as an SQL literal.
func newVerifier(password string) (string, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	verifier, err := scramVerifier(password, salt)
	return literal(verifier), err
}

func keyedHash(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}
