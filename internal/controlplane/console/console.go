// Package console serves the read-only web console: pages rendered on the server that work without JavaScript, for
// people who have an API token.
package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/measure"
	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/store"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Options is what the console is made of.
type Options struct {
	// Reader has the objects that the pages show.
	Reader store.Reader
	// Authenticate returns the token with a secret, and false when there is none or it has expired.
	Authenticate func(ctx context.Context, secret string) (synapse.Token, bool)
	// Series returns the figures of a split's backends since a time.
	Series func(split string, since time.Time) []measure.BackendSeries
	// Platform describes the running control plane.
	Platform func(ctx context.Context) synapse.Platform
	Now      func() time.Time
	// Secure says that browsers reach the console by HTTPS, so that its cookie must not travel otherwise.
	Secure bool
	Log    *slog.Logger
}

// Root is the path below which the console is served. The handler expects whole paths.
const Root = "/console/"

// console is the console at work.
type console struct {
	Options
	pages    *pages
	sessions *sessions
	attempts *attempts
	summary  *summary
}

// New returns the handler of everything below [Root].
func New(options Options) (http.Handler, error) {
	if options.Reader == nil || options.Authenticate == nil || options.Series == nil || options.Platform == nil ||
		options.Now == nil || options.Log == nil {
		return nil, errors.New("the console needs a reader, a way to authenticate, figures, a description of the platform, a clock and a logger")
	}
	pages, err := parsePages(options.Now)
	if err != nil {
		return nil, err
	}
	c := &console{
		Options: options, pages: pages,
		sessions: newSessions(options.Now), attempts: newAttempts(options.Now), summary: &summary{},
	}
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.problem(w, r, http.StatusForbidden, "This request came from another site. Use the console's own pages.")
	}))
	return secured(c.identify(protection.Handler(c.routes()))), nil
}

// routes returns the pages by path. The last pattern answers for all paths and methods that no other takes, in the
// console's own style.
func (c *console) routes() http.Handler {
	mux := http.NewServeMux()
	for path, show := range map[string]http.HandlerFunc{
		"{$}":                         c.overview,
		"regions":                     c.regions,
		"regions/{name}":              c.region,
		"tenants":                     c.tenants,
		"tenants/{name}":              c.tenant,
		"deployments":                 c.deployments,
		"deployments/{parent}/{name}": c.deployment,
		"slos":                        c.slos,
		"slos/{name}":                 c.slo,
		"splits":                      c.splits,
		"splits/{name}":               c.split,
		"failover-policies":           c.policies,
		"failover-policies/{name}":    c.policy,
		"dr-drills":                   c.drills,
		"dr-drills/{name}":            c.drill,
		"dr-drill-runs/{name}":        c.run,

		"dr-drill-runs/{name}/report.json": c.reportJSON,
		"dr-drill-runs/{name}/report.md":   c.reportMarkdown,
	} {
		mux.Handle("GET "+Root+path, c.signedIn(show))
	}
	mux.HandleFunc("GET "+signInPath, c.signInForm)
	mux.HandleFunc("POST "+signInPath, c.signIn)
	mux.HandleFunc("POST "+signOutPath, c.signOut)
	mux.Handle("GET "+Root+"static/{name}", http.HandlerFunc(c.static))
	mux.HandleFunc(Root, c.unknown)
	return mux
}

// unknown answers for a path or method that there is not.
func (c *console) unknown(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		c.problem(w, r, http.StatusMethodNotAllowed, "The console only shows; changes go through Terraform or the API.")
		return
	}
	c.problem(w, r, http.StatusNotFound, "There is no page at this address.")
}
