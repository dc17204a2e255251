// Package object is what the control plane does with objects of any kind: it decodes and checks what clients send,
// writes it to the store, waits for it, and hands the reconcilers the means to report what they saw. It is written
// once for all kinds; what differs is in a [Kind].
//
// Its errors that are meant for clients are of type [*synapse.Problem]; all others are faults of the server.
package object
