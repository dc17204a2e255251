// Package daemon puts the control plane together: store, API, reconcilers and the runtime, started and stopped in
// order.
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/api"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/console"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/reconcile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/recovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/image"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

const (
	// drainTimeout bounds how long requests in flight may take after the daemon was told to stop.
	drainTimeout = 10 * time.Second
	// answersKept is how long the answer to an idempotency key is remembered: far longer than a client retries.
	answersKept   = 24 * time.Hour
	pruneInterval = time.Hour
)

// Run runs the control plane until ctx ends. What serves users goes on without it.
func Run(ctx context.Context, options Options) (err error) {
	if err := options.complete(); err != nil {
		return err
	}
	log := options.Log
	identities, err := options.Identity.config()
	if err != nil {
		return err
	}
	warnOfBelief(&identities, log)
	lock, err := claim(options.DataDir, options.Environment)
	if err != nil {
		return err
	}
	defer lock.Close()
	listener, err := net.Listen("tcp", options.Listen)
	if err != nil {
		return fmt.Errorf("listening for the API: %w; stop what uses the port, or choose another one with --listen", err)
	}
	defer listener.Close()
	certificate, err := loadCertificate(options)
	if err != nil {
		return err
	}
	registryAt, err := registryAddress(listener.Addr().String(), certificate)
	if err != nil {
		return err
	}

	lease, err := store.TakeLease(ctx, options.Store, log)
	if err != nil {
		return fmt.Errorf("--store: %w", err)
	}
	defer func() { err = errors.Join(err, lease.Close()) }()
	s, err := store.Open(ctx, options.Store, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if options.WrapStore != nil {
		s = options.WrapStore(s)
	}
	if err := ensureAdminToken(ctx, s, options.DataDir, time.Now().UTC(), log); err != nil {
		return err
	}

	backend := object.Backend{Store: s, Broker: object.NewBroker(), Now: time.Now}
	controller := reconcile.New(backend, log)
	registry, err := image.NewRegistry(filepath.Join(options.DataDir, registryDir), log)
	if err != nil {
		return err
	}
	internalToken, err := newInternalToken(ctx, s)
	if err != nil {
		return err
	}
	rt, err := local.Open(local.Options{
		Dir: RuntimeDir(options.DataDir), Program: options.Program,
		EntryAddress: options.EntryAddress, DatabaseAddress: options.DatabaseAddress,
		EntryTLSAddress: options.EntryTLSAddress, EntryTLSCertificate: options.EntryTLSCertificate, EntryTLSKey: options.EntryTLSKey,
		Keychain: authn.NewMultiKeychain(ownRegistry{thisMachine(), registryAt, listener.Addr().String(), internalToken}, authn.DefaultKeychain),
		Identity: identities,
		RegionChanged: func(region string) {
			controller.Enqueue(synapse.Key{Kind: synapse.KindRegion, Name: region})
		},
		WorkloadChanged: func(key runtime.WorkloadKey) {
			controller.Enqueue(synapse.Key{Kind: synapse.KindServiceDeployment, Parent: key.Service, Name: key.Deployment})
		},
		Now: time.Now, Log: log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	measured, err := measure.New(measure.Options{
		Gather: rt.GatewayMetrics, Reader: s, Prometheus: options.Prometheus, Now: time.Now, Log: log,
	})
	if err != nil {
		return err
	}
	splits := reconcile.TrafficSplits{Runtime: rt, Measure: measured, Store: s, Now: backend.Now}
	if err := seed(ctx, backend, rt, splits); err != nil {
		return err
	}
	addKinds(controller, backend, rt, splits, "http://"+options.EntryAddress)
	all := kinds(rt, measured, &identities, listener.Addr().String())
	addRecovery(controller, backend, all, rt, measured, options)

	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	closing := make(chan struct{})
	platform := func(context.Context) synapse.Platform {
		return synapse.Platform{
			Version: options.Version, Environment: options.Environment, Registry: registryAt,
			EntryURL: "http://" + options.EntryAddress, DatabaseEndpoint: options.DatabaseAddress, TenantFrom: tenantFrom(&identities),
		}
	}
	pages, err := console.New(console.Options{
		Reader: s, Authenticate: authenticate(s, backend.Now), Series: measured.Series, Platform: platform, Now: backend.Now,
		Secure: options.TLSCertificate != "", Log: log,
	})
	if err != nil {
		return err
	}
	handler, err := api.New(api.Config{
		Backend: backend, Kinds: all, Log: log, Metrics: metrics, GatewayMetrics: rt.GatewayMetrics,
		Registry: registry, Closing: closing, Platform: platform,
		Credentials: credentials{rt},
		Budgets:     measured,
		Failovers:   recovery.Readiness{Runtime: rt, Store: s, Now: backend.Now},
		Reports:     report.Markdown,
		Console:     pages,
		Ready:       s.Ping,
		Limits:      api.Limits{Concurrent: options.MaxRequests},
	})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return controller.Run(ctx) })
	group.Go(func() error {
		measured.Run(ctx)
		return nil
	})
	group.Go(func() error { return prune(ctx, s, options) })
	group.Go(func() error { return lease.Keep(ctx) })
	group.Go(func() error { return serve(server, listener, certificate) })
	group.Go(func() error {
		<-ctx.Done()
		log.Info("stopping; what serves users goes on")
		close(closing)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		return server.Shutdown(drain)
	})
	log.Info("synapsed is ready", "version", options.Version, "environment", options.Environment,
		"listen", listener.Addr().String(), "entry", options.EntryAddress, "database", options.DatabaseAddress, "data_dir", options.DataDir)
	return group.Wait()
}

// loadCertificate reads the certificate of the API, or returns nil without TLS.
func loadCertificate(options Options) (*certfile.Certificate, error) {
	if options.TLSCertificate == "" {
		return nil, nil
	}
	certificate, err := certfile.Load(options.TLSCertificate, options.TLSKey, options.Log)
	if err != nil {
		return nil, fmt.Errorf("--tls-certificate and --tls-key: %w", err)
	}
	return certificate, nil
}

// serve serves the API until server is closed, over TLS unless certificate is nil.
func serve(server *http.Server, listener net.Listener, certificate *certfile.Certificate) error {
	var err error
	if certificate != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.Get}
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving the API: %w", err)
}

// prune forgets the answers to idempotency keys that no client will ask for again.
func prune(ctx context.Context, s store.Store, options Options) error {
	ticker := time.NewTicker(pruneInterval)
	defer ticker.Stop()
	for {
		if err := s.Prune(ctx, time.Now().Add(-answersKept)); err != nil && ctx.Err() == nil {
			options.Log.Warn("old answers could not be removed and are tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
