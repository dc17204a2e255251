package recovery

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// watched are the parts of a region whose loss calls for a failover.
func watched(spec *synapse.FailoverPolicySpec) []runtime.Component {
	if spec.MovesDatabase() {
		return []runtime.Component{runtime.ComponentGateway, runtime.ComponentDatabase}
	}
	return []runtime.Component{runtime.ComponentGateway}
}

// failing are the components of a region that enough observers have seen fail for long enough, and those observers' words.
// The region's own gateway is no observer of it: what is cut off together sees nothing wrong.
func failing(spec *synapse.FailoverPolicySpec, region string, seen []runtime.Observation, now time.Time) (components []runtime.Component, votes []runtime.Observation) {
	for _, component := range watched(spec) {
		var against []runtime.Observation
		for _, o := range seen {
			if o.Region == region && o.Component == component && !o.Healthy && o.Observer != "gateway-"+region &&
				now.Sub(o.Since) >= spec.Detection.UnhealthyFor.Value() {
				against = append(against, o)
			}
		}
		if len(against) >= spec.Detection.Quorum {
			components = append(components, component)
			votes = append(votes, against...)
		}
	}
	return components, votes
}

// said writes down who saw what.
func said(votes []runtime.Observation) []string {
	var words []string
	for _, o := range votes {
		words = append(words, fmt.Sprintf("%s: %s: %s", o.Observer, o.Component, o.Error))
	}
	slices.Sort(words)
	return words
}

// healthyFor reports whether no observer has seen a part of the region fail within a while, and somebody looked.
func healthyFor(spec *synapse.FailoverPolicySpec, region string, seen []runtime.Observation, now time.Time, while time.Duration) bool {
	looked := false
	for _, o := range seen {
		if o.Region != region || !slices.Contains(watched(spec), o.Component) || o.Observer == "gateway-"+region {
			continue
		}
		if !o.Healthy || now.Sub(o.Since) < while {
			return false
		}
		looked = true
	}
	return looked
}

// observersOf lists who looks at a region.
func observersOf(region string, seen []runtime.Observation) []string {
	var names []string
	for _, o := range seen {
		if o.Region == region && o.Observer != "gateway-"+region && !slices.Contains(names, o.Observer) {
			names = append(names, o.Observer)
		}
	}
	slices.Sort(names)
	return names
}

func describe(components []runtime.Component) string {
	words := make([]string, len(components))
	for i, c := range components {
		words[i] = string(c)
	}
	return strings.Join(words, " and ")
}
