// Package gateway is the data plane of the local runtime: the region gateways, the global entry in front of them, and
// the database write endpoint. Each runs as a process of its own ([RunRegion], [RunEntry]) that the daemon configures
// through a loopback admin port ([Client]), and that goes on serving its last configuration when the daemon is gone.
//
// A request's way: client → entry (picks a region) → region gateway (policies, picks deployment and endpoint) → service.
package gateway
