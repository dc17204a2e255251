package gcplab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// Where the services are, up to what differs in the tests.
const (
	computeAPI    = "compute.googleapis.com/compute/v1/projects/test-project/"
	sqlAPI        = "sqladmin.googleapis.com/sql/v1beta4/projects/test-project/"
	containerAPI  = "container.googleapis.com/v1/projects/test-project/locations/"
	kmsAPI        = "cloudkms.googleapis.com/v1/projects/test-project/locations/"
	dnsAPI        = "dns.googleapis.com/dns/v1/projects/test-project/"
	certAPI       = "certificatemanager.googleapis.com/v1/projects/test-project/locations/global/"
	monitoringAPI = "monitoring.googleapis.com/v3/projects/test-project/"
	iamAPI        = "iam.googleapis.com/v1/projects/test-project/"
	fleetAPI      = "gkehub.googleapis.com/v1/projects/test-project/locations/"
	policyAPI     = "networkservices.googleapis.com/v1/projects/test-project/locations/global/"
	projectsAPI   = "cloudresourcemanager.googleapis.com/v1/projects/test-project"
	peeringAPI    = "servicenetworking.googleapis.com/v1/services/servicenetworking.googleapis.com/connections"
	storageAPI    = "storage.googleapis.com/storage/v1/b"
)

const (
	get, post, put, patch, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete

	testToken = "test-token"
)

var loadOnce = sync.OnceValues(func() (Documents, error) { return LoadDocuments("") })

// lab is a lab in a test, asked through its HTTP handler. Its operations are over with the next request, unless a fault makes
// them longer: its clock stands still.
type lab struct {
	t       testing.TB
	cloud   *engine.Cloud
	handler http.Handler
}

func newLab(t testing.TB) *lab {
	return newLabWith(t, engine.Options{Clock: func() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }})
}

func newLabWith(t testing.TB, options engine.Options) *lab {
	documents, err := loadOnce()
	require.NoError(t, err)
	options.Projects = []engine.Project{{ID: "test-project", Number: "100000000001"}}
	options.Token = testToken
	cloud := New(documents, options)
	return &lab{t: t, cloud: cloud, handler: Handler(cloud, testToken)}
}

// answered is what came back.
type answered struct {
	code   int
	header http.Header
	body   Object
}

func (a answered) error() Object { return engine.Sub(a.body, "error") }

func (a answered) reason() string {
	for _, each := range engine.Objects(a.error(), "errors") {
		return engine.Text(each, "reason")
	}
	return ""
}

// send sends a body as it is, so that it can be wrong JSON, too.
func (l *lab) send(token, method, path, body string) answered {
	request := httptest.NewRequestWithContext(l.t.Context(), method, "/"+path, strings.NewReader(body))
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	recorder := httptest.NewRecorder()
	l.handler.ServeHTTP(recorder, request)
	result := answered{code: recorder.Code, header: recorder.Header()}
	if recorder.Body.Len() > 0 {
		require.NoError(l.t, json.Unmarshal(recorder.Body.Bytes(), &result.body), recorder.Body)
	}
	return result
}

func (l *lab) do(method, path, body string) answered { return l.send(testToken, method, path, body) }

// must is for requests that are right.
func (l *lab) must(method, path, body string) Object {
	result := l.do(method, path, body)
	require.Less(l.t, result.code, 300, "%s %s: %v", method, path, result.body)
	return result.body
}

func (l *lab) get(path string) Object { return l.must(get, path, "") }

func (l *lab) names(permanent bool) []string {
	var names []string
	for _, item := range Inventory(l.cloud) {
		if permanent || !item.Permanent {
			names = append(names, item.Name)
		}
	}
	return names
}

// setup is what is there before a request.
type setup func(*lab)

func all(setups ...setup) setup {
	return func(l *lab) {
		for _, each := range setups {
			each(l)
		}
	}
}

func sent(method, path, body string) setup { return func(l *lab) { l.must(method, path, body) } }

// slow lets operations of a method last for an hour of a clock that stands still.
func slow(method string) setup {
	return func(l *lab) {
		require.NoError(l.t, l.cloud.Inject(engine.Fault{Method: method, Delay: time.Hour, Times: 1}))
	}
}

func network(name string) setup {
	return sent(post, computeAPI+"global/networks", `{"name": "`+name+`", "autoCreateSubnetworks": false}`)
}

// subnet is 10.0.0.0/20 in europe-west1, with ranges for pods and services.
var subnet = all(network("main"), sent(post, computeAPI+"regions/europe-west1/subnetworks", `{"name": "europe", "network": "projects/test-project/global/networks/main", "ipCidrRange": "10.0.0.0/20",
	"secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"}, {"rangeName": "services", "ipCidrRange": "10.8.0.0/20"}]}`))

func reserved(name, network string) setup {
	return sent(post, computeAPI+"global/addresses", `{"name": "`+name+`", "addressType": "INTERNAL", "purpose": "VPC_PEERING", "address": "10.100.0.0", "prefixLength": 16, "network": "projects/test-project/global/networks/`+network+`"}`)
}

var peering = all(network("main"), reserved("for-google", "main"),
	sent(post, peeringAPI, `{"network": "projects/test-project/global/networks/main", "reservedPeeringRanges": ["for-google"]}`))

func keyRing(location string) setup {
	return sent(post, kmsAPI+location+"/keyRings?keyRingId=ring", `{}`)
}

func key(location string) setup {
	return all(keyRing(location), sent(post, kmsAPI+location+"/keyRings/ring/cryptoKeys?cryptoKeyId=key", `{"purpose": "ENCRYPT_DECRYPT"}`))
}

// granted lets a service agent of the project use the key.
func granted(location, agent string) setup {
	return sent(post, kmsAPI+location+"/keyRings/ring/cryptoKeys/key:setIamPolicy",
		`{"policy": {"bindings": [{"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": ["serviceAccount:service-100000000001@`+agent+`.iam.gserviceaccount.com"]}]}}`)
}

// instanceBody is that of a small instance of Enterprise Plus that can be replicated; settings and fields are added to it.
func instanceBody(name, region, settings, fields string) string {
	backups := `"backupConfiguration": {"enabled": true, "pointInTimeRecoveryEnabled": true}`
	if strings.Contains(fields, "masterInstanceName") || strings.Contains(settings, "backupConfiguration") {
		backups = `"activationPolicy": "ALWAYS"`
	}
	base := `"tier": "db-perf-optimized-N-2", "edition": "ENTERPRISE_PLUS", `
	if strings.Contains(settings, `"tier"`) {
		base = ""
	}
	return fmt.Sprintf(`{"name": %q, "region": %q, "databaseVersion": "POSTGRES_17" %s, "settings": {%s %s %s}}`, name, region, fields, base, backups, settings)
}

func instances(name, region, settings, fields string) setup {
	return sent(post, sqlAPI+"instances", instanceBody(name, region, settings, fields))
}

var (
	primary   = instances("one", "europe-west1", "", "")
	replica   = instances("two", "us-central1", "", `, "masterInstanceName": "test-project:one"`)
	third     = instances("three", "asia-east1", "", `, "masterInstanceName": "one"`)
	drReplica = sent(patch, sqlAPI+"instances/one", `{"replicationCluster": {"failoverDrReplicaName": "two"}}`)
	// pair is a primary with a DR replica in another region.
	pair = all(primary, replica, drReplica)
)

func clusterBody(fields string) string {
	return `{"cluster": {"name": "green", "network": "projects/test-project/global/networks/main", "subnetwork": "projects/test-project/regions/europe-west1/subnetworks/europe",
		"ipAllocationPolicy": {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"}` + fields + `}}`
}

func clusterWith(fields string) setup {
	return all(subnet, sent(post, containerAPI+"europe-west1/clusters", clusterBody(fields)))
}

var cluster = clusterWith(`, "initialNodeCount": 1`)

var (
	healthCheck = sent(post, computeAPI+"global/healthChecks", `{"name": "live", "httpsHealthCheck": {"requestPath": "/healthz"}}`)
	zonalGroup  = all(network("main"), sent(post, computeAPI+"zones/europe-west1-b/networkEndpointGroups", `{"name": "pods", "network": "projects/test-project/global/networks/main"}`))
	otherGroup  = sent(post, computeAPI+"zones/us-central1-a/networkEndpointGroups", `{"name": "pods", "network": "projects/test-project/global/networks/main"}`)
	internet    = sent(post, computeAPI+"global/networkEndpointGroups", `{"name": "monolith", "networkEndpointType": "INTERNET_FQDN_PORT", "defaultPort": 443}`)
)

// backendBody is a backend service with one backend in europe-west1-b.
func backendBody(backend, fields string) string {
	return `{"name": "web", "protocol": "HTTPS", "loadBalancingScheme": "EXTERNAL_MANAGED", "healthChecks": ["projects/test-project/global/healthChecks/live"],
		"backends": [{"group": "projects/test-project/zones/europe-west1-b/networkEndpointGroups/pods", ` + backend + `}]` + fields + `}`
}

const perEndpoint = `"balancingMode": "RATE", "maxRatePerEndpoint": 100`

var (
	backend = all(healthCheck, zonalGroup, sent(post, computeAPI+"global/backendServices", backendBody(perEndpoint, "")))
	urlMap  = all(backend, sent(post, computeAPI+"global/urlMaps", `{"name": "routes", "defaultService": "projects/test-project/global/backendServices/web"}`))
	certMap = sent(post, certAPI+"certificateMaps?certificateMapId=names", `{}`)
	proxy   = all(urlMap, certMap, sent(post, computeAPI+"global/targetHttpsProxies", `{"name": "entry", "urlMap": "projects/test-project/global/urlMaps/routes",
		"certificateMap": "//certificatemanager.googleapis.com/projects/test-project/locations/global/certificateMaps/names"}`))
	address = sent(post, computeAPI+"global/addresses", `{"name": "front"}`)
)

func ruleBody(name, ports string) string {
	return `{"name": "` + name + `", "IPAddress": "projects/test-project/global/addresses/front", "portRange": "` + ports + `", "loadBalancingScheme": "EXTERNAL_MANAGED", "target": "projects/test-project/global/targetHttpsProxies/entry"}`
}

var frontend = all(proxy, address, sent(post, computeAPI+"global/forwardingRules", ruleBody("https", "443")))

func armorBody(rules string) string { return `{"name": "shield", "rules": [` + rules + `]}` }

func armorRule(priority, action, more string) string {
	return `{"priority": ` + priority + `, "action": "` + action + `", "match": {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["192.0.2.0/24"]}}` + more + `}`
}

var armor = sent(post, computeAPI+"global/securityPolicies", armorBody(armorRule("10", "deny(403)", "")))

var (
	zone    = sent(post, dnsAPI+"managedZones", `{"name": "home", "dnsName": "example.com.", "description": ""}`)
	aRecord = all(zone, sent(post, dnsAPI+"managedZones/home/rrsets", `{"name": "www.example.com.", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.1"]}`))
	pool    = sent(post, iamAPI+"locations/global/workloadIdentityPools?workloadIdentityPoolId=github", `{}`)
)

// wrong is a request that Google refuses, and how.
type wrong struct {
	name               string
	given              setup
	method, path, body string

	code int
	// reason is the canonical status if it is in capitals, otherwise the reason of the older APIs.
	reason string
	// says is part of the message.
	says string
	// source is where Google says that it refuses this, or where somebody shows what it answered.
	source string
}

func (w wrong) run(t *testing.T) {
	l := newLab(t)
	if w.given != nil {
		w.given(l)
	}
	before := l.names(true)
	result := l.do(w.method, w.path, w.body)
	require.Equal(t, w.code, result.code, "%v", result.body)
	assert.EqualValues(t, w.code, result.error()["code"])
	if strings.ToUpper(w.reason) == w.reason {
		assert.Equal(t, w.reason, engine.Text(result.error(), "status"))
	} else {
		assert.Equal(t, w.reason, result.reason())
	}
	assert.Contains(t, engine.Text(result.error(), "message"), w.says)
	assert.True(t, strings.HasPrefix(w.source, "https://"), "a row must name its source")
	assert.Equal(t, before, l.names(true), "what was refused must leave nothing behind")
}

func refuse(t *testing.T, rows []wrong) {
	t.Helper()
	seen := map[string]bool{}
	for _, row := range rows {
		assert.False(t, seen[row.name], "two rows have the name %q", row.name)
		seen[row.name] = true
		t.Run(row.name, row.run)
	}
}
