package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/gcplabtest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/sweep/trial"
)

const operationTime = 20 * time.Millisecond

// bench is a lab with a sweeper for it.
type bench struct {
	*gcplabtest.Lab

	t       *testing.T
	sweeper *Sweeper
	said    *strings.Builder
}

func newBench(t *testing.T) *bench {
	t.Helper()
	lab := gcplabtest.Start(t, operationTime)
	getenv := func(name string) string { return lab.Env()[name] }
	client, err := authorize(t.Context(), getenv)
	require.NoError(t, err)
	client.Transport = smallPages{client.Transport}
	said := &strings.Builder{}
	at := newCloud(client, getenv)
	at.pause = 5 * time.Millisecond
	return &bench{Lab: lab, t: t, said: said, sweeper: &Sweeper{
		Cloud: at, Project: gcplabtest.ProjectID, OlderThan: 6 * time.Hour, Now: time.Now, Out: said,
	}}
}

// smallPages asks for one object at a time wherever objects are listed: a service ignores what it does not know.
type smallPages struct{ http.RoundTripper }

func (s smallPages) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodGet {
		request = request.Clone(request.Context())
		query := request.URL.Query()
		query.Set("maxResults", "1")
		query.Set("pageSize", "1")
		request.URL.RawQuery = query.Encode()
	}
	return s.RoundTripper.RoundTrip(request)
}

// make makes something, and waits until it is there.
func (b *bench) make(at service, path string, body object) {
	b.t.Helper()
	require.NoError(b.t, b.sweeper.Cloud.change(b.t.Context(), http.MethodPost, at, path, body), path)
}

// environment makes some things of each sort of name: its own, one for people, and those of things within others.
func (b *bench) environment(name string) {
	b.t.Helper()
	project := "projects/" + gcplabtest.ProjectID
	network := project + "/global/networks/" + name
	b.make(compute, project+"/global/networks", object{"name": name, "autoCreateSubnetworks": false})
	for _, region := range []string{"europe-west1", "us-east4"} {
		b.make(compute, project+"/regions/"+region+"/subnetworks", object{"name": name + "-" + region, "network": network, "ipCidrRange": map[string]string{"europe-west1": "10.0.0.0/20", "us-east4": "10.0.16.0/20"}[region]})
		b.make(compute, project+"/zones/"+region+"-b/networkEndpointGroups", object{"name": name + "-auth", "network": network, "subnetwork": project + "/regions/" + region + "/subnetworks/" + name + "-" + region})
	}
	b.make(compute, project+"/global/networkEndpointGroups", object{"name": name + "-monolith", "networkEndpointType": "INTERNET_FQDN_PORT", "defaultPort": 443})
	b.make(compute, project+"/global/firewalls", object{"name": name + "-iap", "network": network, "allowed": []any{object{"IPProtocol": "tcp"}}})
	b.make(compute, project+"/global/addresses", object{"name": name + "-private-services", "network": network, "addressType": "INTERNAL", "purpose": "VPC_PEERING", "prefixLength": 16})
	b.make(serviceNetworking, "services/servicenetworking.googleapis.com/connections", object{"network": network, "reservedPeeringRanges": []any{name + "-private-services"}})
	b.make(compute, project+"/global/healthChecks", object{"name": name + "-auth", "tcpHealthCheck": object{"port": 80}})
	b.make(dns, project+"/managedZones", object{"name": name + "-main", "dnsName": name + ".example.com.", "description": "x"})
	b.make(dns, project+"/managedZones/"+name+"-main/rrsets", object{"name": "*." + name + ".example.com.", "type": "A", "ttl": 60, "rrdatas": []any{"192.0.2.1"}})
	b.make(kms, project+"/locations/us-east4/keyRings?keyRingId="+name+"-gke", object{})
	b.make(kms, project+"/locations/us-east4/keyRings/"+name+"-gke/cryptoKeys?cryptoKeyId=secrets", object{"purpose": "ENCRYPT_DECRYPT", "rotationPeriod": "7776000s", "nextRotationTime": "2031-01-01T00:00:00Z"})
	b.make(monitoring, "v3/"+project+"/notificationChannels", object{"displayName": name + " team", "type": "email", "labels": object{"email_address": "platform@example.com"}})
	b.make(iam, project+"/serviceAccounts", object{"accountId": name + "-nodes"})
}

// left lists what is there with a name, or with what it is in: of KMS, where nothing is deleted, what is not destroyed.
func (b *bench) left(name string) []string {
	b.t.Helper()
	var left []string
	for _, entry := range b.Inventory() {
		raw, err := json.Marshal(entry.Data)
		require.NoError(b.t, err)
		if !strings.Contains(entry.Name+string(raw), name) || strings.HasSuffix(entry.Collection, ".keyRings") || entry.Data["state"] == "DESTROY_SCHEDULED" {
			continue
		}
		if primary, ok := entry.Data["primary"].(object); ok && primary["state"] == "DESTROY_SCHEDULED" && entry.Data["rotationPeriod"] == nil && entry.Data["nextRotationTime"] == nil {
			continue
		}
		left = append(left, entry.Name)
	}
	return left
}

// changes are the methods of the requests that were to change something and were not refused.
func (b *bench) changes() []string {
	var methods []string
	for _, request := range b.Log() {
		if request.HTTPMethod != http.MethodGet && request.Status < 400 {
			methods = append(methods, request.Method)
		}
	}
	return methods
}

func (b *bench) sweep() error { return b.sweeper.Sweep(b.t.Context()) }

// sweepInVain sweeps until a method has been refused several times.
func (b *bench) sweepInVain(method string) error {
	bounded, end := context.WithTimeout(b.t.Context(), time.Minute)
	defer end()
	ctx, cancel := context.WithCancelCause(bounded)
	defer cancel(nil)
	go func() {
		for tick := time.NewTicker(operationTime); ; {
			refused := 0
			for _, request := range b.Log() {
				if request.Method == method && request.Status >= 400 {
					refused++
				}
			}
			if refused > 3 {
				cancel(errors.New("time is up"))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
	}()
	return b.sweeper.Sweep(ctx)
}

func oldName() string { return trial.Name(time.Now().Add(-7 * time.Hour)) }

func TestWhatIsOldGoesInOrderAndAllElseStays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old, young := oldName(), trial.Name(time.Now().Add(-5*time.Hour))
	for _, name := range []string{old, young, "synapse-t-other", "production"} {
		b.environment(name)
	}
	before := map[string][]string{}
	for _, name := range []string{young, "synapse-t-other", "production"} {
		before[name] = b.left(name)
		require.Greater(t, len(before[name]), 15)
	}
	made := len(b.changes())

	require.NoError(t, b.sweep(), "%s", b.said)
	require.Empty(t, b.left(old))
	for name, things := range before {
		require.Equal(t, things, b.left(name))
		require.NotContains(t, b.said.String(), name)
	}
	require.Equal(t, []string{
		"compute.healthChecks.delete",
		"compute.globalNetworkEndpointGroups.delete", "compute.networkEndpointGroups.delete", "compute.networkEndpointGroups.delete",
		"dns.resourceRecordSets.delete", "dns.managedZones.delete",
		"servicenetworking.services.connections.deleteConnection", "compute.globalAddresses.delete",
		"compute.firewalls.delete", "compute.subnetworks.delete", "compute.subnetworks.delete", "compute.networks.delete",
		"monitoring.projects.notificationChannels.delete", "iam.projects.serviceAccounts.delete",
		"cloudkms.projects.locations.keyRings.cryptoKeys.patch", "cloudkms.projects.locations.keyRings.cryptoKeys.cryptoKeyVersions.destroy",
	}, sorted(b.changes()[made:]), "nothing is tried in vain")

	b.said.Reset()
	require.NoError(t, b.sweep())
	require.Equal(t, "nothing to delete\n", b.said.String())
}

// sorted puts the endpoint groups into an order, which go together.
func sorted(methods []string) []string {
	for i := 1; i < len(methods); i++ {
		for j := i; j > 0 && strings.Contains(methods[j], "EndpointGroups") && strings.Contains(methods[j-1], "EndpointGroups") && methods[j] < methods[j-1]; j-- {
			methods[j], methods[j-1] = methods[j-1], methods[j]
		}
	}
	return methods
}

func TestADryRunSaysWhatWouldGoAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := oldName()
	b.environment(name)
	made, left := len(b.changes()), b.left(name)
	b.sweeper.DryRun = true
	require.NoError(t, b.sweep())
	require.Len(t, b.changes(), made)
	require.Equal(t, left, b.left(name))
	require.Contains(t, b.said.String(), "would delete network projects/synapse-staging/global/networks/"+name+"\n")
	require.Contains(t, b.said.String(), "would destroy KMS key version projects/synapse-staging/locations/us-east4/keyRings/"+name+"-gke/cryptoKeys/secrets/cryptoKeyVersions/1\n")
	require.Equal(t, 16, strings.Count(b.said.String(), "would "), "%s", b.said)
}

func TestWhatPassesIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := oldName()
	b.environment(name)
	require.NoError(t, b.Inject(
		engine.Fault{Method: "compute.networks.delete", Status: http.StatusServiceUnavailable, Times: 2},
		engine.Fault{Method: "compute.healthChecks.delete", Status: http.StatusConflict, Operation: true, Times: 1},
		engine.Fault{Method: "compute.firewalls.delete", Status: http.StatusBadRequest, Reason: "resourceInUseByAnotherResource", Times: 1},
		engine.Fault{Method: "iam.projects.serviceAccounts.delete", Status: http.StatusTooManyRequests, Times: 1},
		engine.Fault{Method: "dns.managedZones.list", Status: http.StatusServiceUnavailable, Times: 3},
		engine.Fault{Method: "compute.globalOperations.get", Status: http.StatusServiceUnavailable, Times: 2},
	))
	require.NoError(t, b.sweep(), "%s", b.said)
	require.Empty(t, b.left(name))
	require.Contains(t, b.said.String(), "waiting to delete network ")
}

func TestAnErrorDoesNotKeepTheRestAndIsToldInTheEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := oldName()
	b.environment(name)
	require.NoError(t, b.Inject(
		engine.Fault{Method: "compute.healthChecks.delete", Status: http.StatusForbidden, Message: "Not yours."},
		engine.Fault{Method: "monitoring.projects.notificationChannels.list", Status: http.StatusForbidden, Message: "Not to be seen."},
		engine.Fault{Method: "monitoring.projects.dashboards.list", Status: http.StatusForbidden, Reason: "accessNotConfigured", Message: "Never used."},
	))
	err := b.sweep()
	require.ErrorContains(t, err, "delete health check projects/synapse-staging/global/healthChecks/"+name+"-auth: PERMISSION_DENIED forbidden: Not yours.")
	require.ErrorContains(t, err, "list each notification channel: PERMISSION_DENIED forbidden: Not to be seen.")
	require.NotContains(t, err.Error(), "Never used", "a service that is not enabled has nothing")
	require.Len(t, b.left(name), 2, "%s", b.said)
}

func TestWhatDoesNotGoInTimeIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := oldName()
	b.environment(name)
	require.NoError(t, b.Inject(engine.Fault{Method: "compute.firewalls.delete", Status: http.StatusServiceUnavailable}))
	err := b.sweepInVain("compute.firewalls.delete")
	require.ErrorContains(t, err, "delete firewall rule projects/synapse-staging/global/firewalls/"+name+"-iap: ")
	require.ErrorContains(t, err, "delete network projects/synapse-staging/global/networks/"+name+": ")
	require.ErrorContains(t, err, "time is up")
	require.Len(t, b.left(name), 2, "%s", b.said)
}

func TestAConnectionThatCannotBeDeletedYetLosesItsPeering(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := oldName()
	b.environment(name)
	require.NoError(t, b.Inject(engine.Fault{
		Method: "servicenetworking.services.connections.deleteConnection", Status: http.StatusBadRequest,
		Message: "Failed to delete connection; Producer services (e.g. CloudSQL, Cloud Memstore, etc.) are still using this connection.",
	}))
	// The instance of somebody else keeps the peering, and so the network.
	network := "projects/" + gcplabtest.ProjectID + "/global/networks/" + name
	b.make(sql, "projects/"+gcplabtest.ProjectID+"/instances", object{
		"name": "foreign", "region": "us-east4", "databaseVersion": "POSTGRES_17",
		"settings": object{"tier": "db-perf-optimized-N-2", "edition": "ENTERPRISE_PLUS", "ipConfiguration": object{"ipv4Enabled": false, "privateNetwork": network}},
	})
	require.ErrorContains(t, b.sweepInVain("servicenetworking.services.connections.deleteConnection"), "still using this connection")
	require.NotContains(t, b.changes(), "compute.networks.removePeering")

	require.NoError(t, b.sweeper.Cloud.change(t.Context(), http.MethodDelete, sql, "projects/"+gcplabtest.ProjectID+"/instances/foreign", nil))
	require.NoError(t, b.sweep(), "%s", b.said)
	require.Contains(t, b.changes(), "compute.networks.removePeering")
	require.Empty(t, b.left(name))
}

func TestAnOperationThatFailsIsAnErrorInEachServicesForm(t *testing.T) {
	t.Parallel()
	for name, each := range map[string]struct {
		at     service
		answer string
		passes bool
	}{
		"Compute Engine":      {compute, `{"selfLink": "https://x/compute/v1/projects/p/o", "status": "DONE", "httpErrorStatusCode": 400, "error": {"errors": [{"code": "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", "message": "m"}]}}`, true},
		"Kubernetes Engine":   {container, `{"selfLink": "https://x/v1/projects/p/o", "status": "DONE", "error": {"code": 9, "message": "m"}}`, true},
		"Cloud SQL":           {sql, `{"selfLink": "https://x/projects/p/o", "status": "DONE", "error": {"errors": [{"code": "INTERNAL_ERROR", "message": "m"}]}}`, true},
		"Certificate Manager": {certificateManager, `{"name": "projects/p/o", "done": true, "error": {"code": 3, "message": "m"}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var answer object
			require.NoError(t, json.Unmarshal([]byte(each.answer), &answer))
			_, done, err := operationOf(each.at, answer)
			require.True(t, done)
			require.ErrorContains(t, err, "m")
			require.Equal(t, each.passes, passes(err))
		})
	}
}
