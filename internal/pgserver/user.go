package pgserver

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// User is the user that servers run as.
type User struct {
	Name     string
	UID, GID uint32
}

// Unprivileged returns the user to run servers as: nil, which means this process's own, unless that is root, which
// PostgreSQL refuses; then postgres, else nobody.
func Unprivileged() (*User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if uidErr != nil || gidErr != nil || uid == 0 {
			continue
		}
		return &User{Name: name, UID: uint32(uid), GID: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody: " +
		"create one with `useradd --system postgres`, or run as an ordinary user")
}

// Credential is what a process needs to run as u, or nil when u is nil.
func (u *User) Credential() *syscall.Credential {
	if u == nil {
		return nil
	}
	return &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: []uint32{u.GID}}
}

// Own gives a file or directory to u. It does nothing when u is nil.
func (u *User) Own(path string) error {
	if u == nil {
		return nil
	}
	if err := os.Lchown(path, int(u.UID), int(u.GID)); err != nil {
		return fmt.Errorf("giving %s to user %s: %w", path, u.Name, err)
	}
	return nil
}

// CheckAccess reports a directory that u cannot reach because a directory above it is closed to others: a server's data
// below /root cannot work when root runs it. The error says what to do.
func (u *User) CheckAccess(dir string) error {
	if u == nil {
		return nil
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("finding the absolute path of %s: %w", dir, err)
	}
	for {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("checking that user %s can enter %s: %w", u.Name, path, err)
		}
		if !u.mayEnter(info) {
			return fmt.Errorf("user %s, as which PostgreSQL runs, cannot enter %s: choose another directory for the data, "+
				"such as one below /var/lib, or allow it with `chmod o+x %s`", u.Name, path, path)
		}
		parent := filepath.Dir(path)
		if parent == path {
			return nil
		}
		path = parent
	}
}

// mayEnter reports whether the mode of a directory lets u search it.
func (u *User) mayEnter(info os.FileInfo) bool {
	mode := info.Mode().Perm()
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case ok && owner.Uid == u.UID:
		return mode&0o100 != 0
	case ok && owner.Gid == u.GID:
		return mode&0o010 != 0
	}
	return mode&0o001 != 0
}
