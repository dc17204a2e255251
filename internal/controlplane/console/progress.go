package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// stage is one step or wave on a bar of them.
type stage struct {
	Label, Detail string
	// State is done, current, failed or pending.
	State string
	// Note says how far it is, or is empty for what the state says.
	Note string
}

// steps returns the steps of a progression with where the split is.
func steps(split *splitObject) []stage {
	progression := split.Spec.Progression
	if progression == nil {
		return nil
	}
	stages := make([]stage, 0, len(progression.Steps))
	for i, step := range progression.Steps {
		detail := "hold " + string(step.Hold)
		if step.Gate == synapse.GateManual {
			detail += ", then approval"
		}
		stages = append(stages, stage{Label: fmt.Sprintf("%d %%", step.Weight), Detail: detail,
			State: stageState(&split.Status, i, reachedStep(&split.Status))})
	}
	return stages
}

// waves returns the groups of regions of a progression with where the split is.
func waves(split *splitObject) []stage {
	if split.Spec.Progression == nil {
		return nil
	}
	stages := make([]stage, 0, len(split.Spec.Progression.Waves))
	for i, wave := range split.Spec.Progression.Waves {
		stages = append(stages, stage{Label: strings.Join(wave.Regions, ", "), Detail: "soak " + string(wave.Soak),
			State: stageState(&split.Status, i, reachedWave(&split.Status))})
	}
	return stages
}

func stageState(status *synapse.TrafficSplitStatus, index, reached int) string {
	state := &status.State
	switch {
	case state.Phase == synapse.SplitCompleted || state.Phase == synapse.SplitSoaking:
		return "done"
	case !state.Phase.Live() && state.Phase != synapse.SplitRolledBack || index > reached:
		return "pending"
	case index < reached:
		return "done"
	case state.Phase == synapse.SplitRollingBack || state.Phase == synapse.SplitRolledBack:
		return "failed"
	}
	return "current"
}

// lastRollback returns the decision to roll back that the split is rolled back by, or nil.
func lastRollback(status *synapse.TrafficSplitStatus) *synapse.SplitDecision {
	if phase := status.State.Phase; phase != synapse.SplitRollingBack && phase != synapse.SplitRolledBack {
		return nil
	}
	for i := range slices.Backward(status.History) {
		if status.History[i].Action == synapse.ActionRollback {
			return &status.History[i]
		}
	}
	return nil
}

// reachedStep is the index of the step under way, or of the one that was rolled back.
func reachedStep(status *synapse.TrafficSplitStatus) int {
	if rollback := lastRollback(status); rollback != nil {
		return rollback.Step
	}
	return status.State.Step
}

func reachedWave(status *synapse.TrafficSplitStatus) int {
	if rollback := lastRollback(status); rollback != nil {
		return rollback.Wave
	}
	return status.State.Wave
}

// stepText says in the list of splits how far one is.
func stepText(split *splitObject) string {
	progression := split.Spec.Progression
	if progression == nil {
		return "static weights"
	}
	text := fmt.Sprintf("step %d of %d", min(reachedStep(&split.Status)+1, len(progression.Steps)), len(progression.Steps))
	if len(progression.Waves) > 0 {
		text += fmt.Sprintf(", wave %d of %d", min(reachedWave(&split.Status)+1, len(progression.Waves)), len(progression.Waves))
	}
	return text
}

// weightBar is the live weights of a region as a bar of 100 units.
type weightBar struct {
	Region   string
	Segments []segment
	Text     string
}

// segment is one backend's part of a bar.
type segment struct {
	Backend    string
	Slot       int
	Start, Len int
}

// newWeightBar orders the backends by their slots, so that a bar looks the same in every region.
func newWeightBar(region string, weights map[string]int, slots map[string]int) weightBar {
	bar := weightBar{Region: region, Text: synapse.DescribeWeights(weights)}
	names := slices.SortedFunc(maps.Keys(weights), func(a, b string) int {
		if order := slotOf(slots, a) - slotOf(slots, b); order != 0 {
			return order
		}
		return strings.Compare(a, b)
	})
	start := 0
	for _, name := range names {
		bar.Segments = append(bar.Segments, segment{name, slotOf(slots, name), start, weights[name]})
		start += weights[name]
	}
	return bar
}

// otherSlot is the colour of backends that the split has no longer.
const otherSlot = 3

func slotOf(slots map[string]int, backend string) int {
	if slot, ok := slots[backend]; ok {
		return slot
	}
	return otherSlot
}

// weightBars returns the live weights by region. Before there are regions, one bar stands for all.
func weightBars(state *synapse.SplitState, regions []string, slots map[string]int) []weightBar {
	if len(regions) == 0 && len(state.Weights) > 0 {
		return []weightBar{newWeightBar("all regions", state.Weights, slots)}
	}
	var bars []weightBar
	for _, region := range regions {
		if weights := state.WeightsIn(region); len(weights) > 0 {
			bars = append(bars, newWeightBar(region, weights, slots))
		}
	}
	return bars
}
