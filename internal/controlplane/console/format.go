package console

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/drill/report"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// functions are what the templates call.
func functions(now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"ago":       func(t time.Time) string { return ago(now().Sub(t)) },
		"stamp":     stamp,
		"exact":     report.Stamp,
		"took":      report.Took,
		"words":     func(name any) string { return report.Words(fmt.Sprint(name)) },
		"join":      func(names []string) string { return strings.Join(names, ", ") },
		"machine":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"tone":      tone,
		"spaced":    spaced,
		"count":     count,
		"address":   address,
		"percent":   percent,
		"decimal":   decimal,
		"increment": func(n int) int { return n + 1 },
	}
}

// stamp writes a time to the second.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// ago writes a time span roughly, as people say it.
func ago(d time.Duration) string {
	switch {
	case d < -time.Second:
		return "in " + span(-d)
	case d < time.Second:
		return "just now"
	}
	return span(d) + " ago"
}

func span(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		letter string
	}{{24 * time.Hour, " d"}, {time.Hour, " h"}, {time.Minute, " min"}} {
		if d >= unit.length {
			return strconv.Itoa(int(d/unit.length)) + unit.letter
		}
	}
	return strconv.Itoa(int(d/time.Second)) + " s"
}

// tone chooses the colour of a phase or of what was decided: good, busy, warn, bad or idle.
func tone(word any) string {
	switch fmt.Sprint(word) {
	case "Ready", "Completed", "healthy", "complete", "promote", "pass", "active",
		"done", "passed", "fresh":
		return "good"
	case "Pending", "Progressing", "Preflight", "Shifting", "Analysing", "NextWave", "Promoting", "Soaking",
		"start", "shift", "approve", "resume", "unfreeze", "update", "weights", "running", "Running", "Restoring", "Waiting":
		return "busy"
	case "Degraded", "AwaitingApproval", "Paused", "Frozen", "Deleting", "await", "pause", "freeze", "hold", "suspended",
		"stale", "inconclusive", "refused", "aborted", "preempted", "interrupted":
		return "warn"
	case "Failed", "RollingBack", "RolledBack", "unhealthy", "rollback", "restored", "failed", "error":
		return "bad"
	}
	return "idle"
}

// spaced writes a phase such as AwaitingApproval as words.
func spaced(word any) string {
	var b strings.Builder
	for i, char := range fmt.Sprint(word) {
		if i > 0 && char >= 'A' && char <= 'Z' {
			b.WriteByte(' ')
			char += 'a' - 'A'
		}
		b.WriteRune(char)
	}
	return b.String()
}

// count writes a whole number with commas.
func count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// decimal writes a value with three significant digits, but no digit of a large one lost.
func decimal(value float64) string {
	if math.Abs(value) >= 100 {
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return strconv.FormatFloat(value, 'g', 3, 64)
}

func percent(value float64) string { return decimal(value) + " %" }

// address returns the page of an object. The kinds without one lead to the closest list.
func address(kind synapse.Kind, id string) string {
	switch kind {
	case synapse.KindRegion:
		return Root + "regions/" + id
	case synapse.KindTenant:
		return Root + "tenants/" + id
	case synapse.KindServiceDeployment:
		return Root + "deployments/" + id
	case synapse.KindService:
		return Root + "deployments?service=" + id
	case synapse.KindSLO:
		return Root + "slos/" + id
	case synapse.KindTrafficSplit:
		return Root + "splits/" + id
	case synapse.KindFailoverPolicy:
		return Root + "failover-policies/" + id
	case synapse.KindDrill:
		return Root + "dr-drills/" + id
	case synapse.KindDrillRun:
		return Root + "dr-drill-runs/" + id
	}
	return Root
}
