package unchanged

import (
	"bytes"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// object is what the shortcuts must know of a state.
type object struct {
	key       synapse.Key
	phase     string
	protected bool
	// more are attributes of failover policies, drills and their runs.
	more map[string]any
}

// quiet reports whether nothing is to be done or said about an object as long as it stays as it is. A failed one has work to
// do, and of a progression that does not go on the framework warns, and of what a drill or a failover has shown.
func (o object) quiet() bool {
	switch o.phase {
	case string(synapse.PhaseFailed), string(synapse.SplitRollingBack), string(synapse.SplitRolledBack), string(synapse.SplitPaused):
		return false
	}
	switch o.key.Kind {
	case synapse.KindFailoverPolicy:
		return o.more["active_region"] == o.more["preferred"] && within(o.more["last_transition"], "phase") != string(synapse.TransitionFailed)
	case synapse.KindDrill:
		verdict := within(o.more["last_run"], "verdict")
		return o.more["evidence_status"] != string(synapse.EvidenceStale) && (verdict == nil || verdict == string(synapse.VerdictPassed))
	case synapse.KindDrillRun:
		return o.more["verdict"] == string(synapse.VerdictPassed)
	}
	return true
}

// within is an attribute of a nested object; nil when there is none.
func within(value any, name string) any {
	attributes, _ := value.(map[string]any)
	return attributes[name]
}

func packed(value *tfprotov6.DynamicValue) []byte {
	if value == nil {
		return nil
	}
	return value.MsgPack
}

// read looks a few attributes of a state up and passes over all others. ok is false for a state that is null or not as
// expected.
func read(typeName string, state *tfprotov6.DynamicValue) (o object, ok bool) {
	o.key.Kind = synapse.Kind(strings.TrimPrefix(typeName, "synapse_"))
	parent := ""
	for _, info := range synapse.Kinds() {
		if info.Kind == o.key.Kind {
			parent, ok = string(info.Parent), true
		}
	}
	if !ok || len(packed(state)) == 0 {
		return object{}, false
	}
	decoder := msgpack.NewDecoder(bytes.NewReader(packed(state)))
	attributes, err := decoder.DecodeMapLen()
	if err != nil {
		return object{}, false
	}
	for range attributes {
		name, err := decoder.DecodeString()
		if err != nil {
			return object{}, false
		}
		var value any
		switch name {
		case "name", "phase", "deletion_protection", parent, "active_region", "preferred", "last_transition", "evidence_status", "last_run", "verdict":
			value, err = decoder.DecodeInterface()
		default:
			err = decoder.Skip()
		}
		if err != nil {
			return object{}, false
		}
		switch name {
		case "name":
			o.key.Name, _ = value.(string)
		case "phase":
			o.phase, _ = value.(string)
		case "deletion_protection":
			o.protected, _ = value.(bool)
		case parent:
			o.key.Parent, _ = value.(string)
		default:
			if value != nil {
				o.more = with(o.more, name, value)
			}
		}
	}
	return o, o.key.Name != "" && (parent == "") == (o.key.Parent == "")
}

// with sets a key of a map that may not be there yet: most objects need none.
func with(values map[string]any, key string, value any) map[string]any {
	if values == nil {
		values = map[string]any{}
	}
	values[key] = value
	return values
}

// identity returns the identity that the state has, or makes it for one that Terraform before 1.12 wrote.
func (o object) identity(current *tfprotov6.ResourceIdentityData) (*tfprotov6.ResourceIdentityData, error) {
	if current != nil {
		return current, nil
	}
	attributes := map[string]tftypes.Type{"name": tftypes.String}
	values := map[string]tftypes.Value{"name": tftypes.NewValue(tftypes.String, o.key.Name)}
	if o.key.Parent != "" {
		parent := string(o.key.Kind.Info().Parent)
		attributes[parent], values[parent] = tftypes.String, tftypes.NewValue(tftypes.String, o.key.Parent)
	}
	identityType := tftypes.Object{AttributeTypes: attributes}
	data, err := tfprotov6.NewDynamicValue(identityType, tftypes.NewValue(identityType, values))
	if err != nil {
		return nil, err
	}
	return &tfprotov6.ResourceIdentityData{IdentityData: &data}, nil
}
