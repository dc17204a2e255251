package gcplab

import "testing"

const (
	advancedDR   = "https://cloud.google.com/sql/docs/postgres/use-advanced-disaster-recovery"
	editionTiers = "https://github.com/GoogleCloudPlatform/magic-modules/pull/18014"
	manageReplis = "https://cloud.google.com/sql/docs/postgres/replication/manage-replicas"
	cmek         = "https://cloud.google.com/sql/docs/postgres/configure-cmek"
	instancesRef = "https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1beta4/instances"
	settingsDoc  = "https://cloud.google.com/sql/docs/postgres/instance-settings"
)

func TestWrongDatabaseInstancesAreRefused(t *testing.T) {
	const all17 = sqlAPI + "instances"
	body := func(settings, fields string) string { return instanceBody("one", "europe-west1", settings, fields) }
	const keyed = `, "diskEncryptionConfiguration": {"kmsKeyName": "projects/test-project/locations/us-central1/keyRings/ring/cryptoKeys/key"}`
	const keyedHere = `, "diskEncryptionConfiguration": {"kmsKeyName": "projects/test-project/locations/europe-west1/keyRings/ring/cryptoKeys/key"}`
	refuse(t, []wrong{
		{
			name: "Enterprise Plus with a custom tier", method: post, path: all17, body: body(`, "edition": "ENTERPRISE_PLUS", "tier": "db-custom-2-7680"`, ""),
			code: 400, reason: "invalid", says: "Invalid request: Invalid Tier (db-custom-2-7680) for (ENTERPRISE_PLUS) Edition. Use a predefined Tier like db-perf-optimized-N-* instead.", source: editionTiers,
		},
		{
			name: "PostgreSQL 17, whose edition is Enterprise Plus, with a shared tier", method: post, path: all17, body: body(`, "tier": "db-g1-small"`, ""),
			code: 400, reason: "invalid", says: "Invalid request: Invalid Tier (db-g1-small) for (ENTERPRISE_PLUS) Edition.", source: editionTiers,
		},
		{
			name: "Enterprise with a tier of Enterprise Plus", method: post, path: all17, body: body(`, "edition": "ENTERPRISE", "tier": "db-perf-optimized-N-2"`, ""),
			code: 400, reason: "invalid", says: "Invalid request: Invalid Tier (db-perf-optimized-N-2) for (ENTERPRISE) Edition.", source: "https://cloud.google.com/sql/docs/postgres/editions-intro",
		},
		{
			name: "no tier", method: post, path: all17, body: `{"name": "one", "region": "europe-west1", "databaseVersion": "POSTGRES_17", "settings": {}}`,
			code: 400, reason: "invalid", says: "settings.tier", source: instancesRef,
		},
		{
			name: "an edition that does not exist", method: post, path: all17, body: body(`, "edition": "FREE", "tier": "db-g1-small"`, ""),
			code: 400, reason: "INVALID_ARGUMENT", says: "Invalid value at 'settings.edition'", source: instancesRef,
		},
		{
			name: "Enterprise with logs for two weeks", method: post, path: all17, body: body(`, "edition": "ENTERPRISE", "tier": "db-custom-2-7680", "backupConfiguration": {"enabled": true, "pointInTimeRecoveryEnabled": true, "transactionLogRetentionDays": 14}`, ""),
			code: 400, reason: "invalid", says: "Invalid request: The number of transaction log retention days must be between 1 and 7", source: "https://github.com/langfuse/langfuse-terraform-gcp/pull/34",
		},
		{
			name: "Enterprise Plus with logs for six weeks", method: post, path: all17, body: body(`, "backupConfiguration": {"enabled": true, "pointInTimeRecoveryEnabled": true, "transactionLogRetentionDays": 42}`, ""),
			code: 400, reason: "invalid", says: "must be between 1 and 35", source: "https://cloud.google.com/sql/docs/postgres/backup-recovery/pitr",
		},
		{
			name: "capitals in a name", method: post, path: all17, body: instanceBody("One", "europe-west1", "", ""),
			code: 400, reason: "invalid", says: "Invalid instance name (One).", source: settingsDoc,
		},
		{
			name: "a name that is too long together with the project's", method: post, path: all17, body: instanceBody("one-two-three-four-five-six-seven-eight-nine-ten-eleven-twelve-thirteen-fourteen-fifteen-sixteen", "europe-west1", "", ""),
			code: 400, reason: "invalid", says: "at most 98 characters", source: settingsDoc,
		},
		{
			name: "a region that does not exist", method: post, path: all17, body: instanceBody("one", "mars-north1", "", ""),
			code: 400, reason: "invalid", says: "mars-north1", source: "https://cloud.google.com/sql/docs/postgres/locations",
		},
		{
			name: "an instance twice", given: primary, method: post, path: all17, body: body("", ""),
			code: 409, reason: "instanceAlreadyExists", says: "The Cloud SQL instance already exists.", source: "https://cloud.google.com/sql/docs/postgres/error-messages",
		},
		{
			name: "an instance that is not there", method: get, path: all17 + "/one",
			code: 404, reason: "instanceDoesNotExist", says: "The Cloud SQL instance does not exist.", source: "https://cloud.google.com/sql/docs/postgres/error-messages",
		},
		{
			name: "no way to connect", method: post, path: all17, body: body(`, "ipConfiguration": {"ipv4Enabled": false}`, ""),
			code: 400, reason: "invalid", says: "At least one of Public IP, Private IP or PSC connectivity must be enabled", source: "https://cloud.google.com/sql/docs/postgres/configure-ip",
		},
		{
			name: "a private address in a network without private services access", given: network("main"), method: post, path: all17,
			body: body(`, "ipConfiguration": {"ipv4Enabled": false, "privateNetwork": "projects/test-project/global/networks/main"}`, ""),
			code: 400, reason: "invalid", says: "Invalid request: Incorrect Service Networking config for instance: test-project:one:NETWORK_NOT_PEERED.", source: "https://github.com/terraform-google-modules/terraform-google-sql-db/issues/281",
		},
		{
			name: "a key of another region", given: all(key("us-central1"), granted("us-central1", "gcp-sa-cloud-sql")), method: post, path: all17, body: body("", keyed),
			code: 400, reason: "invalid", says: "is not that of the instance, europe-west1", source: "https://cloud.google.com/sql/docs/postgres/cmek",
		},
		{
			name: "a key that the service agent may not use", given: key("europe-west1"), method: post, path: all17, body: body("", keyedHere),
			code: 400, reason: "invalid", says: "service-100000000001@gcp-sa-cloud-sql.iam.gserviceaccount.com does not have permission to use the key", source: cmek,
		},
		{
			name: "settings of before", given: all(primary, sent(patch, all17+"/one", `{"settings": {"userLabels": {"a": "b"}}}`)), method: patch, path: all17 + "/one", body: `{"settings": {"settingsVersion": "1", "userLabels": {"a": "c"}}}`,
			code: 412, reason: "staleData", says: "Condition does not match", source: instancesRef,
		},
		{
			name: "a smaller disk", given: instances("one", "europe-west1", `, "dataDiskSizeGb": "100"`, ""), method: patch, path: all17 + "/one", body: `{"settings": {"dataDiskSizeGb": "50"}}`,
			code: 400, reason: "invalid", says: "The disk size cannot be decreased from 100 GB to 50 GB.", source: settingsDoc,
		},
		{
			name: "another region for an instance", given: primary, method: patch, path: all17 + "/one", body: `{"region": "us-central1"}`,
			code: 400, reason: "invalid", says: "region cannot be changed", source: settingsDoc,
		},
		{
			name: "an older version for an instance", given: primary, method: patch, path: all17 + "/one", body: `{"databaseVersion": "POSTGRES_16"}`,
			code: 400, reason: "invalid", says: "cannot be lowered from POSTGRES_17 to POSTGRES_16", source: "https://cloud.google.com/sql/docs/postgres/upgrade-major-db-version-inplace",
		},
		{
			name: "a second change while the first goes on", given: all(primary, slow("sql.instances.patch"), sent(patch, all17+"/one", `{"settings": {"userLabels": {"a": "b"}}}`)), method: patch, path: all17 + "/one", body: `{"settings": {"userLabels": {"a": "c"}}}`,
			code: 409, reason: "operationInProgress", says: "Operation failed because another operation was already in progress.", source: "https://github.com/hashicorp/terraform-provider-google/issues/4370",
		},
		{
			name: "an instance is deleted while it changes", given: all(primary, slow("sql.instances.patch"), sent(patch, all17+"/one", `{"settings": {"userLabels": {"a": "b"}}}`)), method: remove, path: all17 + "/one",
			code: 409, reason: "operationInProgress", says: "another operation was already in progress", source: "https://github.com/crossplane-contrib/provider-gcp/issues/121",
		},
		{
			name: "an instance with deletion protection is deleted", given: instances("one", "europe-west1", `, "deletionProtectionEnabled": true`, ""), method: remove, path: all17 + "/one",
			code: 400, reason: "invalid", says: "The instance is protected. Please disable the deletion protection and try again.", source: "https://cloud.google.com/sql/docs/postgres/deletion-protection",
		},
		{
			name: "an instance with a replica is deleted", given: all(primary, replica), method: remove, path: all17 + "/one",
			code: 400, reason: "errorReplicationMasterInvalidOperation", says: "The requested operation is not valid for a replication master instance", source: "https://github.com/GoogleCloudPlatform/gcp-service-broker/issues/466",
		},
	})
}

func TestWrongReplicasAreRefused(t *testing.T) {
	const all17 = sqlAPI + "instances"
	follower := func(settings, fields string) string {
		return instanceBody("two", "us-central1", settings, `, "masterInstanceName": "one"`+fields)
	}
	designated := func(name string) string { return `{"replicationCluster": {"failoverDrReplicaName": "` + name + `"}}` }
	enterprise := all(
		instances("one", "europe-west1", `, "edition": "ENTERPRISE", "tier": "db-custom-2-7680"`, ""),
		instances("two", "us-central1", `, "edition": "ENTERPRISE", "tier": "db-custom-2-7680"`, `, "masterInstanceName": "one"`))
	refuse(t, []wrong{
		{
			name: "a replica of nothing", method: post, path: all17, body: follower("", ""),
			code: 404, reason: "instanceDoesNotExist", says: "The master instance one does not exist.", source: "https://cloud.google.com/sql/docs/postgres/replication/create-replica",
		},
		{
			name: "a replica with backups", given: primary, method: post, path: all17, body: follower(`, "backupConfiguration": {"enabled": true, "pointInTimeRecoveryEnabled": true}`, ""),
			code: 400, reason: "invalid", says: "Backups cannot be enabled for a read replica at its creation.", source: "https://github.com/GoogleCloudPlatform/magic-modules/pull/6836",
		},
		{
			name: "a replica of another edition", given: primary, method: post, path: all17, body: follower(`, "edition": "ENTERPRISE", "tier": "db-custom-2-7680"`, ""),
			code: 400, reason: "invalid", says: "cannot have a master of edition ENTERPRISE_PLUS", source: "https://cloud.google.com/sql/docs/postgres/editions-intro",
		},
		{
			name: "a replica without a key of its region's",
			given: all(key("europe-west1"), granted("europe-west1", "gcp-sa-cloud-sql"),
				instances("one", "europe-west1", "", `, "diskEncryptionConfiguration": {"kmsKeyName": "projects/test-project/locations/europe-west1/keyRings/ring/cryptoKeys/key"}`)),
			method: post, path: all17, body: follower("", ""),
			code: 400, reason: "invalid", says: "needs a key of its own region", source: "https://cloud.google.com/sql/docs/postgres/cmek",
		},
		{
			name: "a DR replica in the primary's region", given: all(primary, instances("two", "europe-west1", "", `, "masterInstanceName": "one"`)), method: patch, path: all17 + "/one", body: designated("two"),
			code: 400, reason: "invalid", says: "must be in another region", source: advancedDR,
		},
		{
			name: "a DR replica that replicates nothing", given: all(primary, instances("two", "us-central1", "", "")), method: patch, path: all17 + "/one", body: designated("two"),
			code: 400, reason: "invalid", says: "two is not a replica of one", source: advancedDR,
		},
		{
			name: "a DR replica that is not there", given: primary, method: patch, path: all17 + "/one", body: designated("nobody"),
			code: 400, reason: "invalid", says: "nobody is not a replica of one", source: advancedDR,
		},
		{
			name: "a DR replica for edition Enterprise", given: enterprise, method: patch, path: all17 + "/one", body: designated("two"),
			code: 400, reason: "invalid", says: "Advanced disaster recovery needs edition ENTERPRISE_PLUS.", source: advancedDR,
		},
		{
			name: "a DR replica while point-in-time recovery goes off", given: all(primary, replica), method: patch, path: all17 + "/one",
			body: `{"replicationCluster": {"failoverDrReplicaName": "two"}, "settings": {"backupConfiguration": {"pointInTimeRecoveryEnabled": false}}}`,
			code: 400, reason: "invalid", says: "needs point-in-time recovery", source: advancedDR,
		},
		{
			name: "a switchover to a replica that is not the DR replica", given: all(pair, third), method: post, path: all17 + "/three/switchover",
			code: 400, reason: "invalid", says: "three is not the DR replica of one", source: advancedDR,
		},
		{
			name: "a switchover to the primary", given: pair, method: post, path: all17 + "/one/switchover",
			code: 400, reason: "invalid", says: "one is not a replica", source: advancedDR,
		},
		{
			name: "a failover to a replica that is not the DR replica", given: all(pair, third), method: post, path: all17 + "/three/promoteReplica?failover=true",
			code: 400, reason: "invalid", says: "three is not the DR replica of one", source: "https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1beta4/instances/promoteReplica",
		},
		{
			name: "a promotion of the primary", given: pair, method: post, path: all17 + "/one/promoteReplica",
			code: 400, reason: "invalid", says: "one is not a replica", source: manageReplis,
		},
		{
			name: "a switchover while the primary changes", given: all(pair, slow("sql.instances.patch"), sent(patch, all17+"/one", `{"settings": {"userLabels": {"a": "b"}}}`)), method: post, path: all17 + "/two/switchover",
			code: 409, reason: "operationInProgress", says: "another operation was already in progress", source: "https://github.com/hashicorp/terraform-provider-google/issues/4370",
		},
	})
}

func TestWrongDatabasesAndUsersAreRefused(t *testing.T) {
	refuse(t, []wrong{
		{
			name: "a database on a replica", given: pair, method: post, path: sqlAPI + "instances/two/databases", body: `{"name": "shop"}`,
			code: 400, reason: "invalid", says: "isn't supported for a read replica", source: "https://cloud.google.com/sql/docs/postgres/replication",
		},
		{
			name: "a user on a replica", given: pair, method: post, path: sqlAPI + "instances/two/users", body: `{"name": "shop", "password": "x"}`,
			code: 400, reason: "invalid", says: "isn't supported for a read replica", source: "https://cloud.google.com/sql/docs/postgres/replication",
		},
		{
			name: "a database on nothing", method: post, path: sqlAPI + "instances/one/databases", body: `{"name": "shop"}`,
			code: 404, reason: "instanceDoesNotExist", says: "The Cloud SQL instance does not exist.", source: "https://cloud.google.com/sql/docs/postgres/error-messages",
		},
		{
			name: "a user of IAM without the flag", given: primary, method: post, path: sqlAPI + "instances/one/users", body: `{"name": "shop@test-project.iam", "type": "CLOUD_IAM_SERVICE_ACCOUNT"}`,
			code: 400, reason: "invalid", says: "cloudsql.iam_authentication", source: "https://cloud.google.com/sql/docs/postgres/create-edit-iam-instances",
		},
		{
			name: "a type of users that does not exist", given: primary, method: post, path: sqlAPI + "instances/one/users", body: `{"name": "shop", "type": "ALIEN"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "Invalid value at 'type'", source: "https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1beta4/users",
		},
		{
			name: "a database while another is made", given: all(primary, slow("sql.databases.insert"), sent(post, sqlAPI+"instances/one/databases", `{"name": "shop"}`)), method: post, path: sqlAPI + "instances/one/databases", body: `{"name": "stock"}`,
			code: 409, reason: "operationInProgress", says: "another operation was already in progress", source: "https://github.com/hashicorp/terraform-provider-google/issues/1558",
		},
		{
			name: "a user that is not there is deleted", given: primary, method: remove, path: sqlAPI + "instances/one/users?name=nobody",
			code: 404, reason: "userDoesNotExist", says: `The user "nobody" does not exist.`, source: "https://cloud.google.com/sql/docs/postgres/error-messages",
		},
	})
}

func TestWrongConnectionsToGooglesServicesAreRefused(t *testing.T) {
	const body = `{"network": "projects/test-project/global/networks/main", "reservedPeeringRanges": ["for-google"]}`
	const connect = "https://cloud.google.com/vpc/docs/configure-private-services-access"
	private := all(peering, instances("one", "europe-west1", `, "ipConfiguration": {"ipv4Enabled": false, "privateNetwork": "projects/test-project/global/networks/main"}`, ""))
	refuse(t, []wrong{
		{
			name: "a connection that a database still uses is deleted", given: private, method: post, path: peeringAPI + "/servicenetworking-googleapis-com", body: `{"consumerNetwork": "projects/test-project/global/networks/main"}`,
			code: 400, reason: "FAILED_PRECONDITION", says: "Producer services (e.g. CloudSQL, Cloud Memstore, etc.) are still using this connection", source: "https://github.com/hashicorp/terraform-provider-google/issues/19908",
		},
		{
			name: "a range of another network", given: all(network("main"), network("other"), reserved("for-google", "other")), method: post, path: peeringAPI, body: body,
			code: 400, reason: "INVALID_ARGUMENT", says: "The range for-google is of another network.", source: connect,
		},
		{
			name: "an address that is no range for this purpose", given: all(network("main"), sent(post, computeAPI+"global/addresses", `{"name": "for-google"}`)), method: post, path: peeringAPI, body: body,
			code: 400, reason: "INVALID_ARGUMENT", says: "no allocated range with purpose VPC_PEERING", source: connect,
		},
		{
			name: "no range", given: network("main"), method: post, path: peeringAPI, body: `{"network": "projects/test-project/global/networks/main"}`,
			code: 400, reason: "INVALID_ARGUMENT", says: "reserved_peering_ranges must not be empty", source: connect,
		},
		{
			name:   "a second connection of one network with other ranges",
			given:  all(peering, sent(post, computeAPI+"global/addresses", `{"name": "more", "addressType": "INTERNAL", "purpose": "VPC_PEERING", "address": "10.101.0.0", "prefixLength": 16, "network": "projects/test-project/global/networks/main"}`)),
			method: post, path: peeringAPI, body: `{"network": "projects/test-project/global/networks/main", "reservedPeeringRanges": ["more"]}`,
			code: 400, reason: "FAILED_PRECONDITION", says: "Cannot modify allocated ranges in CreateConnection. Please use UpdateConnection.", source: "https://github.com/gruntwork-io/terraform-google-sql/issues/36",
		},
	})
}
