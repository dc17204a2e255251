package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

// maxConnections is shared by services, tenants' credentials and the daemon.
const maxConnections = 200

// hba lets in who has a password, over TCP on loopback. Roles are kept to their databases by the CONNECT privilege.
const (
	hba = `host all         all                 127.0.0.1/32 scram-sha-256
host replication synapse_replication 127.0.0.1/32 scram-sha-256
`
	// isolatedHBA keeps other regions from following this one; "all" does not mean replication.
	isolatedHBA = `host all         all                 127.0.0.1/32 scram-sha-256
host replication all                 127.0.0.1/32 reject
`
)

// settings are the parameters of an instance. fsync, full_page_writes and synchronous_commit keep their safe defaults.
func (i instance) settings(primary instance) pgserver.Settings {
	s := pgserver.Settings{
		"listen_addresses":               "127.0.0.1",
		"port":                           strconv.Itoa(i.Port),
		"unix_socket_directories":        "",
		"password_encryption":            "scram-sha-256",
		"max_connections":                strconv.Itoa(maxConnections),
		"superuser_reserved_connections": "20", // the daemon must get in when services take all they can
		"shared_buffers":                 "32MB",
		"max_wal_size":                   "512MB",
		"max_locks_per_transaction":      "128", // purging drops a whole schema in one transaction
		"jit":                            "off",
		"wal_level":                      "replica",
		"max_wal_senders":                "40",
		"max_replication_slots":          "20",
		"max_slot_wal_keep_size":         "1GB",   // what a standby that is away can cost; beyond, it is built anew
		"wal_keep_size":                  "256MB", // for standbys that had no slot on this server when it became the primary, and for pg_rewind
		"hot_standby":                    "on",
		"wal_receiver_status_interval":   "1s",
		"wal_retrieve_retry_interval":    "500ms",
		"wal_sender_timeout":             "5s", // a peer that hangs is as good as gone
		"wal_receiver_timeout":           "5s",
		"timezone":                       "UTC",
		"log_timezone":                   "UTC",
		"log_min_error_statement":        "panic", // a failed statement may hold a tenant's data
		"log_line_prefix":                "%m [%p] %q%u@%d ",
	}
	if i.isPrimary() {
		s["synchronous_standby_names"] = i.Synchronous.names()
	} else {
		s["primary_slot_name"] = slotName(i.Region)
	}
	if !i.isPrimary() && !i.cutOff {
		s["primary_conninfo"] = fmt.Sprintf("host=127.0.0.1 port=%d user=%s application_name=%s passfile=%s sslmode=disable connect_timeout=5",
			primary.Port, replicationRole, i.Region, conninfoValue(i.passFile()))
	}
	return s
}

// conninfoValue quotes a value in a libpq connection string (manual, 34.1.1.1).
func conninfoValue(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// slotName is the replication slot of a region's standby. A region's name has hyphens, which a slot's name cannot have,
// and no underscores.
func slotName(region string) string { return "standby_" + strings.ReplaceAll(region, "-", "_") }

// files are what a server is configured with, by path. Its data is in dir.
func (i instance) files(primary instance, dir, password string) map[string]string {
	files := map[string]string{
		filepath.Join(dir, "postgresql.conf"): i.settings(primary).String(),
		filepath.Join(dir, "pg_hba.conf"):     hba,
	}
	if i.cutOff {
		files[filepath.Join(dir, "pg_hba.conf")] = isolatedHBA
	}
	if !i.isPrimary() {
		files[i.passFile()] = "*:*:*:" + replicationRole + ":" + password + "\n"
		files[filepath.Join(dir, "standby.signal")] = ""
	}
	return files
}

// configure writes the configuration of a region's instance, whose data is in dir, as its record wants it now. A server
// that is to follow has its standby.signal when this returns: nothing may start one before.
func (c *Cluster) configure(region, dir string) error {
	defer c.configuring.lock(region)()
	i, known := c.instance(region)
	if !known {
		return errUnknown(region)
	}
	primary, ok := c.primary()
	if !ok {
		return c.errNoPrimary()
	}
	password, _, err := c.secrets.ensure(replicationRole)
	if err != nil {
		return err
	}
	i.cutOff = c.isIsolated(i)
	for path, content := range i.files(primary, dir, password) {
		wrote, err := c.user.WriteFile(path, content)
		if err != nil {
			return fmt.Errorf("configuring the database of region %s: %w", region, err)
		}
		if wrote {
			c.setLoaded(region, false)
		}
	}
	return nil
}

// setLoaded remembers whether a region's server runs with its configuration as it is on disk.
func (c *Cluster) setLoaded(region string, loaded bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded[region] = loaded
}

func (c *Cluster) isLoaded(region string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loaded[region]
}

// removeAll removes a directory tree, and says whose it was when it cannot.
func removeAll(path, region string) error {
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("removing files of the database of region %s: %w", region, err)
	}
	return nil
}
