package daemon

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certtest"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	pair, other := certtest.NewPair(t, "entry"), certtest.NewPair(t, "other")
	good := func() Options {
		return Options{DataDir: "/data", Environment: "staging", Listen: "127.0.0.1:7700", EntryAddress: "127.0.0.1:7780", DatabaseAddress: "[::1]:7732"}
	}
	for _, tc := range []struct {
		name   string
		change func(*Options)
		says   string
	}{
		{"loopback needs no TLS", func(*Options) {}, ""},
		{"another address with TLS is fine", func(o *Options) { o.Listen, o.TLSCertificate, o.TLSKey = "0.0.0.0:7700", "c", "k" }, ""},
		{"another address without TLS is refused", func(o *Options) { o.Listen = "0.0.0.0:7700" }, "tokens would cross the network in the clear"},
		{"all addresses without TLS are refused", func(o *Options) { o.Listen = ":7700" }, "not a loopback address"},
		{"a name may lead anywhere", func(o *Options) { o.Listen = "synapse.example.com:7700" }, "not a loopback address"},
		{"a certificate needs its key", func(o *Options) { o.TLSCertificate = "c" }, "give both or neither"},
		{"the entry stays on the machine", func(o *Options) { o.EntryAddress = "0.0.0.0:80" }, "serves this machine only"},
		{"the entry may have TLS", func(o *Options) {
			o.EntryTLSAddress, o.EntryTLSCertificate, o.EntryTLSKey = "127.0.0.1:7743", pair.ChainFile, pair.KeyFile
		}, ""},
		{"the entry's certificate needs its key", func(o *Options) { o.EntryTLSCertificate = pair.ChainFile }, "--entry-tls-certificate and --entry-tls-key: give both or neither"},
		{"the entry's key needs its certificate", func(o *Options) { o.EntryTLSKey = pair.KeyFile }, "--entry-tls-certificate and --entry-tls-key: give both or neither"},
		{"the key must be that of the certificate", func(o *Options) {
			o.EntryTLSAddress, o.EntryTLSCertificate, o.EntryTLSKey = "127.0.0.1:7743", pair.ChainFile, other.KeyFile
		}, "private key does not match public key"},
		{"the entry stays on the machine with TLS, too", func(o *Options) {
			o.EntryTLSAddress, o.EntryTLSCertificate, o.EntryTLSKey = "0.0.0.0:443", pair.ChainFile, pair.KeyFile
		}, "--entry-tls-address 0.0.0.0:443 is not a loopback address"},
		{"the database stays on the machine, TLS or not", func(o *Options) {
			o.DatabaseAddress, o.TLSCertificate, o.TLSKey = "192.0.2.1:5432", "c", "k"
		}, "serves this machine only"},
		{"the entry is not the API", func(o *Options) { o.EntryAddress = o.Listen }, "--listen 127.0.0.1:7700 and --entry-address 127.0.0.1:7700 overlap"},
		{"the entry with TLS is not the entry, however it is spelled", func(o *Options) {
			o.EntryTLSAddress, o.EntryTLSCertificate, o.EntryTLSKey = "localhost:7780", pair.ChainFile, pair.KeyFile
		}, "--entry-address 127.0.0.1:7780 and --entry-tls-address localhost:7780 overlap: give each a port of its own"},
		{"an entry without TLS has no second port", func(o *Options) { o.EntryTLSAddress = o.EntryAddress }, ""},
		{"the database is on no port of an API that listens everywhere", func(o *Options) {
			o.Listen, o.TLSCertificate, o.TLSKey, o.DatabaseAddress = "0.0.0.0:7732", "c", "k", "127.0.0.1:7732"
		}, "--listen 0.0.0.0:7732 and --database-address 127.0.0.1:7732 overlap"},
		{"two loopback addresses may have one port", func(o *Options) { o.DatabaseAddress = "127.0.0.2:7780" }, ""},
		{"a free port is always another one", func(o *Options) { o.Listen, o.EntryAddress = "127.0.0.1:0", "127.0.0.1:0" }, ""},
		{"a port alone is no address", func(o *Options) { o.Listen = "7700" }, "HOST:PORT"},
		{"an environment has a plain name", func(o *Options) { o.Environment = "Prod!" }, "--environment"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			options := good()
			tc.change(&options)
			err := options.complete()
			if tc.says == "" {
				require.NoError(t, err)
				require.Equal(t, filepath.Join("/data", "synapse.db"), options.Store)
				return
			}
			require.ErrorContains(t, err, tc.says)
		})
	}
}

func TestTheDaemonSaysThatTheCertificateOfTheEntryIsExpired(t *testing.T) {
	t.Parallel()
	pair := certtest.NewPair(t, "entry")
	logged := func() string {
		var log bytes.Buffer
		options := Options{
			DataDir: "/data", Environment: "staging", Listen: "127.0.0.1:7700", EntryAddress: "127.0.0.1:7780", DatabaseAddress: "127.0.0.1:7732",
			EntryTLSAddress: "127.0.0.1:7743", EntryTLSCertificate: pair.ChainFile, EntryTLSKey: pair.KeyFile,
			Log: slog.New(slog.NewTextHandler(&log, nil)),
		}
		require.NoError(t, options.complete(), "what serves without TLS goes on")
		return log.String()
	}
	require.Empty(t, logged())
	pair.RenewFor(t, "entry", time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour))
	require.Contains(t, logged(), "the certificate expired at")
	pair.RenewFor(t, "entry", time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour))
	require.Contains(t, logged(), "the certificate is not valid before")
}
