package client

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
)

// idleConnections is how many connections are kept for reuse: more than Terraform's usual parallelism, so that a run
// opens each connection once.
const idleConnections = 64

func newTransport(caCertificate string) (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = idleConnections
	transport.MaxIdleConnsPerHost = idleConnections
	if caCertificate == "" {
		return transport, nil
	}
	pem := []byte(caCertificate)
	if !strings.Contains(caCertificate, "-----BEGIN") {
		var err error
		if pem, err = os.ReadFile(caCertificate); err != nil {
			return nil, fmt.Errorf("reading the CA certificate (give PEM text or the path of a PEM file): %w", err)
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA certificate holds no certificate: give PEM text that starts with -----BEGIN CERTIFICATE-----, or the path of such a file")
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return transport, nil
}

// authenticated adds what every attempt carries.
type authenticated struct {
	next      http.RoundTripper
	token     string
	userAgent string
}

// RoundTrip implements [http.RoundTripper].
func (t *authenticated) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	if t.token != "" {
		request.Header.Set("Authorization", "Bearer "+t.token)
	}
	if t.userAgent != "" {
		request.Header.Set("User-Agent", t.userAgent)
	}
	return t.next.RoundTrip(request)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
