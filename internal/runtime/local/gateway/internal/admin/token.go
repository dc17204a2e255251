package admin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// minTokenLength is 128 bits written in hexadecimal.
const minTokenLength = 32

// ReadToken reads the secret that the daemon, the gateways and the entry share. It refuses a file that others may
// read, and a secret that is too short to be random.
func ReadToken(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("read the token file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("the token file %s may be read by other users: chmod 600 it", file)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the token file: %w", err)
	}
	token := strings.TrimSpace(string(content))
	if len(token) < minTokenLength {
		return "", fmt.Errorf("the token in %s has %d characters: it needs at least %d random ones", file, len(token), minTokenLength)
	}
	return token, nil
}

// Derive returns a token for one purpose, from which the shared one cannot be found: whoever sees it gains that purpose
// and not the admin port.
func Derive(token, purpose string) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte(purpose))
	return hex.EncodeToString(mac.Sum(nil))
}
