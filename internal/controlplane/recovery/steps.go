package recovery

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/apex-innovations/terraform-provider-synapse/internal/controlplane/object"
	"github.com/apex-innovations/terraform-provider-synapse/internal/runtime"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// outcome is what became of a step in one pass.
type outcome struct {
	done, skipped bool
	// stored says that the status holds something that must be in the store before the step goes on.
	stored  bool
	message string
}

func finished(format string, args ...any) outcome {
	return outcome{done: true, message: fmt.Sprintf(format, args...)}
}

func passedOver(format string, args ...any) outcome {
	return outcome{done: true, skipped: true, message: fmt.Sprintf(format, args...)}
}

func waiting(format string, args ...any) outcome {
	return outcome{message: fmt.Sprintf(format, args...)}
}

// do carries a step out.
func (r *Failovers) do(ctx context.Context, p *policy, step *synapse.TransitionStep) (outcome, error) {
	t := p.Status.Transition
	// Splits stand still from the first step on. One that cannot be frozen must not hold up the failover of its service.
	freezing := freeze(ctx, r.splits(), t.Frozen, transitionHolder(t), "a "+string(t.Kind)+" is under way")
	switch step.Type {
	case synapse.StepScale:
		return r.scale(ctx, p, step)
	case synapse.StepFence:
		if t.Planned {
			return passedOver("region %s works: the switchover closes its database in order", t.From), nil
		}
		if err := r.Runtime.FenceDatabase(ctx, t.From); err != nil {
			return outcome{}, err
		}
		return finished("the database of %s takes no writes any more", t.From), nil
	case synapse.StepPromoteDatabase:
		return r.promote(ctx, p)
	case synapse.StepShiftTraffic:
		if err := r.moved(ctx, p); err != nil {
			return outcome{}, err
		}
		if err := r.route(ctx, p, t.To); err != nil {
			return outcome{}, err
		}
		return finished("the global entry leads requests to %s", t.To), nil
	case synapse.StepVerify:
		if freezing != nil {
			return outcome{}, freezing
		}
		return r.verify(ctx, p), nil
	case synapse.StepHook:
		return r.tell(ctx, p, step)
	case synapse.StepApprove:
		return r.approval(p)
	}
	return outcome{}, fmt.Errorf("this control plane does not know the step %s: it is older than the one that stored it", step.Type)
}

// chooseTarget picks the region that takes over, which is to be stored before anything is done there.
func (r *Failovers) chooseTarget(ctx context.Context, p *policy) (outcome, error) {
	t := p.Status.Transition
	target, err := choose(ctx, r.Runtime, r.Backend.Store, &p.Spec, others(&p.Spec, t.From), r.Runtime.Observations(ctx), r.Runtime.Databases(ctx))
	if err != nil {
		return outcome{}, fmt.Errorf("no region can take over: %w", err)
	}
	t.To = target
	return outcome{stored: true}, nil
}

// promote makes the standby's database the primary. Which one it is, is stored first: after a crash it must be the same.
func (r *Failovers) promote(ctx context.Context, p *policy) (outcome, error) {
	t := p.Status.Transition
	if t.To == "" {
		return r.chooseTarget(ctx, p)
	}
	var err error
	if t.Planned {
		err = r.Runtime.SwitchoverDatabase(ctx, t.To)
	} else {
		err = r.Runtime.PromoteDatabase(ctx, t.To)
	}
	if err != nil {
		return outcome{}, err
	}
	if err := r.moved(ctx, p); err != nil {
		return outcome{}, err
	}
	return finished("the database of %s is the primary, and the write endpoint leads to it", t.To), nil
}

// scale gives the region that takes over replicas for all of the traffic.
func (r *Failovers) scale(ctx context.Context, p *policy, step *synapse.TransitionStep) (outcome, error) {
	t := p.Status.Transition
	if t.Kind == synapse.TransitionFailback {
		return passedOver("the preferred region has what its deployments say"), nil
	}
	if t.To == "" {
		// The replicas must be where the database goes: the choice is made now, and stored first.
		return r.chooseTarget(ctx, p)
	}
	to := t.To
	if p.Status.Scale == nil {
		scale, err := scaleFor(ctx, r.Backend.Store, p.Spec.Services, t.From, to, step.Percent)
		if err != nil {
			return outcome{}, err
		}
		if p.Status.Scale = scale; len(scale) == 0 {
			return finished("the services have enough replicas in %s", to), nil
		}
		return outcome{stored: true}, nil
	}
	if err := r.Moved(ctx); err != nil { // the deployments read the scale from the policy
		return outcome{}, err
	}
	short, err := shortOf(ctx, r.Backend.Store, p.Status.Scale, to)
	if err != nil || short != "" {
		return waiting("%s", short), err
	}
	return finished("the services have their replicas in %s", to), nil
}

// verify looks whether the region that took over serves.
func (r *Failovers) verify(ctx context.Context, p *policy) outcome {
	to := p.Status.Transition.To
	now := r.now()
	if !slices.ContainsFunc(r.Runtime.Observations(ctx), func(o runtime.Observation) bool {
		return o.Region == to && o.Component == runtime.ComponentGateway && o.Healthy
	}) {
		return waiting("the gateway of %s does not answer", to)
	}
	if p.Spec.MovesDatabase() {
		for _, d := range r.Runtime.Databases(ctx) {
			if d.Region == to && (d.Role != synapse.DatabasePrimary || !d.Healthy) {
				return waiting("the database of %s is not a healthy primary: %s", to, d.Message)
			}
		}
	}
	return finished("%s serves, and its database takes writes, as of %s", to, now.Format("15:04:05.000"))
}

// approval waits for somebody. A drill has an approval of its own.
func (r *Failovers) approval(p *policy) (outcome, error) {
	t := p.Status.Transition
	switch {
	case t.Trigger == synapse.TriggerDrill:
		return passedOver("the approval of the drill covers it"), nil
	case t.Approved != "":
		return finished("approved by %s", t.Approved), nil
	case t.Phase != synapse.TransitionAwaiting:
		t.Phase = synapse.TransitionAwaiting
		return outcome{stored: true}, nil
	}
	return waiting("awaits an approval: synapsed failover approve %s", p.Name), nil
}

// maxHookAnswer is how much of a hook's answer is read, in bytes.
const maxHookAnswer = 4 << 10

// tell sends the transition to a hook, which must agree. A hook may be told more than once of the same step.
func (r *Failovers) tell(ctx context.Context, p *policy, step *synapse.TransitionStep) (outcome, error) {
	body, err := json.Marshal(map[string]any{"policy": p.Name, "transition": p.Status.Transition})
	if err != nil {
		return outcome{}, fmt.Errorf("writing what the hook is told: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, step.Timeout.Value())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, step.URL, bytes.NewReader(body))
	if err != nil {
		return outcome{}, fmt.Errorf("telling the hook: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", p.Status.Transition.ID+"-"+step.URL)
	response, err := r.Hooks.Do(request)
	if err != nil {
		return outcome{}, fmt.Errorf("telling the hook: %w", err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxHookAnswer)); err != nil {
		return outcome{}, fmt.Errorf("reading the hook's answer: %w", err)
	}
	if response.StatusCode/100 != 2 {
		return waiting("the hook answered %s", response.Status), nil
	}
	return finished("the hook answered %s", response.Status), nil
}

func (r *Failovers) splits() *object.Collection[synapse.TrafficSplitSpec, synapse.TrafficSplitStatus] {
	return object.NewCollection(r.Backend, r.Kinds.TrafficSplit)
}
