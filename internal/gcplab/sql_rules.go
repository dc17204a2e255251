package gcplab

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

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
