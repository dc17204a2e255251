package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// RTO says in words what recovery time a run measured.
func RTO(r *synapse.DrillReport) string {
	requests, markers := &r.Requests, &r.Markers
	lasts := requests.LastGoodAt != nil && requests.RecoveredAt == nil || markers.LastGoodAt != nil && markers.RecoveredAt == nil
	switch {
	case r.FaultAt == nil || requests.Sent+markers.Attempted == 0:
		return "not measured"
	case lasts:
		return fmt.Sprintf("not recovered, after %s", r.RTO())
	case r.RTO() == 0:
		return "no outage"
	}
	return r.RTO().String()
}

// RPO says in words what loss a run measured, in time.
func RPO(r *synapse.DrillReport) string {
	switch {
	case r.FaultAt == nil || r.Markers.Attempted == 0:
		return "not measured"
	case r.Markers.Lost == 0:
		return "0s"
	}
	return r.Markers.LostSpan.Value().String()
}

// Lost says in words how many acknowledged writes a run lost.
func Lost(r *synapse.DrillReport) string {
	if r.FaultAt == nil || r.Markers.Attempted == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%d of %d", r.Markers.Lost, r.Markers.Written)
}

// Words writes a name such as steady_state_after as words, and the names of objectives as people know them.
func Words[T ~string](name T) string {
	if name == "rto" || name == "rpo" {
		return strings.ToUpper(string(name))
	}
	return strings.ReplaceAll(string(name), "_", " ")
}

// Took is the time between two times, or empty while one of them is not known.
func Took(from, to *time.Time) string {
	if from == nil || to == nil {
		return ""
	}
	return to.Sub(*from).Round(time.Millisecond).String()
}

// Stamp writes a time to the millisecond, in UTC, or nothing for one that is not known.
func Stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05.000 UTC")
}
