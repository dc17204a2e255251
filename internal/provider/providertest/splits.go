package providertest

import (
	"encoding/json"
	"time"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// Observe lets the split's state machine, the real one, see the world once. It panics for what is no split.
func (o *Object) Observe(seen synapse.SplitObservation, now time.Time) {
	o.Happen(synapse.SplitEvent{Type: synapse.SplitObserved, Observation: seen}, now)
}

// Happen lets the split's state machine take an event. It panics when the event does not fit the state.
func (o *Object) Happen(event synapse.SplitEvent, now time.Time) {
	var spec synapse.TrafficSplitSpec
	var status synapse.TrafficSplitStatus
	convert(o.Spec, &spec)
	convert(o.Status, &status)
	if status.State.Salt == "" {
		status.State.Salt = "salt-of-" + o.Name
	}
	state, effects, err := synapse.NextSplit(status.State, &spec, event, now)
	if err != nil {
		panic("providertest: " + err.Error())
	}
	status.State, status.History = state, append(status.History, effects.Decisions...)
	o.Status = nil
	convert(status, &o.Status)
}

// State is the state of a split.
func (o *Object) State() synapse.SplitState {
	var status synapse.TrafficSplitStatus
	convert(o.Status, &status)
	return status.State
}

// convert passes a value through JSON, as between a server and its clients.
func convert(from, to any) {
	encoded, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(encoded, to)
	}
	if err != nil {
		panic("providertest: " + err.Error())
	}
}

// convertBody decodes a body, which may be empty.
func convertBody(body []byte, to any) {
	if len(body) == 0 {
		return
	}
	if err := json.Unmarshal(body, to); err != nil {
		panic("providertest: " + err.Error())
	}
}
