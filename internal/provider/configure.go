package provider

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/float64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/apex-innovations/terraform-provider-synapse/internal/client"
	"github.com/apex-innovations/terraform-provider-synapse/internal/provider/session"
	"github.com/apex-innovations/terraform-provider-synapse/internal/synapse"
)

// defaultEndpoint is where synapsed listens when nobody says otherwise.
const defaultEndpoint = "http://127.0.0.1:7700"

// most repetitions and requests per second that can be configured: beyond them is a slip of the pen.
const (
	mostRetries           = 100
	mostRequestsPerSecond = 100_000
)

// Config is the provider's configuration.
type Config struct {
	Endpoint          types.String  `tfsdk:"endpoint"`
	Token             types.String  `tfsdk:"token"`
	CACertificate     types.String  `tfsdk:"ca_certificate"`
	DefaultLabels     types.Map     `tfsdk:"default_labels"`
	MaxRetries        types.Int64   `tfsdk:"max_retries"`
	RequestsPerSecond types.Float64 `tfsdk:"requests_per_second"`
}

// Schema implements [provider.Provider].
func (p *Provider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages the objects of Synapse: regions, tenants, services and their deployments, traffic, failovers and drills, through synapsed's API.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{Optional: true,
				MarkdownDescription: "Base URL of synapsed. Plain `http` is accepted for this machine only, because the token would travel in the clear. Environment: `SYNAPSE_ENDPOINT`. Default: `" + defaultEndpoint + "`."},
			"token": schema.StringAttribute{Optional: true, Sensitive: true,
				MarkdownDescription: "Bearer token, of the role operator or admin; viewer suffices to read. Environment: `SYNAPSE_TOKEN`, which keeps it out of files. Default: none."},
			"ca_certificate": schema.StringAttribute{Optional: true,
				MarkdownDescription: "Certificate authority that signed synapsed's certificate: PEM text, or the path of a PEM file. Environment: `SYNAPSE_CA_CERTIFICATE`. Default: the system's authorities."},
			"default_labels": schema.MapAttribute{Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Labels for every object, under the object's own; see `labels_all`. Environment: `SYNAPSE_DEFAULT_LABELS`, as `key=value,key2=value2`. Default: none.",
				Validators:          []validator.Map{mapvalidator.NoNullValues()}},
			"max_retries": schema.Int64Attribute{Optional: true,
				MarkdownDescription: fmt.Sprintf("How often a request is repeated that found synapsed overloaded, restarting or cut off, 0 to %d. Environment: `SYNAPSE_MAX_RETRIES`. Default: `%d`.", mostRetries, client.DefaultMaxRetries),
				Validators:          []validator.Int64{int64validator.Between(0, mostRetries)}},
			"requests_per_second": schema.Float64Attribute{Optional: true,
				MarkdownDescription: "Most requests per second to send, repetitions included; `0` means no limit. Environment: `SYNAPSE_REQUESTS_PER_SECOND`. Default: `0`.",
				Validators:          []validator.Float64{float64validator.Between(0, mostRequestsPerSecond)}},
		},
	}
}

// ValidateConfig implements [provider.ProviderWithValidateConfig]: what can be said without the environment.
func (p *Provider) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	var config Config
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !config.Endpoint.IsNull() && !config.Endpoint.IsUnknown() {
		if _, err := client.ParseEndpoint(config.Endpoint.ValueString()); err != nil {
			resp.Diagnostics.AddAttributeError(path.Root("endpoint"), "Invalid endpoint", sentence(err))
		}
	}
	if labels, known := knownLabels(ctx, config.DefaultLabels); known {
		resp.Diagnostics.Append(labelDiagnostics(labels)...)
	}
}

func knownLabels(ctx context.Context, value types.Map) (labels map[string]string, known bool) {
	if value.IsNull() {
		return nil, true
	}
	raw, err := value.ToTerraformValue(ctx)
	if err != nil || !raw.IsFullyKnown() {
		return nil, false
	}
	var elements map[string]tftypes.Value
	if raw.As(&elements) != nil {
		return nil, false
	}
	labels = make(map[string]string, len(elements))
	for key, element := range elements {
		var text string
		if !element.IsNull() && element.As(&text) == nil {
			labels[key] = text
		}
	}
	return labels, true
}

func labelDiagnostics(labels map[string]string) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, field := range synapse.ValidateLabels("", labels) {
		at := path.Root("default_labels")
		if tokens := synapse.SplitPointer(field.Pointer); tokens[0] != "" {
			at = at.AtMapKey(tokens[0])
		}
		diags.AddAttributeError(at, "Invalid label", field.Message)
	}
	return diags
}

// Configure implements [provider.Provider]. It sends nothing: the first request finds out whether a synapsed answers.
func (p *Provider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	if !req.Config.Raw.IsFullyKnown() {
		if req.ClientCapabilities.DeferralAllowed {
			resp.Deferred = &provider.Deferred{Reason: provider.DeferredReasonProviderConfigUnknown}
			return
		}
		resp.Diagnostics.Append(unknownDiagnostics(req.Config.Raw)...)
		return
	}
	var config Config
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	settings, labels, diags := p.settings(ctx, config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	settings.UserAgent = fmt.Sprintf("terraform-provider-synapse/%s terraform/%s", p.version, req.TerraformVersion)
	settings.Logger = newLogger()
	c, err := client.New(settings)
	if err != nil {
		resp.Diagnostics.AddError("Invalid provider configuration", sentence(err))
		return
	}
	s := session.New(c, labels, p.version)
	p.session.Store(s)
	resp.ResourceData, resp.DataSourceData, resp.EphemeralResourceData, resp.ActionData = s, s, s, s
}

// settings puts configuration, environment and defaults together.
func (p *Provider) settings(ctx context.Context, config Config) (client.Config, map[string]string, diag.Diagnostics) {
	var diags diag.Diagnostics
	settings := client.Config{
		Endpoint:      p.text(config.Endpoint, "SYNAPSE_ENDPOINT", defaultEndpoint),
		Token:         p.text(config.Token, "SYNAPSE_TOKEN", ""),
		CACertificate: p.text(config.CACertificate, "SYNAPSE_CA_CERTIFICATE", ""),
	}
	if _, err := client.ParseEndpoint(settings.Endpoint); err != nil {
		diags.AddAttributeError(path.Root("endpoint"), "Invalid endpoint", sentence(err)+" It comes from the configuration or from SYNAPSE_ENDPOINT.")
	}
	retries := p.number(config.MaxRetries.IsNull(), float64(config.MaxRetries.ValueInt64()), client.DefaultMaxRetries, "max_retries", "SYNAPSE_MAX_RETRIES", mostRetries, &diags)
	if retries != math.Trunc(retries) {
		diags.AddAttributeError(path.Root("max_retries"), "Invalid value", "SYNAPSE_MAX_RETRIES must be a whole number.")
	}
	if settings.MaxRetries = int(retries); settings.MaxRetries == 0 {
		settings.MaxRetries = -1 // the client takes 0 for its default
	}
	settings.RequestsPerSecond = p.number(config.RequestsPerSecond.IsNull(), config.RequestsPerSecond.ValueFloat64(), 0, "requests_per_second", "SYNAPSE_REQUESTS_PER_SECOND", mostRequestsPerSecond, &diags)
	labels, _ := knownLabels(ctx, config.DefaultLabels)
	if config.DefaultLabels.IsNull() {
		var err error
		if labels, err = ParseLabels(p.getenv("SYNAPSE_DEFAULT_LABELS")); err != nil {
			diags.AddAttributeError(path.Root("default_labels"), "Invalid default labels", sentence(err))
		}
	}
	diags.Append(labelDiagnostics(labels)...)
	return settings, labels, diags
}

func (p *Provider) text(configured types.String, variable, fallback string) string {
	if !configured.IsNull() {
		return configured.ValueString()
	}
	if value := p.getenv(variable); value != "" {
		return value
	}
	return fallback
}

func (p *Provider) number(isNull bool, configured, fallback float64, attribute, variable string, most float64, diags *diag.Diagnostics) float64 {
	value := p.getenv(variable)
	switch {
	case !isNull:
		return configured
	case value == "":
		return fallback
	}
	number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(number >= 0 && number <= most) {
		diags.AddAttributeError(path.Root(attribute), "Invalid value", fmt.Sprintf("The environment variable %s is %q: it must be a number from 0 to %v.", variable, value, most))
	}
	return number
}

// ParseLabels reads labels written as key=value,key2=value2.
func ParseLabels(text string) (map[string]string, error) {
	labels := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		key, value, found := strings.Cut(pair, "=")
		key = strings.TrimSpace(key)
		if _, twice := labels[key]; !found || key == "" || twice {
			return nil, fmt.Errorf("the environment variable SYNAPSE_DEFAULT_LABELS has %q: write it as key=value,key2=value2, each key once", pair)
		}
		labels[key] = strings.TrimSpace(value)
	}
	return labels, nil
}

// unknownDiagnostics names the arguments that are known only after something else was applied.
func unknownDiagnostics(config tftypes.Value) diag.Diagnostics {
	var attributes map[string]tftypes.Value
	var diags diag.Diagnostics
	if !config.IsKnown() || config.As(&attributes) != nil {
		diags.AddError("Provider configuration is not known yet", "Apply first what it depends on, with -target.")
		return diags
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if !attributes[name].IsFullyKnown() {
			diags.AddAttributeError(path.Root(name), "Provider configuration is not known yet", fmt.Sprintf(
				"%s depends on something that is known only after it was applied. Apply that first (with -target), or set %s to a value that is known beforehand.", name, name))
		}
	}
	return diags
}

func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
