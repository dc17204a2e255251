package login

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// fewIterations keeps tests fast; the format carries the number.
const fewIterations = 10

func TestPassword(t *testing.T) {
	t.Parallel()
	t.Run("only the password that was hashed matches", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			password, other := rapid.String().Draw(t, "password"), rapid.String().Draw(t, "other")
			hash, err := hashPassword(password, fewIterations)
			require.NoError(t, err)
			matches, err := checkPassword(other, hash)
			require.NoError(t, err)
			// HMAC pads keys with zero bytes: passwords that differ in trailing ones only are the same key.
			require.Equal(t, strings.TrimRight(password, "\x00") == strings.TrimRight(other, "\x00"), matches)
			matches, err = checkPassword(password, hash)
			require.NoError(t, err)
			require.True(t, matches)
		})
	})
	t.Run("a password hashed twice gives two hashes", func(t *testing.T) {
		t.Parallel()
		one, err := hashPassword("correct horse", fewIterations)
		require.NoError(t, err)
		two, err := hashPassword("correct horse", fewIterations)
		require.NoError(t, err)
		require.NotEqual(t, one, two)
	})
	for _, hash := range []string{"", "plain", "md5$1$c2FsdA$a2V5", "pbkdf2-sha512$0$c2FsdA$a2V5", "pbkdf2-sha512$x$c2FsdA$a2V5", "pbkdf2-sha512$1$c2FsdA$", "pbkdf2-sha512$1$!$!"} {
		t.Run("the stored hash "+hash+" is an error, not a mismatch", func(t *testing.T) {
			t.Parallel()
			_, err := checkPassword("anything", hash)
			require.ErrorIs(t, err, errHash)
		})
	}
}
