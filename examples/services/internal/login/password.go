package login

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// defaultIterations is what OWASP's Password Storage Cheat Sheet asks of PBKDF2 with HMAC-SHA-512.
const defaultIterations = 210_000

const (
	scheme     = "pbkdf2-sha512"
	saltLength = 16
	keyLength  = 32
)

// errHash reports a stored hash of another form.
var errHash = errors.New("the stored password hash cannot be read")

// hashPassword returns scheme$iterations$salt$key, so that the number of iterations can grow without losing anybody.
func hashPassword(password string, iterations int) (string, error) {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails: see crypto/rand.Read
	key, err := pbkdf2.Key(sha512.New, password, salt, iterations, keyLength)
	if err != nil {
		return "", fmt.Errorf("hashing the password: %w", err)
	}
	encode := base64.RawStdEncoding.EncodeToString
	return strings.Join([]string{scheme, strconv.Itoa(iterations), encode(salt), encode(key)}, "$"), nil
}

// checkPassword reports whether the password is the one that was hashed.
func checkPassword(password, hash string) (bool, error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 4 || parts[0] != scheme {
		return false, errHash
	}
	iterations, err := strconv.Atoi(parts[1])
	if err != nil || iterations < 1 {
		return false, errHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[2])
	want, keyErr := base64.RawStdEncoding.DecodeString(parts[3])
	if saltErr != nil || keyErr != nil || len(want) != keyLength {
		return false, errHash
	}
	got, err := pbkdf2.Key(sha512.New, password, salt, iterations, keyLength)
	if err != nil {
		return false, fmt.Errorf("hashing the password: %w", err)
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}
