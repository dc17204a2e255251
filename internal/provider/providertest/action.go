package providertest

import (
	"context"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"
)

// MakeInput is [Host.Make] for an attribute of an action.
func (h *Host) MakeInput(typeName, attribute string, plain any) tftypes.Value {
	return made(h.actionType(typeName).AttributeTypes[attribute], plain)
}

// PlanAction validates and plans an action.
func (h *Host) PlanAction(typeName string, config Attributes) []*tfprotov6.Diagnostic {
	server, packed := h.action(typeName, config)
	validated, err := server.ValidateActionConfig(h.t.Context(), &tfprotov6.ValidateActionConfigRequest{ActionType: typeName, Config: packed})
	require.NoError(h.t, err)
	if len(validated.Diagnostics) > 0 {
		return validated.Diagnostics
	}
	planned, err := server.PlanAction(h.t.Context(), &tfprotov6.PlanActionRequest{ActionType: typeName, Config: packed})
	require.NoError(h.t, err)
	return planned.Diagnostics
}

// Invoke invokes an action and returns what it told meanwhile.
func (h *Host) Invoke(ctx context.Context, typeName string, config Attributes) (progress []string, diagnostics []*tfprotov6.Diagnostic) {
	server, packed := h.action(typeName, config)
	stream, err := server.InvokeAction(ctx, &tfprotov6.InvokeActionRequest{ActionType: typeName, Config: packed})
	require.NoError(h.t, err)
	completed := false
	for event := range stream.Events {
		switch what := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			progress = append(progress, what.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			diagnostics, completed = what.Diagnostics, true
		}
	}
	require.True(h.t, completed, "the action says that it is done")
	return progress, diagnostics
}

func (h *Host) action(typeName string, config Attributes) (tfprotov6.ActionServer, *tfprotov6.DynamicValue) {
	server, ok := h.server.(tfprotov6.ActionServer)
	require.True(h.t, ok, "the server passes actions on")
	objectType := h.actionType(typeName)
	return server, h.pack(objectType, object(objectType, config))
}

func (h *Host) actionType(typeName string) tftypes.Object {
	require.Contains(h.t, h.schema.ActionSchemas, typeName)
	objectType, ok := h.schema.ActionSchemas[typeName].Schema.ValueType().(tftypes.Object)
	require.True(h.t, ok)
	return objectType
}
