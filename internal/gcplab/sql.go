package gcplab

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/discovery"
	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

const (
	sqlInstances = "sql.instances"
	sqlUsers     = "sql.users"
	sqlDatabases = "sql.databases"
)

// newSQL is Cloud SQL for PostgreSQL: https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1beta4.
func newSQL(api *discovery.API) *engine.Service {
	service := &engine.Service{
		APIs:    []*discovery.API{api},
		Kinds:   map[string]*engine.Kind{},
		Methods: map[string]func(*engine.Call) (any, error){},
		Stamp: func(c *engine.Call, o Object) {
			o["project"] = c.Project().ID
			o["selfLink"] = "https://sqladmin.googleapis.com/sql/v1beta4/" + c.Name()
			o["etag"] = fingerprint(o)
			if c.Method.Collection() != sqlInstances {
				o["instance"] = c.After("instances")
			}
		},
		Operation: sqlOperation,
		NotFound: func(_ *engine.Call, name string) *engine.Error {
			if strings.HasPrefix(name, "projects/") && len(strings.Split(name, "/")) == 4 {
				return engine.Errorf(http.StatusNotFound, "instanceDoesNotExist", "The Cloud SQL instance does not exist.")
			}
			return engine.Errorf(http.StatusNotFound, "notFound", "Not Found: %s", name)
		},
		Exists: func(c *engine.Call, name string) *engine.Error {
			if c.Method.Collection() == sqlInstances {
				return engine.Errorf(http.StatusConflict, "instanceAlreadyExists", "The Cloud SQL instance already exists. When you delete an instance, you can't reuse the name of the deleted instance until one week from the deletion date.")
			}
			return engine.Errorf(http.StatusConflict, "alreadyExists", "%s already exists.", last(name))
		},
	}
	service.Kinds[sqlInstances] = &engine.Kind{
		Default: defaultInstance, Check: checkInstance, Created: createdInstance, Delete: deleteInstance,
		State: "state", Busy: "PENDING_CREATE", Ready: "RUNNABLE",
		Done: func(c *engine.Call, _ Object) { deriveReplication(c) },
		Deleted: func(c *engine.Call, entry *engine.Entry) {
			dismiss(c, entry)
			deriveReplication(c)
		},
	}
	service.Kinds[sqlDatabases] = &engine.Kind{
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"kind": "sql#database", "charset": "UTF8", "collation": "en_US.UTF8"})
		},
		Check: func(c *engine.Call, _, _ Object) error { return writable(c) },
		Delete: func(c *engine.Call, _ *engine.Entry) error {
			return writable(c)
		},
	}
	service.Kinds[sqlUsers] = &engine.Kind{
		Default: func(_ *engine.Call, o Object) {
			engine.Default(o, Object{"kind": "sql#user", "type": "BUILT_IN", "host": ""})
			// Google never shows a password again; here it is not even kept.
			delete(o, "password")
		},
		Check: func(c *engine.Call, _, o Object) error {
			if engine.Text(o, "type") != "BUILT_IN" && flag(c, "cloudsql.iam_authentication") != "on" {
				return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid request: IAM users need the flag cloudsql.iam_authentication on the instance.")
			}
			return writable(c)
		},
	}
	service.Methods["sql.instances.patch"] = func(c *engine.Call) (any, error) { return updateInstance(c, true) }
	service.Methods["sql.instances.update"] = func(c *engine.Call) (any, error) { return updateInstance(c, false) }
	service.Methods["sql.instances.switchover"] = func(c *engine.Call) (any, error) { return switchover(c, false) }
	service.Methods["sql.instances.promoteReplica"] = func(c *engine.Call) (any, error) {
		if c.Query["failover"] == "true" {
			return switchover(c, true)
		}
		return promote(c)
	}
	service.Methods["sql.users.update"] = userMethod(func(_ *engine.Call, entry *engine.Entry) error {
		return nil
	})
	service.Methods["sql.users.delete"] = userMethod(func(c *engine.Call, entry *engine.Entry) error {
		c.Cloud.Remove(entry.Name)
		return nil
	})
	return service
}

// settingsDefaults are what an instance has that asks for nothing:
// https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1beta4/instances#settings.
func settingsDefaults(plus bool) Object {
	edition, retained, logs := "ENTERPRISE", 7, 7
	if plus {
		edition, retained, logs = "ENTERPRISE_PLUS", 15, 14
	}
	return Object{
		"kind": "sql#settings", "activationPolicy": "ALWAYS", "availabilityType": "ZONAL", "edition": edition, "pricingPlan": "PER_USE",
		"dataDiskSizeGb": "10", "dataDiskType": "PD_SSD", "storageAutoResize": true, "storageAutoResizeLimit": "0", "replicationType": "SYNCHRONOUS",
		"connectorEnforcement": "NOT_REQUIRED", "deletionProtectionEnabled": false, "userLabels": Object{},
		"ipConfiguration":     Object{"ipv4Enabled": true, "sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED", "requireSsl": false, "serverCaMode": "GOOGLE_MANAGED_INTERNAL_CA"},
		"backupConfiguration": Object{"kind": "sql#backupConfiguration", "enabled": false, "startTime": "00:00", "binaryLogEnabled": false, "pointInTimeRecoveryEnabled": false, "transactionLogRetentionDays": logs, "transactionalLogStorageState": "CLOUD_STORAGE", "backupTier": "STANDARD", "backupRetentionSettings": Object{"retentionUnit": "COUNT", "retainedBackups": retained}},
	}
}

func defaultInstance(c *engine.Call, o Object) {
	engine.Default(o, Object{"kind": "sql#instance", "backendType": "SECOND_GEN", "databaseVersion": "POSTGRES_17"})
	if engine.Text(o, "masterInstanceName") != "" {
		o["instanceType"] = "READ_REPLICA_INSTANCE"
		if master, _ := masterOf(c, o); master != nil && c.Method.Verb() == "insert" {
			o["databaseVersion"] = master.Data["databaseVersion"]
			// A replica has its master's plan for backups, and does not follow it.
			plan := engine.Clone(engine.Sub(master.Data, "settings", "backupConfiguration"))
			plan["enabled"], plan["pointInTimeRecoveryEnabled"] = false, false
			engine.Default(engine.Ensure(o, "settings"), Object{"backupConfiguration": plan})
		}
	} else {
		o["instanceType"] = "CLOUD_SQL_INSTANCE"
	}
	settings := engine.Ensure(o, "settings")
	plus := majorVersion(o) >= 16
	if edition := engine.Text(settings, "edition"); edition != "" {
		plus = edition == "ENTERPRISE_PLUS"
	}
	engine.Default(settings, settingsDefaults(plus))
	engine.Default(settings, Object{"locationPreference": Object{"kind": "sql#locationPreference"}})
	if zones := zonesOf(engine.Text(o, "region")); len(zones) > 1 {
		engine.Default(settings, Object{"locationPreference": Object{"zone": zones[0]}})
		o["gceZone"] = engine.Sub(settings, "locationPreference")["zone"]
		delete(o, "secondaryGceZone")
		if settings["availabilityType"] == "REGIONAL" {
			o["secondaryGceZone"] = zones[1]
		}
	}
	if cache := engine.Sub(settings, "dataCacheConfig"); len(cache) == 0 && plus {
		settings["dataCacheConfig"] = Object{"dataCacheEnabled": false}
	}
	if insights := engine.Sub(settings, "insightsConfig"); insights["queryInsightsEnabled"] == true {
		engine.Default(insights, Object{"queryPlansPerMinute": 5, "queryStringLength": 1024, "recordApplicationTags": false, "recordClientAddress": false})
	}
	delete(o, "rootPassword")
}

func majorVersion(o Object) int {
	version, err := strconv.Atoi(strings.TrimPrefix(engine.Text(o, "databaseVersion"), "POSTGRES_"))
	if err != nil {
		return 0
	}
	return version
}

func masterOf(c *engine.Call, o Object) (*engine.Entry, string) {
	master := last(strings.ReplaceAll(engine.Text(o, "masterInstanceName"), ":", "/"))
	return instance(c, master), master
}

func instance(c *engine.Call, name string) *engine.Entry {
	return c.Cloud.Get(c.Service.Host() + "/projects/" + c.Project().ID + "/instances/" + name)
}

func createdInstance(c *engine.Call, o Object) {
	name, region := engine.Text(o, "name"), engine.Text(o, "region")
	o["connectionName"] = c.Project().ID + ":" + region + ":" + name
	o["createTime"] = c.Time()
	o["serviceAccountEmailAddress"] = "p" + c.Project().Number + "-" + fingerprintHex(name) + "@gcp-sa-cloud-sql.iam.gserviceaccount.com"
	o["databaseInstalledVersion"] = engine.Text(o, "databaseVersion") + "_1"
	o["maintenanceVersion"] = engine.Text(o, "databaseVersion") + "_1.R20261001.00_01"
	o["sqlNetworkArchitecture"] = "NEW_NETWORK_ARCHITECTURE"
	o["serverCaCert"] = Object{"kind": "sql#sslCert", "commonName": "C=US,O=Google\\, Inc,CN=Google Cloud SQL Server CA", "sha1Fingerprint": fingerprintHex(name), "instance": name, "certSerialNumber": "0", "createTime": c.Time(), "expirationTime": stamp(c.Now().AddDate(10, 0, 0)), "cert": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"}
	engine.Ensure(o, "settings")["settingsVersion"] = "1"
	var addresses []any
	ip := engine.Sub(o, "settings", "ipConfiguration")
	if ip["ipv4Enabled"] == true {
		addresses = append(addresses, Object{"type": "PRIMARY", "ipAddress": freeAddress(c)})
	}
	if engine.Text(ip, "privateNetwork") != "" {
		addresses = append(addresses, Object{"type": "PRIVATE", "ipAddress": privateAddress(c, ip)})
	}
	o["ipAddresses"] = addresses
	o["dnsName"] = fingerprintHex(name) + ".c." + region + ".sql.goog."
	c.Cloud.Put(c.FullName()+"/users/postgres", sqlUsers, Object{"kind": "sql#user", "name": "postgres", "project": c.Project().ID, "instance": name, "host": "", "type": "BUILT_IN"})
}

func fingerprintHex(value any) string {
	return fmt.Sprintf("%x", fingerprint(value))[:12]
}

// privateAddress takes the next address of the range that is reserved for service networking.
func privateAddress(c *engine.Call, ip Object) string {
	network, _ := c.Resolve(engine.Text(ip, "privateNetwork"))
	for _, entry := range c.Cloud.Entries("compute.globalAddresses", "") {
		reserved, ok := reservedRange(entry.Data)
		if other, _ := c.Resolve(engine.Text(entry.Data, "network")); ok && other == network {
			address := reserved.Addr()
			for range 3 + len(c.Cloud.Entries(sqlInstances, "")) {
				address = address.Next()
			}
			return address.String()
		}
	}
	return ""
}

// checkInstance has the rules of https://cloud.google.com/sql/docs/postgres/create-instance, editions-intro, cmek and
// replication.
func checkInstance(c *engine.Call, old, o Object) error {
	if region := engine.Text(o, "region"); !isRegion(region) {
		return sqlInvalid("Invalid value for field 'region': '%s'. Unknown region.", region)
	}
	if name := engine.Text(o, "name"); len(c.Project().ID+":"+name) > 98 || !nameLike(name) {
		return sqlInvalid("Invalid instance name (%s). Instance names must begin with a letter, have lowercase letters, digits and hyphens only, and be at most 98 characters long with the project's ID.", name)
	}
	if !strings.HasPrefix(engine.Text(o, "databaseVersion"), "POSTGRES_") {
		return sqlInvalid("gcplab has PostgreSQL only, and not %s.", o["databaseVersion"])
	}
	settings := engine.Sub(o, "settings")
	if err := checkTier(engine.Text(settings, "edition"), engine.Text(settings, "tier")); err != nil {
		return err
	}
	backup := engine.Sub(settings, "backupConfiguration")
	most := 7.0
	if settings["edition"] == "ENTERPRISE_PLUS" {
		most = 35
	}
	if days, _ := number(backup["transactionLogRetentionDays"]); o["instanceType"] != "READ_REPLICA_INSTANCE" && (days < 1 || days > most) {
		return sqlInvalid("The number of transaction log retention days must be between 1 and %s.", itoa(most))
	}
	if err := checkPrivateNetwork(c, settings); err != nil {
		return err
	}
	if err := checkInstanceKey(c, o); err != nil {
		return err
	}
	if old != nil {
		return checkInstanceChange(c, old, o)
	}
	if engine.Text(o, "masterInstanceName") != "" {
		return checkReplica(c, o)
	}
	return nil
}

func sqlInvalid(format string, args ...any) *engine.Error {
	return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid request: "+format, args...)
}

func nameLike(name string) bool {
	for i, r := range name {
		if r >= 'a' && r <= 'z' || i > 0 && (r >= '0' && r <= '9' || r == '-') {
			continue
		}
		return false
	}
	return name != "" && !strings.HasSuffix(name, "-")
}

// checkTier is https://cloud.google.com/sql/docs/postgres/instance-settings#machine-type-2ndgen.
func checkTier(edition, tier string) error {
	performance := strings.HasPrefix(tier, "db-perf-optimized-") || strings.HasPrefix(tier, "db-c4a-")
	switch {
	case tier == "":
		return sqlInvalid("Missing parameter: settings.tier.")
	case edition == "ENTERPRISE_PLUS" && !performance:
		return sqlInvalid("Invalid Tier (%s) for (ENTERPRISE_PLUS) Edition. Use a predefined Tier like db-perf-optimized-N-* instead. Learn more at https://cloud.google.com/sql/docs/postgres/create-instance#machine-types", tier)
	case edition == "ENTERPRISE" && performance:
		return sqlInvalid("Invalid Tier (%s) for (ENTERPRISE) Edition. Use a custom Tier like db-custom-N-* instead. Learn more at https://cloud.google.com/sql/docs/postgres/create-instance#machine-types", tier)
	}
	return nil
}

func checkPrivateNetwork(c *engine.Call, settings Object) error {
	ip := engine.Sub(settings, "ipConfiguration")
	private := engine.Text(ip, "privateNetwork")
	if private == "" {
		if ip["ipv4Enabled"] == false && len(engine.Sub(ip, "pscConfig")) == 0 {
			return sqlInvalid("At least one of Public IP, Private IP or PSC connectivity must be enabled.")
		}
		return nil
	}
	name, ok := c.Resolve(private)
	network := c.Cloud.Get(name)
	if !ok || network == nil {
		return sqlInvalid("The network %s does not exist.", private)
	}
	if !peered(network.Data) {
		return sqlInvalid("Incorrect Service Networking config for instance: %s:%s:NETWORK_NOT_PEERED.", c.Project().ID, last(c.Name()))
	}
	return nil
}

func peered(network Object) bool {
	return slices.ContainsFunc(engine.Objects(network, "peerings"), func(peering Object) bool {
		return engine.Text(peering, "name") == peeringName
	})
}

func checkInstanceKey(c *engine.Call, o Object) error {
	key := engine.Text(engine.Sub(o, "diskEncryptionConfiguration"), "kmsKeyName")
	if key == "" {
		return nil
	}
	if parts := strings.Split(key, "/"); len(parts) < 4 || parts[3] != o["region"] {
		return sqlInvalid("The location of the KMS key %s is not that of the instance, %s.", key, o["region"])
	}
	return mayUseKey(c, key, "service-"+c.Project().Number+"@gcp-sa-cloud-sql.iam.gserviceaccount.com")
}

// mayUseKey refuses a key that the service's own account may not use.
func mayUseKey(c *engine.Call, key, account string) error {
	name, _ := c.Resolve(key)
	entry := c.Cloud.Get(name)
	if entry == nil {
		return engine.Errorf(http.StatusNotFound, "notFound", "KMS key %s was not found", key)
	}
	for _, binding := range engine.Objects(entry.Policy, "bindings") {
		if binding["role"] == "roles/cloudkms.cryptoKeyEncrypterDecrypter" && slices.Contains(engine.List(binding, "members"), any("serviceAccount:"+account)) {
			return nil
		}
	}
	return engine.Errorf(http.StatusBadRequest, "invalid", "Per-Product Per-Project service account %s does not have permission to use the key %s. Please grant roles/cloudkms.cryptoKeyEncrypterDecrypter.", account, key)
}

func checkInstanceChange(c *engine.Call, old, o Object) error {
	for _, field := range []string{"region", "name"} {
		if old[field] != o[field] {
			return sqlInvalid("%s cannot be changed after creation.", field)
		}
	}
	if majorVersion(o) < majorVersion(old) {
		return sqlInvalid("The database version cannot be lowered from %s to %s.", old["databaseVersion"], o["databaseVersion"])
	}
	before, err := strconv.Atoi(engine.Text(engine.Sub(old, "settings"), "dataDiskSizeGb"))
	if err != nil {
		return err
	}
	after, err := strconv.Atoi(engine.Text(engine.Sub(o, "settings"), "dataDiskSizeGb"))
	if err != nil || after < before {
		return sqlInvalid("The disk size cannot be decreased from %d GB to %d GB.", before, after)
	}
	replica := engine.Text(engine.Sub(o, "replicationCluster"), "failoverDrReplicaName")
	if replica == "" || replica == engine.Text(engine.Sub(old, "replicationCluster"), "failoverDrReplicaName") {
		return nil
	}
	return checkDRReplica(c, o, last(strings.ReplaceAll(replica, ":", "/")))
}

// checkDRReplica is https://cloud.google.com/sql/docs/postgres/use-advanced-disaster-recovery.
func checkDRReplica(c *engine.Call, primary Object, name string) error {
	replica := instance(c, name)
	switch {
	case replica == nil || last(strings.ReplaceAll(engine.Text(replica.Data, "masterInstanceName"), ":", "/")) != primary["name"]:
		return sqlInvalid("%s is not a replica of %s, so it cannot be its DR replica.", name, primary["name"])
	case replica.Data["region"] == primary["region"]:
		return sqlInvalid("The DR replica %s must be in another region than its primary.", name)
	case engine.Sub(primary, "settings")["edition"] != "ENTERPRISE_PLUS":
		return sqlInvalid("Advanced disaster recovery needs edition ENTERPRISE_PLUS.")
	case engine.Sub(primary, "settings", "backupConfiguration")["pointInTimeRecoveryEnabled"] != true:
		return sqlInvalid("Advanced disaster recovery needs point-in-time recovery on the primary instance.")
	}
	return nil
}

func checkReplica(c *engine.Call, o Object) error {
	master, name := masterOf(c, o)
	if master == nil {
		return engine.Errorf(http.StatusNotFound, "instanceDoesNotExist", "The master instance %s does not exist.", name)
	}
	backup := engine.Sub(master.Data, "settings", "backupConfiguration")
	switch {
	case master.Data["state"] != "RUNNABLE":
		return engine.Errorf(http.StatusBadRequest, "invalidState", "The master instance %s is not ready: its state is %s.", name, master.Data["state"])
	case backup["enabled"] != true || backup["pointInTimeRecoveryEnabled"] != true:
		return sqlInvalid("The master instance %s must have backups and point-in-time recovery enabled.", name)
	case majorVersion(master.Data) != majorVersion(o):
		return sqlInvalid("A replica must have its master's database version, %s.", master.Data["databaseVersion"])
	}
	masterEdition, edition := engine.Sub(master.Data, "settings")["edition"], engine.Sub(o, "settings")["edition"]
	if masterEdition != edition {
		return sqlInvalid("A replica of edition %s cannot have a master of edition %s.", edition, masterEdition)
	}
	if engine.Sub(o, "settings", "backupConfiguration")["enabled"] == true {
		return sqlInvalid("Backups cannot be enabled for a read replica at its creation.")
	}
	masterKey, key := engine.Sub(master.Data, "diskEncryptionConfiguration"), engine.Sub(o, "diskEncryptionConfiguration")
	if len(masterKey) > 0 && len(key) == 0 && master.Data["region"] != o["region"] {
		return sqlInvalid("A cross-region replica of an instance with a customer-managed key needs a key of its own region.")
	}
	return nil
}

// deriveReplication writes into each instance who follows it, from who follows whom.
func deriveReplication(c *engine.Call) {
	all := c.Cloud.Entries(sqlInstances, c.Service.Host()+"/projects/"+c.Project().ID+"/")
	for _, entry := range all {
		var replicas []any
		for _, other := range all {
			if _, name := masterOf(c, other.Data); name != "" && name == entry.Data["name"] {
				replicas = append(replicas, other.Data["name"])
			}
		}
		delete(entry.Data, "replicaNames")
		if len(replicas) > 0 {
			entry.Data["replicaNames"] = replicas
		}
		cluster := engine.Sub(entry.Data, "replicationCluster")
		delete(cluster, "drReplica")
		if master, _ := masterOf(c, entry.Data); master != nil {
			chosen := last(strings.ReplaceAll(engine.Text(engine.Sub(master.Data, "replicationCluster"), "failoverDrReplicaName"), ":", "/"))
			if chosen == entry.Data["name"] {
				engine.Ensure(entry.Data, "replicationCluster")["drReplica"] = true
			}
		}
	}
}

// dismiss ends that a replica is its primary's DR replica.
func dismiss(c *engine.Call, replica *engine.Entry) {
	if master, _ := masterOf(c, replica.Data); master != nil && engine.Sub(replica.Data, "replicationCluster")["drReplica"] == true {
		delete(engine.Sub(master.Data, "replicationCluster"), "failoverDrReplicaName")
	}
}

func deleteInstance(c *engine.Call, entry *engine.Entry) error {
	if err := idle(c, entry); err != nil {
		return err
	}
	if engine.Sub(entry.Data, "settings")["deletionProtectionEnabled"] == true {
		return engine.Errorf(http.StatusBadRequest, "invalid", "The instance is protected. Please disable the deletion protection and try again. To disable deletion protection, update the instance settings with deletionProtectionEnabled set to false.")
	}
	if replicas := engine.List(entry.Data, "replicaNames"); len(replicas) > 0 {
		return engine.Errorf(http.StatusBadRequest, "errorReplicationMasterInvalidOperation", "The requested operation is not valid for a replication master instance: it has the replicas %v.", replicas)
	}
	return nil
}

// idle refuses work on an instance that something is being done to.
func idle(c *engine.Call, entry *engine.Entry) error {
	if c.Cloud.Busy(entry.Name) != nil {
		return engine.Errorf(http.StatusConflict, "operationInProgress", "Operation failed because another operation was already in progress. Try your request after the current operation is complete.")
	}
	return nil
}

// writable refuses databases and users of replicas: they come from the primary.
func writable(c *engine.Call) error {
	entry := instance(c, c.After("instances"))
	if entry == nil {
		return c.Service.NotFound(c, "projects/"+c.Project().ID+"/instances/"+c.After("instances"))
	}
	if engine.Text(entry.Data, "masterInstanceName") != "" {
		return engine.Errorf(http.StatusBadRequest, "invalid", "Invalid request: The operation isn't supported for a read replica.")
	}
	if entry.Data["state"] != "RUNNABLE" {
		return engine.Errorf(http.StatusBadRequest, "invalidState", "Invalid request: Invalid state: %s", entry.Data["state"])
	}
	return idle(c, entry)
}

func flag(c *engine.Call, name string) string {
	entry := instance(c, c.After("instances"))
	if entry == nil {
		return ""
	}
	for _, each := range engine.Objects(engine.Sub(entry.Data, "settings"), "databaseFlags") {
		if each["name"] == name {
			return engine.Text(each, "value")
		}
	}
	return ""
}

func updateInstance(c *engine.Call, patch bool) (any, error) {
	entry, err := c.Target()
	if err != nil {
		return nil, err
	}
	if err := idle(c, entry); err != nil {
		return nil, err
	}
	version := engine.Text(engine.Sub(entry.Data, "settings"), "settingsVersion")
	if given := engine.Text(engine.Sub(c.Body, "settings"), "settingsVersion"); given != "" && given != "0" && given != version {
		return nil, engine.Errorf(http.StatusPreconditionFailed, "staleData", "Condition does not match: settings version %s was given, and the current one is %s.", given, version)
	}
	changed := engine.Clone(entry.Data)
	body := engine.Clone(c.Body)
	// Which role an instance has is changed by promoteReplica and switchover alone.
	delete(body, "instanceType")
	delete(body, "masterInstanceName")
	if !patch && body["settings"] != nil {
		size := engine.Sub(changed, "settings")["dataDiskSizeGb"]
		changed["settings"] = engine.Clone(body["settings"])
		engine.Default(engine.Sub(changed, "settings"), Object{"dataDiskSizeGb": size})
	}
	engine.Merge(changed, body)
	engine.Ensure(changed, "settings")["settingsVersion"] = next(version)
	return c.Change(entry, changed)
}

func next(version string) string {
	number, err := strconv.Atoi(version)
	if err != nil {
		return "1"
	}
	return strconv.Itoa(number + 1)
}

// promote makes a replica an instance of its own: https://cloud.google.com/sql/docs/postgres/replication/manage-replicas#promote-replica.
func promote(c *engine.Call) (any, error) {
	entry, err := c.Up(1).Target()
	if err != nil {
		return nil, err
	}
	if _, master := masterOf(c, entry.Data); master == "" {
		return nil, sqlInvalid("%s is not a replica.", entry.Data["name"])
	}
	if err := idle(c, entry); err != nil {
		return nil, err
	}
	return c.Service.Operation(c.Begin(entry.Name, func() {
		dismiss(c, entry)
		delete(entry.Data, "masterInstanceName")
		delete(entry.Data, "replicationCluster")
		entry.Data["instanceType"] = "CLOUD_SQL_INSTANCE"
		deriveReplication(c)
	}, nil)), nil
}

// switchover exchanges a primary with its DR replica; with failover, the primary need not be there any more:
// https://cloud.google.com/sql/docs/postgres/use-advanced-disaster-recovery.
func switchover(c *engine.Call, failover bool) (any, error) {
	entry, err := c.Up(1).Target()
	if err != nil {
		return nil, err
	}
	master, _ := masterOf(c, entry.Data)
	if master == nil {
		return nil, sqlInvalid("%s is not a replica.", entry.Data["name"])
	}
	if engine.Sub(entry.Data, "replicationCluster")["drReplica"] != true {
		return nil, sqlInvalid("%s is not the DR replica of %s.", entry.Data["name"], master.Data["name"])
	}
	if err := idle(c, entry); err != nil {
		return nil, err
	}
	if err := idle(c, master); err != nil && !failover {
		return nil, err
	}
	return c.Service.Operation(c.Begin(entry.Name, func() {
		for _, other := range c.Cloud.Entries(sqlInstances, c.Service.Host()+"/projects/"+c.Project().ID+"/") {
			if _, follows := masterOf(c, other.Data); follows == master.Data["name"] && other != entry {
				other.Data["masterInstanceName"] = c.Project().ID + ":" + engine.Text(entry.Data, "name")
			}
		}
		delete(entry.Data, "masterInstanceName")
		entry.Data["instanceType"] = "CLOUD_SQL_INSTANCE"
		entry.Data["replicationCluster"] = Object{"failoverDrReplicaName": master.Data["name"]}
		master.Data["masterInstanceName"] = c.Project().ID + ":" + engine.Text(entry.Data, "name")
		master.Data["instanceType"] = "READ_REPLICA_INSTANCE"
		delete(master.Data, "replicationCluster")
		moveBackups(master.Data, entry.Data)
		for _, each := range []*engine.Entry{entry, master} {
			settings := engine.Ensure(each.Data, "settings")
			settings["settingsVersion"] = next(engine.Text(settings, "settingsVersion"))
		}
		deriveReplication(c)
	}, nil)), nil
}

// moveBackups has the new primary make the backups that the old one made. Google backs up a new primary at once, and a replica
// never; that all else of the configuration moves along is what we take from that, and is not documented.
func moveBackups(from, to Object) {
	backup := engine.Ensure(from, "settings", "backupConfiguration")
	engine.Ensure(to, "settings")["backupConfiguration"] = engine.Clone(backup)
	backup["enabled"], backup["pointInTimeRecoveryEnabled"] = false, false
}

// userMethod is for methods that name the user in the query.
func userMethod(do func(*engine.Call, *engine.Entry) error) func(*engine.Call) (any, error) {
	return func(c *engine.Call) (any, error) {
		if err := writable(c); err != nil {
			return nil, err
		}
		entry := c.Cloud.Get(c.FullName() + "/" + c.Query["name"])
		if entry == nil {
			return nil, engine.Errorf(http.StatusNotFound, "userDoesNotExist", "The user %q does not exist.", c.Query["name"])
		}
		if err := do(c, entry); err != nil {
			return nil, err
		}
		return c.Service.Operation(c.Begin(c.Service.Host()+"/"+strings.Join(c.Path[:4], "/"), nil, nil)), nil
	}
}

func sqlOperation(o *engine.Operation) Object {
	c := o.Call
	_, target, _ := strings.Cut(o.Target, "/")
	result := Object{
		"kind": "sql#operation", "name": o.ID, "operationType": strings.ToUpper(c.Method.Verb()), "status": "RUNNING", "targetProject": c.Project().ID,
		"targetId": last(target), "targetLink": "https://sqladmin.googleapis.com/sql/v1beta4/" + target, "insertTime": stamp(o.Start), "startTime": stamp(o.Start),
		"selfLink": "https://sqladmin.googleapis.com/sql/v1beta4/projects/" + c.Project().ID + "/operations/" + o.ID,
	}
	if o.Done() {
		result["status"], result["endTime"] = "DONE", stamp(o.End)
		if o.Err != nil {
			result["error"] = Object{"kind": "sql#operationErrors", "errors": []any{Object{"kind": "sql#operationError", "code": operationCode(o.Err), "message": o.Err.Message}}}
		}
	}
	return result
}
