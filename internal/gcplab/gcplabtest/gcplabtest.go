// Package gcplabtest runs labs for tests.
package gcplabtest

import (
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// The project of a lab, which is that of examples/multi-region-platform/staging.tfvars, and its token.
const (
	ProjectID     = "synapse-staging"
	ProjectNumber = "100000000002"
	Token         = "offline"
)

var documents = sync.OnceValues(func() (gcplab.Documents, error) { return gcplab.LoadDocuments("") })

// Lab is one that runs until its test ends.
type Lab struct {
	*engine.Cloud

	// URL is where it is.
	URL string
}

// Start starts a lab with nothing in it, whose operations take operationTime.
func Start(t testing.TB, operationTime time.Duration) *Lab {
	t.Helper()
	loaded, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	cloud := gcplab.New(loaded, engine.Options{
		Projects: []engine.Project{{ID: ProjectID, Number: ProjectNumber}}, Token: Token, OperationTime: operationTime,
	})
	server := httptest.NewServer(gcplab.Handler(cloud, Token))
	t.Cleanup(server.Close)
	return &Lab{Cloud: cloud, URL: server.URL}
}

// Env is what makes the google provider use the lab.
func (l *Lab) Env() map[string]string { return gcplab.Environment(l.URL, Token) }

// Client asks the lab for what only a lab has.
func (l *Lab) Client() gcplab.Client { return gcplab.Client{URL: l.URL, Token: Token} }

// Left lists what is there, apart from what Google never deletes.
func (l *Lab) Left() []string {
	var names []string
	for _, item := range gcplab.Passing(gcplab.Inventory(l.Cloud)) {
		names = append(names, item.Name)
	}
	return names
}
