//go:build race

package recovery

// crashStride is how many points of a crash lie between two that are tried. Under the race detector a story takes ten times as
// long: every point is tried without it, which the build does as well.
const crashStride = 12
