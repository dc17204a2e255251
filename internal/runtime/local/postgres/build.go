package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/pgserver"
)

// buildPrefix begins the names of directories in which instances are built.
const buildPrefix = "build-"

// ensureBuilt makes the data directory of an instance, unless it is there. A standby that has missed changes for good is
// built anew.
func (c *Cluster) ensureBuilt(ctx context.Context, i instance) (instance, error) {
	if err := makeDir(i.dir, 0o711); err != nil {
		return i, err
	}
	if err := removeBuilds(i); err != nil {
		return i, err
	}
	exists, err := isDir(i.data())
	if err != nil {
		return i, err
	}
	switch {
	case i.isPrimary() && !exists && i.Built:
		return i, fmt.Errorf("the data of the primary database is missing from %s: restore it from a backup, or delete the region to begin anew, empty", i.data())
	case i.isPrimary() && !exists:
		err = c.build(ctx, i, c.initPrimary)
	case !i.isPrimary():
		i, err = c.ensureStandby(ctx, i, exists)
	}
	if err != nil || i.Built {
		return i, err
	}
	return c.change(i.Region, func(i *instance) { i.Built = true })
}

// removeBuilds removes what a daemon that was killed left unfinished. A program of its that still runs fails with its
// next write, since each build has a directory of another name.
func removeBuilds(i instance) error {
	entries, err := os.ReadDir(i.dir)
	if err != nil {
		return fmt.Errorf("looking for unfinished databases of region %s: %w", i.Region, err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), buildPrefix) {
			if err := removeAll(filepath.Join(i.dir, entry.Name()), i.Region); err != nil {
				return err
			}
		}
	}
	return nil
}

// build makes a data directory with create, which is given an empty directory to make "data" in, and moves it into place.
func (c *Cluster) build(ctx context.Context, i instance, create func(context.Context, instance, pgserver.Binaries, string) error) (err error) {
	binaries, err := c.find()
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(i.dir, buildPrefix)
	if err != nil {
		return fmt.Errorf("making a directory for the database of region %s: %w", i.Region, err)
	}
	defer func() { err = errors.Join(err, removeAll(temporary, i.Region)) }()
	if err := c.user.Own(temporary); err != nil {
		return err
	}
	if err := create(ctx, i, binaries, temporary); err != nil {
		return err
	}
	data := filepath.Join(temporary, "data")
	if err := c.configure(i.Region, data); err != nil {
		return err
	}
	if err := os.Rename(data, i.data()); err != nil {
		return fmt.Errorf("moving the database of region %s into place: %w", i.Region, err)
	}
	c.log.Info("database built", "region", i.Region, "role", i.Role)
	return syncDir(i.dir)
}

func (c *Cluster) initPrimary(ctx context.Context, _ instance, binaries pgserver.Binaries, dir string) error {
	password, _, err := c.secrets.ensure(adminRole)
	if err != nil {
		return err
	}
	passwordFile := filepath.Join(dir, "password")
	if _, err := c.user.WriteFile(passwordFile, password); err != nil {
		return err
	}
	return binaries.InitDB(ctx, c.user, pgserver.Cluster{
		Dir: filepath.Join(dir, "data"), Superuser: adminRole, PasswordFile: passwordFile,
	})
}

// ensureStandby makes the slot of a standby on the primary and its copy of the data, and brings one that has lost the
// primary's history back to it. A standby that is built is left to run while the primary does not answer.
func (c *Cluster) ensureStandby(ctx context.Context, i instance, exists bool) (instance, error) {
	if isolated := c.isolation(i); isolated != nil {
		if exists && !i.mustRejoin() {
			return i, nil
		}
		return i, isolated
	}
	status, err := c.slotStatus(ctx, i)
	if err != nil && exists && !i.mustRejoin() {
		c.log.Warn("the primary does not say whether it keeps the log for a standby", "region", i.Region, "error", err)
		return i, nil
	}
	if err != nil {
		return i, err
	}
	if status == slotLost {
		if exists && !i.mustRejoin() {
			c.log.Warn("standby has missed changes and is built anew", "region", i.Region)
			if i, err = c.change(i.Region, func(i *instance) { i.Rejoin = rejoinRewinding }); err != nil {
				return i, err
			}
		}
		if err := c.dropSlot(ctx, i); err != nil {
			return i, err
		}
	}
	// From before a copy begins, the primary keeps the log that the standby will ask for.
	if status != slotUsable {
		if err := c.createSlot(ctx, i.Region); err != nil {
			return i, err
		}
	}
	if exists && !i.mustRejoin() {
		if i, err = c.checkHistory(ctx, i); err != nil || !i.mustRejoin() {
			return i, err
		}
	}
	if exists {
		return c.rejoin(ctx, i)
	}
	return c.copy(ctx, i)
}

// copy builds a standby from the primary's data.
func (c *Cluster) copy(ctx context.Context, i instance) (instance, error) {
	if err := c.build(ctx, i, c.copyPrimary); err != nil {
		return i, err
	}
	return c.change(i.Region, func(i *instance) {
		if i.mustRejoin() {
			i.Rejoin = rejoinCopied
		}
	})
}

func (c *Cluster) copyPrimary(ctx context.Context, i instance, binaries pgserver.Binaries, dir string) error {
	primary, ok := c.primary()
	if !ok {
		return c.errNoPrimary()
	}
	host, port, err := net.SplitHostPort(primary.addr())
	if err != nil {
		return fmt.Errorf("reading the address of the primary: %w", err)
	}
	password, _, err := c.secrets.ensure(replicationRole)
	if err != nil {
		return err
	}
	environment, err := c.clientEnvironment(dir, replicationRole, password)
	if err != nil {
		return err
	}
	err = binaries.Run(ctx, c.user, environment,
		"pg_basebackup", "--pgdata="+filepath.Join(dir, "data"), "--host="+host, "--port="+port,
		"--username="+replicationRole, "--no-password", "--wal-method=stream", "--checkpoint=fast")
	if err != nil {
		return fmt.Errorf("copying the primary database to region %s: %w", i.Region, err)
	}
	return nil
}

// clientEnvironment is what PostgreSQL's programs need to connect as a role. The password is in a file in dir.
func (c *Cluster) clientEnvironment(dir, role, password string) ([]string, error) {
	passFile := filepath.Join(dir, "pgpass")
	if _, err := c.user.WriteFile(passFile, "*:*:*:"+role+":"+password+"\n"); err != nil {
		return nil, err
	}
	return []string{"PGPASSFILE=" + passFile, "PGSSLMODE=disable", "PGCONNECT_TIMEOUT=10"}, nil
}

func isDir(path string) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a database: %w", err)
	}
	return info.IsDir(), nil
}

// syncDir makes a rename in a directory survive a power cut.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("syncing %s: %w", path, err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", path, err)
	}
	return nil
}
