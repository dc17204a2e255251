package admin

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime/local/gateway/internal/problem"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// maxFaultsBytes is far above what the faults of all drills at once need.
const maxFaultsBytes = 1 << 20

// putFaults makes the list that it gets the faults in force. It is not kept on disk: a process that starts anew has none.
func (s *Server[C]) putFaults(w http.ResponseWriter, r *http.Request) {
	var faults []runtime.Fault
	// A field that this process does not know may bound the harm: ignoring it would do more than was asked for.
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFaultsBytes))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&faults)
	for _, fault := range faults {
		if err == nil {
			err = checkFault(fault)
		}
	}
	if err != nil {
		problem.Write(w, synapse.Problem{Status: http.StatusBadRequest, Code: synapse.CodeInvalid, Detail: err.Error()})
		return
	}
	s.options.SetFaults(faults)
	s.options.Log.Warn("faults are in force", "count", len(faults))
	writeJSON(w, struct{}{})
}

// checkFault refuses what has no end, or no place to act in.
func checkFault(fault runtime.Fault) error {
	switch {
	case fault.Until.IsZero():
		return fmt.Errorf("fault %q does not say until when: set until, after which it ends by itself", fault.ID)
	case fault.Region == "":
		return fmt.Errorf("fault %q does not say which region it is done to: set region", fault.ID)
	case fault.Latency < 0:
		return fmt.Errorf("fault %q has the negative latency %s", fault.ID, fault.Latency)
	}
	switch fault.Mode {
	case "", runtime.FaultRefuse, runtime.FaultBlackHole:
		return nil
	}
	return fmt.Errorf("fault %q has the mode %q: it is %s or %s", fault.ID, fault.Mode, runtime.FaultRefuse, runtime.FaultBlackHole)
}
