// Package ports chooses TCP ports on loopback for servers that outlive the daemon.
package ports

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// The ports that are chosen from: above the registered services that a machine may start later, and below the
// ephemeral ports of Linux (32768) and macOS (49152), so that no outgoing connection takes a port while its server is
// being restarted.
const (
	Lowest  = 20000
	Highest = 31999
)

// EnvCounter is the environment variable that names a file in which processes that choose ports on the same machine count
// how many they have chosen: they choose one after the other and do not come back to a port before all others had their
// turn, so that nobody gets a port that somebody else has chosen and does not listen on yet, or at the moment. The file is
// made when it is missing.
const EnvCounter = "SYNAPSE_PORT_COUNTER"

const count = Highest - Lowest + 1

// Free returns a port that nothing listens on and that is not one of taken: ports which were given out already, but
// whose servers may not be listening yet. Without [EnvCounter] it starts at a random port, so that two processes that choose
// at the same time rarely choose the same one; a caller that finds the port in use after all should choose again.
func Free(taken ...int) (int, error) {
	next := random()
	if counter := os.Getenv(EnvCounter); counter != "" {
		next = func() (int, error) { return counted(counter) }
	}
	for range count {
		n, err := next()
		if err != nil {
			return 0, err
		}
		port := Lowest + n%count
		if !slices.Contains(taken, port) && !InUse(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no TCP port between %d and %d is free on 127.0.0.1: stop servers that are not needed", Lowest, Highest)
}

// random counts from anywhere.
func random() func() (int, error) {
	n := rand.IntN(count)
	return func() (int, error) {
		n++
		return n, nil
	}
}

// counted counts on in a file.
func counted(path string) (n int, err error) {
	defer func() {
		if err != nil {
			n, err = 0, fmt.Errorf("counting ports in the file that %s names: %w", EnvCounter, err)
		}
	}()
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, err
	}
	// Closing the file ends the lock.
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return 0, err
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return 0, err
	}
	if len(content) == 0 {
		n = rand.IntN(count)
	} else if n, err = strconv.Atoi(string(content)); err != nil || n < 0 || n >= count {
		return 0, fmt.Errorf("%s has %q, and not a number below %d", path, content, count)
	}
	// Of a fixed length, so that a shorter number leaves nothing of a longer one.
	_, err = file.WriteAt(fmt.Appendf(nil, "%05d", (n+1)%count), 0)
	return n, err
}

// InUse reports whether no server can listen on a port of 127.0.0.1 now, most often because another one does.
func InUse(port int) bool {
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return true
	}
	// A listener that never accepted leaves nothing behind in TIME_WAIT.
	_ = listener.Close()
	return false
}
