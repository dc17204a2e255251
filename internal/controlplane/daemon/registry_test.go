package daemon

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/certtest"
)

func TestTheRegistryHasAnAddressThatAnImageCanBeNamedBy(t *testing.T) {
	t.Parallel()
	pair := certtest.NewPair(t, "localhost")
	certificate, err := certfile.Load(pair.ChainFile, pair.KeyFile, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	// The API is served with the certificate that named the registry, whatever is in the files by then.
	require.NoError(t, os.Remove(pair.ChainFile))
	for _, test := range []struct{ listen, want string }{
		{"127.0.0.1:7700", "127.0.0.1:7700"},
		{"192.0.2.7:7700", "192.0.2.7:7700"},
		{"0.0.0.0:7700", "localhost:7700"},
		{"[::]:7700", "localhost:7700"},
	} {
		got, err := registryAddress(test.listen, certificate)
		require.NoError(t, err)
		require.Equal(t, test.want, got, test.listen)
		_, err = name.ParseReference(got + "/auth:v1")
		require.NoError(t, err, "%s", got)
	}
	got, err := registryAddress("[::]:7700", nil)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:7700", got)
}

func TestTheTokenOfTheRuntimeIsForTheDaemonsOwnRegistryHoweverItIsSpelled(t *testing.T) {
	t.Parallel()
	here := machine{"builder", func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.ParseIP("192.0.2.7"), Mask: net.CIDRMask(24, 32)}}, nil
	}}
	keychain := ownRegistry{here, "synapse.example.com:7700", "[::]:7700", "secret"}
	for registry, own := range map[string]bool{
		"synapse.example.com:7700": true, "127.0.0.1:7700": true, "localhost:7700": true, "192.0.2.7:7700": true, "builder:7700": true,
		"synapse.example.com:7701": false, "192.0.2.8:7700": false, "registry.example.com:7700": false, "index.docker.io": false,
	} {
		resource, err := name.NewRegistry(registry)
		require.NoError(t, err)
		got, err := keychain.Resolve(resource)
		require.NoError(t, err)
		require.Equal(t, own, got != authn.Anonymous, registry)
	}
}

func TestTheCertificateOfTheAPIIsRenewedWithoutARestart(t *testing.T) {
	t.Parallel()
	pair := certtest.NewPair(t, "first")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	certificate, err := certfile.Load(pair.ChainFile, pair.KeyFile, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.NotFoundHandler()}
	ended := make(chan error, 1)
	go func() { ended <- serve(server, listener, certificate) }()
	served := func() string {
		connection, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true})
		require.NoError(t, err)
		defer connection.Close()
		return connection.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	require.Equal(t, "first", served())
	pair.Renew(t, "second")
	require.Equal(t, "second", served())
	require.NoError(t, server.Close())
	require.NoError(t, <-ended)
}
