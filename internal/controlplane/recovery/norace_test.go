//go:build !race

package recovery

// crashStride is how many points of a crash lie between two that are tried: each is.
const crashStride = 1
