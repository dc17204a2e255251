package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/providertest"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// changed is the minimal configuration of a type with nested values replaced.
func changed(h *providertest.Host, typeName string, change plain) providertest.Attributes {
	config := minimal(h)[typeName]
	for attribute, value := range change {
		config[attribute] = h.Make(typeName, attribute, value)
	}
	return config
}

func TestBadPoliciesAndDrillsAreFoundWithoutAServer(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	steps := func(steps ...any) plain { return plain{"steps": steps} }
	of := func(stepType string) plain { return plain{"type": stepType} }
	scenario := func(scenario plain) plain { return plain{"scenario": scenario} }
	cron := func(cron, zone string) plain { return plain{"schedule": plain{"cron": cron, "timezone": zone}} }
	for name, test := range map[string]struct {
		typeName string
		change   plain
		at, says string
	}{
		"a standby that is the preferred region":  {policyType, plain{"standby": []any{"us", "eu"}}, `AttributeName("standby").ElementKeyInt(1)`, "cannot stand by for itself"},
		"no standby":                              {policyType, plain{"standby": []any{}}, `AttributeName("standby")`, "name the regions"},
		"one standby twice":                       {policyType, plain{"standby": []any{"us", "us"}}, `AttributeName("standby").ElementKeyInt(1)`, "twice"},
		"no services":                             {policyType, plain{"services": []any{}}, `AttributeName("services")`, "name the services"},
		"a mode there is not":                     {policyType, plain{"mode": "magic"}, `AttributeName("mode")`, "not one of"},
		"no loss without synchronous replication": {policyType, plain{"objectives": plain{"rto": "30s", "rpo": "0s"}}, `AttributeName("objectives").AttributeName("rpo")`, "synchronous"},
		"an objective that is no duration":        {policyType, plain{"objectives": plain{"rto": "soon", "rpo": "5s"}}, `AttributeName("objectives").AttributeName("rto")`, "not a duration"},
		"a detection that takes all of the time":  {policyType, plain{"detection": plain{"unhealthy_for": "30s"}}, `AttributeName("detection").AttributeName("unhealthy_for")`, "leave nothing"},
		"more observers than there are":           {policyType, plain{"detection": plain{"quorum": 4}}, `AttributeName("detection").AttributeName("quorum")`, "can never agree"},
		"one observer that decides alone":         {policyType, plain{"mode": "automatic", "detection": plain{"quorum": 1}}, `AttributeName("detection").AttributeName("quorum")`, "one that is cut off"},
		"no observer":                             {policyType, plain{"detection": plain{"quorum": 0}}, `AttributeName("detection").AttributeName("quorum")`, "at least 1"},
		"a promotion without a fence":             {policyType, steps(of("promote_database"), of("shift_traffic")), `AttributeName("steps").ElementKeyInt(0).AttributeName("type")`, "fenced"},
		"traffic before the database":             {policyType, steps(of("fence"), of("shift_traffic"), of("promote_database")), `AttributeName("steps").ElementKeyInt(1).AttributeName("type")`, "after"},
		"steps that fail nothing over":            {policyType, steps(of("verify")), `AttributeName("steps")`, "fails over: there is neither"},
		"no steps":                                {policyType, steps(), `AttributeName("steps")`, "at least 1"},
		"a percentage of no scale":                {policyType, steps(of("shift_traffic"), plain{"type": "verify", "percent": 50}), `AttributeName("steps").ElementKeyInt(1).AttributeName("percent")`, "type scale"},
		"a hook without an address":               {policyType, steps(of("shift_traffic"), of("hook")), `AttributeName("steps").ElementKeyInt(1).AttributeName("url")`, "http://"},
		"a hook with a password":                  {policyType, steps(of("shift_traffic"), plain{"type": "hook", "url": "https://me:secret@x/"}), `AttributeName("steps").ElementKeyInt(1).AttributeName("url")`, "password"},
		"an approval that nobody gives":           {policyType, plain{"mode": "automatic", "steps": []any{of("approve"), of("shift_traffic")}}, `AttributeName("steps").ElementKeyInt(0).AttributeName("type")`, "waits for nobody"},
		"a scenario there is not":                 {drillType, scenario(plain{"type": "earthquake"}), `AttributeName("scenario").AttributeName("type")`, "not one of"},
		"a method of another scenario":            {drillType, scenario(plain{"type": "traffic_drain", "method": "kill"}), `AttributeName("scenario").AttributeName("method")`, "elongs to region_loss"},
		"a latency of another scenario":           {drillType, scenario(plain{"type": "region_loss", "latency": "1s"}), `AttributeName("scenario").AttributeName("latency")`, "elongs to dependency_latency"},
		"a cron that never fires":                 {drillType, cron("0 3 30 2 *", "UTC"), `AttributeName("schedule").AttributeName("cron")`, "never fires"},
		"a cron that is none":                     {drillType, cron("at night", "UTC"), `AttributeName("schedule").AttributeName("cron")`, "not a schedule"},
		"a time zone there is not":                {drillType, cron("@weekly", "Mars/Olympus"), `AttributeName("schedule").AttributeName("timezone")`, "IANA"},
		"windows that exclude every run": {drillType, plain{"schedule": plain{"cron": "0 3 * * 1"}, "windows": plain{"allow": []any{plain{"from": "09:00", "to": "17:00"}}}},
			`AttributeName("windows")`, "xclude every run"},
		"blocked time that ends before it begins": {drillType, plain{"windows": plain{"dates": []any{plain{"from": "2026-12-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}}}},
			`AttributeName("windows").AttributeName("dates").ElementKeyInt(0).AttributeName("to")`, "not after from"},
		"blocked time that is no time": {drillType, plain{"windows": plain{"dates": []any{plain{"from": "December", "to": "2026-12-24T00:00:00Z"}}}},
			`AttributeName("windows").AttributeName("dates").ElementKeyInt(0).AttributeName("from")`, "RFC 3339"},
		"a duration that the hold alone exceeds": {drillType, plain{"max_duration": "10s"}, `AttributeName("max_duration")`, "too short"},
		"a credential in a header":               {drillType, plain{"load": plain{"headers": plain{"Authorization": "x"}}}, `AttributeName("load").AttributeName("headers").ElementKeyString("Authorization")`, "credential"},
		"reports that go before they age":        {drillType, plain{"evidence": plain{"retain": "1h"}}, `AttributeName("evidence").AttributeName("retain")`, "shorter than max_age"},
		"a change that is none":                  {drillType, plain{"evidence": plain{"invalidate_on": []any{"weather"}}}, `AttributeName("evidence").AttributeName("invalidate_on").ElementKeyInt(0)`, "not one of"},
		"a run in a mode there is not":           {runType, plain{"mode": "pretend"}, `AttributeName("mode")`, "not one of"},
		"a run of a drill with a bad name":       {runType, plain{"drill": "-"}, `AttributeName("drill")`, "lower-case"},
		"a run with a bad name":                  {runType, plain{"name": "DRILL"}, `AttributeName("name")`, "lower-case"},
		"a verdict there is not":                 {runType, plain{"fail_on": []any{"lost"}}, `AttributeName("fail_on").ElementKeyInt(0)`, "one of"},
	} {
		t.Run(name, func(t *testing.T) {
			d := one(t, h.Validate(test.typeName, changed(h, test.typeName, test.change)))
			require.Equal(t, test.at, d.Attribute.String())
			require.Contains(t, d.Detail, test.says)
		})
	}
	require.Empty(t, server.Requests())
}

func TestADrillIsCheckedAgainstItsPolicyWhenPlanning(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.CheckReferences()
	server.Add(synapse.KindService, synapse.Draft[synapse.ServiceSpec]{Name: "auth"})
	for _, region := range []string{"eu", "us", "asia"} {
		server.Add(synapse.KindRegion, synapse.Draft[synapse.RegionSpec]{Name: region})
	}
	server.Add(synapse.KindFailoverPolicy, synapse.Draft[synapse.FailoverPolicySpec]{Name: "checkout", Spec: synapse.FailoverPolicySpec{
		Services: []string{"auth"}, Preferred: "eu", Standby: []string{"us"}, Objectives: synapse.RecoveryObjectives{RTO: "30s", RPO: "5s"},
	}})
	scenario := func(region string) plain { return plain{"scenario": plain{"type": "region_loss", "region": region}} }
	for name, test := range map[string]struct {
		change   plain
		at, says string
	}{
		"objectives looser than the policy's":    {plain{"objectives": plain{"rto": "31s", "rpo": "5s"}}, `AttributeName("objectives").AttributeName("rto")`, "looser than the policy's 30s"},
		"a loss greater than the policy's":       {plain{"objectives": plain{"rto": "30s", "rpo": "6s"}}, `AttributeName("objectives").AttributeName("rpo")`, "looser than the policy's 5s"},
		"a duration shorter than the steps take": {plain{"max_duration": "2m"}, `AttributeName("max_duration")`, "shorter than what the run may take"},
		"a region that does not exist":           {scenario("mars"), `AttributeName("scenario").AttributeName("region")`, "mars"},
		"a region of another policy":             {scenario("asia"), `AttributeName("scenario").AttributeName("region")`, "no region of the failover policy"},
		"a policy that does not exist":           {plain{"failover_policy": "chekcout"}, `AttributeName("failover_policy")`, "does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, server, nil)
			diagnostics := h.Plan(drillType, changed(h, drillType, test.change), nil).Diagnostics
			require.NotEmpty(t, diagnostics)
			require.Equal(t, test.at, diagnostics[0].Attribute.String())
			require.Contains(t, diagnostics[0].Detail, test.says)
		})
	}
	t.Run("and a policy against its regions", func(t *testing.T) {
		t.Parallel()
		h := newHost(t, server, nil)
		config := changed(h, policyType, plain{"standby": []any{"mars"}})
		config["name"] = providertest.Text("other")
		d := one(t, h.Plan(policyType, config, nil).Diagnostics)
		require.Equal(t, `AttributeName("standby").ElementKeyInt(0)`, d.Attribute.String())
	})
}

func TestThePlanOfAPolicyShowsItsDefaults(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	config := changed(h, policyType, plain{"steps": []any{plain{"type": "scale"}, plain{"type": "approve"}, plain{"type": "shift_traffic", "timeout": "60s"}}})
	created := create(t, h, policyType, config)
	steps := providertest.Elements(t, created.State, "steps")
	require.True(t, providertest.At(t, steps[0], "percent").Equal(providertest.Number(100)))
	require.Equal(t, "1h", providertest.TextAt(t, steps[1], "timeout"))
	require.True(t, providertest.At(t, steps[1], "percent").IsNull())

	config["steps"] = h.Make(policyType, "steps", []any{plain{"type": "approve"}, plain{"type": "shift_traffic", "timeout": "1m"}})
	plan := h.Plan(policyType, config, created)
	requireNone(t, plan.Diagnostics)
	first := providertest.Elements(t, plan.Planned, "steps")[0]
	require.Equal(t, "1h", providertest.TextAt(t, first, "timeout"), "not the timeout of the step that was first before")
	require.True(t, providertest.At(t, first, "percent").IsNull())

	delete(config, "steps")
	require.Len(t, providertest.Elements(t, h.Plan(policyType, config, created).Planned, "steps"), 4, "the default steps")
}

func TestTheScenarioDecidesItsDefaults(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	created := create(t, h, drillType, minimal(h)[drillType])
	require.Equal(t, "kill", providertest.TextAt(t, created.State, "scenario", "method"))
	plan := h.Plan(drillType, changed(h, drillType, plain{"scenario": plain{"type": "dependency_latency"}}), created)
	requireNone(t, plan.Diagnostics)
	require.True(t, providertest.At(t, plan.Planned, "scenario", "method").IsNull())
	require.Equal(t, "200ms", providertest.TextAt(t, plan.Planned, "scenario", "latency"))
}

func TestWhatIsNotKnownOfADrillHidesNoOtherMistake(t *testing.T) {
	t.Parallel()
	h := newHost(t, providertest.NewServer(t), nil)
	unknown := providertest.Unknown()
	for _, typeName := range []string{policyType, drillType} {
		config := minimal(h)[typeName]
		for name := range config {
			partly := minimal(h)[typeName]
			partly[name] = tftypes.NewValue(config[name].Type(), tftypes.UnknownValue)
			requireNone(t, h.Validate(typeName, partly))
		}
	}
	at9 := plain{"allow": []any{plain{"from": "09:00", "to": "17:00"}}}
	for name, test := range map[string]struct {
		typeName string
		bad      plain
		unknown  plain // makes the verdict depend on what is not known
	}{
		"the standbys that observe":      {policyType, plain{"detection": plain{"quorum": 4}}, plain{"standby": []any{"us", unknown}}},
		"the replication that may lose":  {policyType, plain{"objectives": plain{"rto": "30s", "rpo": "0s"}}, plain{"replication": unknown}},
		"the time that the fault stays":  {drillType, plain{"max_duration": "10s"}, plain{"scenario": plain{"type": "region_loss", "hold": unknown}}},
		"the time that is looked before": {drillType, plain{"max_duration": "10s"}, plain{"steady_state": plain{"observe": unknown}}},
		"the time zone of the schedule": {drillType, plain{"windows": at9, "schedule": plain{"cron": "0 3 * * *"}},
			plain{"schedule": plain{"cron": "0 3 * * *", "timezone": unknown}}},
	} {
		config := changed(h, test.typeName, test.bad)
		require.NotEmpty(t, h.Validate(test.typeName, config), name)
		for attribute, value := range test.unknown {
			config[attribute] = h.Make(test.typeName, attribute, value)
		}
		require.Empty(t, h.Validate(test.typeName, config), name)
	}
	short := changed(h, drillType, plain{"max_duration": "10s"})
	short["scenario"] = tftypes.NewValue(short["scenario"].Type(), tftypes.UnknownValue)
	requireNone(t, h.Validate(drillType, short))
	d := one(t, h.Validate(drillType, changed(h, drillType, plain{
		"scenario": plain{"type": "region_loss", "region": unknown}, "schedule": plain{"cron": "0 3 30 2 *"},
	})))
	require.Contains(t, d.Detail, "never fires")
}

// again reads an object and plans it in a run of its own.
func again(t *testing.T, server *providertest.Server, typeName string, config providertest.Attributes, prior *providertest.Resource) (*providertest.Resource, providertest.Plan) {
	t.Helper()
	h := newHost(t, server, nil)
	read, diagnostics := h.Read(typeName, prior)
	requireNone(t, diagnostics)
	require.NotNil(t, read)
	return read, h.Plan(typeName, config, read)
}

func requireWarning(t *testing.T, diagnostics []*tfprotov6.Diagnostic, says string) {
	t.Helper()
	d := one(t, diagnostics)
	require.Equal(t, tfprotov6.DiagnosticSeverityWarning, d.Severity)
	require.Contains(t, d.Summary+" "+d.Detail, says)
}

func TestAFailoverWarnsAndCausesNoPlan(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	const path = "/v1/failover-policies/checkout"
	config := minimal(newHost(t, server, nil))[policyType]
	created := create(t, newHost(t, server, nil), policyType, config)
	_, plan := again(t, server, policyType, config, created)
	requireNone(t, plan.Diagnostics)

	server.Edit(path, func(o *providertest.Object) {
		o.Status["active_region"] = "us"
		o.Status["readiness"] = synapse.FailoverReadiness{CheckedAt: began(), Checks: []synapse.ReadinessCheck{{Name: "replication_lag", Message: "12.3s, at most 10s"}, {Name: "region", OK: true}}}
		o.Status["history"] = []synapse.Transition{{ID: "failover-1", Kind: synapse.TransitionFailover, Trigger: "automatic", From: "eu", To: "us", Phase: synapse.TransitionCompleted, StartedAt: began()}}
	})
	read, plan := again(t, server, policyType, config, created)
	require.True(t, plan.Planned.Equal(read.State), "%s\n%s", plan.Planned, read.State)
	requireWarning(t, plan.Diagnostics, "Region us serves in place of eu")
	require.Equal(t, "not as it must be: replication_lag", providertest.TextAt(t, read.State, "readiness", "message"))
	require.Equal(t, "us", providertest.TextAt(t, read.State, "last_transition", "to"))

	config["preferred"], config["standby"] = providertest.Text("us"), newHost(t, server, nil).Make(policyType, "standby", []any{"eu"})
	_, plan = again(t, server, policyType, config, read)
	requireNone(t, plan.Diagnostics)
	updated, diagnostics := newHost(t, server, nil).Apply(t.Context(), policyType, plan, read)
	requireNone(t, diagnostics)

	server.Edit(path, func(o *providertest.Object) {
		o.Status["transition"] = synapse.Transition{ID: "failback-2", Kind: synapse.TransitionFailback, From: "us", Phase: synapse.TransitionFailed, Message: "eu does not answer", StartedAt: began()}
	})
	_, plan = again(t, server, policyType, config, updated)
	requireWarning(t, plan.Diagnostics, "failback-2, away from region us, failed: eu does not answer")

	data, diagnostics := newHost(t, server, nil).Data(policyType, providertest.Attributes{"name": config["name"]})
	requireNone(t, diagnostics)
	transitions := providertest.Elements(t, data, "transitions")
	require.Len(t, transitions, 2)
	require.Equal(t, "failback-2", providertest.TextAt(t, transitions[1], "id"))
}

func TestADrillWarnsOfItsEvidence(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	config := minimal(newHost(t, server, nil))[drillType]
	created := create(t, newHost(t, server, nil), drillType, config)
	for _, test := range []struct {
		evidence synapse.EvidenceStatus
		verdict  synapse.DrillVerdict
		says     string
	}{
		{synapse.EvidenceFresh, synapse.VerdictPassed, ""},
		{synapse.EvidenceStale, synapse.VerdictPassed, `The evidence of drill "region-loss" is stale Recovery was proven once, but run first passed more than 1h ago. Run the drill again`},
		{synapse.EvidenceFresh, synapse.VerdictFailed, "Run first ended as failed"},
	} {
		server.Edit("/v1/dr-drills/region-loss", func(o *providertest.Object) {
			o.Status["evidence"], o.Status["evidence_message"] = test.evidence, "run first passed more than 1h ago"
			o.Status["last_run"] = synapse.DrillLastRun{Name: "first", Verdict: test.verdict, EndedAt: began(), RTO: "1.84s", RPO: "0s"}
		})
		read, plan := again(t, server, drillType, config, created)
		require.True(t, plan.Planned.Equal(read.State))
		require.Equal(t, "1.84s", providertest.TextAt(t, read.State, "last_run", "rto"))
		if test.says == "" {
			requireNone(t, plan.Diagnostics)
		} else {
			requireWarning(t, plan.Diagnostics, test.says)
		}
	}
}

// What there is to say of a policy, a drill or a run is said in each plan, also when the state is as it was applied.
func TestWhatThereIsToSayIsSaidAlsoOfWhatDidNotChange(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	server.Run(providertest.Runs{Verdict: synapse.VerdictFailed, Message: "the RTO was missed"})
	server.React(func(o *providertest.Object) {
		providertest.MakeReady(o)
		switch o.Kind {
		case synapse.KindFailoverPolicy:
			o.Status["active_region"] = "us"
		case synapse.KindDrill:
			o.Status["evidence"] = synapse.EvidenceStale
		}
	})
	for _, typeName := range []string{policyType, drillType, runType} {
		h := newHost(t, server, nil)
		config := minimal(h)[typeName]
		if typeName == runType {
			config["fail_on"] = h.Make(runType, "fail_on", []any{})
		}
		created, diagnostics := h.Apply(t.Context(), typeName, h.Plan(typeName, config, nil), nil)
		require.NotNil(t, created)
		for _, d := range diagnostics {
			require.Equal(t, tfprotov6.DiagnosticSeverityWarning, d.Severity, d.Detail)
		}
		plan := newHost(t, server, nil).Plan(typeName, config, created)
		require.True(t, plan.Planned.Equal(created.State))
		require.Equal(t, tfprotov6.DiagnosticSeverityWarning, one(t, plan.Diagnostics).Severity, typeName)
	}
}

func TestReadinessIsADataSource(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	h := newHost(t, server, nil)
	for _, bad := range []string{"checkout", "../tokens"} {
		_, diagnostics := h.Data("synapse_readiness", providertest.Attributes{"policy": providertest.Text(bad)})
		require.Equal(t, `AttributeName("policy")`, one(t, diagnostics).Attribute.String())
	}
	create(t, h, policyType, minimal(h)[policyType])
	readiness, diagnostics := h.Data("synapse_readiness", providertest.Attributes{"policy": providertest.Text("checkout")})
	requireNone(t, diagnostics)
	require.Equal(t, "us", providertest.TextAt(t, readiness, "target"))
	require.True(t, providertest.At(t, readiness, "ready").Equal(providertest.Flag(true)))
	require.Equal(t, "12ms, at most 10s", providertest.TextAt(t, providertest.Elements(t, readiness, "checks")[0], "message"))
}

func TestAnApprovalThatIsNotConfiguredIsLeftToTheEnvironment(t *testing.T) {
	t.Parallel()
	server := providertest.NewServer(t)
	config := minimal(newHost(t, server, nil))[drillType]
	created := create(t, newHost(t, server, nil), drillType, config)
	server.Edit("/v1/dr-drills/region-loss", func(o *providertest.Object) {
		o.Spec["approval"] = map[string]any{"required": true, "valid_for": "168h"}
	})
	read, plan := again(t, server, drillType, config, created)
	requireNone(t, plan.Diagnostics)
	require.True(t, plan.Planned.Equal(read.State))
	data, diagnostics := newHost(t, server, nil).Data(drillType, providertest.Attributes{"name": config["name"]})
	requireNone(t, diagnostics)
	require.True(t, providertest.At(t, data, "approval", "required").Equal(providertest.Flag(true)), "the data source shows it")

	config["approval"] = newHost(t, server, nil).Make(drillType, "approval", plain{"required": false})
	_, plan = again(t, server, drillType, config, created)
	require.False(t, plan.Planned.Equal(created.State))
}
