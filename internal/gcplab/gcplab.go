// Package gcplab is a stand-in for Google Cloud's APIs on one machine: an HTTP server that the real hashicorp/google provider
// applies against. What methods and fields there are comes from Google's discovery documents; what is by hand is where Google
// has behaviour: defaults, references, operations, Cloud SQL's replicas, fleets, load balancers.
//
// It does what this project's modules need of it and refuses the rest. It has no quotas, permissions, prices or traffic, and it
// forgets everything when it ends.
package gcplab

import (
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// Options are what a lab is made of.
type Options struct {
	// Documents is the directory with the discovery documents; empty asks `go list` for it, which works within this module.
	Documents string
	// Projects are those that exist.
	Projects []engine.Project
	// Token is what requests must bear.
	Token string
	// OperationTime is how long operations take.
	OperationTime time.Duration
	// Clock is the time; nil is time.Now.
	Clock func() time.Time
}

// New makes a lab with nothing in it.
func New(options Options) (*engine.Cloud, error) {
	dir := options.Documents
	if dir == "" {
		found, err := discovery.Dir("")
		if err != nil {
			return nil, err
		}
		dir = found
	}
	var services []*engine.Service
	for _, each := range catalogue {
		apis := make([]*discovery.API, len(each.versions))
		for i, version := range each.versions {
			api, err := discovery.Load(dir, each.name, version)
			if err != nil {
				return nil, err
			}
			apis[i] = api
		}
		services = append(services, each.make(apis...))
	}
	return engine.New(engine.Options{Projects: options.Projects, Token: options.Token, OperationTime: options.OperationTime, Clock: options.Clock}, services...), nil
}

// entry is a service with where the provider looks for it.
type entry struct {
	name     string
	versions []string
	make     func(...*discovery.API) *engine.Service
	// endpoints has the suffix behind GOOGLE_ and before _CUSTOM_ENDPOINT, and the path that the provider expects there.
	endpoints map[string]string
}

func one(build func(*discovery.API) *engine.Service) func(...*discovery.API) *engine.Service {
	return func(apis ...*discovery.API) *engine.Service { return build(apis[0]) }
}

var catalogue = []entry{
	{"compute", []string{"v1"}, one(newCompute), map[string]string{"COMPUTE": "compute.googleapis.com/compute/v1/"}},
	{"container", []string{"v1"}, one(newContainer), map[string]string{"CONTAINER": "container.googleapis.com/v1/"}},
	{"sqladmin", []string{"v1beta4"}, one(newSQL), map[string]string{"SQL": "sqladmin.googleapis.com/sql/v1beta4/"}},
	{"servicenetworking", []string{"v1"}, one(newServiceNetworking), map[string]string{"SERVICE_NETWORKING": "servicenetworking.googleapis.com/v1/"}},
	{"cloudkms", []string{"v1"}, one(newKMS), map[string]string{"KMS": "cloudkms.googleapis.com/v1/"}},
	{"dns", []string{"v1"}, one(newDNS), map[string]string{"DNS": "dns.googleapis.com/dns/v1/"}},
	{"certificatemanager", []string{"v1"}, one(newCertificateManager), map[string]string{"CERTIFICATE_MANAGER": "certificatemanager.googleapis.com/v1/"}},
	{"networkservices", []string{"v1"}, one(newNetworkServices), map[string]string{"NETWORK_SERVICES": "networkservices.googleapis.com/v1/"}},
	{"gkehub", []string{"v1"}, one(newFleet), map[string]string{"GKE_HUB": "gkehub.googleapis.com/v1/", "GKE_HUB2": "gkehub.googleapis.com/v1/"}},
	{"monitoring", []string{"v3", "v1"}, newMonitoring, map[string]string{"MONITORING": "monitoring.googleapis.com/"}},
	{"iam", []string{"v1"}, one(newIAM), map[string]string{"IAM_BETA": "iam.googleapis.com/v1/"}},
	{"cloudresourcemanager", []string{"v1", "v3"}, newResourceManager, map[string]string{"RESOURCE_MANAGER": "cloudresourcemanager.googleapis.com/v1/", "RESOURCE_MANAGER_V3": "cloudresourcemanager.googleapis.com/v3/"}},
	{"serviceusage", []string{"v1"}, one(newServiceUsage), map[string]string{"SERVICE_USAGE": "serviceusage.googleapis.com/v1/"}},
	{"storage", []string{"v1"}, one(newStorage), map[string]string{"STORAGE": "storage.googleapis.com/storage/v1/"}},
}

// Environment returns the variables that make the google provider use a lab at a URL such as "http://127.0.0.1:8900".
func Environment(url, token string) map[string]string {
	variables := map[string]string{"GOOGLE_OAUTH_ACCESS_TOKEN": token}
	for _, each := range catalogue {
		for suffix, path := range each.endpoints {
			variables["GOOGLE_"+suffix+"_CUSTOM_ENDPOINT"] = url + "/" + path
		}
	}
	return variables
}
