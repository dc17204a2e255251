package synapse

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// DrillReportFormat names the form of reports.
const DrillReportFormat = "synapse.drill-report/v1"

// DrillReport is the evidence of one run: what was drilled, what was done when, and what a client saw from outside.
type DrillReport struct {
	Format           string           `json:"format" doc:"synapse.drill-report/v1."`
	Run              string           `json:"run" doc:"Name of the run."`
	Drill            string           `json:"drill" doc:"Name of the drill."`
	Environment      string           `json:"environment" doc:"Environment of the control plane."`
	Policy           string           `json:"policy" doc:"Failover policy that was drilled."`
	Mode             DrillMode        `json:"mode" doc:"execute or plan_only."`
	Definition       DrillSpec        `json:"definition" doc:"The definition that was run."`
	DefinitionSHA256 string           `json:"definition_sha256" doc:"Digest of the definition."`
	RequestedBy      string           `json:"requested_by" doc:"Who asked for the run."`
	ApprovedBy       string           `json:"approved_by,omitempty" doc:"Who approved the definition."`
	Reason           string           `json:"reason,omitempty" doc:"Why it was run."`
	Region           string           `json:"region,omitempty" doc:"Region that was harmed."`
	ActiveBefore     string           `json:"active_before,omitempty" doc:"Region that was active before the fault."`
	ActiveAfter      string           `json:"active_after,omitempty" doc:"Region that is active after the run."`
	StartedAt        time.Time        `json:"started_at" doc:"When the run began."`
	FaultAt          *time.Time       `json:"fault_at,omitempty" doc:"When the harm was begun."`
	EndedAt          time.Time        `json:"ended_at" doc:"When everything was undone."`
	Verdict          DrillVerdict     `json:"verdict" doc:"How it ended."`
	Message          string           `json:"message" doc:"Why the verdict is what it is."`
	Objectives       []DrillObjective `json:"objectives,omitempty" doc:"What had to be met, and what was measured."`
	Requests         DrillRequests    `json:"requests" doc:"The client's requests through the global entry."`
	Markers          DrillMarkers     `json:"markers" doc:"The client's writes through the database write endpoint."`
	Timeline         []DrillBucket    `json:"timeline,omitempty" doc:"Requests and markers over time."`
	BucketLength     Duration         `json:"bucket_length,omitempty" doc:"Time that one entry of the timeline spans."`
	Steps            []DrillRunStep   `json:"steps,omitempty" doc:"What was done, and undone."`
	Transitions      []Transition     `json:"transitions,omitempty" doc:"Failovers and failbacks during the run."`
	// SamplesSHA256 is of the file in which the client wrote down each request and each write.
	SamplesSHA256 string `json:"samples_sha256,omitempty" doc:"SHA-256 of the client's record of each request and each write."`
	// EvidenceSHA256 is of this report without this field, see [DrillReport.Seal].
	EvidenceSHA256 string `json:"evidence_sha256" doc:"SHA-256 of this report, as compact JSON with this field empty."`
}

// DrillObjective is a line of the report: what had to be met, and what was measured.
type DrillObjective struct {
	Name      string `json:"name" doc:"rto, rpo, steady_state_before, steady_state_during or steady_state_after."`
	Objective string `json:"objective" doc:"What had to be met, such as at most 30s."`
	Measured  string `json:"measured" doc:"What was measured, such as 1.84s."`
	Met       bool   `json:"met" doc:"Whether it was met."`
	Message   string `json:"message,omitempty" doc:"How it was measured."`
}

// DrillRequests sums up the client's requests.
type DrillRequests struct {
	Sent int64 `json:"sent" doc:"Requests that were sent."`
	Good int64 `json:"good" doc:"Requests with a good answer in time."`
	Bad  int64 `json:"bad" doc:"The others."`
	// LastGoodAt and RecoveredAt enclose the outage; nil without one.
	LastGoodAt  *time.Time `json:"last_good_at,omitempty" doc:"Last good answer before the outage."`
	RecoveredAt *time.Time `json:"recovered_at,omitempty" doc:"First good answer after the outage."`
	Outage      Duration   `json:"outage,omitempty" doc:"Time between them."`
}

// DrillMarkers sums up the client's writes.
type DrillMarkers struct {
	Attempted   int64      `json:"attempted" doc:"Writes that were tried."`
	Written     int64      `json:"written" doc:"Writes that were acknowledged."`
	Lost        int64      `json:"lost" doc:"Acknowledged writes that the database does not have after the promotion."`
	LostSpan    Duration   `json:"lost_span,omitempty" doc:"From the last acknowledged write that was kept to the last that was lost."`
	LastGoodAt  *time.Time `json:"last_good_at,omitempty" doc:"Last acknowledged write before the outage."`
	RecoveredAt *time.Time `json:"recovered_at,omitempty" doc:"First acknowledged write after the outage."`
	Outage      Duration   `json:"outage,omitempty" doc:"Time between them."`
}

// DrillBucket is what the client saw in one span of time.
type DrillBucket struct {
	At      int64 `json:"at" doc:"When the span begins, in Unix milliseconds."`
	Good    int   `json:"good,omitempty" doc:"Good requests."`
	Bad     int   `json:"bad,omitempty" doc:"Bad requests."`
	Written int   `json:"written,omitempty" doc:"Markers acknowledged and kept."`
	Lost    int   `json:"lost,omitempty" doc:"Markers acknowledged and lost."`
	Failed  int   `json:"failed,omitempty" doc:"Markers not acknowledged."`
}

// RTO is the longer of the outages that requests and writes saw.
func (r *DrillReport) RTO() time.Duration {
	return max(r.Requests.Outage.Value(), r.Markers.Outage.Value())
}

// Seal works the evidence's digest out and writes it into the report.
func (r *DrillReport) Seal() error {
	sum, err := r.digest()
	r.EvidenceSHA256 = sum
	return err
}

// Verify reports an error when the report is not what was sealed, or not about the definition it names.
func (r *DrillReport) Verify() error {
	sum, err := r.digest()
	switch {
	case err != nil:
		return err
	case sum != r.EvidenceSHA256:
		return fmt.Errorf("the report was changed: its SHA-256 is %s, and it says %s", sum, r.EvidenceSHA256)
	case r.Definition.Digest() != r.DefinitionSHA256:
		return fmt.Errorf("the report's definition was changed: its SHA-256 is %s, and the report says %s", r.Definition.Digest(), r.DefinitionSHA256)
	}
	return nil
}

func (r DrillReport) digest() (string, error) {
	r.EvidenceSHA256 = ""
	content, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encoding the report: %w", err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}
