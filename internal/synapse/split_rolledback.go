package synapse

import (
	"fmt"
	"slices"
	"time"
)

// MaxRolledBack is how many revisions that were rolled back a split remembers.
const MaxRolledBack = 100

// RolledBackRevision is a revision that was rolled back.
type RolledBackRevision struct {
	Revision string    `json:"revision" doc:"Revision of the progression."`
	Time     time.Time `json:"time" doc:"When it was rolled back."`
	Message  string    `json:"message" doc:"Why, with the numbers."`
}

// RolledBackRevisions are the revisions that do not start again before somebody retries them. Of a split that an older
// control plane stored, which kept no list, its history tells.
func (s *TrafficSplitStatus) RolledBackRevisions() []RolledBackRevision {
	if len(s.State.RolledBack) > 0 {
		return s.State.RolledBack
	}
	var revisions []RolledBackRevision
	for _, decision := range s.History {
		switch decision.Action {
		case ActionRollback:
			revisions = append(without(revisions, decision.Revision), RolledBackRevision{decision.Revision, decision.Time, decision.Message})
		case ActionRetry, ActionSkip, ActionComplete:
			revisions = without(revisions, decision.Revision)
		}
	}
	return revisions
}

// RolledBack says when and why a revision was rolled back, or nil when it was not, or somebody retried it since.
func (s *TrafficSplitStatus) RolledBack(revision string) *RolledBackRevision {
	return find(s.RolledBackRevisions(), revision)
}

func find(revisions []RolledBackRevision, revision string) *RolledBackRevision {
	if i := slices.IndexFunc(revisions, func(r RolledBackRevision) bool { return r.Revision == revision }); i >= 0 {
		return &revisions[i]
	}
	return nil
}

func without(revisions []RolledBackRevision, revision string) []RolledBackRevision {
	return slices.DeleteFunc(revisions, func(r RolledBackRevision) bool { return r.Revision == revision })
}

// condemn remembers that the revision was rolled back.
func (m *splitMachine) condemn(message string) {
	all := append(without(m.RolledBack, m.Revision), RolledBackRevision{m.Revision, m.now, message})
	m.RolledBack = all[max(0, len(all)-MaxRolledBack):]
}

// forgive lets a revision start again.
func (m *splitMachine) forgive(revision string) {
	if m.RolledBack = without(m.RolledBack, revision); len(m.RolledBack) == 0 {
		m.RolledBack = nil // as JSON keeps it
	}
}

// refuseRevision keeps away from a revision that was rolled back before, and says so. The API refuses such a spec, so this is
// for one that came another way. A progression that is under way ends: it is not what is asked for any more.
func (m *splitMachine) refuseRevision(before *RolledBackRevision) {
	message := fmt.Sprintf("revision %s was rolled back on %s: it does not start again unless somebody runs `synapsed split retry %s --revision %[1]s`",
		before.Revision, before.Time.UTC().Format(time.RFC3339), m.split)
	if m.Phase.Live() {
		m.rollBack("", message, nil)
		return
	}
	m.Message = message
}
