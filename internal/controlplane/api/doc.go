// Package api is the control plane's HTTP API: what synapsed serves under /v1, the built-in image registry's doorman
// under /v2, and health, metrics and the OpenAPI document. Handlers are written once for all kinds of objects; the rules
// are those of package object.
package api
