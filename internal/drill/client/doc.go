// Package client is the client that measures a drill from outside. It sends requests to the global entry and writes markers
// through the database write endpoint, each on its own time: what hangs delays nothing else. It is a process of its own, so
// that it sees on when the control plane or a region is gone, and it writes down what it saw in a file that others read along.
package client
