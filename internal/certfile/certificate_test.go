package certfile

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certtest"
)

func TestARenewalToACertificateThatIsNotValidNowWaits(t *testing.T) {
	t.Parallel()
	pair := certtest.NewPair(t, "first")
	var log bytes.Buffer
	certificate, err := Load(pair.ChainFile, pair.KeyFile, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	now := time.Now()
	certificate.now = func() time.Time { return now }
	served := func() string {
		current, err := certificate.Get(nil)
		require.NoError(t, err)
		return current.Leaf.Subject.CommonName
	}
	pair.RenewFor(t, "expired", now.Add(-48*time.Hour), now.Add(-24*time.Hour))
	require.Equal(t, "first", served(), "clients would refuse an expired one")
	require.Contains(t, log.String(), "expired at")
	pair.RenewFor(t, "early", now.Add(30*time.Minute), now.Add(24*time.Hour))
	require.Equal(t, "first", served(), "clients would refuse one that is not valid yet")
	require.Contains(t, log.String(), "is not valid before")
	now = now.Add(45 * time.Minute)
	require.Equal(t, "early", served(), "its time has come, and the files did not change again")
	now = now.Add(30 * 24 * time.Hour)
	pair.RenewFor(t, "late", now.Add(-48*time.Hour), now.Add(-24*time.Hour))
	require.Equal(t, "late", served(), "of two that are expired, the newer one is what the operator meant")
}

func TestTheStartSaysThatTheCertificateIsNotValidNow(t *testing.T) {
	t.Parallel()
	pair := certtest.NewPair(t, "expired")
	pair.RenewFor(t, "expired", time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour))
	var log bytes.Buffer
	_, err := Load(pair.ChainFile, pair.KeyFile, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err, "the entry without TLS goes on serving")
	require.Contains(t, log.String(), "level=WARN")
	require.Contains(t, log.String(), "expired at")
}

func TestACertificateThatCannotBeUsedIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	pair, other := certtest.NewPair(t, "one"), certtest.NewPair(t, "other")
	absent := filepath.Join(t.TempDir(), "absent.pem")
	for _, test := range []struct{ name, chain, key, fault string }{
		{"a file that is not there", absent, pair.KeyFile, absent},
		{"a key that is not there", pair.ChainFile, absent, absent},
		{"the key of another certificate", pair.ChainFile, other.KeyFile, "does not match"},
		{"a key in place of the certificate", pair.KeyFile, pair.KeyFile, pair.KeyFile},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(test.chain, test.key, slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, test.fault)
		})
	}
}
