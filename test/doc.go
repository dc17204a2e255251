// Package test checks the whole of Synapse from outside: Terraform, the provider, a real control plane, real PostgreSQL
// servers and real traffic.
package test
