package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/certfile"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/identity"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/admin"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/listen"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/pgproxy"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/observer"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// EntryOptions are the settings of the global entry's process.
type EntryOptions struct {
	// Address is the loopback host:port of the public port.
	Address string
	// TLSAddress is the loopback host:port of the public port with TLS, or empty for none.
	TLSAddress string
	// TLSCertificate and TLSKey are the PEM files with its certificate chain and key. They are read again when they change.
	TLSCertificate, TLSKey string
	// DatabaseAddress is the loopback host:port of the database write endpoint, or empty for none.
	DatabaseAddress string
	// AdminAddress is the loopback host:port of the admin port.
	AdminAddress string
	// ConfigFile keeps the last configuration; the entry starts from it and writes it.
	ConfigFile string
	// TokenFile holds the secret (mode 0600) that the daemon, the gateways and the entry share.
	TokenFile string
	Log       *slog.Logger
}

// RunEntry serves the global entry until ctx ends, then lets requests in flight finish for up to ten seconds.
func RunEntry(ctx context.Context, options EntryOptions) error {
	collectSeldom()
	token, err := admin.ReadToken(options.TokenFile)
	if err != nil {
		return fmt.Errorf("start the global entry: %w", err)
	}
	public, err := listen.TCP(ctx, options.Address, "the global entry")
	if err != nil {
		return err
	}
	defer public.Close()
	control, err := listen.TCP(ctx, options.AdminAddress, "the admin port of the global entry")
	if err != nil {
		return err
	}
	defer control.Close()

	entry := newEntry(token, options.Log, time.Now)
	administration := admin.New(admin.Options[EntryConfig]{
		Token: token, File: options.ConfigFile,
		Validate:     (*EntryConfig).Validate,
		Generation:   func(config *EntryConfig) int64 { return config.Generation },
		Apply:        entry.apply,
		InFlight:     entry.endpoints.InFlight,
		Observations: entry.observer.Observations,
		SetFaults:    entry.faults.Set,
		Metrics:      entry.metrics.registry,
		Log:          options.Log,
	})
	servers := []func(context.Context) error{
		func(ctx context.Context) error { return listen.Serve(ctx, public, entry, options.Log) },
		func(ctx context.Context) error { return listen.Serve(ctx, control, administration, options.Log) },
		entry.observer.Run,
	}
	if options.TLSAddress != "" {
		secure, certificate, err := listenTLS(ctx, options)
		if err != nil {
			return err
		}
		defer secure.Close()
		servers = append(servers, func(ctx context.Context) error { return listen.ServeTLS(ctx, secure, entry, certificate, options.Log) })
	}
	if options.DatabaseAddress != "" {
		database, err := listen.TCP(ctx, options.DatabaseAddress, "the database write endpoint")
		if err != nil {
			return err
		}
		defer database.Close()
		servers = append(servers, func(ctx context.Context) error { return entry.database.Serve(ctx, database) })
	}
	administration.Load()
	options.Log.Info("global entry is up", "address", public.Addr().String(), "admin_address", control.Addr().String())
	return serveAll(ctx, servers...)
}

// listenTLS opens the public port with TLS.
func listenTLS(ctx context.Context, options EntryOptions) (net.Listener, *certfile.Certificate, error) {
	certificate, err := certfile.Load(options.TLSCertificate, options.TLSKey, options.Log)
	if err != nil {
		return nil, nil, fmt.Errorf("start the global entry: %w", err)
	}
	listener, err := listen.TCP(ctx, options.TLSAddress, "the global entry with TLS")
	return listener, certificate, err
}

// maxReplayedBody is the largest request body that is kept in memory so that it can be sent to another region.
const maxReplayedBody = 64 << 10

// entry is the handler of the global entry's public port.
type entry struct {
	internalToken string
	now           func() time.Time
	log           *slog.Logger
	proxy         *forward.Proxy
	endpoints     *forward.Set
	faults        *netfault.Table
	observer      *observer.Observer
	database      *pgproxy.Proxy
	metrics       *entryMetrics
	table         atomic.Pointer[entryTable]
}

// entryTable is an [EntryConfig] compiled for the hot path. It is immutable.
type entryTable struct {
	regions []*entryRegion
	homes   map[string]TenantHome
	active  string
	drained map[string]time.Time
	judge   *identity.Judge
	limits  limits
}

// entryMargin is how much longer than a region the entry waits: the region's answer has to come before.
const entryMargin = 5 * time.Second

// entryRegion is a region as requests see it.
type entryRegion struct {
	name     string
	endpoint *forward.Endpoint
	health   *observer.Health
}

func newEntry(token string, log *slog.Logger, now func() time.Time) *entry {
	faults := netfault.NewTable(now)
	e := &entry{
		internalToken: internalToken(token), now: now, log: log,
		proxy: forward.NewProxy(log), endpoints: forward.NewSetIn(regionNetwork(faults), now), faults: faults,
		observer: observer.New(observer.Options{Name: ObserverEntry, Place: netfault.Outside, Faults: faults, Now: now, Log: log}),
		database: pgproxy.New(log, faults), metrics: newEntryMetrics(),
	}
	e.table.Store(&entryTable{limits: entryLimits(nil)})
	return e
}

// apply serves new requests and connections from config. Requests in flight finish where they are; connections to a
// former primary end.
func (e *entry) apply(config *EntryConfig) {
	targets := make([]forward.Target, len(config.Regions))
	for i, region := range config.Regions {
		targets[i] = forward.Target{ID: region.Name, Address: region.Address}
	}
	endpoints, retire := e.endpoints.Update(targets)
	healths := e.observer.Watch(watchedByEntry(config))
	next := &entryTable{homes: config.TenantHomes, active: config.Active, drained: config.Drained, limits: entryLimits(config.Timeouts)}
	next.judge = e.table.Load().judge.Next(config.Identity, e.log, e.now)
	for _, target := range targets {
		next.regions = append(next.regions, &entryRegion{target.ID, endpoints[target], healths[target.ID]})
	}
	e.table.Store(next)
	retire()
	e.metrics.watch(next.regions)
	e.database.SetPrimary(pgproxy.Primary{Address: config.Primary, Region: config.PrimaryRegion})
}

// ServeHTTP implements [http.Handler].
func (e *entry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == healthPath {
		_, _ = w.Write([]byte("ok\n"))
		return
	}
	x := &entryExchange{
		entry: e, deployments: r.Header[HeaderDeployment], prefer: r.Header.Get(HeaderPreferRegion), requestID: requestID(r), asked: askedBy(r), start: e.now(),
		limits: e.table.Load().limits,
		hops:   r.Header[HeaderHops],
	}
	defer x.done()
	if r.Method == http.MethodConnect {
		x.reject(w, noTunnel())
		return
	}
	var refused *rejection
	if x.sender, refused = identify(e.table.Load().judge, r); refused != nil {
		x.reject(w, refused)
		return
	}
	if err := keepBody(w, r, x.limits.idle); errors.Is(err, forward.ErrRequestTimeout) {
		w.Header().Set("Connection", "close")
		x.reject(w, requestTimeout())
		return
	} else if err != nil {
		x.reject(w, &rejection{status: http.StatusBadRequest, code: CodeRequestUnreadable, detail: "the request's body ended early"})
		return
	}
	e.proxy.Serve(w, r, x)
}

// entryLimits adds the margin to the regions' limits.
func entryLimits(regions *synapse.Timeouts) limits {
	longest := limitsOf(regions, nil)
	return limits{response: longest.connect + longest.response + entryMargin, idle: longest.idle + entryMargin}
}

// keepBody reads a small body into memory, so that it can be sent more than once.
func keepBody(w http.ResponseWriter, r *http.Request, limit time.Duration) error {
	if r.ContentLength <= 0 || r.ContentLength > maxReplayedBody {
		return nil
	}
	body, err := forward.ReadBody(w, r, limit)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Header.Del("Expect") // it is here already
	return nil
}
