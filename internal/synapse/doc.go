// Package synapse is the domain: the kinds of objects the control plane keeps, their validation, and the rules
// for changing them. Everything in it is pure: no I/O, no clock, and no import of another package of this module,
// so that the client, the control plane and the provider agree on one set of types.
//
// Adding a kind means adding a file named after it, with its spec, its status and their validation, and one line
// in [Kinds].
package synapse

// APIVersion is the version of the HTTP API these types describe. The daemon sends it with every answer in
// [APIVersionHeader]; a client that reads another number must stop instead of guessing.
const APIVersion = "1"

// APIVersionHeader is the response header that carries [APIVersion].
const APIVersionHeader = "Synapse-Api-Version"
