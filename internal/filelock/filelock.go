// Package filelock keeps two processes of one machine from doing what only one may do.
package filelock

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds the wait for a lock. A process that its last owner forked holds it until it has become its program, which takes well
// under a millisecond; an owner that was told to end may need a moment.
const patience = 5 * time.Second

// ErrHeld says that another process holds a lock.
var ErrHeld = errors.New("another process holds the lock")

// Take makes a file and locks it, until it is closed or the process ends, however it does (flock(2)). It is [ErrHeld] when another
// process does not let go of it within five seconds.
func Take(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); ; {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		held := errors.Is(err, unix.EWOULDBLOCK)
		switch {
		case err == nil:
			return file, nil
		case held && time.Now().After(deadline):
			return nil, errors.Join(ErrHeld, file.Close())
		case !held && !errors.Is(err, unix.EINTR):
			return nil, errors.Join(err, file.Close())
		}
		<-time.After(10 * time.Millisecond)
	}
}
