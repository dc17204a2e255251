package daemon

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"

	"log/slog"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
)

// Options are the settings of a control plane.
type Options struct {
	// DataDir holds everything that the daemon keeps on disk. Empty: see [DefaultDataDir].
	DataDir string
	// Store is the data source name of the store. Empty: an SQLite file in DataDir.
	Store string
	// Environment names the one environment that this control plane runs.
	Environment string
	// Listen is host:port of the API. Without TLS it must be on loopback.
	Listen string
	// TLSCertificate and TLSKey are PEM files; both or neither.
	TLSCertificate, TLSKey string
	// EntryAddress and DatabaseAddress are host:port of the global entry and of the database write endpoint, on loopback.
	EntryAddress, DatabaseAddress string
	// EntryTLSAddress is host:port of the global entry with TLS, on loopback. It is used when EntryTLSCertificate and
	// EntryTLSKey, which are PEM files, both or neither, are given.
	EntryTLSAddress, EntryTLSCertificate, EntryTLSKey string
	// Identity says who is believed about clients and tenants.
	Identity IdentityOptions
	// Prometheus is a server that scrapes this daemon, for splits and SLOs. Without a URL: the figures of the gateways
	// themselves.
	Prometheus measure.PrometheusOptions
	// MaxRequests bounds the API requests that are served at once; more are answered 429. 0: no bound.
	MaxRequests int
	// Program is the path of this program, which also runs the gateways.
	Program string
	// Version is the version of this program.
	Version string
	// WrapStore, when it is set, stands between the daemon and its store. It is for tests that end the daemon at a write.
	WrapStore func(store.Store) store.Store
	Log       *slog.Logger
}

var environmentPattern = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`)

// complete fills in what was left out, and checks the rest.
func (o *Options) complete() error {
	if !environmentPattern.MatchString(o.Environment) {
		return fmt.Errorf("--environment %q: write lower-case letters, digits and hyphens, at most 40, such as staging", o.Environment)
	}
	if o.DataDir == "" {
		dir, err := DefaultDataDir(o.Environment)
		if err != nil {
			return err
		}
		o.DataDir = dir
	}
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return fmt.Errorf("--data-dir %q: %w", o.DataDir, err)
	}
	o.DataDir = dir
	if o.Store == "" {
		o.Store = filepath.Join(o.DataDir, storeFile)
	}
	if (o.TLSCertificate == "") != (o.TLSKey == "") {
		return fmt.Errorf("--tls-certificate and --tls-key: give both or neither")
	}
	if o.Prometheus.URL == "" && o.Prometheus.Configured() {
		return fmt.Errorf("--prometheus-token-file, --prometheus-username, --prometheus-ca-file and --prometheus-header: give --prometheus-url as well")
	}
	if o.Prometheus.URL != "" {
		if err := o.Prometheus.Validate(); err != nil {
			return err
		}
	}
	if err := checkAddress("--listen", o.Listen, o.TLSCertificate == ""); err != nil {
		return err
	}
	if err := checkAddress("--entry-address", o.EntryAddress, true); err != nil {
		return err
	}
	if err := o.completeEntryTLS(); err != nil {
		return err
	}
	if err := checkAddress("--database-address", o.DatabaseAddress, true); err != nil {
		return err
	}
	return o.checkDistinct()
}

// checkDistinct refuses two listeners at one address: the second one would find it taken only when there is a region.
func (o *Options) checkDistinct() error {
	listeners := []struct{ flag, address string }{
		{"--listen", o.Listen}, {"--entry-address", o.EntryAddress}, {"--entry-tls-address", o.EntryTLSAddress}, {"--database-address", o.DatabaseAddress},
	}
	for i, second := range listeners {
		for _, first := range listeners[:i] {
			if collide(first.address, second.address) {
				return fmt.Errorf("%s %s and %s %s overlap: give each a port of its own", first.flag, first.address, second.flag, second.address)
			}
		}
	}
	return nil
}

// collide tells whether two addresses of listeners are one. Port 0 is a free port.
func collide(one, other string) bool {
	host, port, err := net.SplitHostPort(one)
	otherHost, otherPort, otherErr := net.SplitHostPort(other)
	if err != nil || otherErr != nil || port != otherPort || port == "0" {
		return false
	}
	if host == "localhost" || otherHost == "localhost" {
		return true // it may be 127.0.0.1 as well as ::1
	}
	ip, otherIP := net.ParseIP(host), net.ParseIP(otherHost)
	return ip == nil || otherIP == nil || ip.IsUnspecified() || otherIP.IsUnspecified() || ip.Equal(otherIP)
}

// completeEntryTLS checks what the entry needs for TLS, files included: the process that reads them starts only later.
func (o *Options) completeEntryTLS() error {
	if (o.EntryTLSCertificate == "") != (o.EntryTLSKey == "") {
		return fmt.Errorf("--entry-tls-certificate and --entry-tls-key: give both or neither")
	}
	if o.EntryTLSCertificate == "" {
		o.EntryTLSAddress = ""
		return nil
	}
	if err := checkAddress("--entry-tls-address", o.EntryTLSAddress, true); err != nil {
		return err
	}
	for _, file := range []*string{&o.EntryTLSCertificate, &o.EntryTLSKey} {
		path, err := filepath.Abs(*file)
		if err != nil {
			return fmt.Errorf("--entry-tls-certificate and --entry-tls-key: %w", err)
		}
		*file = path
	}
	pair, err := tls.LoadX509KeyPair(o.EntryTLSCertificate, o.EntryTLSKey)
	if err != nil {
		return fmt.Errorf("--entry-tls-certificate %s and --entry-tls-key %s: %w: give the PEM files of a certificate chain, the server's own first, and of its private key",
			o.EntryTLSCertificate, o.EntryTLSKey, err)
	}
	if err := certfile.CheckPeriod(pair.Leaf, time.Now()); err != nil && o.Log != nil { // it does not stop what serves without TLS
		o.Log.Warn("clients of the global entry will refuse its certificate: renew it; no restart is needed", "file", o.EntryTLSCertificate, "error", err)
	}
	return nil
}

// checkAddress refuses what is not host:port, and everything but loopback when the traffic would go in the clear.
func checkAddress(flag, address string, loopbackOnly bool) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s %q: write HOST:PORT, such as 127.0.0.1:7700", flag, address)
	}
	if !loopbackOnly || host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return nil
	}
	if flag == "--listen" {
		return fmt.Errorf("--listen %s is not a loopback address: tokens would cross the network in the clear. Give --tls-certificate and --tls-key, or listen on 127.0.0.1", address)
	}
	return fmt.Errorf("%s %s is not a loopback address: the local runtime serves this machine only. Use 127.0.0.1", flag, address)
}

// DefaultDataDir is where the state of an environment is kept: /var/lib/synapse for root, which unprivileged
// processes can reach, and the user's state directory (XDG base directory specification) for others.
func DefaultDataDir(environment string) (string, error) {
	if os.Geteuid() == 0 {
		return filepath.Join("/var/lib/synapse", environment), nil
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "synapse", environment), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("finding a data directory: %w; give one with --data-dir", err)
	}
	return filepath.Join(home, ".local", "state", "synapse", environment), nil
}

// RuntimeDir is where the local runtime keeps its part of a data directory.
func RuntimeDir(dataDir string) string { return filepath.Join(dataDir, runtimeDir) }
