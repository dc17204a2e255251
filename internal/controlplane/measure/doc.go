// Package measure says how the backends of traffic splits and the services do: how many requests they had, how many of
// them were bad, and how long they took. The figures are from the gateways' own metrics, read by a sampler in memory or
// by a Prometheus server. On them rest the analyses of progressions, error budgets, the console's plots and, as rule
// files for a Prometheus server, the SLOs' alerts.
package measure
