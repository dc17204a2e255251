// Package certtest makes certificates for tests.
package certtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Pair is a certificate for 127.0.0.1 and localhost that is its own authority, and its key, in PEM files.
type Pair struct {
	ChainFile, KeyFile string
}

// NewPair writes a pair into a directory of its own.
func NewPair(t testing.TB, name string) *Pair {
	dir := t.TempDir()
	p := &Pair{ChainFile: filepath.Join(dir, "chain.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	p.Renew(t, name)
	return p
}

// Renew replaces both files by a new certificate, whose common name is name, and its key.
func (p *Pair) Renew(t testing.TB, name string) {
	p.RenewKey(t, p.Next(t, name))
}

// RenewFor is [Pair.Renew] with a certificate that is valid between two moments.
func (p *Pair) RenewFor(t testing.TB, name string, from, until time.Time) {
	p.RenewKey(t, p.next(t, name, from, until))
}

// Next replaces the certificate and returns the key that belongs to it, in PEM.
func (p *Pair) Next(t testing.TB, name string) []byte {
	return p.next(t, name, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
}

func (p *Pair) next(t testing.TB, name string, from, until time.Time) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: from, NotAfter: until,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	replace(t, p.ChainFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// RenewKey replaces the key.
func (p *Pair) RenewKey(t testing.TB, key []byte) { replace(t, p.KeyFile, key) }

// Authorities returns a pool that trusts the certificate that is in the file now.
func (p *Pair) Authorities(t testing.TB) *x509.CertPool {
	pool := x509.NewCertPool()
	chain, err := os.ReadFile(p.ChainFile)
	require.NoError(t, err)
	require.True(t, pool.AppendCertsFromPEM(chain))
	return pool
}

// replace renames a new file into place, as tools that renew certificates do.
func replace(t testing.TB, file string, content []byte) {
	next := file + ".next"
	require.NoError(t, os.WriteFile(next, content, 0o600))
	require.NoError(t, os.Rename(next, file))
}
