package daemon

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

func TestWhoIsBelievedIsReadFromFlagsAndFiles(t *testing.T) {
	t.Parallel()
	write := func(content string) string {
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		return file
	}
	const secret = "0123456789abcdef0123456789abcdef"
	config, err := IdentityOptions{
		TrustedProxies: []string{"10.0.0.0/8"}, ProxyTokenFile: write(secret + "\n"), TenantFrom: []string{"trusted-header", "jwt"},
		Issuer: "https://login.example.com", Audiences: []string{"shop"}, Claim: "tenant", Cookie: "session",
	}.config()
	require.NoError(t, err)
	require.Equal(t, identity.HashProxyToken(secret), config.ProxyTokenHash, "the token itself is on no gateway's disk")
	require.Equal(t, &identity.TokenConfig{Issuer: "https://login.example.com", Audiences: []string{"shop"}, Claim: "tenant", Cookie: "session"}, config.Token)
	require.Equal(t, []string{"trusted-header", "jwt"}, tenantFrom(&config))

	config, err = IdentityOptions{TenantFrom: []string{"jwt"}, Issuer: "https://login.example.com", Audiences: []string{"shop"}}.config()
	require.NoError(t, err)
	require.Equal(t, "tenant", config.Token.Claim, "by default")

	for says, options := range map[string]IdentityOptions{
		"it needs at least 32":                                                {TrustedProxies: []string{"10.0.0.0/8"}, ProxyTokenFile: write("short")},
		"--trusted-proxy-token-file: open":                                    {ProxyTokenFile: filepath.Join(t.TempDir(), "none")},
		"--tenant-jwt-audience needs --tenant-jwt-issuer":                     {Audiences: []string{"shop"}},
		"--tenant-jwt-claim needs --tenant-jwt-issuer":                        {Claim: "org"},
		"--tenant-jwt-jwks-url, --tenant-jwt-cookie need --tenant-jwt-issuer": {KeysURL: "https://login.example.com/keys", Cookie: "session"},
		"--tenant-jwt-ca needs --tenant-jwt-issuer":                           {CAFile: "ca.pem"},
		"--tenant-jwt-ca: open":                                               {TenantFrom: []string{"jwt"}, Issuer: "https://login.example.com", CAFile: filepath.Join(t.TempDir(), "none")},
		"has no certificate in PEM":                                           {TenantFrom: []string{"jwt"}, Issuer: "https://login.example.com", Audiences: []string{"a"}, Claim: "t", CAFile: write("no")},
		"write header, trusted-header, host or jwt":                           {TenantFrom: []string{"cookie"}},
	} {
		_, err := options.config()
		require.ErrorContains(t, err, says)
	}
}

func TestTheDaemonSaysThatItBelievesAnyone(t *testing.T) {
	t.Parallel()
	for from, warns := range map[identity.Source]bool{identity.FromHeader: true, identity.FromToken: false} {
		var log bytes.Buffer
		warnOfBelief(&identity.Config{TenantFrom: []identity.Source{from}}, slog.New(slog.NewTextHandler(&log, nil)))
		require.Equal(t, warns, bytes.Contains(log.Bytes(), []byte("level=WARN")), from)
	}
	var log bytes.Buffer
	warnOfBelief(&identity.Config{}, slog.New(slog.NewTextHandler(&log, nil)))
	require.Contains(t, log.String(), "--tenant-from", "by default, too")
}

func TestAProofThatNobodyCouldBringIsRefused(t *testing.T) {
	t.Parallel()
	proven := &synapse.ServiceSpec{Tenant: synapse.TenantProven}
	errs := checkNeed(proven, &identity.Config{})
	require.Len(t, errs, 1)
	require.Equal(t, "/spec/tenant", errs[0].Pointer)
	require.Contains(t, errs[0].Message, "--tenant-from jwt")
	require.Len(t, checkNeed(proven, &identity.Config{TenantFrom: []identity.Source{identity.FromHost}}), 1, "a host name proves nothing")
	require.Empty(t, checkNeed(proven, &identity.Config{TenantFrom: []identity.Source{identity.FromToken}}))
	require.Empty(t, checkNeed(&synapse.ServiceSpec{Tenant: synapse.TenantRequired}, &identity.Config{}))
}
