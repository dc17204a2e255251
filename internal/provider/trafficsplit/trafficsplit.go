// Package trafficsplit is the resource synapse_traffic_split and its data sources.
package trafficsplit

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Resource returns the constructor of synapse_traffic_split.
func Resource() func() resource.Resource {
	return envelope.NewResource[Model, synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](definition())
}

// DataSources returns the constructors of the data sources synapse_traffic_split and synapse_traffic_splits.
func DataSources() []func() datasource.DataSource {
	return []func() datasource.DataSource{
		envelope.NewDataSource[Model, synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](definition()),
		envelope.NewListDataSource[Model, synapse.TrafficSplitSpec, synapse.TrafficSplitStatus](definition()),
	}
}

func definition() envelope.Definition {
	return envelope.Definition{
		Kind: synapse.KindTrafficSplit,
		Description: "One route, and who serves it: backends with static `weights` that Terraform owns, or with a `progression` in which synapsed moves the traffic to a candidate step by step, watched by SLOs, " +
			"and puts it back by itself when users would notice. An apply starts a progression and does not wait for its end; live weights are computed attributes and never cause a plan. " +
			"A progression that was rolled back or is paused is a warning, with the numbers, in every plan until its cause is dealt with.",
		Timeouts:    envelope.Timeouts{Create: 5 * time.Minute, Update: 5 * time.Minute, Delete: 5 * time.Minute},
		Volatile:    []string{"current_weights", "region_weights", "step", "wave", "stable_backend", "observed_revision", "last_decision", "salt"},
		Attributes:  attributes(),
		CheckedWith: checkedWith(),
		Presumed:    []envelope.Presumed{{Attribute: "progression", Name: "revision", Value: "known-after-apply"}},
		Details:     details(),
	}
}

// checkedWith says where one attribute names what another one declares.
func checkedWith() map[string][]string {
	return map[string][]string{
		"weights": {"backends", "progression"}, "progression": {"weights"},
		"pins": {"backends"}, "match": {"backends"}, "mirror": {"backends"},
	}
}
