package gcplab

import "testing"

const (
	clustersRef = "https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters"
	keysRef     = "https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys"
	alertsRef   = "https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies"
	uptimeRef   = "https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.uptimeCheckConfigs"
	recordsDoc  = "https://cloud.google.com/dns/docs/records-overview"
	providerRef = "https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers"
	certsRef    = "https://cloud.google.com/certificate-manager/docs/reference/certificate-manager/rest/v1/projects.locations.certificates"
)

func TestWrongClustersAreRefused(t *testing.T) {
	const (
		here     = containerAPI + "europe-west1/clusters"
		pools    = here + "/green/nodePools"
		disabled = `, "autopilot": {"enabled": true}`
		keyed    = `, "databaseEncryption": {"state": "ENCRYPTED", "keyName": "projects/test-project/locations/us-central1/keyRings/ring/cryptoKeys/key"}`
		keyedOK  = `, "databaseEncryption": {"state": "ENCRYPTED", "keyName": "projects/test-project/locations/europe-west1/keyRings/ring/cryptoKeys/key"}`
	)
	refuse(t, []wrong{
		{
			name: "a subnet of another region", given: subnet, method: post, path: containerAPI + "us-central1/clusters", body: clusterBody(""),
			code: 400, reason: "INVALID_ARGUMENT", says: `Subnetwork "europe" is not valid for a cluster in "us-central1"`, source: "https://cloud.google.com/kubernetes-engine/docs/how-to/alias-ips",
		},
		{
			name: "a subnet that is not there", given: network("main"), method: post, path: here, body: clusterBody(""),
			code: 404, reason: "NOT_FOUND", says: "subnetworks/europe", source: errorModel,
		},
		{
			name: "a range for pods that the subnet lacks", given: subnet, method: post, path: here,
			body: `{"cluster": {"name": "green", "subnetwork": "projects/test-project/regions/europe-west1/subnetworks/europe", "ipAllocationPolicy": {"clusterSecondaryRangeName": "peas"}}}`,
			code: 400, reason: "badRequest", says: `"peas"`, source: clustersRef,
		},
		{
			name: "a name of 41 characters", given: subnet, method: post, path: here, body: `{"cluster": {"name": "green-green-green-green-green-green-green", "subnetwork": "projects/test-project/regions/europe-west1/subnetworks/europe"}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "Must be at most 40 characters", source: clustersRef,
		},
		{
			name: "a name with an underscore", given: subnet, method: post, path: here, body: `{"cluster": {"name": "dark_green", "subnetwork": "projects/test-project/regions/europe-west1/subnetworks/europe"}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `"dark_green"`, source: clustersRef,
		},
		{
			name: "a location that does not exist", given: subnet, method: post, path: containerAPI + "mars-north1/clusters", body: clusterBody(""),
			code: 400, reason: "INVALID_ARGUMENT", says: `Location "mars-north1" does not exist.`, source: "https://cloud.google.com/compute/docs/regions-zones",
		},
		{
			name: "a cluster twice", given: cluster, method: post, path: here, body: clusterBody(""),
			code: 409, reason: "ALREADY_EXISTS", says: "Already exists: projects/test-project/locations/europe-west1/clusters/green.", source: "https://google.aip.dev/133",
		},
		{
			name: "node pools for a new cluster of Autopilot", given: subnet, method: post, path: here, body: clusterBody(disabled + `, "nodePools": [{"name": "large"}]`),
			code: 400, reason: "INVALID_ARGUMENT", says: "Node pools cannot be specified for Autopilot clusters.", source: "https://cloud.google.com/kubernetes-engine/docs/resources/autopilot-standard-feature-comparison",
		},
		{
			name: "a node pool in a cluster of Autopilot", given: clusterWith(disabled), method: post, path: pools, body: `{"nodePool": {"name": "large"}}`,
			code: 400, reason: "badRequest", says: "Autopilot node pools cannot be accessed or modified.", source: "https://github.com/turbot/steampipe-plugin-gcp/pull/591",
		},
		{
			name: "a node pool in no cluster", method: post, path: pools, body: `{"nodePool": {"name": "large"}}`,
			code: 404, reason: "NOT_FOUND", says: "Not found: projects/test-project/locations/europe-west1/clusters/green.", source: errorModel,
		},
		{
			name: "more nodes at least than at most", given: cluster, method: post, path: pools, body: `{"nodePool": {"name": "large", "autoscaling": {"enabled": true, "minNodeCount": 5, "maxNodeCount": 3}}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "minNodeCount (5) must not be greater than maxNodeCount (3)", source: "https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters.nodePools",
		},
		{
			name: "an upgrade that may neither add a node nor take one away", given: cluster, method: post, path: pools, body: `{"nodePool": {"name": "large", "upgradeSettings": {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 0}}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "cannot both be 0", source: "https://cloud.google.com/kubernetes-engine/docs/concepts/node-pool-upgrade-strategies",
		},
		{
			name: "a key of another location", given: all(subnet, key("us-central1"), granted("us-central1", "container-engine-robot")), method: post, path: here, body: clusterBody(keyed),
			code: 400, reason: "INVALID_ARGUMENT", says: "must be in the cluster's location", source: "https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets",
		},
		{
			name: "a key that GKE may not use", given: all(subnet, key("europe-west1")), method: post, path: here, body: clusterBody(keyedOK),
			code: 400, reason: "INVALID_ARGUMENT", says: "service-100000000001@container-engine-robot.iam.gserviceaccount.com does not have permission", source: "https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets",
		},
		{
			name: "a change of a cluster that something else is being done to", given: all(cluster, slow("container.projects.locations.clusters.nodePools.create"), sent(post, pools, `{"nodePool": {"name": "large"}}`)),
			method: put, path: here + "/green", body: `{"update": {"desiredReleaseChannel": {"channel": "STABLE"}}}`,
			code: 400, reason: "failedPrecondition", says: "Cluster is running incompatible operation operation-", source: "https://github.com/rancher/gke-operator/pull/509",
		},
		{
			name: "a cluster is deleted while it changes", given: all(cluster, slow("container.projects.locations.clusters.nodePools.create"), sent(post, pools, `{"nodePool": {"name": "large"}}`)), method: remove, path: here + "/green",
			code: 400, reason: "FAILED_PRECONDITION", says: "Cluster is running incompatible operation", source: "https://github.com/rancher/gke-operator/pull/509",
		},
		{
			name: "a subnet of a cluster is deleted", given: cluster, method: remove, path: computeAPI + "regions/europe-west1/subnetworks/europe",
			code: 400, reason: "resourceInUseByAnotherResource", says: "The subnetwork resource 'projects/test-project/regions/europe-west1/subnetworks/europe' is already being used by", source: deleteNetworks,
		},
		{
			name: "a feature that fleets lack", method: post, path: fleetAPI + "global/features?featureId=teleportation", body: `{}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `Feature "teleportation" does not exist.`, source: "https://cloud.google.com/kubernetes-engine/fleet-management/docs/fleet-features",
		},
		{
			name: "multi-cluster ingress without a cluster for its configuration", method: post, path: fleetAPI + "global/features?featureId=multiclusteringress", body: `{"spec": {}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "config_membership", source: "https://cloud.google.com/kubernetes-engine/docs/how-to/multi-cluster-ingress-setup",
		},
	})
}

func TestWrongKeysAreRefused(t *testing.T) {
	const keys = kmsAPI + "europe-west1/keyRings/ring/cryptoKeys"
	refuse(t, []wrong{
		{
			name: "rotation every hour", given: keyRing("europe-west1"), method: post, path: keys + "?cryptoKeyId=key", body: `{"purpose": "ENCRYPT_DECRYPT", "rotationPeriod": "3600s", "nextRotationTime": "2027-01-01T00:00:00Z"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "at least 86400 seconds", source: keysRef,
		},
		{
			name: "rotation in more than a century", given: keyRing("europe-west1"), method: post, path: keys + "?cryptoKeyId=key", body: `{"purpose": "ENCRYPT_DECRYPT", "rotationPeriod": "3153600001s", "nextRotationTime": "2027-01-01T00:00:00Z"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "at most 876000 hours", source: keysRef,
		},
		{
			name: "rotation without a first time", given: keyRing("europe-west1"), method: post, path: keys + "?cryptoKeyId=key", body: `{"purpose": "ENCRYPT_DECRYPT", "rotationPeriod": "86400s"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "next_rotation_time must be set", source: keysRef,
		},
		{
			name: "rotation of a key for signatures", given: keyRing("europe-west1"), method: post, path: keys + "?cryptoKeyId=key", body: `{"purpose": "ASYMMETRIC_SIGN", "rotationPeriod": "86400s", "nextRotationTime": "2027-01-01T00:00:00Z"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "only for keys with purpose ENCRYPT_DECRYPT", source: keysRef,
		},
		{
			name: "no purpose", given: keyRing("europe-west1"), method: post, path: keys + "?cryptoKeyId=key", body: `{}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "CryptoKey.purpose is required.", source: keysRef,
		},
		{
			name: "another purpose for a key", given: key("europe-west1"), method: patch, path: keys + "/key?updateMask=purpose", body: `{"purpose": "MAC"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "'purpose' is immutable", source: keysRef,
		},
		{
			name: "a key twice", given: key("europe-west1"), method: post, path: keys + "?cryptoKeyId=key", body: `{"purpose": "ENCRYPT_DECRYPT"}`,
			code: 409, reason: "ALREADY_EXISTS", says: "already exists", source: "https://google.aip.dev/133",
		},
		{
			name: "a key in no ring", method: post, path: keys + "?cryptoKeyId=key", body: `{"purpose": "ENCRYPT_DECRYPT"}`,
			code: 404, reason: "NOT_FOUND", says: "projects/test-project/locations/europe-west1/keyRings/ring", source: errorModel,
		},
		{
			name: "a ring without an id", method: post, path: kmsAPI + "europe-west1/keyRings", body: `{}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "keyRingId is required", source: "https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings/create",
		},
		{
			name: "a ring with a slash in its id", method: post, path: kmsAPI + "europe-west1/keyRings?keyRingId=a%2Fb", body: `{}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `"a/b"`, source: "https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings/create",
		},
		{
			name: "a ring in a location that does not exist", method: post, path: kmsAPI + "mars-north1/keyRings?keyRingId=ring", body: `{}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `Location "mars-north1" does not exist.`, source: "https://cloud.google.com/kms/docs/locations",
		},
		{
			name: "a version is destroyed twice", given: all(key("europe-west1"), sent(post, keys+"/key/cryptoKeyVersions/1:destroy", `{}`)), method: post, path: keys + "/key/cryptoKeyVersions/1:destroy", body: `{}`,
			code: 400, reason: "FAILED_PRECONDITION", says: "DESTROY_SCHEDULED", source: "https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.cryptoKeyVersions/destroy",
		},
	})
}

func TestWrongPoliciesOfIAMAreRefused(t *testing.T) {
	const members = "https://cloud.google.com/iam/docs/reference/rest/v1/Policy"
	binding := func(role, member string) string {
		return `{"policy": {"bindings": [{"role": "` + role + `", "members": ["` + member + `"]}]}}`
	}
	refuse(t, []wrong{
		{
			name: "a policy of before", method: post, path: projectsAPI + ":setIamPolicy", body: `{"policy": {"etag": "AAAAAAAAAAA=", "bindings": []}}`,
			code: 409, reason: "aborted", says: "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.", source: "https://github.com/DataBiosphere/leonardo/pull/737",
		},
		{
			name: "a policy of a key of before", given: all(key("europe-west1"), granted("europe-west1", "gcp-sa-cloud-sql")), method: post, path: kmsAPI + "europe-west1/keyRings/ring/cryptoKeys/key:setIamPolicy", body: `{"policy": {"etag": "AAAAAAAAAAA=", "bindings": []}}`,
			code: 409, reason: "ABORTED", says: "concurrent policy changes", source: members,
		},
		{
			name: "a member without its type", method: post, path: projectsAPI + ":setIamPolicy", body: binding("roles/viewer", "alice@example.com"),
			code: 400, reason: "INVALID_ARGUMENT", says: "alice@example.com", source: members,
		},
		{
			name: "a member of a type that does not exist", method: post, path: projectsAPI + ":setIamPolicy", body: binding("roles/viewer", "alien:alice@example.com"),
			code: 400, reason: "INVALID_ARGUMENT", says: "alien:alice@example.com", source: members,
		},
		{
			name: "a permission for a role", method: post, path: projectsAPI + ":setIamPolicy", body: binding("cloudsql.instances.connect", "user:alice@example.com"),
			code: 400, reason: "badRequest", says: "Role cloudsql.instances.connect is not supported for this resource.", source: "https://github.com/terraform-google-modules/terraform-google-service-accounts/issues/31",
		},
		{
			name: "a policy of a key that is not there", method: post, path: kmsAPI + "europe-west1/keyRings/ring/cryptoKeys/key:setIamPolicy", body: binding("roles/viewer", "user:alice@example.com"),
			code: 404, reason: "NOT_FOUND", says: "cryptoKeys/key", source: errorModel,
		},
		{
			name: "a service account whose id is too short", method: post, path: iamAPI + "serviceAccounts", body: `{"accountId": "ci"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `"ci"`, source: "https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create",
		},
		{
			name: "a service account whose id ends with a hyphen", method: post, path: iamAPI + "serviceAccounts", body: `{"accountId": "deployer-"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `"deployer-"`, source: "https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create",
		},
		{
			name: "a service account twice", given: sent(post, iamAPI+"serviceAccounts", `{"accountId": "deployer"}`), method: post, path: iamAPI + "serviceAccounts", body: `{"accountId": "deployer"}`,
			code: 409, reason: "ALREADY_EXISTS", says: "deployer@test-project.iam.gserviceaccount.com", source: "https://google.aip.dev/133",
		},
	})
}

func TestWrongFederationIsRefused(t *testing.T) {
	const providers = iamAPI + "locations/global/workloadIdentityPools/github/providers?workloadIdentityPoolProviderId=actions"
	refuse(t, []wrong{
		{
			name: "GitHub for everybody", given: pool, method: post, path: providers, body: `{"attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "The attribute condition must reference one of the provider's claims.", source: "https://github.com/chainguard-dev/terraform-infra-common/pull/672",
		},
		{
			name: "no google.subject", given: pool, method: post, path: providers, body: `{"attributeMapping": {"attribute.actor": "assertion.actor"}, "oidc": {"issuerUri": "https://issuer.example.com"}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "google.subject", source: providerRef,
		},
		{
			name: "an issuer without TLS", given: pool, method: post, path: providers, body: `{"attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "http://issuer.example.com"}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "must be an https URL", source: providerRef,
		},
		{
			name: "a provider in no pool", method: post, path: providers, body: `{"attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://issuer.example.com"}}`,
			code: 404, reason: "NOT_FOUND", says: "workloadIdentityPools/github", source: errorModel,
		},
		{
			name: "a pool with a name that is Google's", method: post, path: iamAPI + "locations/global/workloadIdentityPools?workloadIdentityPoolId=gcp-pool", body: `{}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `"gcp-pool"`, source: "https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools/create",
		},
		{
			name: "a pool whose id is too short", method: post, path: iamAPI + "locations/global/workloadIdentityPools?workloadIdentityPoolId=abc", body: `{}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `"abc"`, source: "https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools/create",
		},
	})
}

func TestWrongRecordsAreRefused(t *testing.T) {
	const zones = dnsAPI + "managedZones"
	const records = zones + "/home/rrsets"
	refuse(t, []wrong{
		{
			name: "a name outside of the zone", given: zone, method: post, path: records, body: `{"name": "www.example.org.", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.1"]}`,
			code: 400, reason: "invalid", says: "Invalid value for 'entity.rrset.name': 'www.example.org.'", source: recordsDoc,
		},
		{
			name: "a name that only ends like the zone's", given: zone, method: post, path: records, body: `{"name": "badexample.com.", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.1"]}`,
			code: 400, reason: "invalid", says: "Invalid value for 'entity.rrset.name': 'badexample.com.'", source: recordsDoc,
		},
		{
			name: "a name without a dot at its end", given: zone, method: post, path: records, body: `{"name": "www.example.com", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.1"]}`,
			code: 400, reason: "invalid", says: "Invalid value for 'entity.rrset.name': 'www.example.com'", source: recordsDoc,
		},
		{
			name: "a CNAME for the zone itself", given: zone, method: post, path: records, body: `{"name": "example.com.", "type": "CNAME", "ttl": 60, "rrdatas": ["www.example.org."]}`,
			code: 400, reason: "cnameResourceRecordSetConflict", says: "example.com.", source: "https://cloud.google.com/dns/docs/reference/rest/v1/resourceRecordSets",
		},
		{
			name: "a CNAME beside an A", given: aRecord, method: post, path: records, body: `{"name": "www.example.com.", "type": "CNAME", "ttl": 60, "rrdatas": ["www.example.org."]}`,
			code: 400, reason: "cnameResourceRecordSetConflict", says: "either one CNAME resource record set or resource record sets of other types, but not both", source: "https://github.com/kubernetes-sigs/external-dns/issues/3885",
		},
		{
			name: "an A beside a CNAME, as a change", given: all(zone, sent(post, records, `{"name": "www.example.com.", "type": "CNAME", "ttl": 60, "rrdatas": ["www.example.org."]}`)),
			method: post, path: zones + "/home/changes", body: `{"additions": [{"name": "www.example.com.", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.1"]}]}`,
			code: 400, reason: "cnameResourceRecordSetConflict", says: "but not both", source: "https://github.com/kubernetes-sigs/external-dns/issues/3715",
		},
		{
			name: "a name where an address must be", given: zone, method: post, path: records, body: `{"name": "www.example.com.", "type": "A", "ttl": 60, "rrdatas": ["www.example.org."]}`,
			code: 400, reason: "invalid", says: "Invalid value for 'entity.rrset.rrdata[0]': 'www.example.org.'", source: "https://github.com/kubernetes-sigs/external-dns/issues/433",
		},
		{
			name: "an address of version 4 for AAAA", given: zone, method: post, path: records, body: `{"name": "www.example.com.", "type": "AAAA", "ttl": 60, "rrdatas": ["192.0.2.1"]}`,
			code: 400, reason: "invalid", says: "Invalid value for 'entity.rrset.rrdata[0]': '192.0.2.1'", source: recordsDoc,
		},
		{
			name: "a CNAME to an address", given: zone, method: post, path: records, body: `{"name": "www.example.com.", "type": "CNAME", "ttl": 60, "rrdatas": ["192.0.2.1"]}`,
			code: 400, reason: "invalid", says: "Invalid value for 'entity.rrset.rrdata[0]': '192.0.2.1'", source: "https://github.com/kubernetes-sigs/external-dns/issues/433",
		},
		{
			name: "a record twice", given: aRecord, method: post, path: records, body: `{"name": "www.example.com.", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.2"]}`,
			code: 409, reason: "alreadyExists", says: "already exists", source: "https://cloud.google.com/dns/docs/reference/rest/v1/resourceRecordSets/create",
		},
		{
			name: "a record in no zone", method: post, path: records, body: `{"name": "www.example.com.", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.2"]}`,
			code: 404, reason: "notFound", says: "The 'parameters.managedZone' resource named 'home' does not exist.", source: "https://cloud.google.com/dns/docs/troubleshooting",
		},
		{
			name: "a record is taken away that is not there", given: zone, method: post, path: zones + "/home/changes", body: `{"deletions": [{"name": "www.example.com.", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.1"]}]}`,
			code: 404, reason: "notFound", says: "The 'entity.change.deletions[0]' resource named 'www.example.com. (A)' does not exist.", source: "https://cloud.google.com/dns/docs/reference/rest/v1/changes",
		},
		{
			name: "a zone with records is deleted", given: aRecord, method: remove, path: zones + "/home",
			code: 400, reason: "containerNotEmpty", says: "The resource named 'home' cannot be deleted because it contains one or more 'resource records'.", source: "https://github.com/tetratelabs/tetrate-service-bridge-sandbox/issues/256",
		},
		{
			name: "a zone without a dot at its end", method: post, path: zones, body: `{"name": "home", "dnsName": "example.com", "description": ""}`,
			code: 400, reason: "invalid", says: "Invalid value for 'entity.managedZone.dnsName': 'example.com'", source: "https://cloud.google.com/dns/docs/reference/rest/v1/managedZones",
		},
		{
			name: "a zone whose name has capitals", method: post, path: zones, body: `{"name": "Home", "dnsName": "example.com.", "description": ""}`,
			code: 400, reason: "invalid", says: "Invalid value for 'entity.managedZone.name': 'Home'", source: "https://cloud.google.com/dns/docs/reference/rest/v1/managedZones",
		},
		{
			name: "another name for a zone", given: zone, method: patch, path: zones + "/home", body: `{"dnsName": "example.org."}`,
			code: 400, reason: "invalid", says: "immutable", source: "https://cloud.google.com/dns/docs/zones",
		},
	})
}

func TestWrongCertificatesAreRefused(t *testing.T) {
	const (
		certificates = certAPI + "certificates?certificateId=site"
		entries      = certAPI + "certificateMaps/names/certificateMapEntries"
	)
	entry := all(certMap, sent(post, entries+"?certificateMapEntryId=www", `{"hostname": "www.example.com"}`))
	refuse(t, []wrong{
		{
			name: "no domain", method: post, path: certificates, body: `{"managed": {"domains": []}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "managed.domains must not be empty", source: certsRef,
		},
		{
			name: "a wildcard without an authorization", method: post, path: certificates, body: `{"managed": {"domains": ["*.example.com"]}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `Wildcard domain "*.example.com" needs a DNS authorization.`, source: certsRef,
		},
		{
			name: "an authorization for another domain", given: sent(post, certAPI+"dnsAuthorizations?dnsAuthorizationId=org", `{"domain": "example.org"}`), method: post, path: certificates,
			body: `{"managed": {"domains": ["example.com"], "dnsAuthorizations": ["projects/test-project/locations/global/dnsAuthorizations/org"]}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `"example.com"`, source: "https://cloud.google.com/certificate-manager/docs/domain-authorization",
		},
		{
			name: "an authorization that is not there", method: post, path: certificates, body: `{"managed": {"domains": ["example.com"], "dnsAuthorizations": ["projects/test-project/locations/global/dnsAuthorizations/org"]}}`,
			code: 404, reason: "NOT_FOUND", says: "dnsAuthorizations/org", source: errorModel,
		},
		{
			name: "an authorization for a wildcard", method: post, path: certAPI + "dnsAuthorizations?dnsAuthorizationId=all", body: `{"domain": "*.example.com"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `Invalid domain "*.example.com"`, source: "https://cloud.google.com/certificate-manager/docs/reference/certificate-manager/rest/v1/projects.locations.dnsAuthorizations",
		},
		{
			name: "a map with entries is deleted", given: entry, method: remove, path: certAPI + "certificateMaps/names",
			code: 400, reason: "FAILED_PRECONDITION", says: "can't delete certificate map", source: "https://cloud.google.com/certificate-manager/docs/maps",
		},
		{
			name: "a map of a proxy is deleted", given: proxy, method: remove, path: certAPI + "certificateMaps/names",
			code: 400, reason: "FAILED_PRECONDITION", says: "can't delete certificate map", source: "https://cloud.google.com/certificate-manager/docs/maps",
		},
		{
			name: "an entry without a name", given: certMap, method: post, path: entries + "?certificateMapEntryId=www", body: `{}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "Exactly one of hostname and matcher", source: "https://cloud.google.com/certificate-manager/docs/reference/certificate-manager/rest/v1/projects.locations.certificateMaps.certificateMapEntries",
		},
		{
			name: "a second entry for one name", given: entry, method: post, path: entries + "?certificateMapEntryId=again", body: `{"hostname": "www.example.com"}`,
			code: 409, reason: "ALREADY_EXISTS", says: "hostname", source: "https://cloud.google.com/certificate-manager/docs/map-entries",
		},
		{
			name: "another name for an entry", given: entry, method: patch, path: entries + "/www?updateMask=hostname", body: `{"hostname": "shop.example.com"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "paths not permitted to be updated: hostname", source: "https://github.com/GoogleCloudPlatform/magic-modules/pull/7448",
		},
	})
}

func TestWrongMonitoringIsRefused(t *testing.T) {
	const (
		policies = monitoringAPI + "alertPolicies"
		checks   = monitoringAPI + "uptimeCheckConfigs"
		channels = monitoringAPI + "notificationChannels"
		promQL   = `{"displayName": "a", "conditionPrometheusQueryLanguage": {"query": "up == 0"}}`
		resource = `"monitoredResource": {"type": "uptime_url", "labels": {"host": "example.com"}}, "httpCheck": {}`
	)
	refuse(t, []wrong{
		{
			name: "an alert on nothing", method: post, path: policies, body: `{"displayName": "down", "combiner": "OR"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "from 1 to 6 conditions", source: alertsRef,
		},
		{
			name: "an alert on seven things", method: post, path: policies, body: `{"displayName": "down", "combiner": "OR", "conditions": [{}, {}, {}, {}, {}, {}, {}]}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "from 1 to 6 conditions", source: alertsRef,
		},
		{
			name: "two conditions in PromQL", method: post, path: policies, body: `{"displayName": "down", "combiner": "OR", "conditions": [` + promQL + `, ` + promQL + `]}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "only one condition", source: "https://cloud.google.com/monitoring/promql/create-promql-alerts",
		},
		{
			name: "a condition in PromQL without a query", method: post, path: policies, body: `{"displayName": "down", "combiner": "OR", "conditions": [{"conditionPrometheusQueryLanguage": {"query": " "}}]}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "query had an invalid value: must not be empty", source: alertsRef,
		},
		{
			name: "a condition in PromQL every 45 seconds", method: post, path: policies, body: `{"displayName": "down", "combiner": "OR", "conditions": [{"conditionPrometheusQueryLanguage": {"query": "up == 0", "evaluationInterval": "45s"}}]}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "multiple of 30 seconds", source: alertsRef,
		},
		{
			name: "an alert to a channel that is not there", method: post, path: policies, body: `{"displayName": "down", "combiner": "OR", "conditions": [` + promQL + `], "notificationChannels": ["projects/test-project/notificationChannels/1"]}`,
			code: 404, reason: "NOT_FOUND", says: "notificationChannels/1", source: errorModel,
		},
		{
			name: "a check every 45 seconds", method: post, path: checks, body: `{"displayName": "site", "period": "45s", ` + resource + `}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "uptime_check_config.period", source: uptimeRef,
		},
		{
			name: "a check that waits for two minutes", method: post, path: checks, body: `{"displayName": "site", "timeout": "120s", ` + resource + `}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "uptime_check_config.timeout", source: uptimeRef,
		},
		{
			name: "a check from one place", method: post, path: checks, body: `{"displayName": "site", "selectedRegions": ["EUROPE"], ` + resource + `}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "at least 3 locations", source: uptimeRef,
		},
		{
			name: "a channel of a type that does not exist", method: post, path: channels, body: `{"displayName": "on call", "type": "pigeon", "labels": {}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `notification_channel.type had an invalid value of "pigeon"`, source: "https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.notificationChannels",
		},
		{
			name: "an e-mail to nobody", method: post, path: channels, body: `{"displayName": "on call", "type": "email", "labels": {}}`,
			code: 400, reason: "INVALID_ARGUMENT", says: `"email_address"`, source: "https://cloud.google.com/monitoring/alerts/using-channels-api",
		},
	})
}

func TestWrongBucketsAreRefused(t *testing.T) {
	const naming = "https://cloud.google.com/storage/docs/buckets"
	const buckets = storageAPI + "?project=test-project"
	refuse(t, []wrong{
		{
			name: "capitals in a name", method: post, path: buckets, body: `{"name": "State"}`,
			code: 400, reason: "invalid", says: "Invalid bucket name: 'State'", source: naming,
		},
		{
			name: "a name of two characters", method: post, path: buckets, body: `{"name": "tf"}`,
			code: 400, reason: "invalid", says: "Invalid bucket name: 'tf'", source: naming,
		},
		{
			name: "a name that begins with goog", method: post, path: buckets, body: `{"name": "goog-state"}`,
			code: 400, reason: "invalid", says: "Invalid bucket name: 'goog-state'", source: naming,
		},
		{
			name: "a name that ends with a hyphen", method: post, path: buckets, body: `{"name": "state-"}`,
			code: 400, reason: "invalid", says: "Invalid bucket name: 'state-'", source: naming,
		},
		{
			name: "a name that is an address", method: post, path: buckets, body: `{"name": "192.0.2.1"}`,
			code: 400, reason: "invalid", says: "Invalid bucket name: '192.0.2.1'", source: naming,
		},
		{
			name: "no name", method: post, path: buckets, body: `{}`,
			code: 400, reason: "required", says: "name", source: "https://cloud.google.com/storage/docs/json_api/v1/buckets/insert",
		},
		{
			name: "a bucket twice", given: sent(post, buckets, `{"name": "state"}`), method: post, path: buckets, body: `{"name": "state"}`,
			code: 409, reason: "conflict", says: "you already own it", source: "https://cloud.google.com/storage/docs/json_api/v1/status-codes",
		},
		{
			name: "a location that does not exist", method: post, path: buckets, body: `{"name": "state", "location": "MARS"}`,
			code: 400, reason: "invalid", says: "The specified location constraint is not valid", source: "https://cloud.google.com/storage/docs/locations",
		},
		{
			name: "another location for a bucket", given: sent(post, buckets, `{"name": "state"}`), method: patch, path: storageAPI + "/state", body: `{"location": "EU"}`,
			code: 400, reason: "invalid", says: "location", source: "https://cloud.google.com/storage/docs/moving-buckets",
		},
		{
			name: "a bucket over three regions", method: post, path: buckets, body: `{"name": "state", "location": "EU", "customPlacementConfig": {"dataLocations": ["EUROPE-WEST1", "EUROPE-WEST4", "EUROPE-NORTH1"]}}`,
			code: 400, reason: "invalid", says: "exactly two regions", source: "https://cloud.google.com/storage/docs/locations",
		},
		{
			name: "a key that Cloud Storage may not use", given: key("europe-west1"), method: post, path: buckets, body: `{"name": "state", "location": "EUROPE-WEST1", "encryption": {"defaultKmsKeyName": "projects/test-project/locations/europe-west1/keyRings/ring/cryptoKeys/key"}}`,
			code: 403, reason: "forbidden", says: "Permission denied on Cloud KMS key.", source: "https://cloud.google.com/storage/docs/encryption/using-customer-managed-keys",
		},
		{
			name: "a bucket that is not there", method: get, path: storageAPI + "/state",
			code: 404, reason: "notFound", says: "The specified bucket does not exist.", source: "https://cloud.google.com/storage/docs/json_api/v1/status-codes",
		},
		{
			name: "a bucket for a project that does not exist", method: post, path: storageAPI + "?project=nobody", body: `{"name": "state"}`,
			code: 400, reason: "invalid", says: "Unknown project id: nobody", source: "https://cloud.google.com/storage/docs/json_api/v1/status-codes",
		},
	})
}
