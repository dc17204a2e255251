// Package bench measures the provider and the control plane beside a baseline, in one run on one machine: plans and
// applies beside terraform_data, which has no provider at all, the API's writes beside bare SQLite transactions, and a
// region gateway beside nginx and HAProxy as they come with Debian; without these two that part is skipped.
// Absolute times say little, so ratios of medians are what counts. Run it with make bench.
package bench
