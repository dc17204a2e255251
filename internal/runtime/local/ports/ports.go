// Package ports chooses TCP ports on loopback for servers that outlive the daemon.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
)

// The ports that are chosen from: above the registered services that a machine may start later, and below the
// ephemeral ports of Linux (32768) and macOS (49152), so that no outgoing connection takes a port while its server is
// being restarted.
const (
	Lowest  = 20000
	Highest = 31999
)

// Free returns a port that nothing listens on and that is not one of taken: ports which were given out already, but
// whose servers may not be listening yet. It starts at a random port, so that two processes that choose at the same
// time rarely choose the same one; a caller that finds the port in use after all should choose again.
func Free(taken ...int) (int, error) {
	const count = Highest - Lowest + 1
	start := rand.IntN(count)
	for i := range count {
		port := Lowest + (start+i)%count
		if !slices.Contains(taken, port) && !InUse(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no TCP port between %d and %d is free on 127.0.0.1: stop servers that are not needed", Lowest, Highest)
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
