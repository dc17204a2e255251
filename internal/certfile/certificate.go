// Package certfile serves a certificate from files and reloads it when they change, so that a renewal needs no restart.
package certfile

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Certificate is a certificate chain and its private key in two PEM files. The first handshake after one of them has changed
// gets the new pair. While the files cannot be used (one has been replaced and the other has not yet, say), or the new
// certificate is not valid at this time, the last good pair stays in use.
type Certificate struct {
	files [2]string // chain and key
	log   *slog.Logger
	now   func() time.Time

	mu      sync.Mutex
	seen    [2]os.FileInfo // of the files when they were last read
	current *tls.Certificate
	waiting *tls.Certificate // becomes valid later, while current is valid now; or nil
}

// Load reads a certificate chain and its key. It fails when they cannot be read or do not belong together. A certificate that is
// not valid at this time is only a warning in the log.
func Load(chainFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{files: [2]string{chainFile, keyFile}, log: log, now: time.Now}
	seen, err := c.look()
	if err != nil {
		return nil, err
	}
	if c.current, err = c.read(); err != nil {
		return nil, err
	}
	c.seen = seen
	if err := CheckPeriod(c.current.Leaf, c.now()); err != nil {
		log.Warn("clients will refuse the certificate: renew it; no restart is needed", "file", chainFile, "error", err)
	}
	return c, nil
}

// Get returns the pair to serve, after reloading the files if they have changed. It is a [tls.Config.GetCertificate].
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen, err := c.look() // before the files are read: a change in between is seen the next time
	if err == nil && changed(c.seen, seen) {
		c.seen = seen
		c.renew()
	}
	if c.waiting != nil && CheckPeriod(c.waiting.Leaf, c.now()) == nil {
		c.use(c.waiting)
	}
	return c.current, nil
}

// Leaf returns the server's own certificate, as it is served now. The files are not read for it.
func (c *Certificate) Leaf() *x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current.Leaf
}

// renew reads the files, and uses what is in them unless the previous pair serves clients better.
func (c *Certificate) renew() {
	next, err := c.read()
	if err != nil {
		c.log.Warn("the certificate has changed and cannot be used: the previous one stays in use", "error", err)
		return
	}
	now := c.now()
	if err := CheckPeriod(next.Leaf, now); err != nil && CheckPeriod(c.current.Leaf, now) == nil {
		c.log.Warn("the certificate has changed, and clients would refuse it now: the previous one stays in use", "file", c.files[0], "error", err)
		c.waiting = next
		return
	}
	c.use(next)
}

func (c *Certificate) use(next *tls.Certificate) {
	c.current, c.waiting = next, nil
	c.log.Info("the certificate has been reloaded", "file", c.files[0], "not_after", next.Leaf.NotAfter)
}

func (c *Certificate) look() (seen [2]os.FileInfo, err error) {
	for i, file := range c.files {
		if seen[i], err = os.Stat(file); err != nil {
			return seen, fmt.Errorf("read the certificate or its key: %w", err)
		}
	}
	return seen, nil
}

func (c *Certificate) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.files[0], c.files[1])
	if err != nil {
		return nil, fmt.Errorf("read the certificate in %s with the key in %s: %w", c.files[0], c.files[1], err)
	}
	return &pair, nil
}

func changed(before, now [2]os.FileInfo) bool {
	for i := range now {
		if !os.SameFile(before[i], now[i]) || !before[i].ModTime().Equal(now[i].ModTime()) || before[i].Size() != now[i].Size() {
			return true
		}
	}
	return false
}
