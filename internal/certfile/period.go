package certfile

import (
	"crypto/x509"
	"fmt"
	"time"
)

// CheckPeriod says why clients refuse a certificate at a time, if they do because of its validity period (RFC 5280, section
// 4.1.2.5).
func CheckPeriod(certificate *x509.Certificate, at time.Time) error {
	switch {
	case at.Before(certificate.NotBefore):
		return fmt.Errorf("the certificate is not valid before %s", certificate.NotBefore.UTC().Format(time.RFC3339))
	case at.After(certificate.NotAfter):
		return fmt.Errorf("the certificate expired at %s", certificate.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}
