package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"
)

// requestTimeout is long enough for the first request of a tenant, which makes the tables.
const requestTimeout = 15 * time.Second

// call is one request of a tenant through the global entry.
type call struct {
	tenant, method, path, body string
	preferRegion, deployment   string
	also                       int // a status beside 2xx that is fine, on a second run
}

// calls are the requests that the demo sends, in order.
func calls() []call {
	var all []call
	// Each also asks for the region that is not its home; initech may not be served there, and is not.
	for _, tenant := range []string{"acme", "globex", "initech"} {
		away := "us-east"
		if tenant == "globex" {
			away = "eu-west"
		}
		user := fmt.Sprintf(`{"email": "ada@%s.example", "password": "correct horse"}`, tenant)
		all = append(all,
			call{tenant: tenant, method: "POST", path: "/monolith/inventory", body: `{"sku": "pallet", "quantity": 10}`},
			call{tenant: tenant, method: "POST", path: "/monolith/orders", body: `{"sku": "pallet", "quantity": 3}`},
			call{tenant: tenant, method: "POST", path: "/monolith/legs", body: `{"from": "Rotterdam", "to": "Hamburg", "minutes": 330}`},
			call{tenant: tenant, method: "GET", path: "/monolith/routes?from=Rotterdam&to=Hamburg"},
			call{tenant: tenant, method: "POST", path: "/auth/users", body: user, also: http.StatusConflict},
			call{tenant: tenant, method: "POST", path: "/auth/login", body: user},
			call{tenant: tenant, method: "GET", path: "/monolith/inventory", preferRegion: away},
		)
	}
	ada := `{"email": "ada@acme.example", "password": "correct horse"}`
	return append(all, call{tenant: "acme", method: "POST", path: "/auth/login", body: ada, deployment: "v2"})
}

// answer is who answered a call.
type answer struct {
	status                                         int
	service, version, region, deployment, revision string
	took                                           time.Duration
	problem                                        string
}

// sendRequests sends all calls, and prints who answered from where.
func (d Demo) sendRequests(ctx context.Context) error {
	table := tabwriter.NewWriter(d.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "TENANT\tREQUEST\tASKS FOR\tSTATUS\tANSWERED BY\tREGION\tREVISION\tMS")
	var failed []string
	for _, c := range calls() {
		a, err := c.send(ctx, d.entry())
		if err != nil {
			return fmt.Errorf("sending %s %s for tenant %s: %w", c.method, c.path, c.tenant, err)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s %s\t%s\t%d\t%s/%s %s\t%s\t%s\t%d\n", c.tenant, c.method, c.path, c.asks(),
			a.status, a.service, a.deployment, a.version, a.region, a.revision, a.took.Milliseconds())
		if a.status/100 != 2 && a.status != c.also {
			failed = append(failed, fmt.Sprintf("%s %s for tenant %s was answered %d: %s", c.method, c.path, c.tenant, a.status, a.problem))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d requests failed:\n%s", len(failed), strings.Join(failed, "\n"))
	}
	return nil
}

func (c call) asks() string {
	switch {
	case c.preferRegion != "":
		return c.preferRegion
	case c.deployment != "":
		return "deployment " + c.deployment
	}
	return "-"
}

func (c call) send(ctx context.Context, entry string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, c.method, entry+c.path, strings.NewReader(c.body))
	if err != nil {
		return answer{}, err
	}
	for header, value := range map[string]string{
		"X-Synapse-Tenant": c.tenant, "X-Synapse-Prefer-Region": c.preferRegion, "X-Synapse-Deployment": c.deployment,
	} {
		if value != "" {
			request.Header.Set(header, value)
		}
	}
	started := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer: %w", err)
	}
	return answer{
		status: response.StatusCode, took: time.Since(started), problem: problemIn(body),
		service: response.Header.Get("X-Service"), version: response.Header.Get("X-Service-Version"),
		region: response.Header.Get("X-Synapse-Region"), deployment: response.Header.Get("X-Synapse-Deployment"),
		revision: response.Header.Get("X-Synapse-Revision"),
	}, nil
}

// problemIn returns what a service ("error") or a gateway ("detail") says is wrong.
func problemIn(body []byte) string {
	var problem struct{ Error, Detail string }
	if json.Unmarshal(body, &problem) == nil && problem.Error+problem.Detail != "" {
		return problem.Error + problem.Detail
	}
	return strings.TrimSpace(string(body))
}
