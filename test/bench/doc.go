// Package bench measures the provider and the control plane beside a baseline, in one run on one machine: plans and
// applies beside terraform_data, which has no provider at all, the API's writes beside bare SQLite transactions, a region
// gateway beside nginx, HAProxy, Caddy and net/http's own proxy, and the recovery from the loss of a region beside patroni, as these come with Debian,
// and plans of the platform's modules beside the same resources without modules, with the real google provider; without
// these those parts are skipped.
// Absolute times say little, so ratios of medians are what counts. Run it with make bench.
package bench
