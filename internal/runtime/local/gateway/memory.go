package gateway

import (
	"os"
	"runtime/debug"
)

// gcPercent lets the heap grow to five times what lives. A gateway has little that lives and makes much that dies with its
// request: with Go's default of 100 the collector runs many times a second and takes 6 % of the processor and of the tail of
// the latencies.
const gcPercent = 400

// collectSeldom trades memory, of which a gateway has little, for processor time. Whoever sets GOGC is obeyed.
func collectSeldom() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
}
