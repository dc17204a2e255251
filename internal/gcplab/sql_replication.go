package gcplab

import (
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/gcplab/engine"
)

func masterOf(c *engine.Call, o Object) (*engine.Entry, string) {
	master := last(strings.ReplaceAll(engine.Text(o, "masterInstanceName"), ":", "/"))
	return instance(c, master), master
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
