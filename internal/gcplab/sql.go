package gcplab

import (
	"fmt"
	"net/http"
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
