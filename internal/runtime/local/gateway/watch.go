package gateway

import (
	"errors"
	"fmt"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/observer"
)

// WatchTarget is a region that a gateway or the entry observes.
type WatchTarget struct {
	Region string `json:"region"`
	// Gateway and Database are the loopback host:port of its gateway and of its database, or empty while there is none.
	Gateway  string `json:"gateway,omitempty"`
	Database string `json:"database,omitempty"`
}

func validateWatch(targets []WatchTarget) error {
	var errs []error
	names := make(map[string]bool, len(targets))
	for _, t := range targets {
		errs = append(errs, checkName("watched region", t.Region))
		if names[t.Region] {
			errs = append(errs, fmt.Errorf("region %q is watched twice", t.Region))
		}
		names[t.Region] = true
		for _, address := range []string{t.Gateway, t.Database} {
			if address == "" {
				continue
			}
			if err := checkAddress(address); err != nil {
				errs = append(errs, fmt.Errorf("watched region %q: %w", t.Region, err))
			}
		}
	}
	return errors.Join(errs...)
}

// watched is what a region's gateway observes.
func watched(targets []WatchTarget) []observer.Target {
	all := make([]observer.Target, len(targets))
	for i, t := range targets {
		all[i] = observer.Target(t)
	}
	return all
}

// watchedByEntry is what the entry observes: all gateways that it leads requests to, and their databases.
func watchedByEntry(config *EntryConfig) []observer.Target {
	databases := make(map[string]string, len(config.Watch))
	for _, t := range config.Watch {
		databases[t.Region] = t.Database
	}
	all := make([]observer.Target, len(config.Regions))
	for i, region := range config.Regions {
		all[i] = observer.Target{Region: region.Name, Gateway: region.Address, Database: databases[region.Name]}
	}
	return all
}
