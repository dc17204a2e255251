package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// instance is the record of an instance on disk.
type instance struct {
	Region string               `json:"region"`
	Port   int                  `json:"port"`
	Role   synapse.DatabaseRole `json:"role"`
	// Built is set once the data directory was in place: a primary whose data is missing then must not begin anew, empty.
	Built bool `json:"built"`

	dir string
}

func (i instance) data() string      { return filepath.Join(i.dir, "data") }
func (i instance) logFile() string   { return filepath.Join(i.dir, "postgres.log") }
func (i instance) passFile() string  { return filepath.Join(i.dir, "replication.pgpass") }
func (i instance) processID() string { return "postgres-" + i.Region }
func (i instance) isPrimary() bool   { return i.Role == synapse.DatabasePrimary }

func (i instance) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(i.Port)) }

func (c *Cluster) instanceDir(region string) string { return filepath.Join(c.dir, "instances", region) }

func recordPath(dir string) string { return filepath.Join(dir, "instance.json") }

// loadInstances reads the records of all instances.
func (c *Cluster) loadInstances() (map[string]instance, error) {
	if err := makeDir(filepath.Join(c.dir, "instances"), 0o711); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(c.dir, "instances"))
	if err != nil {
		return nil, fmt.Errorf("looking for database instances: %w", err)
	}
	all := map[string]instance{}
	for _, entry := range entries {
		dir := c.instanceDir(entry.Name())
		content, err := os.ReadFile(recordPath(dir))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the daemon ended before the first record, or while removing what was left
		}
		if err != nil {
			return nil, fmt.Errorf("reading the record of a database instance: %w", err)
		}
		i := instance{dir: dir}
		if err := json.Unmarshal(content, &i); err != nil || i.Region != entry.Name() {
			return nil, fmt.Errorf("the record %s of a database instance is damaged: restore it, or remove %s if its data may be lost",
				recordPath(dir), dir)
		}
		all[i.Region] = i
	}
	return all, nil
}

// save writes an instance's record down, and remembers it. It refuses a second primary.
func (c *Cluster) save(i instance) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, other := range c.instances {
		if i.isPrimary() && other.isPrimary() && other.Region != i.Region {
			return primaryExists(i.Region, other.Region)
		}
	}
	if err := makeDir(i.dir, 0o711); err != nil {
		return err
	}
	content, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("writing the record of region %s: %w", i.Region, err)
	}
	if _, err := (*pgserver.User)(nil).WriteFile(recordPath(i.dir), string(content)); err != nil {
		return fmt.Errorf("writing the record of region %s: %w", i.Region, err)
	}
	c.instances[i.Region] = i
	return nil
}

func primaryExists(region, primary string) error {
	return &runtime.PermanentError{Reason: "PrimaryExists", Message: fmt.Sprintf(
		"the primary database is that of region %s: region %s can only be a standby", primary, region)}
}

func (c *Cluster) instance(region string) (instance, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, ok := c.instances[region]
	return i, ok
}

func (c *Cluster) primary() (instance, bool) {
	for _, i := range c.all() {
		if i.isPrimary() {
			return i, true
		}
	}
	return instance{}, false
}

// all returns the instances in no particular order.
func (c *Cluster) all() []instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]instance, 0, len(c.instances))
	for _, i := range c.instances {
		all = append(all, i)
	}
	return all
}

// takenPorts are the ports of all instances, running or not.
func (c *Cluster) takenPorts() []int {
	var taken []int
	for _, i := range c.all() {
		taken = append(taken, i.Port)
	}
	return slices.Clip(taken)
}
