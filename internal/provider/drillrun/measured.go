package drillrun

import "github.com/apex-innovations/terraform-provider-synapse/internal/synapse"

// figures are what a run measured; what it did not is empty or nil.
type figures struct {
	rto, rpo synapse.Duration
	lost     *int64
}

// measured reads the figures from a report. There are none without a fault, and no recovery time of what did not recover.
func measured(report *synapse.DrillReport) figures {
	var result figures
	if report == nil || report.FaultAt == nil {
		return result
	}
	requests, markers := report.Requests, report.Markers
	recovered := (requests.LastGoodAt == nil || requests.RecoveredAt != nil) && (markers.LastGoodAt == nil || markers.RecoveredAt != nil)
	if requests.Sent > 0 && recovered {
		result.rto = synapse.Duration(report.RTO().String())
	}
	if markers.Written > 0 {
		result.rpo, result.lost = synapse.Duration(markers.LostSpan.Value().String()), &markers.Lost
	}
	return result
}
