// Package drillrun is the resource, the data sources and the action synapse_dr_drill_run, which run a drill once, and the
// data source synapse_dr_drill_report.
package drillrun

import (
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/envelope"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// run is a run as the API has it.
type run = synapse.Object[synapse.DrillRunSpec, synapse.DrillRunStatus]

// base is the part of a run's life that is as for all kinds.
type base = envelope.Resource[Model, synapse.DrillRunSpec, synapse.DrillRunStatus, *Model, *synapse.DrillRunSpec, *synapse.DrillRunStatus]

// Resource is the resource synapse_dr_drill_run. A run happens when it is created, and is a record from then on.
type Resource struct{ *base }

// New returns the constructor of synapse_dr_drill_run.
func New() func() resource.Resource {
	construct := envelope.NewResource[Model, synapse.DrillRunSpec, synapse.DrillRunStatus](definition())
	return func() resource.Resource { return wrap(construct()) }
}

func wrap(constructed resource.Resource) *Resource {
	wrapped, ok := constructed.(*base)
	if !ok {
		panic("drillrun: the envelope makes another type of resource")
	}
	return &Resource{wrapped}
}

// DataSources returns the constructors of the data sources synapse_dr_drill_run, synapse_dr_drill_runs and
// synapse_dr_drill_report.
func DataSources() []func() datasource.DataSource {
	return []func() datasource.DataSource{
		envelope.NewDataSource[Model, synapse.DrillRunSpec, synapse.DrillRunStatus](definition()),
		NewRuns, NewReport,
	}
}

// createTimeout is how long a run may take where the configuration does not say.
const createTimeout = time.Hour

// deleteTimeout is how long the end of a run that is destroyed while it is under way is waited for.
const deleteTimeout = 10 * time.Minute

func definition() envelope.Definition {
	return envelope.Definition{
		Kind: synapse.KindDrillRun,
		Description: "Runs a drill once, when it is created, waits for its end and keeps the verdict and what was measured. **Creating it does harm on purpose**, unless `mode` is `plan_only`. " +
			"It runs again when `triggers` (or `drill`, `mode`, `reason`) change, or with `-replace`.\n\n" +
			"A verdict in `fail_on` is an error, so that a pipeline stops. The run and its verdict stay in the state, and Terraform marks a resource whose creation failed as tainted: " +
			"**the next apply runs the drill again**, because it was not passed. To keep the run without another one, use `terraform untaint`; to never be asked, set `fail_on = []`, and plans warn of the verdict instead.\n\n" +
			"Interrupting Terraform, or the end of `timeouts.create`, aborts the run: synapsed undoes what it did. Destroying it only forgets it, and aborts it first if it is under way; the evidence stays in synapsed, for as long as the drill's `evidence.retain` says. " +
			"After that time the state keeps the run as it was, and nothing is run anew.",
		Timeouts:     envelope.Timeouts{Create: createTimeout, Update: 5 * time.Minute, Delete: deleteTimeout},
		Attributes:   attributes(),
		ProviderOnly: []string{"fail_on"},
	}
}

// failures are the verdicts that fail an apply where the configuration does not say.
func failures() []synapse.DrillVerdict {
	return slices.DeleteFunc(synapse.Verdicts(), func(verdict synapse.DrillVerdict) bool { return verdict == synapse.VerdictPassed })
}
