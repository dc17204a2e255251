package synapse

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func validPolicy() FailoverPolicySpec {
	s := FailoverPolicySpec{
		Services: []string{"auth", "orders"}, Preferred: "eu", Standby: []string{"us", "ap"},
		Objectives: RecoveryObjectives{RTO: "30s", RPO: "5s"},
	}
	s.SetDefaults()
	return s
}

func pointers(errs []FieldError) []string {
	var all []string
	for _, err := range errs {
		all = append(all, err.Pointer)
	}
	return all
}

func TestAFailoverPolicyIsChecked(t *testing.T) {
	t.Parallel()
	valid := validPolicy()
	require.Empty(t, valid.Validate())
	for name, test := range map[string]struct {
		change  func(*FailoverPolicySpec)
		pointer string
		says    string
	}{
		"no service":                        {func(s *FailoverPolicySpec) { s.Services = nil }, "/spec/services", "name the services"},
		"a service twice":                   {func(s *FailoverPolicySpec) { s.Services = []string{"auth", "auth"} }, "/spec/services/1", "listed twice"},
		"a name that is none":               {func(s *FailoverPolicySpec) { s.Preferred = "EU" }, "/spec/preferred", "lower-case"},
		"no standby":                        {func(s *FailoverPolicySpec) { s.Standby = nil }, "/spec/standby", "name the regions"},
		"standby equal to preferred":        {func(s *FailoverPolicySpec) { s.Standby = []string{"us", "eu"} }, "/spec/standby/1", "cannot stand by for itself"},
		"a mode that is none":               {func(s *FailoverPolicySpec) { s.Mode = "auto" }, "/spec/mode", "not one of"},
		"a replication that is none":        {func(s *FailoverPolicySpec) { s.Replication = "sync" }, "/spec/replication", "not one of"},
		"no loss with asynchronous":         {func(s *FailoverPolicySpec) { s.Objectives.RPO = "0s" }, "/spec/objectives/rpo", "synchronous"},
		"an RTO that is no duration":        {func(s *FailoverPolicySpec) { s.Objectives.RTO = "soon" }, "/spec/objectives/rto", "not a duration"},
		"waiting longer than the RTO":       {func(s *FailoverPolicySpec) { s.Detection.UnhealthyFor = "30s" }, "/spec/detection/unhealthy_for", "leave nothing of the RTO"},
		"more observers than there are":     {func(s *FailoverPolicySpec) { s.Detection.Quorum = 5 }, "/spec/detection/quorum", "can never agree"},
		"one observer that decides":         {func(s *FailoverPolicySpec) { s.Detection.Quorum, s.Mode = 1, FailoverAutomatic }, "/spec/detection/quorum", "at least 2"},
		"a share above all":                 {func(s *FailoverPolicySpec) { s.Preflight.MinReadyPercent = 101 }, "/spec/preflight/min_ready_percent", "between"},
		"a promotion without a fence":       {func(s *FailoverPolicySpec) { s.Steps = s.Steps[1:] }, "/spec/steps/0/type", "fenced"},
		"a fence after the promotion":       {func(s *FailoverPolicySpec) { s.Steps[0], s.Steps[1] = s.Steps[1], s.Steps[0] }, "/spec/steps/0/type", "fenced"},
		"a fence and no promotion":          {func(s *FailoverPolicySpec) { s.Steps = slices.Delete(s.Steps, 1, 2) }, "/spec/steps/0/type", "no database that takes writes"},
		"traffic before the database":       {func(s *FailoverPolicySpec) { s.Steps[1], s.Steps[2] = s.Steps[2], s.Steps[1] }, "/spec/steps/1/type", "after the database"},
		"nothing that fails over":           {func(s *FailoverPolicySpec) { s.Steps = s.Steps[3:] }, "/spec/steps", "nothing fails over"},
		"a step twice":                      {func(s *FailoverPolicySpec) { s.Steps = append(s.Steps, s.Steps[3]) }, "/spec/steps/4/type", "comes twice"},
		"a step that is none":               {func(s *FailoverPolicySpec) { s.Steps[3].Type = "pray" }, "/spec/steps/3/type", "not one of"},
		"an approval that nobody waits for": {func(s *FailoverPolicySpec) { s.Mode = FailoverAutomatic; s.Steps[3].Type = StepApprove }, "/spec/steps/3/type", "assisted"},
		"a hook without an address":         {func(s *FailoverPolicySpec) { s.Steps[3].Type = StepHook }, "/spec/steps/3/url", "not an address"},
		"a hook with a password":            {func(s *FailoverPolicySpec) { s.Steps[3].Type, s.Steps[3].URL = StepHook, "https://u:p@example.com/" }, "/spec/steps/3/url", "password"},
		"an address of what is no hook":     {func(s *FailoverPolicySpec) { s.Steps[3].URL = "https://example.com/" }, "/spec/steps/3/url", "belongs to"},
		"a percent of what does not scale":  {func(s *FailoverPolicySpec) { s.Steps[3].Percent = 50 }, "/spec/steps/3/percent", "belongs to"},
		"a failback that is none":           {func(s *FailoverPolicySpec) { s.Failback.Mode = "never" }, "/spec/failback/mode", "not one of"},
		"no failover a day":                 {func(s *FailoverPolicySpec) { s.Limits.MaxAutomaticPerDay = -1 }, "/spec/limits/max_automatic_per_day", "between"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := validPolicy()
			spec.Steps = slices.Clone(spec.Steps)
			test.change(&spec)
			errs := spec.Validate()
			require.Equal(t, []string{test.pointer}, pointers(errs), "%v", errs)
			require.Contains(t, errs[0].Message, test.says)
		})
	}
}

func TestAPolicyRefersToAllThatItNames(t *testing.T) {
	t.Parallel()
	spec := validPolicy()
	spec.Detection.SLO = "login"
	var named []string
	for _, ref := range spec.References() {
		named = append(named, ref.Pointer+" "+ref.To.String())
	}
	require.Equal(t, []string{
		`/spec/preferred region "eu"`, `/spec/standby/0 region "us"`, `/spec/standby/1 region "ap"`,
		`/spec/services/0 service "auth"`, `/spec/services/1 service "orders"`, `/spec/detection/slo slo "login"`,
	}, named)
}

// TestTransitionsKeepTheirPromises begins, approves and ends transitions in any order.
func TestTransitionsKeepTheirPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		spec := validPolicy()
		status := FailoverPolicyStatus{ActiveRegion: "eu"}
		now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		lastToken := int64(0)
		for range rapid.IntRange(1, 80).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second)
			before := status.Transition
			switch rapid.SampledFrom([]string{"failover", "failback", "drill", "end", "approve"}).Draw(t, "event") {
			case "failover":
				_ = status.BeginTransition(&spec, TransitionRequest{Kind: TransitionFailover, Trigger: TriggerAutomatic, To: rapid.SampledFrom([]string{"", "us", "eu", "mars"}).Draw(t, "to")}, now)
			case "failback":
				_ = status.BeginTransition(&spec, TransitionRequest{Kind: TransitionFailback, Trigger: TriggerManual}, now)
			case "drill":
				if status.Lock == nil {
					status.Tokens++
					status.Lock = &MutationLock{Holder: "drill run x", Token: status.Tokens, Since: now}
				}
			case "end":
				if before != nil {
					if before.To == "" {
						before.To = "us"
					}
					status.ActiveRegion = before.To
					status.EndTransition(TransitionCompleted, "done", now)
				}
			case "approve":
				_ = status.Approve("ann", "")
			}
			if before != nil && status.Transition != nil && before != status.Transition {
				t.Fatal("a transition replaced one that was under way")
			}
			if status.Transition != nil && (status.Lock == nil || status.Transition.To == status.Transition.From || status.Transition.To == "mars") {
				t.Fatalf("a transition %+v under the lock %+v", status.Transition, status.Lock)
			}
			if status.Tokens < lastToken || len(status.History) > MaxTransitions || !slices.Contains(spec.Regions(), status.ActiveRegion) {
				t.Fatalf("tokens %d after %d, %d transitions, region %s", status.Tokens, lastToken, len(status.History), status.ActiveRegion)
			}
			lastToken = status.Tokens
		}
	})
}

func TestWhatKeepsAPolicyFromFailingOverByItself(t *testing.T) {
	t.Parallel()
	spec := validPolicy()
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	ended := func(ago time.Duration, trigger string) Transition {
		at := now.Add(-ago)
		return Transition{ID: "failover-1", Kind: TransitionFailover, Trigger: trigger, StartedAt: at, EndedAt: &at}
	}
	for name, test := range map[string]struct {
		history []Transition
		says    string
	}{
		"nothing happened yet":               {nil, ""},
		"it happened right now":              {[]Transition{ended(time.Minute, TriggerManual)}, "cooldown"},
		"it happened a while ago":            {[]Transition{ended(11*time.Minute, TriggerAutomatic)}, ""},
		"it happened too often":              {[]Transition{ended(5*time.Hour, TriggerAutomatic), ended(4*time.Hour, TriggerAutomatic), ended(3*time.Hour, TriggerAutomatic)}, "max_automatic_per_day"},
		"drills and people do not count":     {[]Transition{ended(5*time.Hour, TriggerDrill), ended(4*time.Hour, TriggerManual), ended(3*time.Hour, TriggerAutomatic)}, ""},
		"what happened yesterday is no more": {[]Transition{ended(30*time.Hour, TriggerAutomatic), ended(26*time.Hour, TriggerAutomatic), ended(25*time.Hour, TriggerAutomatic)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status := FailoverPolicyStatus{History: test.history}
			why := status.MayFailOverByItself(&spec, now)
			if test.says == "" {
				require.Empty(t, why)
			} else {
				require.Contains(t, why, test.says)
			}
		})
	}
}
