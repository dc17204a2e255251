package gcplab

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// Item is what an inventory has of one object.
type Item struct {
	// Name is the full name, with the service's host first.
	Name string `json:"name"`
	// Kind is the collection, for example "compute.networks".
	Kind string `json:"kind"`
	// Title is what people call it, where that is not its name.
	Title string `json:"title,omitempty"`
	// Location is a region, a zone, "global", or empty.
	Location string `json:"location,omitempty"`
	// State is what the object says of itself, if it does.
	State string `json:"state,omitempty"`
	// Permanent says that Google does not delete objects of this kind, so that they stay after a destroy.
	Permanent bool `json:"permanent,omitempty"`
}

// Handler serves a lab: Google's APIs, and below /_lab/ what no cloud has, with the same token:
//
//	GET    /_lab/inventory  all objects, as Items
//	GET    /_lab/requests   the log of requests
//	POST   /_lab/faults     arm an engine.Fault
//	DELETE /_lab/faults     disarm all
//	POST   /_lab/quotas     {"collection": "compute.networks", "limit": 5}
func Handler(cloud *engine.Cloud, token string) http.Handler {
	control := http.NewServeMux()
	control.HandleFunc("GET /_lab/inventory", func(w http.ResponseWriter, _ *http.Request) { answer(w, Inventory(cloud)) })
	control.HandleFunc("GET /_lab/requests", func(w http.ResponseWriter, _ *http.Request) { answer(w, cloud.Log()) })
	control.HandleFunc("POST /_lab/faults", func(w http.ResponseWriter, r *http.Request) {
		var fault engine.Fault
		if read(w, r, &fault) {
			if err := cloud.Inject(fault); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
			}
		}
	})
	control.HandleFunc("DELETE /_lab/faults", func(http.ResponseWriter, *http.Request) { cloud.ClearFaults() })
	control.HandleFunc("POST /_lab/quotas", func(w http.ResponseWriter, r *http.Request) {
		var quota struct {
			Collection string `json:"collection"`
			Limit      int    `json:"limit"`
		}
		if read(w, r, &quota) {
			cloud.SetQuota(quota.Collection, quota.Limit)
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/_lab/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+token)) != 1 {
			http.Error(w, "give the lab's token as bearer", http.StatusUnauthorized)
			return
		}
		control.ServeHTTP(w, r)
	}))
	mux.Handle("/", cloud)
	return mux
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

// permanent are kinds that stay when Terraform destroys them. Of keys Google keeps the names, so that a name never means
// another key: https://cloud.google.com/kms/docs/faq#delete_key_ring. What is in state DELETED is permanent as well. A disabled API is none the less there, and the user
// postgres and a zone's NS and SOA go with what they are in.
var permanent = map[string]bool{
	"cloudkms.projects.locations.keyRings":                              true,
	"cloudkms.projects.locations.keyRings.cryptoKeys":                   true,
	"cloudkms.projects.locations.keyRings.cryptoKeys.cryptoKeyVersions": true,
	services: true,
	"":       true, // a project itself, which has an IAM policy
}

// Inventory lists what there is.
func Inventory(cloud *engine.Cloud) []Item {
	entries := cloud.Inventory()
	items := make([]Item, 0, len(entries))
	for _, entry := range entries {
		item := Item{Name: entry.Name, Kind: entry.Collection, Location: locationOf(entry), Title: engine.Text(entry.Data, "displayName"), Permanent: permanent[entry.Collection]}
		for _, field := range []string{"state", "status"} {
			if text := engine.Text(entry.Data, field); text != "" {
				item.State = text
			}
		}
		item.Permanent = item.Permanent || item.State == deleted
		items = append(items, item)
	}
	return items
}

// Passing returns the items that go when Terraform destroys them.
func Passing(items []Item) []Item {
	return slices.DeleteFunc(slices.Clone(items), func(item Item) bool { return item.Permanent })
}

func locationOf(entry engine.Entry) string {
	parts := strings.Split(entry.Name, "/")
	for i, part := range parts[:len(parts)-1] {
		switch part {
		case "regions", "zones", "locations":
			return parts[i+1]
		case "global":
			return "global"
		}
	}
	if region := engine.Text(entry.Data, "region"); region != "" {
		return last(region)
	}
	return strings.ToLower(engine.Text(entry.Data, "location"))
}

// Client asks a lab for what only a lab has.
type Client struct {
	// URL is the lab's, for example "http://127.0.0.1:8900".
	URL string
	// Token is the lab's.
	Token string
}

// Inventory returns what there is.
func (c Client) Inventory(ctx context.Context) ([]Item, error) {
	var items []Item
	return items, c.do(ctx, http.MethodGet, "inventory", nil, &items)
}

// Requests returns the log.
func (c Client) Requests(ctx context.Context) ([]engine.Request, error) {
	var requests []engine.Request
	return requests, c.do(ctx, http.MethodGet, "requests", nil, &requests)
}

// Inject arms a fault.
func (c Client) Inject(ctx context.Context, fault engine.Fault) error {
	return c.do(ctx, http.MethodPost, "faults", fault, nil)
}

// ClearFaults disarms all faults.
func (c Client) ClearFaults(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, "faults", nil, nil)
}

func (c Client) do(ctx context.Context, method, path string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.URL+"/_lab/"+path, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("ask the lab at %s: %w", c.URL, err)
	}
	request.Header.Set("Authorization", "Bearer "+c.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the lab at %s: %w; is it running? `gcplab serve` starts one", c.URL, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<16))
		return fmt.Errorf("the lab at %s refused: %s: %s", c.URL, response.Status, bytes.TrimSpace(text))
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("read the answer of the lab at %s: %w", c.URL, err)
	}
	return nil
}
