package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

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
	// Fenced says that the server was the primary and takes no writes before it has rejoined as a standby. As long as Role
	// says primary, no other server has taken its place: it is the last one that was the primary.
	Fenced bool `json:"fenced,omitempty"`
	// Rejoin is how far a server has come on its way back to the history of the primary; empty when it is on it.
	Rejoin rejoinState `json:"rejoin,omitempty"`
	// Rejoined is the way that it last came back, for whoever wonders.
	Rejoined rejoinState `json:"rejoined,omitempty"`
	// SwitchTo names the region that a planned change makes the primary, from the moment when this one is fenced for it.
	SwitchTo string `json:"switch_to,omitempty"`
	// Synchronous is, of the primary, for which standbys commits wait.
	Synchronous synchronous `json:"synchronous,omitzero"`
	// IsolatedUntil cuts replication between this region and the others until then.
	IsolatedUntil time.Time `json:"isolated_until,omitzero"`

	dir    string
	cutOff bool // IsolatedUntil is yet to come, for the configuration
}

// rejoinState is how far a server has come on its way back to the history of the primary.
type rejoinState string

const (
	rejoinNeeded    rejoinState = "needed"
	rejoinRewinding rejoinState = "rewinding" // the data is of two histories: if this was broken off, it is of no use
	rejoinRewound   rejoinState = "rewind"
	rejoinCopied    rejoinState = "copy"
	rejoinClean     rejoinState = "clean" // it stopped before the primary's history went on: it has only to follow
)

func (i instance) data() string      { return filepath.Join(i.dir, "data") }
func (i instance) logFile() string   { return filepath.Join(i.dir, "postgres.log") }
func (i instance) passFile() string  { return filepath.Join(i.dir, "replication.pgpass") }
func (i instance) processID() string { return "postgres-" + i.Region }

// isPrimary reports whether the server is the one that takes writes.
func (i instance) isPrimary() bool { return i.wasPrimary() && !i.Fenced }

// wasPrimary reports whether no other server has become the primary after this one.
func (i instance) wasPrimary() bool { return i.Role == synapse.DatabasePrimary }

// mustRejoin reports whether the server's data may hold what the primary never had.
func (i instance) mustRejoin() bool { return i.Fenced || i.Rejoin != "" }

// hasRejoined reports whether a server that must rejoin has only to be seen to follow the primary.
func (i instance) hasRejoined() bool {
	return i.Rejoin == rejoinClean || i.Rejoin == rejoinRewound || i.Rejoin == rejoinCopied
}

func (i instance) standbySignal() string { return filepath.Join(i.data(), "standby.signal") }

func (i instance) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(i.Port)) }

func instanceDir(clusterDir, region string) string {
	return filepath.Join(clusterDir, "instances", region)
}

func (c *Cluster) instanceDir(region string) string { return instanceDir(c.dir, region) }

func recordPath(dir string) string { return filepath.Join(dir, "instance.json") }

// loadInstances reads the records of all instances.
func loadInstances(clusterDir string) (map[string]instance, error) {
	entries, err := os.ReadDir(filepath.Join(clusterDir, "instances"))
	if err != nil {
		return nil, fmt.Errorf("looking for database instances: %w", err)
	}
	all := map[string]instance{}
	for _, entry := range entries {
		dir := instanceDir(clusterDir, entry.Name())
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

// change changes the record of an instance, writes it down and answers it. Nothing else of the record is lost, whoever
// changes it at the same time.
func (c *Cluster) change(region string, edit func(*instance)) (instance, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, known := c.instances[region]
	if !known {
		return i, errUnknown(region)
	}
	before := i
	edit(&i)
	if reflect.DeepEqual(before, i) {
		return i, nil
	}
	return i, c.save(i)
}

// begin writes down the first record of an instance.
func (c *Cluster) begin(i instance) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.save(i)
}

func errUnknown(region string) error {
	return fmt.Errorf("region %s has no database: create the region first", region)
}

// save writes an instance's record down, and remembers it; the caller holds mu. It refuses a second primary.
func (c *Cluster) save(i instance) error {
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
	if err := syncDir(i.dir); err != nil {
		return err
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

func (c *Cluster) primary() (instance, bool) { return primaryOf(c.all()) }

func primaryOf(all []instance) (instance, bool) {
	for _, i := range all {
		if i.isPrimary() {
			return i, true
		}
	}
	return instance{}, false
}

// lastPrimary is the primary or, while there is none, the one that was last.
func (c *Cluster) lastPrimary() (instance, bool) {
	all := c.all()
	if primary, ok := primaryOf(all); ok {
		return primary, true
	}
	for _, i := range all {
		if i.wasPrimary() {
			return i, true
		}
	}
	return instance{}, false
}

// all returns the instances, by region.
func (c *Cluster) all() []instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Values(c.instances), func(a, b instance) int { return strings.Compare(a.Region, b.Region) })
}

// takenPorts are the ports of all instances, running or not.
func (c *Cluster) takenPorts() []int {
	taken := append([]int{c.port}, c.others...)
	for _, i := range c.all() {
		taken = append(taken, i.Port)
	}
	return slices.Clip(taken)
}
