package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/admin"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/forward"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/listen"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/quota"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/netfault"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/observer"
)

// ObserverEntry is the name of the global entry as an observer.
const ObserverEntry = "entry"

// ObserverOfGateway is the name of a region's gateway as an observer.
func ObserverOfGateway(region string) string { return "gateway-" + region }

// Options are the settings of a region gateway's process.
type Options struct {
	// Region is the name of the region.
	Region string
	// Address is the loopback host:port of the public port.
	Address string
	// AdminAddress is the loopback host:port of the admin port.
	AdminAddress string
	// ConfigFile keeps the last configuration; the gateway starts from it and writes it.
	ConfigFile string
	// TokenFile holds the secret (mode 0600) that the daemon, the gateways and the entry share.
	TokenFile string
	Log       *slog.Logger
}

// RunRegion serves a region until ctx ends, then lets requests in flight finish for up to ten seconds.
func RunRegion(ctx context.Context, options Options) error {
	collectSeldom()
	token, err := admin.ReadToken(options.TokenFile)
	if err != nil {
		return fmt.Errorf("start the gateway of region %q: %w", options.Region, err)
	}
	public, err := listen.TCP(ctx, options.Address, fmt.Sprintf("the gateway of region %q", options.Region))
	if err != nil {
		return err
	}
	defer public.Close()
	control, err := listen.TCP(ctx, options.AdminAddress, fmt.Sprintf("the admin port of the gateway of region %q", options.Region))
	if err != nil {
		return err
	}
	defer control.Close()

	gateway := newRegionGateway(options.Region, token, options.Log, time.Now)
	administration := admin.New(admin.Options[Config]{
		Token: token, File: options.ConfigFile,
		Validate:     gateway.validate,
		Generation:   func(config *Config) int64 { return config.Generation },
		Apply:        gateway.apply,
		InFlight:     gateway.inFlight,
		Observations: gateway.observer.Observations,
		SetFaults:    gateway.faults.Set,
		Metrics:      gateway.metrics.registry,
		Log:          options.Log,
	})
	administration.Load()
	options.Log.Info("region gateway is up", "region", options.Region, "address", public.Addr().String(), "admin_address", control.Addr().String())
	return serveAll(ctx,
		func(ctx context.Context) error { return listen.Serve(ctx, public, gateway, options.Log) },
		func(ctx context.Context) error { return listen.Serve(ctx, control, administration, options.Log) },
		gateway.observer.Run,
	)
}

// serveAll runs servers until ctx ends or one of them fails, and returns when all have ended.
func serveAll(ctx context.Context, servers ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, serve := range servers {
		group.Go(func() error { return serve(ctx) })
	}
	return group.Wait()
}

// externalGrace is how long a backend outside the platform still takes requests after it left the configuration: nobody waits
// for it to be idle, and a request that was just routed to it must not find it closed.
const externalGrace = time.Minute

// regionGateway is the handler of a region gateway's public port.
type regionGateway struct {
	region        string
	internalToken string
	now           func() time.Time
	log           *slog.Logger
	proxy         *forward.Proxy
	endpoints     *forward.Set  // of deployments
	externals     *forward.Set  // of backends outside the platform
	mirrored      chan struct{} // holds one for each copy in flight
	metrics       *regionMetrics
	hops          *hopCounter
	preflights    *quota.Bucket
	faults        *netfault.Table
	observer      *observer.Observer // of the other regions
	// table is nil before the first configuration.
	table atomic.Pointer[table]
}

func newRegionGateway(region, token string, log *slog.Logger, now func() time.Time) *regionGateway {
	faults := netfault.NewTable(now)
	return &regionGateway{
		region: region, internalToken: internalToken(token), now: now, log: log,
		proxy: forward.NewProxy(log), endpoints: forward.NewSet(now), externals: forward.NewSetIn(externalNetwork(), now),
		mirrored: make(chan struct{}, maxMirrored), metrics: newRegionMetrics(region), faults: faults,
		hops: newHopCounter(internalToken(token)), preflights: (*quota.Bucket)(nil).Next(preflightLimit, now()),
		observer: observer.New(observer.Options{Name: ObserverOfGateway(region), Place: region, Faults: faults, Now: now, Log: log}),
	}
}

func (g *regionGateway) validate(config *Config) error {
	if config.Region != g.region {
		return fmt.Errorf("the configuration is for region %q: this is the gateway of region %q", config.Region, g.region)
	}
	return config.Validate()
}

// apply serves new requests from config. Those in flight finish where they are.
func (g *regionGateway) apply(config *Config) {
	endpoints, retire := g.endpoints.Update(targets(config))
	externals, retireExternals := g.externals.Update(externalTargets(config))
	previous := g.table.Load()
	next := compile(config, previous, endpoints, externals, g.metrics, g.now())
	if previous != nil {
		next.judge = previous.judge
	}
	next.judge = next.judge.Next(config.Identity, g.log, g.now)
	g.table.Store(next)
	retire()
	time.AfterFunc(externalGrace, retireExternals)
	g.metrics.keepOnly(config)
	g.observer.Watch(watched(config.Watch))
}

// inFlight counts requests by endpoint.
func (g *regionGateway) inFlight() map[string]int64 {
	counts := g.endpoints.InFlight()
	maps.Copy(counts, g.externals.InFlight())
	return counts
}

// ServeHTTP implements [http.Handler].
func (g *regionGateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == healthPath {
		w.Header().Set(HeaderRegion, g.region)
		_, _ = w.Write([]byte("ok\n"))
		return
	}
	g.metrics.inFlight.Inc()
	defer g.metrics.inFlight.Dec()
	x := &regionExchange{
		gateway: g, requestID: requestID(r), asked: askedBy(r), start: g.now(), table: g.table.Load(),
		in: r, hops: g.hops.of(r.Header),
	}
	x.limits = defaultLimits()
	if r.ContentLength == 0 { // else it begins when the body has come
		x.since.Store(sinceStart(0))
	}
	defer x.done()
	if r.Method == http.MethodConnect {
		x.reject(w, noTunnel())
		return
	}
	var refused *rejection
	if x.sender, refused = g.identify(r, x.table); refused != nil {
		x.reject(w, refused)
		return
	}
	if refused := x.admit(r); refused != nil {
		x.reject(w, refused)
		return
	}
	g.proxy.Serve(w, r, x)
}

// cutService removes the first segment of the path and returns it, or returns "" when there is none.
func cutService(r *http.Request) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	prefix := "/" + name
	// A name that is escaped in the path is not one of a service, which has no character to escape.
	if name == "" || (r.URL.RawPath != "" && !strings.HasPrefix(r.URL.RawPath+"/", prefix+"/")) {
		return ""
	}
	r.URL.Path = rest(r.URL.Path, prefix)
	if r.URL.RawPath != "" {
		r.URL.RawPath = rest(r.URL.RawPath, prefix)
	}
	return name
}

func rest(path, prefix string) string {
	if path = strings.TrimPrefix(path, prefix); path == "" {
		return "/"
	}
	return path
}
