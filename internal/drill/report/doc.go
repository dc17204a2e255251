// Package report writes the report of a drill run for people.
package report
