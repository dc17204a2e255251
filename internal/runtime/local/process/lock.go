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

// acquire takes the lock on a directory, which lasts until the file is closed or the daemon ends.
func acquire(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the process records: %w", err)
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
			return nil, errors.Join(fmt.Errorf("locking the process records in %s: %w", dir, err), file.Close())
		}
		<-time.After(10 * time.Millisecond)
	}
}
