package measure

import "github.com/apex-innovations/terraform-provider-synapse/internal/synapse"

// TrafficSplit is a traffic split as the store keeps it.
type TrafficSplit = synapse.Object[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus]

// SLO is a service level objective as the store keeps it.
type SLO = synapse.Object[synapse.SLOSpec, synapse.SLOStatus]
