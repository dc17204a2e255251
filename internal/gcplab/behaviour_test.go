package gcplab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

// role is what an instance says of its part in replication.
type role struct {
	Kind, Master, DRReplica string
	Replicas                []any
	IsDRReplica             bool
}

func (l *lab) role(name string) role {
	o := l.get(sqlAPI + "instances/" + name)
	cluster := engine.Sub(o, "replicationCluster")
	return role{
		Kind: engine.Text(o, "instanceType"), Master: engine.Text(o, "masterInstanceName"), DRReplica: engine.Text(cluster, "failoverDrReplicaName"),
		Replicas: engine.List(o, "replicaNames"), IsDRReplica: cluster["drReplica"] == true,
	}
}

const (
	isPrimary = "CLOUD_SQL_INSTANCE"
	isReplica = "READ_REPLICA_INSTANCE"
)

func TestASwitchoverExchangesThePrimaryAndItsDRReplica(t *testing.T) {
	for _, method := range []string{"switchover", "promoteReplica?failover=true"} {
		t.Run(method, func(t *testing.T) {
			l := newLab(t)
			all(pair, third)(l)
			assert.Equal(t, role{Kind: isPrimary, DRReplica: "two", Replicas: []any{"two", "three"}}, l.role("one"))
			assert.Equal(t, role{Kind: isReplica, Master: "test-project:one", IsDRReplica: true}, l.role("two"))
			assert.Equal(t, role{Kind: isReplica, Master: "one"}, l.role("three"))

			l.must(post, sqlAPI+"instances/two/"+method, "")
			assert.Equal(t, role{Kind: isPrimary, DRReplica: "one", Replicas: []any{"one", "three"}}, l.role("two"))
			assert.Equal(t, role{Kind: isReplica, Master: "test-project:two", IsDRReplica: true}, l.role("one"))
			assert.Equal(t, role{Kind: isReplica, Master: "test-project:two"}, l.role("three"), "the third replica must follow")

			l.must(post, sqlAPI+"instances/one/switchover", "")
			assert.Equal(t, role{Kind: isPrimary, DRReplica: "two", Replicas: []any{"two", "three"}}, l.role("one"))
			assert.Equal(t, role{Kind: isReplica, Master: "test-project:one", IsDRReplica: true}, l.role("two"))
			assert.Equal(t, role{Kind: isReplica, Master: "test-project:one"}, l.role("three"))
		})
	}
}

func TestWritesGoWhereThePrimaryIs(t *testing.T) {
	l := newLab(t)
	pair(l)
	l.must(post, sqlAPI+"instances/one/databases", `{"name": "shop"}`)
	l.must(post, sqlAPI+"instances/two/switchover", "")
	assert.Equal(t, 400, l.do(post, sqlAPI+"instances/one/databases", `{"name": "stock"}`).code)
	l.must(post, sqlAPI+"instances/two/databases", `{"name": "stock"}`)
}

func TestRolesChangeOnlyWhenASwitchoverIsOver(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	l := newLabWith(t, engine.Options{Clock: func() time.Time { return now }})
	all(pair, slow("sql.instances.switchover"))(l)
	operation := l.must(post, sqlAPI+"instances/two/switchover", "")
	assert.Equal(t, "RUNNING", operation["status"])
	assert.Equal(t, isPrimary, l.role("one").Kind)
	now = now.Add(time.Hour)
	assert.Equal(t, isReplica, l.role("one").Kind)
	assert.Equal(t, "DONE", l.get(sqlAPI + "operations/" + engine.Text(operation, "name"))["status"])
}

func TestASwitchoverThatFailsChangesNoRole(t *testing.T) {
	l := newLab(t)
	pair(l)
	before := []role{l.role("one"), l.role("two")}
	require.NoError(t, l.cloud.Inject(engine.Fault{Method: "sql.instances.switchover", Status: 503, Operation: true, Times: 1}))
	operation := l.must(post, sqlAPI+"instances/two/switchover", "")
	failed := l.get(sqlAPI + "operations/" + engine.Text(operation, "name"))
	assert.NotEmpty(t, engine.Objects(engine.Sub(failed, "error"), "errors"))
	assert.Equal(t, before[0], l.role("one"))
	assert.Equal(t, before[1], l.role("two"))
}

func TestAFailoverDoesNotWaitForThePrimary(t *testing.T) {
	l := newLab(t)
	all(pair, slow("sql.instances.patch"), sent(patch, sqlAPI+"instances/one", `{"settings": {"userLabels": {"a": "b"}}}`))(l)
	assert.Equal(t, 409, l.do(post, sqlAPI+"instances/two/switchover", "").code)
	l.must(post, sqlAPI+"instances/two/promoteReplica?failover=true", "")
	assert.Equal(t, isPrimary, l.role("two").Kind)
}

func TestAPlainPromotionLeavesTwoInstancesOfTheirOwn(t *testing.T) {
	l := newLab(t)
	all(pair, third)(l)
	l.must(post, sqlAPI+"instances/two/promoteReplica", "")
	assert.Equal(t, role{Kind: isPrimary, Replicas: []any{"three"}}, l.role("one"))
	assert.Equal(t, role{Kind: isPrimary}, l.role("two"))
	assert.Equal(t, role{Kind: isReplica, Master: "one"}, l.role("three"))
	assert.Equal(t, 400, l.do(post, sqlAPI+"instances/two/switchover", "").code)
}

// TestReplicationIsConsistentAfterAnything does what one can do with instances in any order and looks whether they agree about
// who follows whom.
func TestReplicationIsConsistentAfterAnything(t *testing.T) {
	names := []string{"one", "two", "three", "four"}
	places := []string{"europe-west1", "us-central1", "asia-east1", "us-east1"}
	rapid.Check(t, func(rt *rapid.T) {
		l := newLab(t)
		primary(l)
		for step := range rapid.IntRange(1, 12).Draw(rt, "steps") {
			i := rapid.IntRange(0, len(names)-1).Draw(rt, fmt.Sprintf("instance %d", step))
			other := rapid.SampledFrom(names).Draw(rt, fmt.Sprintf("other %d", step))
			path := sqlAPI + "instances/" + names[i]
			switch rapid.SampledFrom([]string{"replicate", "designate", "switchover", "failover", "promote", "delete"}).Draw(rt, fmt.Sprintf("do %d", step)) {
			case "replicate":
				l.do(post, sqlAPI+"instances", instanceBody(names[i], places[i], "", `, "masterInstanceName": "`+other+`"`))
			case "designate":
				l.do(patch, path, `{"replicationCluster": {"failoverDrReplicaName": "`+other+`"}}`)
			case "switchover":
				l.do(post, path+"/switchover", "")
			case "failover":
				l.do(post, path+"/promoteReplica?failover=true", "")
			case "promote":
				l.do(post, path+"/promoteReplica", "")
			case "delete":
				l.do(remove, path, "")
			}
		}
		roles := map[string]role{}
		for _, name := range names {
			if l.do(get, sqlAPI+"instances/"+name, "").code == 200 {
				roles[name] = l.role(name)
			}
		}
		for name, it := range roles {
			master := strings.TrimPrefix(it.Master, "test-project:")
			if (it.Kind == isReplica) != (master != "") {
				rt.Fatalf("%s is a %s and follows %q", name, it.Kind, master)
			}
			if master != "" && !slices.Contains(roles[master].Replicas, any(name)) {
				rt.Fatalf("%s follows %s, which knows of %v", name, master, roles[master].Replicas)
			}
			for _, follower := range it.Replicas {
				if strings.TrimPrefix(roles[follower.(string)].Master, "test-project:") != name {
					rt.Fatalf("%s says that %s follows it, which follows %q", name, follower, roles[follower.(string)].Master)
				}
			}
			if it.IsDRReplica && roles[master].DRReplica != name {
				rt.Fatalf("%s is a DR replica, and %s names %q", name, master, roles[master].DRReplica)
			}
			if it.DRReplica != "" && !roles[it.DRReplica].IsDRReplica {
				rt.Fatalf("%s names the DR replica %s, which is %+v", name, it.DRReplica, roles[it.DRReplica])
			}
		}
	})
}

func TestABackendIsDrainedByACapacityOfZero(t *testing.T) {
	l := newLab(t)
	all(healthCheck, zonalGroup, otherGroup)(l)
	body := func(europe string) string {
		return `{"name": "web", "protocol": "HTTPS", "loadBalancingScheme": "EXTERNAL_MANAGED", "healthChecks": ["projects/test-project/global/healthChecks/live"], "backends": [
			{"group": "projects/test-project/zones/europe-west1-b/networkEndpointGroups/pods", ` + perEndpoint + europe + `}, {"group": "projects/test-project/zones/us-central1-a/networkEndpointGroups/pods", ` + perEndpoint + `}]}`
	}
	capacities := func() []any {
		var found []any
		for _, backend := range engine.Objects(l.get(computeAPI+"global/backendServices/web"), "backends") {
			found = append(found, backend["capacityScaler"])
		}
		return found
	}
	l.must(post, computeAPI+"global/backendServices", body(""))
	assert.Equal(t, []any{1.0, 1.0}, capacities())
	l.must(patch, computeAPI+"global/backendServices/web", body(`, "capacityScaler": 0`))
	assert.Equal(t, []any{0.0, 1.0}, capacities())
	l.must(patch, computeAPI+"global/backendServices/web", body(`, "capacityScaler": 0.5`))
	assert.Equal(t, []any{0.5, 1.0}, capacities())
}

func TestAClusterJoinsItsFleetAndLeavesIt(t *testing.T) {
	const (
		path       = containerAPI + "europe-west1/clusters/green"
		membership = fleetAPI + "europe-west1/memberships/green"
	)
	with := `, "fleet": {"project": "test-project"}`
	t.Run("when it is made and deleted", func(t *testing.T) {
		l := newLab(t)
		clusterWith(with)(l)
		assert.Equal(t, "//gkehub.googleapis.com/projects/test-project/locations/europe-west1/memberships/green", engine.Sub(l.get(path), "fleet")["membership"])
		assert.Equal(t, "//container.googleapis.com/projects/test-project/locations/europe-west1/clusters/green", engine.Sub(l.get(membership), "endpoint", "gkeCluster")["resourceLink"])
		l.must(remove, path, "")
		assert.Equal(t, 404, l.do(get, membership, "").code)
	})
	t.Run("when an update says so", func(t *testing.T) {
		l := newLab(t)
		cluster(l)
		assert.Equal(t, 404, l.do(get, membership, "").code)
		l.must(put, path, `{"update": {"desiredFleet": {"project": "test-project"}}}`)
		l.get(membership)
		l.must(put, path, `{"update": {"desiredFleet": {}}}`)
		assert.Equal(t, 404, l.do(get, membership, "").code)
		assert.NotContains(t, l.get(path), "fleet")
	})
	t.Run("but not when its creation fails", func(t *testing.T) {
		l := newLab(t)
		subnet(l)
		require.NoError(t, l.cloud.Inject(engine.Fault{Method: "container.projects.locations.clusters.create", Status: 503, Operation: true}))
		l.must(post, containerAPI+"europe-west1/clusters", clusterBody(with))
		assert.Equal(t, 404, l.do(get, membership, "").code)
		assert.Equal(t, 404, l.do(get, path, "").code)
	})
}

func TestADestroyLeavesOnlyWhatIsPermanent(t *testing.T) {
	l := newLab(t)
	all(
		frontend, armor, zone, pool, key("europe-west1"), granted("europe-west1", "gcp-sa-cloud-sql"),
		sent(post, iamAPI+"locations/global/workloadIdentityPools/github/providers?workloadIdentityPoolProviderId=actions", `{"attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://issuer.example.com"}}`),
		sent(post, iamAPI+"serviceAccounts", `{"accountId": "deployer"}`),
		sent(post, storageAPI+"?project=test-project", `{"name": "state"}`),
		sent(post, computeAPI+"regions/europe-west1/subnetworks", `{"name": "europe", "network": "projects/test-project/global/networks/main", "ipCidrRange": "10.0.0.0/20", "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"}, {"rangeName": "services", "ipCidrRange": "10.8.0.0/20"}]}`),
		sent(post, containerAPI+"europe-west1/clusters", clusterBody(`, "initialNodeCount": 1, "fleet": {"project": "test-project"}`)),
		reserved("for-google", "main"), sent(post, peeringAPI, `{"network": "projects/test-project/global/networks/main", "reservedPeeringRanges": ["for-google"]}`),
		instances("one", "europe-west1", `, "ipConfiguration": {"ipv4Enabled": false, "privateNetwork": "projects/test-project/global/networks/main"}`, `, "diskEncryptionConfiguration": {"kmsKeyName": "projects/test-project/locations/europe-west1/keyRings/ring/cryptoKeys/key"}`),
		sent(post, sqlAPI+"instances/one/databases", `{"name": "shop"}`),
		sent(post, projectsAPI+":setIamPolicy", `{"policy": {"bindings": [{"role": "roles/viewer", "members": ["user:alice@example.com"]}]}}`),
	)(l)
	for _, path := range []string{
		computeAPI + "global/forwardingRules/https", computeAPI + "global/targetHttpsProxies/entry", certAPI + "certificateMaps/names", computeAPI + "global/urlMaps/routes",
		computeAPI + "global/backendServices/web", computeAPI + "global/healthChecks/live", computeAPI + "zones/europe-west1-b/networkEndpointGroups/pods", computeAPI + "global/addresses/front",
		computeAPI + "global/securityPolicies/shield", containerAPI + "europe-west1/clusters/green", sqlAPI + "instances/one/databases/shop", sqlAPI + "instances/one",
		dnsAPI + "managedZones/home", iamAPI + "locations/global/workloadIdentityPools/github/providers/actions", iamAPI + "locations/global/workloadIdentityPools/github",
		iamAPI + "serviceAccounts/deployer@test-project.iam.gserviceaccount.com", storageAPI + "/state",
	} {
		l.must(remove, path, "")
	}
	l.must(post, peeringAPI+"/servicenetworking-googleapis-com", `{"consumerNetwork": "projects/test-project/global/networks/main"}`)
	l.must(post, kmsAPI+"europe-west1/keyRings/ring/cryptoKeys/key/cryptoKeyVersions/1:destroy", `{}`)
	for _, path := range []string{"global/addresses/for-google", "regions/europe-west1/subnetworks/europe", "global/networks/main"} {
		l.must(remove, computeAPI+path, "")
	}
	assert.Empty(t, l.names(false))
	assert.Equal(t, []string{
		"cloudkms.googleapis.com/projects/test-project/locations/europe-west1/keyRings/ring",
		"cloudkms.googleapis.com/projects/test-project/locations/europe-west1/keyRings/ring/cryptoKeys/key",
		"cloudkms.googleapis.com/projects/test-project/locations/europe-west1/keyRings/ring/cryptoKeys/key/cryptoKeyVersions/1",
		"cloudresourcemanager.googleapis.com/projects/test-project",
		"iam.googleapis.com/projects/test-project/locations/global/workloadIdentityPools/github",
	}, l.names(true))
}

func TestADeletedPoolKeepsItsNameAndCanComeBack(t *testing.T) {
	const path = iamAPI + "locations/global/workloadIdentityPools"
	l := newLab(t)
	pool(l)
	l.must(remove, path+"/github", "")
	assert.Equal(t, "DELETED", l.get(path + "/github")["state"])
	assert.Equal(t, 409, l.do(post, path+"?workloadIdentityPoolId=github", `{}`).code)
	assert.Equal(t, 400, l.do(remove, path+"/github", "").code)
	l.must(post, path+"/github:undelete", `{}`)
	assert.Equal(t, "ACTIVE", l.get(path + "/github")["state"])
	assert.Equal(t, 400, l.do(post, path+"/github:undelete", `{}`).code)
}

func TestAPeeringExportsRoutesWhenToldTo(t *testing.T) {
	l := newLab(t)
	peering(l)
	l.must(patch, computeAPI+"global/networks/main/updatePeering", `{"networkPeering": {"name": "servicenetworking-googleapis-com", "exportCustomRoutes": true}}`)
	exported := l.get(computeAPI + "global/networks/main")["peerings"].([]any)[0].(Object)
	assert.Equal(t, true, exported["exportCustomRoutes"])
	assert.Equal(t, "ACTIVE", exported["state"], "the rest is as it was")
}

// TestWhatGoogleTakesIsTaken has requests that look wrong and are not.
func TestWhatGoogleTakesIsTaken(t *testing.T) {
	for _, test := range []struct {
		name               string
		given              setup
		method, path, body string
		source             string
	}{
		{
			"high availability without point-in-time recovery", nil, post, sqlAPI + "instances", instanceBody("one", "europe-west1", `, "availabilityType": "REGIONAL", "backupConfiguration": {"enabled": true}`, ""),
			"https://github.com/terraform-google-modules/terraform-google-sql-db/issues/344",
		},
		{"HTTPS on a port of one's choice", all(proxy, address), post, computeAPI + "global/forwardingRules", ruleBody("https", "8443"), rulesRef},
		{"a second rule for an address, on another port", frontend, post, computeAPI + "global/forwardingRules", ruleBody("more", "8443"), rulesRef},
		{"an endpoint group in the default network", network("default"), post, computeAPI + "zones/europe-west1-b/networkEndpointGroups", `{"name": "pods"}`, groupsRef},
		{"a patch of a backend service without a fingerprint", backend, patch, computeAPI + "global/backendServices/web", `{"description": "x"}`, "https://cloud.google.com/compute/docs/reference/rest/v1/backendServices/patch"},
		{"fields that are null", nil, post, computeAPI + "global/networks", `{"name": "main", "description": null}`, jsonMapping},
		{"fields that only Google writes", nil, post, computeAPI + "global/networks", `{"name": "main", "selfLink": "x", "id": "1"}`, "https://google.aip.dev/203"},
		{"a number as text", nil, post, computeAPI + "global/networks", `{"name": "main", "mtu": "1500"}`, jsonMapping},
		{"a project's number for its id", network("main"), get, "compute.googleapis.com/compute/v1/projects/100000000001/global/networks/main", "", "https://google.aip.dev/cloud/2510"},
		{"a host with an asterisk", backend, post, computeAPI + "global/urlMaps", `{"name": "routes", "defaultService": "projects/test-project/global/backendServices/web", "hostRules": [{"hosts": ["*.example.com"], "pathMatcher": "a"}], "pathMatchers": [{"name": "a", "defaultService": "projects/test-project/global/backendServices/web"}]}`, urlMapsRef},
		{"a wildcard certificate with an authorization", sent(post, certAPI+"dnsAuthorizations?dnsAuthorizationId=com", `{"domain": "example.com"}`), post, certAPI + "certificates?certificateId=site", `{"managed": {"domains": ["example.com", "*.example.com"], "dnsAuthorizations": ["projects/test-project/locations/global/dnsAuthorizations/com"]}}`, certsRef},
		{"a bucket with dots in its name", nil, post, storageAPI + "?project=test-project", `{"name": "state.example.com"}`, "https://cloud.google.com/storage/docs/buckets"},
		{"the same range in two networks", all(subnet, network("other")), post, computeAPI + "regions/europe-west1/subnetworks", `{"name": "europe-too", "network": "projects/test-project/global/networks/other", "ipCidrRange": "10.0.0.0/20"}`, subnetsRef},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t)
			if test.given != nil {
				test.given(l)
			}
			l.must(test.method, test.path, test.body)
		})
	}
}
