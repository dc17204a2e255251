package providertest

import (
	"maps"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/stretchr/testify/require"
)

// Data reads a data source.
func (h *Host) Data(typeName string, config Attributes) (tftypes.Value, []*tfprotov6.Diagnostic) {
	objectType := h.schema.DataSourceSchemas[typeName].ValueType().(tftypes.Object)
	resp, err := h.server.ReadDataSource(h.t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: h.pack(objectType, object(objectType, config))})
	require.NoError(h.t, err)
	if resp.State == nil {
		return tftypes.Value{}, resp.Diagnostics
	}
	return h.unpack(objectType, resp.State), resp.Diagnostics
}

// Open validates and opens an ephemeral resource.
func (h *Host) Open(typeName string, config Attributes) (tftypes.Value, []byte, []*tfprotov6.Diagnostic) {
	objectType := h.schema.EphemeralResourceSchemas[typeName].ValueType().(tftypes.Object)
	packed := h.pack(objectType, object(objectType, config))
	validated, err := h.server.ValidateEphemeralResourceConfig(h.t.Context(), &tfprotov6.ValidateEphemeralResourceConfigRequest{TypeName: typeName, Config: packed})
	require.NoError(h.t, err)
	if len(validated.Diagnostics) > 0 {
		return tftypes.Value{}, nil, validated.Diagnostics
	}
	resp, err := h.server.OpenEphemeralResource(h.t.Context(), &tfprotov6.OpenEphemeralResourceRequest{TypeName: typeName, Config: packed})
	require.NoError(h.t, err)
	return h.unpack(objectType, resp.Result), resp.Private, resp.Diagnostics
}

// Close closes an ephemeral resource.
func (h *Host) Close(typeName string, private []byte) []*tfprotov6.Diagnostic {
	resp, err := h.server.CloseEphemeralResource(h.t.Context(), &tfprotov6.CloseEphemeralResourceRequest{TypeName: typeName, Private: private})
	require.NoError(h.t, err)
	return resp.Diagnostics
}

// Keys returns the sorted keys of a map inside an object.
func Keys(t testing.TB, value tftypes.Value, names ...string) []string {
	t.Helper()
	var elements Attributes
	require.NoError(t, At(t, value, names...).As(&elements))
	return slices.Sorted(maps.Keys(elements))
}

// Elements returns the elements of a list inside an object.
func Elements(t testing.TB, value tftypes.Value, names ...string) []tftypes.Value {
	t.Helper()
	var elements []tftypes.Value
	require.NoError(t, At(t, value, names...).As(&elements))
	return elements
}
