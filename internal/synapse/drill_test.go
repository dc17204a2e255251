package synapse

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func validDrill() DrillSpec {
	s := DrillSpec{FailoverPolicy: "core", Scenario: DrillScenarioSpec{Type: ScenarioRegionLoss}, MaxDuration: "10m"}
	s.SetDefaults()
	return s
}

func TestADrillIsChecked(t *testing.T) {
	t.Parallel()
	valid := validDrill()
	require.Empty(t, valid.Validate())
	night := Window{Days: []string{"mon"}, From: "02:00", To: "04:00", Timezone: "UTC"}
	for name, test := range map[string]struct {
		change  func(*DrillSpec)
		pointer string
		says    string
	}{
		"a scenario that is none":         {func(s *DrillSpec) { s.Scenario = DrillScenarioSpec{Type: "flood", Hold: "5s"} }, "/spec/scenario/type", "not one of"},
		"a method that is none":           {func(s *DrillSpec) { s.Scenario.Method = "unplug" }, "/spec/scenario/method", "not one of"},
		"a method of another scenario":    {func(s *DrillSpec) { s.Scenario.Type = ScenarioTrafficDrain }, "/spec/scenario/method", "belongs to"},
		"a latency of another scenario":   {func(s *DrillSpec) { s.Scenario.Latency = "1s" }, "/spec/scenario/latency", "belongs to"},
		"more than all bad":               {func(s *DrillSpec) { s.SteadyState.MaxBadPercent = new(101.0) }, "/spec/steady_state/max_bad_percent", "between"},
		"too many requests":               {func(s *DrillSpec) { s.Load.RequestsPerSecond = 501 }, "/spec/load/requests_per_second", "between"},
		"a path that is none":             {func(s *DrillSpec) { s.Load.Path = "auth" }, "/spec/load/path", "not a path"},
		"a credential in a header":        {func(s *DrillSpec) { s.Load.Headers = map[string]string{"Authorization": "Bearer x"} }, "/spec/load/headers/Authorization", "credential"},
		"a header with a line break":      {func(s *DrillSpec) { s.Load.Headers = map[string]string{"X-A": "a\r\nb"} }, "/spec/load/headers/X-A", "not a header"},
		"no time for anything":            {func(s *DrillSpec) { s.MaxDuration = "10s" }, "/spec/max_duration", "too short"},
		"a duration that is none":         {func(s *DrillSpec) { s.MaxDuration = "" }, "/spec/max_duration", "not a duration"},
		"a cron that is none":             {func(s *DrillSpec) { s.Schedule = &DrillSchedule{Cron: "every day"} }, "/spec/schedule/cron", "not a schedule"},
		"a cron that never fires":         {func(s *DrillSpec) { s.Schedule = &DrillSchedule{Cron: "0 3 30 2 *"} }, "/spec/schedule/cron", "never fires"},
		"a time zone that is none":        {func(s *DrillSpec) { s.Schedule = &DrillSchedule{Cron: "0 3 * * *", Timezone: "Mars/Base"} }, "/spec/schedule/timezone", "time zone"},
		"a time zone in the cron":         {func(s *DrillSpec) { s.Schedule = &DrillSchedule{Cron: "CRON_TZ=UTC 0 3 * * *"} }, "/spec/schedule/cron", "as timezone"},
		"windows that exclude every run":  {func(s *DrillSpec) { s.Schedule = &DrillSchedule{Cron: "0 3 * * 2"}; s.Windows.Allow = []Window{night} }, "/spec/windows", "exclude every run"},
		"a block that excludes every run": {func(s *DrillSpec) { s.Schedule = &DrillSchedule{Cron: "0 3 * * 1"}; s.Windows.Block = []Window{night} }, "/spec/windows", "exclude every run"},
		"a window that never opens":       {func(s *DrillSpec) { s.Windows.Allow = []Window{{From: "02:00", To: "02:00", Timezone: "UTC"}} }, "/spec/windows/allow/0/to", "never opens"},
		"dates that are none":             {func(s *DrillSpec) { s.Windows.Dates = []BlockedTime{{From: "tomorrow", To: "2026-12-01T00:00:00Z"}} }, "/spec/windows/dates/0/from", "RFC 3339"},
		"dates that block nothing": {func(s *DrillSpec) {
			s.Windows.Dates = []BlockedTime{{From: "2026-12-02T00:00:00Z", To: "2026-12-01T00:00:00Z"}}
		}, "/spec/windows/dates/0/to", "not after"},
		"a report that goes too soon":      {func(s *DrillSpec) { s.Evidence.Retain = "24h" }, "/spec/evidence/retain", "shorter than max_age"},
		"a change that is none":            {func(s *DrillSpec) { s.Evidence.InvalidateOn = []EvidenceChange{"weather"} }, "/spec/evidence/invalidate_on/0", "not one of"},
		"a conflict that is none":          {func(s *DrillSpec) { s.OnConflict = "fight" }, "/spec/on_conflict", "not one of"},
		"a restore that is none":           {func(s *DrillSpec) { s.Restore.Mode = "never" }, "/spec/restore/mode", "not one of"},
		"an approval that is valid for no": {func(s *DrillSpec) { s.Approval.ValidFor = "0s" }, "/spec/approval/valid_for", "between"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := validDrill()
			test.change(&spec)
			if spec.Schedule != nil && spec.Schedule.Timezone == "" {
				spec.Schedule.Timezone = "UTC"
			}
			if spec.Schedule != nil {
				spec.Schedule.Missed = MissedSkip
			}
			for i := range spec.Windows.Allow {
				spec.Windows.Allow[i].setDefaults()
			}
			errs := spec.Validate()
			require.Equal(t, []string{test.pointer}, pointers(errs), "%v", errs)
			require.Contains(t, errs[0].Message, test.says)
		})
	}
}

func TestADrillIsCheckedAgainstItsPolicy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change  func(*DrillSpec, *FailoverPolicySpec)
		pointer string
		says    string
	}{
		"a looser RTO":                      {func(d *DrillSpec, _ *FailoverPolicySpec) { d.Objectives = &RecoveryObjectives{RTO: "31s", RPO: "5s"} }, "/spec/objectives/rto", "looser"},
		"a looser RPO":                      {func(d *DrillSpec, _ *FailoverPolicySpec) { d.Objectives = &RecoveryObjectives{RTO: "30s", RPO: "6s"} }, "/spec/objectives/rpo", "looser"},
		"a region that is not the policy's": {func(d *DrillSpec, _ *FailoverPolicySpec) { d.Scenario.Region = "mars" }, "/spec/scenario/region", "no region of the failover policy"},
		"less time than the steps take":     {func(d *DrillSpec, _ *FailoverPolicySpec) { d.MaxDuration = "2m" }, "/spec/max_duration", "shorter than what the run may take"},
		"a database that stays lost": {func(d *DrillSpec, p *FailoverPolicySpec) {
			d.Scenario.Type, p.Steps = ScenarioDatabaseFailover, p.Steps[2:]
		}, "/spec/scenario/type", "promote no database"},
		"a region that stays lost": {func(_ *DrillSpec, p *FailoverPolicySpec) { p.Steps = p.Steps[2:] }, "/spec/scenario/type", "promote no database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, p := validDrill(), validPolicy()
			require.Empty(t, d.ValidateAgainst(&p))
			test.change(&d, &p)
			errs := d.ValidateAgainst(&p)
			require.Equal(t, []string{test.pointer}, pointers(errs), "%v", errs)
			require.Contains(t, errs[0].Message, test.says)
		})
	}
}

func TestTheDigestIsOfWhatIsDrilled(t *testing.T) {
	t.Parallel()
	base := validDrill()
	for name, test := range map[string]struct {
		change func(*DrillSpec)
		same   bool
	}{
		"the schedule":  {func(s *DrillSpec) { s.Schedule = &DrillSchedule{Cron: "@weekly"} }, true},
		"the windows":   {func(s *DrillSpec) { s.Windows.Block = []Window{{From: "01:00", To: "02:00"}} }, true},
		"the approval":  {func(s *DrillSpec) { s.Approval.Required = new(true) }, true},
		"the evidence":  {func(s *DrillSpec) { s.Evidence.MaxAge = "1h" }, true},
		"the region":    {func(s *DrillSpec) { s.Scenario.Region = "us" }, false},
		"the objective": {func(s *DrillSpec) { s.Objectives = &RecoveryObjectives{RTO: "1s", RPO: "0s"} }, false},
		"the load":      {func(s *DrillSpec) { s.Load.WritesPerSecond = 21 }, false},
		"the policy":    {func(s *DrillSpec) { s.FailoverPolicy = "other" }, false},
	} {
		changed := base
		test.change(&changed)
		require.Equal(t, test.same, base.Digest() == changed.Digest(), name)
	}
	require.Len(t, base.Digest(), 64)
}

func TestTheNextRunIsInAWindow(t *testing.T) {
	t.Parallel()
	spec := validDrill()
	spec.Schedule = &DrillSchedule{Cron: "30 3 * * *", Timezone: "Europe/Berlin"}
	spec.Windows = DrillWindows{
		Allow: []Window{{Days: []string{"tue", "thu"}, From: "03:00", To: "04:00", Timezone: "Europe/Berlin"}},
		Dates: []BlockedTime{{From: "2026-11-20T00:00:00Z", To: "2027-01-06T00:00:00Z", Reason: "peak season"}},
	}
	next, found := spec.NextRun(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC))
	require.True(t, found)
	require.Equal(t, "2027-01-07T02:30:00Z", next.Format(time.RFC3339), "the first Thursday after the season")
	require.Contains(t, spec.Windows.Closed(time.Date(2026, 12, 1, 2, 30, 0, 0, time.UTC)), "peak season")
}

// TestNextRunsGoForward draws schedules and windows, and checks each run that they give.
func TestNextRunsGoForward(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		spec := validDrill()
		spec.Schedule = &DrillSchedule{
			Cron:     rapid.SampledFrom([]string{"*/5 * * * *", "0 3 * * *", "15 4 1 * *", "0 0 29 2 *", "@weekly", "0 9-17/2 * * 1-5"}).Draw(t, "cron"),
			Timezone: rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"}).Draw(t, "zone"), Missed: MissedSkip,
		}
		if rapid.Bool().Draw(t, "allow") {
			from := rapid.IntRange(0, 22).Draw(t, "from")
			w := Window{From: time.Date(0, 1, 1, from, 0, 0, 0, time.UTC).Format("15:04"), To: time.Date(0, 1, 1, from+1, 0, 0, 0, time.UTC).Format("15:04"), Timezone: "UTC"}
			w.setDefaults()
			spec.Windows.Allow = []Window{w}
		}
		now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 4*365*24*60).Draw(t, "minutes")) * time.Minute)
		for range 3 {
			next, found := spec.NextRun(now)
			if !found {
				return
			}
			if !next.After(now) || spec.Windows.Closed(next) != "" {
				t.Fatalf("the run after %s is at %s, when %q", now, next, spec.Windows.Closed(next))
			}
			now = next
		}
	})
}

func FuzzSchedule(f *testing.F) {
	for _, text := range []string{"0 3 * * *", "@weekly", "0 0 30 2 *", "*/0 * * * *", "@every 1s", "TZ=UTC 1 1 1 1 1", "99 99 99 99 99"} {
		f.Add(text, "UTC")
	}
	f.Fuzz(func(t *testing.T, cron, zone string) {
		spec := validDrill()
		spec.Schedule = &DrillSchedule{Cron: cron, Timezone: zone, Missed: MissedSkip}
		if len(spec.Validate()) > 0 {
			return
		}
		now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		if next, found := spec.NextRun(now); found && !next.After(now) {
			t.Fatalf("%q in %q is next at %s", cron, zone, next)
		}
	})
}

func TestAReportThatWasChangedIsNoEvidence(t *testing.T) {
	t.Parallel()
	spec := validDrill()
	report := DrillReport{Format: DrillReportFormat, Run: "first", Definition: spec, DefinitionSHA256: spec.Digest(), Verdict: VerdictPassed}
	require.NoError(t, report.Seal())
	require.NoError(t, report.Verify())
	content, err := json.Marshal(report)
	require.NoError(t, err)
	var read DrillReport
	require.NoError(t, json.Unmarshal(content, &read))
	require.NoError(t, read.Verify(), "it is the same after a journey through JSON")
	changed := report
	changed.Markers.Lost = 1
	require.ErrorContains(t, changed.Verify(), "was changed")
	changed = report
	changed.Definition.MaxDuration = "1h"
	require.NoError(t, changed.Seal())
	require.ErrorContains(t, changed.Verify(), "definition was changed")
}
