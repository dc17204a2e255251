package provider

import (
	"context"
	"log/slog"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// newLogger returns a logger that writes to Terraform's log: TF_LOG=debug shows it.
func newLogger() *slog.Logger { return slog.New(toTerraform{}) }

// toTerraform hands records to Terraform's logger, which it finds in the context of each request.
type toTerraform struct{ attributes []slog.Attr }

// Enabled implements [slog.Handler]. Terraform's logger filters by itself.
func (toTerraform) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements [slog.Handler].
func (h toTerraform) Handle(ctx context.Context, record slog.Record) error {
	fields := make(map[string]any, record.NumAttrs()+len(h.attributes))
	for _, attribute := range h.attributes {
		fields[attribute.Key] = attribute.Value.Any()
	}
	record.Attrs(func(attribute slog.Attr) bool {
		if value := attribute.Value.Any(); value != nil {
			fields[attribute.Key] = value
		}
		return true
	})
	if record.Level >= slog.LevelWarn {
		tflog.Warn(ctx, record.Message, fields)
	} else {
		tflog.Debug(ctx, record.Message, fields)
	}
	return nil
}

// WithAttrs implements [slog.Handler].
func (h toTerraform) WithAttrs(attributes []slog.Attr) slog.Handler {
	return toTerraform{append(h.attributes[:len(h.attributes):len(h.attributes)], attributes...)}
}

// WithGroup implements [slog.Handler]. The client makes no groups.
func (h toTerraform) WithGroup(string) slog.Handler { return h }
