package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lockPatience bounds the wait for the lock. A process that the last daemon forked holds it until it has become its
// program, which takes well under a millisecond; the keeper of a fault holds it while it starts what the fault ended.
const lockPatience = 5 * time.Second

// ErrInUse says that another daemon holds the directory.
var ErrInUse = errors.New("another daemon uses it: stop that one, or use another directory")

// LockFile is the name of the file that is locked in a directory.
const LockFile = "lock"

// Lock takes the lock on a directory, which lasts until the file is closed or the process ends. It is [ErrInUse] when another
// process keeps it for five seconds.
func Lock(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, LockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of %s: %w", dir, err)
	}
	for deadline := time.Now().Add(lockPatience); ; {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || time.Now().After(deadline) {
			if errors.Is(err, unix.EWOULDBLOCK) {
				err = ErrInUse
			}
			return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), file.Close())
		}
		<-time.After(10 * time.Millisecond)
	}
}
